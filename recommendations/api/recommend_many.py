"""Recommendations for many customers at once: ``POST /api/v1/recommendations/batch/``."""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import UNSET, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.errors import BadRequestError, Flaw, refused
from recommendations.api.examples import BATCH_OF_RECOMMENDATIONS, BATCH_REQUEST
from recommendations.api.lane import Lane
from recommendations.api.parsing import RawJson, body_of
from recommendations.api.recommend import no_placement, not_loaded, site_of
from recommendations.api.recommend_bodies import BatchBody
from recommendations.api.recommend_form import ParsedBatch, of_batch
from recommendations.api.rendering import Recommendations, Writing, whole
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.serving.serve import NotLoadedError, Served, UnknownPlacementError, most_items, serve_all
from recommendations.terms import Scope

DESCRIPTION = """
What to show each of 1 to 1000 customers at one placement, for e-mail and exports: an answer per customer in the order
of the request, with a `recommendation_id` of its own. All are made with the same model, weights and rules. A customer
who is named wrongly gets `errors` in place of a `recommendation`, and loses nobody else theirs; if all are, the answer
is a 400. Customers times items are at most 10,000: 500 customers with 20 items each, or 100 with 100. Each process
works on one batch at a time, and two more wait for it; a 503 with `Retry-After` says that there is no room. It counts
as one request of the key. Ask for the `fields` that you need: an answer with all of them has about a kilobyte per item.
"""
MOST_SLOTS = 10_000
"""Customers × items of a batch: a few seconds of work, and 10 MB of answers."""

_lane = Lane(at_once=1, waiting=2, seconds=10.0, retry=2)


class BatchResult(Struct):
    """One of ``recommendation`` and ``errors``."""

    user_id: str | None
    anonymous_id: str | None
    recommendation: Recommendations | UnsetType = UNSET
    errors: list[Flaw] | UnsetType = UNSET


class BatchAnswer(Struct):
    placement: str
    answered: int
    rejected: int
    results: list[BatchResult]


class BatchView(APIView):
    required_scope = Scope.RECOMMENDATIONS_READ
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="recommend_to_many",
        summary="Recommendations for many customers",
        description=DESCRIPTION,
        request=body_like(BatchBody),
        responses={
            200: OpenApiResponse(schema_of(BatchAnswer), description="What to show each of them."),
            **problems(*EVERY_BODY, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[BATCH_REQUEST, BATCH_OF_RECOMMENDATIONS],
        tags=["recommendations"],
    )
    def post(self, request: Request) -> HttpResponse:
        batch = of_batch(body_of(request))
        requests = [one for one in batch.requests if one is not None]
        if not requests:
            raise BadRequestError(_("No customer is named correctly."), flaws=list(batch.flaws.values()))
        writing = Writing(batch.lang, batch.fields, site=site_of(request))
        try:
            _bound(len(requests), most_items(requests[0]))
            with _lane.entered():
                served = serve_all(requests, write=writing, now=timezone.now())
        except UnknownPlacementError as error:
            raise no_placement(error) from error
        except NotLoadedError:
            return not_loaded()
        body = _body(requests[0].placement, batch, served)
        return HttpResponse(body, content_type="application/json", headers={"Content-Language": writing.lang})


def _bound(customers: int, n: int) -> None:
    """Refuse a batch that would take long. Raises BadRequestError."""
    if customers * n <= MOST_SLOTS:
        return
    text = _("%(customers)s customers with %(n)s items each are too many; send at most %(most)s customers at a time.")
    text %= {"customers": customers, "n": n, "most": MOST_SLOTS // n}
    raise refused(Flaw("/users", text))


def _body(placement: str, asked: ParsedBatch, served: Sequence[Served]) -> bytes:
    answers = iter(served)
    results = []
    for place, user in enumerate(asked.users):
        result: dict[str, object] = {"user_id": user.user_id, "anonymous_id": user.anonymous_id}
        if place in asked.flaws:
            result["errors"] = [asked.flaws[place]]
        else:
            result["recommendation"] = msgspec.Raw(whole(next(answers)))
        results.append(result)
    return msgspec.json.encode(
        {"placement": placement, "answered": len(served), "rejected": len(asked.flaws), "results": results}
    )
