"""Recommendations out: ``GET`` or ``POST /api/v1/placements/{placement}/recommend/``."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from django.conf import settings
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import UNSET, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api import recommend_form
from recommendations.api.bodies import RawJson, body_of
from recommendations.api.errors import RETRY_SECONDS, problem
from recommendations.api.examples import RECOMMENDATION, RECOMMENDATION_REQUEST
from recommendations.api.recommend_form import Asked, RecommendBody, RecommendQuery
from recommendations.api.schema import EVERY_BODY, body_like, parameters_of, problems, schema_of
from recommendations.loop.answer import Answer, Fact, Shown
from recommendations.loop.serve import NotLoadedError, UnknownPlacementError, serve
from recommendations.terms import Fallback, Reason, Scope, Source
from recommendations.wording import reason_text

DESCRIPTION = """
What to show at a place of the shop, best first. `source` says where the answer came from, of the whole and of each
item, and `fallback_reason` why not from the model. `contributions` add up to `score`; `promotion` among them is what
the promotion plan adds, `second_stage` (one line) what the trees add where the shop gave them weight; `final` has what
boosts add and what diversity takes, too. `rules` names the shop's rules that boosted an item, pinned it or brought it
in, `rules_version` the book that they stand in (0: none was published yet). Code and evidence of a reason are the
contract; its text is made in `lang`. What is sold out, excluded by the request or by a rule, or bought before (where
the placement says so) is never in it. Somebody unknown gets what is popular. The answer comes from the memory of the
process: it goes on while the database is away.
"""
PARAMETERS = {
    "item_id": "The item in view; may be given several times.",
    "basket": "An item in the basket; may be given several times.",
    "category": "The path of the category in view, such as `Grocery > Pasta`; may be given several times.",
    "search_term": "What was searched for.",
    "fallback": "none: fewer items, or none, instead of what is popular.",
    "exclude_item_id": "An item that is not to be shown; may be given several times.",
    "n": "How many items; as the placement has it where it is not given.",
    "lang": "Language of the reasons; the shop's where it is not given or not known.",
    "fields": "Parts of an item to send, with commas: product, score, reasons, contributions; all where not given.",
    "dry_run": "The answer is not written down, and nothing is explored.",
    "personalise": "false: nothing that is known of the customer is used.",
}


class ReasonGiven(Struct):
    code: Reason
    text: str
    evidence: Mapping[str, Fact]


class ProductShown(Struct):
    """The price is the catalogue's, a text with two decimals; the picture of an item without one is its tile."""

    title: str
    brand: str | None
    price: str | None
    currency: str
    image_url: str
    url: str | None


class Recommended(Struct):
    item_id: str
    rank: int
    source: Source
    score: float | UnsetType = UNSET
    final: float | UnsetType = UNSET
    reasons: list[ReasonGiven] | UnsetType = UNSET
    contributions: Mapping[str, float] | UnsetType = UNSET
    rules: list[str] = []
    product: ProductShown | UnsetType = UNSET


class Recommendations(Struct):
    recommendation_id: str
    placement: str
    model_version: str | None
    weights_version: int | None
    rules_version: int
    experiment: None
    personalised: bool
    source: Source
    fallback_reason: Fallback | None
    results: list[Recommended]
    missing_item_ids: list[str]


class RecommendView(APIView):
    required_scope = Scope.RECOMMENDATIONS_READ
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="recommend_simply",
        summary="Recommendations out, the simple case",
        description=DESCRIPTION,
        parameters=parameters_of(RecommendQuery, described=PARAMETERS),
        responses={
            200: OpenApiResponse(schema_of(Recommendations), description="What to show."),
            **problems(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[RECOMMENDATION],
        tags=["recommendations"],
    )
    def get(self, request: Request, placement: str) -> HttpResponse:
        return _answered(request, recommend_form.of_query(placement, request.query_params))

    @extend_schema(
        operation_id="recommend",
        summary="Recommendations out",
        description=DESCRIPTION,
        request=body_like(RecommendBody),
        responses={
            200: OpenApiResponse(schema_of(Recommendations), description="What to show."),
            **problems(*EVERY_BODY, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[RECOMMENDATION_REQUEST, RECOMMENDATION],
        tags=["recommendations"],
    )
    def post(self, request: Request, placement: str) -> HttpResponse:
        return _answered(request, recommend_form.of_body(placement, body_of(request)))


def _answered(request: Request, asked: Asked) -> HttpResponse:
    try:
        answer = serve(asked.request, now=timezone.now())
    except UnknownPlacementError as error:
        raise Http404(_("There is no placement “%(name)s”.") % {"name": error.name}) from error
    except NotLoadedError:
        return _not_loaded()
    with override(asked.lang or settings.SHOP_LANGUAGE):
        body = _body(answer, asked.fields, site=request.build_absolute_uri("/").rstrip("/"))
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")


def _not_loaded() -> HttpResponse:
    """Only a process that has never reached PostgreSQL says so; later on the answers come from its memory."""
    answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, _("The database has not answered since this process began."))
    answer["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _body(answer: Answer, fields: frozenset[str], *, site: str) -> Recommendations:
    return Recommendations(
        recommendation_id=answer.recommendation_id,
        placement=answer.placement,
        model_version=f"m{answer.model_version}" if answer.model_version else None,
        weights_version=answer.weights_version,
        rules_version=answer.rules_version,
        experiment=None,
        personalised=answer.personalised,
        source=answer.source,
        fallback_reason=answer.fallback_reason,
        results=[_result(shown, answer.rule_names, fields, site=site) for shown in answer.shown],
        missing_item_ids=list(answer.missing_item_ids),
    )


def _result(shown: Shown, rule_names: Mapping[int, str], fields: frozenset[str], *, site: str) -> Recommended:
    result = Recommended(shown.product.shop_id, shown.rank, shown.source)
    result.rules = [rule_names[key] for key in shown.rules]
    if "score" in fields:
        result.score, result.final = shown.score, shown.final
    if "reasons" in fields:
        result.reasons = [
            ReasonGiven(reason.code, reason_text(reason.code, reason.evidence), reason.evidence)
            for reason in shown.reasons
        ]
    if "contributions" in fields:
        result.contributions = shown.contributions
    if "product" in fields:
        result.product = _product(shown, site=site)
    return result


def _product(shown: Shown, *, site: str) -> ProductShown:
    product = shown.product
    return ProductShown(
        title=product.title,
        brand=product.brand or None,
        price=None if product.price is None else str(product.price),
        currency=settings.SHOP_CURRENCY,
        image_url=product.image_url or f"{site}{reverse('item-tile', args=[product.shop_id])}",
        url=product.url or None,
    )
