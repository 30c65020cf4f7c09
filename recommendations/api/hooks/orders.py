"""Where shop software tells of orders: ``/api/v1/hooks/{shopify,woocommerce}/``, proved by its own signature."""

import base64
import hashlib
import hmac
from http import HTTPStatus
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from recommendations.api.errors import BadRequestError, problem
from recommendations.api.events import events_answer
from recommendations.api.foreign.intake import item_id_of, reading_of
from recommendations.api.hooks.mail import METHODS
from recommendations.api.http.not_found import unknown
from recommendations.ingest.accept import accept
from recommendations.ingest.arrivals import note_turned_away
from recommendations.ingest.facts import Sender
from recommendations.ingest.sources.adapter import Options
from recommendations.ingest.sources.table import HOOKS, hooks_there


class Signed(NamedTuple):
    """How a system signs: the header with the signature, and that with the topic."""

    signature: str
    topic: str


SIGNED = {
    "shopify": Signed("X-Shopify-Hmac-Sha256", "X-Shopify-Topic"),
    "woocommerce": Signed("X-WC-Webhook-Signature", "X-WC-Webhook-Topic"),
}
PING = b"webhook_id="
"""Begins what WooCommerce sends, without a signature, to try an address out."""


@csrf_exempt
@login_not_required
def order_hook(request: HttpRequest, shop: str) -> HttpResponse:
    """Take the events of a call. One that is signed gets a yes, whatever its rows are: a no would be sent again, and
    Shopify gives up on an address that says it often. What was refused stands on Arrivals."""
    if shop not in hooks_there():
        return unknown(request)
    signed = SIGNED[shop]
    if request.method not in METHODS:
        answer = problem(HTTPStatus.METHOD_NOT_ALLOWED, _("Send events by POST."))
        answer["Allow"] = ", ".join(METHODS)
        return answer
    if request.method == "HEAD":
        return HttpResponse()
    try:
        body = request.body
    except RequestDataTooBig:
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("The body is too large."))
    except UnreadablePostError:
        return problem(HTTPStatus.BAD_REQUEST, _("The body ended too early."))
    if shop == "woocommerce" and body.startswith(PING):
        return HttpResponse()
    if not _proves(request.headers.get(signed.signature, ""), body, secret=getattr(settings, HOOKS[shop].secret)):
        reason = _("The signature is missing, or not one by our secret.")
        note_turned_away(reason, at=timezone.now(), source=shop)
        return problem(HTTPStatus.FORBIDDEN, reason)
    return _take(request, body, shop, topic=request.headers.get(signed.topic, ""))


def _take(request: HttpRequest, body: bytes, shop: str, *, topic: str) -> HttpResponse:
    try:
        options = Options(item_id_of(HOOKS[shop], request.GET), topic=topic)
        foreign = reading_of(HOOKS[shop], body, options)
        verdicts = accept(foreign.body.rows, Sender(hook=shop), now=timezone.now(), ids=foreign.body.ids)
    except BadRequestError as error:
        return problem(HTTPStatus.BAD_REQUEST, str(error.detail), flaws=error.flaws)
    except (OperationalError, InterfaceError):
        answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, _("The database is out of reach; send it again."))
        answer["Retry-After"] = "60"
        return answer
    answer = events_answer(foreign.body, verdicts)
    answer.status_code = HTTPStatus.OK
    return answer


def _proves(signature: str, body: bytes, *, secret: str) -> bool:
    right = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256))
    return hmac.compare_digest(right, signature.strip().encode())
