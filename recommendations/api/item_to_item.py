"""Item to item: ``GET /api/v1/items/{id}/similar/`` and ``/also-bought/``, short cuts to placements, and likeness."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from msgspec import UNSET, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api import recommend_form
from recommendations.api.examples import LIKENESS as LIKENESS_EXAMPLE
from recommendations.api.examples import RECOMMENDATION
from recommendations.api.recommend import PARAMETERS, not_loaded, respond, site_of
from recommendations.api.recommend_bodies import ItemToItemQuery, LikenessQuery, SimilarQuery
from recommendations.api.rendering import Recommendations, as_json
from recommendations.api.schema import parameters_of, problems, schema_of
from recommendations.services.catalogue.similar import SimilarItems, similar_items
from recommendations.serving.results import ProductShown, product_shown
from recommendations.serving.serve import NotLoadedError, has_item
from recommendations.terms import Scope
from recommendations.vector_terms import LikenessBy

DESCRIPTION = """
The placement `{placement}` with this item in view: the same answer, with the same parameters, as
`/api/v1/placements/{placement}/recommend/?item_id=…`. An id may have slashes in it. An item that the catalogue does not
have is a 404; one that is sold out or retired is answered, as others may still look at its page.
"""


LIKENESS = """

`by` asks how alike items are, in place of an answer of the placement: `text` goes by what is said of them (their texts,
and vectors that the shop or a service made), `picture` by how they look (where the server has the extra `pictures`),
`behaviour` by who bought both, `all` by the three together. Each item then has its `likeness` in each, 0 to 1, or null
where it cannot be known: of something that hardly anybody has bought, of which nothing is said, or whose picture
nobody could look at. It is for everybody the same, nothing of it is written down, and no item is filled up with what is
popular; rules that leave items out hold. Beside `by` only `n`, `exclude_item_id` and `fields` may be given.
"""
BY = {"by": "text, picture, behaviour or all: how alike the items are, instead of what the placement shows."}


class LikenessGiven(Struct):
    """How alike an item is to the one that was asked about, 0 to 1; null: cannot be known."""

    text: float | None
    picture: float | None
    behaviour: float | None


class AlikeItem(Struct):
    item_id: str
    rank: int
    likeness: LikenessGiven
    product: ProductShown | UnsetType = UNSET


class AlikeItems(Struct):
    """Items that are alike, the most alike first."""

    item_id: str
    by: LikenessBy
    model_version: str | None
    results: list[AlikeItem]


def _described(
    placement: str, query: type[ItemToItemQuery], *answers: type[Struct], operation: str, summary: str, more: str = ""
) -> Any:
    return extend_schema(
        operation_id=operation,
        summary=summary,
        description=DESCRIPTION.format(placement=placement) + more,
        parameters=parameters_of(query, described=PARAMETERS | BY),
        responses={
            200: OpenApiResponse(schema_of(*answers), description="What to show."),
            **problems(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[RECOMMENDATION, LIKENESS_EXAMPLE] if AlikeItems in answers else [RECOMMENDATION],
        tags=["recommendations"],
    )


class BesideView(APIView):
    required_scope = Scope.RECOMMENDATIONS_READ
    placement: ClassVar[str]

    def get(self, request: Request, item_id: str) -> HttpResponse:
        parsed = recommend_form.of_item(self.placement, item_id, dict(request.query_params.lists()))
        return not_loaded() if _knows_nothing_yet(item_id) else respond(request, parsed)


@extend_schema_view(
    get=_described(
        "item", SimilarQuery, Recommendations, AlikeItems, operation="similar_items", summary="Items like this one",
        more=LIKENESS,
    )
)  # fmt: skip
class SimilarView(BesideView):
    placement = "item"

    def get(self, request: Request, item_id: str) -> HttpResponse:
        if "by" not in request.query_params:
            return super().get(request, item_id)
        wish = recommend_form.converted(dict(request.query_params.lists()), LikenessQuery)
        if _knows_nothing_yet(item_id):
            return not_loaded()
        alike = similar_items(item_id, by=wish.by, n=wish.n, now=timezone.now(), but=wish.exclude_item_id)
        return as_json(_answer(item_id, wish, alike, site=site_of(request)))


@extend_schema_view(
    get=_described(
        "also_bought", ItemToItemQuery, Recommendations, operation="also_bought_items",
        summary="Often bought with this item",
    )
)  # fmt: skip
class AlsoBoughtView(BesideView):
    placement = "also_bought"


def _knows_nothing_yet(item_id: str) -> bool:
    """Whether this process has read nothing yet. Raises Http404 for an item that the catalogue does not have."""
    try:
        if not has_item(item_id):
            raise Http404(_("There is no item “%(item)s”.") % {"item": item_id})
    except NotLoadedError:
        return True
    return False


def _answer(item_id: str, wish: LikenessQuery, alike: SimilarItems, *, site: str) -> AlikeItems:
    results = [
        AlikeItem(
            each.product.shop_id,
            rank,
            LikenessGiven(*each.likeness),
            product_shown(each.product, site) if wish.fields is None or "product" in wish.fields else UNSET,
        )
        for rank, each in enumerate(alike.items, start=1)
    ]
    version = f"m{alike.model_version}" if alike.model_version else None
    return AlikeItems(item_id, wish.by, version, results)
