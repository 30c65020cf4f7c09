"""Recommendations of a whole page: ``POST /api/v1/pages/{page}/recommend/``."""

from dataclasses import replace
from http import HTTPStatus

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import UNSET, Struct, UnsetType
from rest_framework.request import Request

from recommendations.api.cors import BrowserView
from recommendations.api.examples import PAGE, PAGE_REQUEST
from recommendations.api.parsing import RawJson, body_of
from recommendations.api.recommend import not_loaded, question_of, room_for, site_of
from recommendations.api.recommend_bodies import PageBody
from recommendations.api.recommend_form import of_page, refused_slot
from recommendations.api.rendering import Recommendations, Writing, whole, with_ignored
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.ingest.refusal import Refusal
from recommendations.serving.serve import NotLoadedError, UnknownPageError, UnknownSlotError, serve_page
from recommendations.terms import Scope

DESCRIPTION = """
What to show on a whole page of the shop: an answer for each placement that stands on it, in order, and no item in two
of them. Each has a `recommendation_id` of its own and is what the placement alone would answer, but for what another
one of the page shows. The placements choose in their order on the page; one that has little to show keeps what only it
can show, and a pinned item stands where it is pinned. `slots` changes how many items a placement shows; with `"n": 0`
it is left out, and with `only` those that `slots` does not name are, too. All else holds for the whole page. It counts
as one request of the key. What a key in a page is answered is as with a single placement; `ignored` stands beside
`slots`.
"""


class PageAnswer(Struct):
    page: str
    slots: list[Recommendations]
    ignored: list[str] | UnsetType = UNSET
    why_ignored: list[Refusal] | UnsetType = UNSET


class PageView(BrowserView):
    required_scope = Scope.RECOMMENDATIONS_READ
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="recommend_page",
        summary="Recommendations for a whole page",
        description=DESCRIPTION,
        request=body_like(PageBody),
        responses={
            200: OpenApiResponse(schema_of(PageAnswer), description="What to show in each place of the page."),
            **problems(*EVERY_BODY, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[PAGE_REQUEST, PAGE],
        tags=["recommendations"],
    )
    def post(self, request: Request, page: str) -> HttpResponse:
        asked, now = of_page(page, body_of(request)), timezone.now()
        question = question_of(
            request, asked.page.shared, fields=asked.fields, proof=asked.proof, pointer="/user_id", now=now
        )
        writing = Writing(asked.lang, question.fields, site=site_of(request), named=question.named)
        try:
            with room_for(question.wished):
                served = serve_page(replace(asked.page, shared=question.wished), write=writing, now=now)
        except UnknownPageError as error:
            raise Http404(_("There is no page “%(name)s”.") % {"name": error.name}) from error
        except UnknownSlotError as error:
            named = [placement for placement, _n in asked.page.counts]
            text = _("The placement “%(name)s” is not on this page.") % {"name": error.placement}
            raise refused_slot(named.index(error.placement), text) from error
        except NotLoadedError:
            return not_loaded()
        body = msgspec.json.encode({"page": page, "slots": [msgspec.Raw(whole(one)) for one in served]})
        body = with_ignored(body, question.ignored)
        return HttpResponse(body, content_type="application/json", headers={"Content-Language": writing.lang})
