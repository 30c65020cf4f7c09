"""Item to item: ``GET /api/v1/items/{id}/similar/`` and ``/also-bought/``, short cuts to two placements."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api import recommend_form
from recommendations.api.examples import RECOMMENDATION
from recommendations.api.recommend import PARAMETERS, not_loaded, respond
from recommendations.api.recommend_bodies import ItemToItemQuery
from recommendations.api.rendering import Recommendations
from recommendations.api.schema import parameters_of, problems, schema_of
from recommendations.serving.serve import NotLoadedError, has_item
from recommendations.terms import Scope

DESCRIPTION = """
The placement `{placement}` with this item in view: the same answer, with the same parameters, as
`/api/v1/placements/{placement}/recommend/?item_id=…`. An id may have slashes in it. An item that the catalogue does not
have is a 404; one that is sold out or retired is answered, as others may still look at its page.
"""


def _described(placement: str, *, operation: str, summary: str) -> Any:
    return extend_schema(
        operation_id=operation,
        summary=summary,
        description=DESCRIPTION.format(placement=placement),
        parameters=parameters_of(ItemToItemQuery, described=PARAMETERS),
        responses={
            200: OpenApiResponse(schema_of(Recommendations), description="What to show."),
            **problems(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[RECOMMENDATION],
        tags=["recommendations"],
    )


class BesideView(APIView):
    required_scope = Scope.RECOMMENDATIONS_READ
    placement: ClassVar[str]

    def get(self, request: Request, item_id: str) -> HttpResponse:
        parsed = recommend_form.of_item(self.placement, item_id, dict(request.query_params.lists()))
        try:
            if not has_item(item_id):
                raise Http404(_("There is no item “%(item)s”.") % {"item": item_id})
        except NotLoadedError:
            return not_loaded()
        return respond(request, parsed)


@extend_schema_view(get=_described("item", operation="similar_items", summary="Items like this one"))
class SimilarView(BesideView):
    placement = "item"


@extend_schema_view(get=_described("also_bought", operation="also_bought_items", summary="Often bought with this item"))
class AlsoBoughtView(BesideView):
    placement = "also_bought"
