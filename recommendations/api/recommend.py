"""Recommendations of a placement: ``GET`` or ``POST /api/v1/placements/{placement}/recommend/``."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from recommendations.api import recommend_form
from recommendations.api.access import note, quotas_of
from recommendations.api.cors import BrowserView
from recommendations.api.errors import RETRY_SECONDS, problem
from recommendations.api.examples import RECOMMENDATION, RECOMMENDATION_REQUEST
from recommendations.api.lane import Lane
from recommendations.api.parsing import RawJson, body_of
from recommendations.api.recommend_bodies import RecommendBody, RecommendQuery
from recommendations.api.recommend_form import ParsedRequest
from recommendations.api.rendering import Recommendations, Writing, whole, with_ignored
from recommendations.api.schema import EVERY_BODY, body_like, parameters_of, problems, schema_of
from recommendations.ingest.proofs import proves, why_no_proof
from recommendations.ingest.refusal import Refusal
from recommendations.serving.serve import (
    NotLoadedError,
    UnknownArmError,
    UnknownPlacementError,
    looks_up,
    serve_written,
)
from recommendations.serving.types import Request as Wished
from recommendations.terms import Scope, Side

DESCRIPTION = """
What to show at a place of the shop, best first. `source` says where the answer came from, of the whole and of each
item, and `fallback_reason` why not from the model. `contributions` add up to `score`; `promotion` among them is
what the promotion plan adds, `revenue`, `margin` and `clearance` what goals add, `second_stage` (one line) what the
trees add where the shop gave them weight; `final` has what boosts add and what diversity takes, too. `rules` names
the shop's rules that boosted an item, pinned it or brought it in, `rules_version` the book that they stand in (0:
none was published yet). Versions have the numbers of the pages: `weights_version` 3 is v3 of the placement's
weights, `rules_version` 5 is r5. Code and evidence of a reason are the contract; its text is made in `lang`.
Evidence says no number of fewer than five people (`SMALLEST_GROUP`), and names no segment of fewer than 20. What is
sold out, excluded by the request or by a rule, or bought before (where the placement says so) is never in it.
`why`, in `fields`, is the answer to a customer's "Why am I seeing this?": a sentence, the page of the main parameters,
and links, signed for this customer and good for 30 days, behind which a button takes the item away (`dislike`), ends
recommendations by what they did (`object`), or shows what is held (`my_data`). Each asks before it does anything, and
holds from the next answer on. They are for the eyes of this customer alone; who is not known, or objects, gets none.
`experiment` is the arm of the experiment that the answer is under, null where it is under none, and `experiments`
all of them, where there are several. `next_cursor`, sent as `cursor`, brings the next page, and is null where there is
none. Somebody unknown gets what is popular. The answer comes from the memory of the
process: it goes on while the database is away.

