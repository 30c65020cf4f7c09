"""Recommendations out: ``GET`` or ``POST /api/v1/placements/{placement}/recommend/``."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from django.conf import settings
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api import recommend_form
from recommendations.api.bodies import RawJson, body_of
from recommendations.api.errors import RETRY_SECONDS, problem
from recommendations.api.recommend_form import Asked
from recommendations.loop.answer import Answer, Shown
from recommendations.loop.serve import NotLoadedError, UnknownPlacementError, serve
from recommendations.terms import Scope
from recommendations.wording import reason_text


class RecommendView(APIView):
    required_scope = Scope.RECOMMENDATIONS_READ
    parser_classes = (RawJson,)

    def get(self, request: Request, placement: str) -> HttpResponse:
        return _answered(request, recommend_form.of_query(placement, request.query_params))

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


def _body(answer: Answer, fields: frozenset[str], *, site: str) -> Mapping[str, Any]:
    return {
        "recommendation_id": answer.recommendation_id,
        "placement": answer.placement,
        "model_version": f"m{answer.model_version}" if answer.model_version else None,
        "weights_version": answer.weights_version,
        "rules_version": answer.rules_version,
        "experiment": None,
        "personalised": answer.personalised,
        "source": answer.source,
        "fallback_reason": answer.fallback_reason,
        "results": [_result(shown, fields, site=site) for shown in answer.shown],
        "missing_item_ids": answer.missing_item_ids,
    }


def _result(shown: Shown, fields: frozenset[str], *, site: str) -> dict[str, Any]:
    result: dict[str, Any] = {"item_id": shown.product.shop_id, "rank": shown.rank, "source": shown.source}
    if "score" in fields:
        result |= {"score": shown.score, "final": shown.final}
    if "reasons" in fields:
        result["reasons"] = [
            {"code": reason.code, "text": reason_text(reason.code, reason.evidence), "evidence": reason.evidence}
            for reason in shown.reasons
        ]
    if "contributions" in fields:
        result["contributions"] = shown.contributions
    result["rules"] = ()
    if "product" in fields:
        result["product"] = _product(shown, site=site)
    return result


def _product(shown: Shown, *, site: str) -> dict[str, Any]:
    """The price is the catalogue's, a text with two decimals; an item without a picture shows its tile."""
    product = shown.product
    picture = product.image_url or f"{site}{reverse('item-tile', args=[product.shop_id])}"
    return {
        "title": product.title,
        "brand": product.brand or None,
        "price": None if product.price is None else str(product.price),
        "currency": settings.SHOP_CURRENCY,
        "image_url": picture,
        "url": product.url or None,
    }