A key in a page asks for the visitor of that page, by `anonymous_id`; for a customer it needs `proof`, or `user_id` is
left out and named in `ignored`. Without a proof no reason names what somebody bought or viewed before, `score`, `final`
and `contributions` are left out, `rules` is empty, and `why` has no links; the visit counts all the same.
"""
INWARD = frozenset({"score", "contributions"})
"""Parts of an answer that say how much a past weighs."""

_searches = Lane(at_once=1, waiting=2, seconds=2.0, retry=RETRY_SECONDS)
_lookups = Lane(at_once=1, waiting=7, seconds=2.0, retry=RETRY_SECONDS)

PARAMETERS = {
    "item_id": "The item in view; may be given several times.",
    "basket": "An item in the basket; may be given several times.",
    "category": "The path of the category in view, such as `Grocery > Pasta`; may be given several times.",
    "search_term": "What was searched for.",
    "fallback": "none: fewer items, or none, instead of what is popular.",
    "exclude_item_id": "An item that is not to be shown; may be given several times.",
    "n": "How many items; as the placement has it where it is not given.",
    "lang": "Language of the reasons; the shop's where it is not given or not known.",
    "fields": "Parts of an item to send, with commas: product, score, reasons, contributions; all of these where not "
    "given; and why, which has to be asked for.",
    "dry_run": "The answer is not written down, and nothing is explored.",
    "cursor": "`next_cursor` of the answer before: nothing that was shown so far comes again.",
    "proof": "With a key in a page: that user_id is signed in there, from POST /api/v1/identity/.",
    "rotation": "0 to 1: how far goes down what this customer saw and did not click; as the placement has it where it "
    "is not given. Send `view_item_list` for what was seen.",
    "personalise": "false: nothing that is known of the customer is used.",
}


class RecommendView(BrowserView):
    required_scope = Scope.RECOMMENDATIONS_READ
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="recommend_simply",
        summary="Recommendations out, the simple case",
        description=DESCRIPTION,
        parameters=parameters_of(RecommendQuery, described=PARAMETERS),
        responses={
            200: OpenApiResponse(schema_of(Recommendations), description="What to show."),
            **problems(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[RECOMMENDATION],
        tags=["recommendations"],
    )
    def get(self, request: Request, placement: str) -> HttpResponse:
        return respond(request, recommend_form.of_query(placement, dict(request.query_params.lists())))

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
        return respond(request, recommend_form.of_body(placement, body_of(request)))


@dataclass(frozen=True, kw_only=True)
class Granted:
    """A question as its sender may ask it. ``named``: the items that reasons may name; None: any."""

    wished: Wished
    fields: frozenset[str]
    named: frozenset[str] | None = None
    ignored: tuple[Refusal, ...] = ()


def question_of(
    request: Request, wished: Wished, *, fields: frozenset[str], proof: str | None, pointer: str, now: datetime
) -> Granted:
    """Take out of a question what its sender may not ask, and count it; ``pointer``: where it names a customer.

    Raises OverQuotaError.
    """
    quotas = quotas_of(request)
    if quotas.key.side is Side.SERVER:
        return Granted(wished=wished, fields=fields)
    note(request, quotas.take_question())
    user_id, anonymous_id = wished.user_id, wished.anonymous_id
    if user_id is not None and proves(proof, user_id=user_id, anonymous_id=anonymous_id, now=now):
        return Granted(wished=wished, fields=fields)
    ignored: tuple[Refusal, ...] = ()
    if user_id is not None:
        ignored = (Refusal(pointer, why_no_proof(proof, user_id=user_id, anonymous_id=anonymous_id)),)
    return Granted(
        wished=replace(wished, user_id=None),
        fields=fields - INWARD,
        named=frozenset((*wished.item_ids, *wished.basket)),
        ignored=ignored,
    )


def is_dear(request: Wished) -> bool:
    """Whether an answer looks through the catalogue: what words match, and in which order."""
    return bool(request.search_term and not request.item_ids)


def room_for(asked: Wished) -> AbstractContextManager[None]:
    """Room of the lane of what is dear: a search, or a look into PostgreSQL. Raises BusyError when it is entered."""
    if is_dear(asked):
        return _searches.entered()
    return _lookups.entered() if looks_up(asked) else nullcontext()


def respond(request: Request, asked: ParsedRequest) -> HttpResponse:
    now = timezone.now()
    question = question_of(
        request, asked.request, fields=asked.fields, proof=asked.proof, pointer=asked.customer_at, now=now
    )
    writing = Writing(asked.lang, question.fields, site=site_of(request), named=question.named)
    try:
        with room_for(question.wished):
            served = serve_written(question.wished, write=writing, now=now)
    except UnknownPlacementError as error:
        raise no_placement(error) from error
    except UnknownArmError as error:
        raise recommend_form.refused_arm() from error
    except NotLoadedError:
        return not_loaded()
    body = with_ignored(whole(served), question.ignored)
    return HttpResponse(body, content_type="application/json", headers={"Content-Language": writing.lang})


def site_of(request: Request) -> str:
    """Address of the site, under which pictures stand."""
    return request.build_absolute_uri("/").rstrip("/")


def no_placement(error: UnknownPlacementError) -> Http404:
    return Http404(_("There is no placement “%(name)s”.") % {"name": error.name})


def not_loaded() -> HttpResponse:
    """The problem of a process that has never reached PostgreSQL; later on its answers come from its memory."""
    answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, _("The database has not answered since this process began."))
    answer["Retry-After"] = str(RETRY_SECONDS)
    return answer
