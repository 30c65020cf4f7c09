"""Browsers that the shop may notify: ``/api/v1/push/key/`` and ``/api/v1/push/subscriptions/``."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request

from recommendations.api.access import note, quotas_of
from recommendations.api.cors import BrowserView
from recommendations.api.customers.browser_examples import KEY, KNOWN, LEAVING, LEFT, SUBSCRIBED, VISITOR
from recommendations.api.customers.contacts import without_keys
from recommendations.api.errors import Flaw, problem, refused
from recommendations.api.parsing import RawJson, body_of, decoded
from recommendations.api.recommend_bodies import Id
from recommendations.api.rendering import as_json
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.ingest.proofs import why_no_proof
from recommendations.push_terms import Purpose
from recommendations.services.access.quotas import OverQuotaError, Quota
from recommendations.services.access.rates import HOUR, Rate
from recommendations.services.browsers.subscriptions import (
    BrowserNeedsProofError,
    InvalidSubscriptionError,
    KeysMissingError,
    NotAdmittedError,
    OtherKeysError,
    SubscriptionFlaw,
    SubscriptionForm,
    application_server_key,
    subscribe,
    unsubscribe,
)
from recommendations.terms import Scope

DESCRIPTION = """
A browser that lets the shop notify, as `PushManager.subscribe` gives it, with the purposes that its user said yes to.
The same endpoint again changes nothing but adds purposes; nothing is doubled. A contact has ten browsers at most: the
one that was not heard of for the longest time goes. Languages and time zones that are not known are the shop's.

With `anonymous_id` alone it is the **visitor's** browser, and what it gets is made from what that visitor did under
that id: it never gets anything of a customer into whom the visitor was merged. To say that it is a customer's send
`user_id`, `anonymous_id` and the `proof` that your server got for these two from `POST /api/v1/identity/`; without one
that holds it is a 403, `code` `browser_needs_proof`. An endpoint of a push service that is not known is a 400, `code`
`unknown_push_service` (`PUSH_SERVICE_HOSTS` adds others).
"""
LEAVES = """
Lets a browser go, with all that waits for it, in one transaction. `auth`, the browser's own secret, is the proof; an
endpoint that is not known and a secret that does not fit are the same 404.
"""
KEY_SAYS = "The public key of this installation (VAPID), the `applicationServerKey` of `PushManager.subscribe`."

type Text = Annotated[str, Meta(min_length=1, max_length=1_000)]


class BrowserKeys(Struct, forbid_unknown_fields=True):
    """Keys of a browser, in base64url."""

    p256dh: Annotated[str, Meta(min_length=1, max_length=100, description="Its public point on P-256.")]
    auth: Annotated[str, Meta(min_length=1, max_length=30, description="Its secret of 16 bytes.")]


class SubscriptionBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """A browser, what it wants to hear of, and whose it is."""

    endpoint: Text
    keys: BrowserKeys
    purposes: Annotated[list[Purpose], Meta(min_length=1, max_length=len(Purpose))]
    language: Annotated[str, Meta(max_length=35, description="As browsers say it: en, zh-CN.")] | None = None
    time_zone: Annotated[str, Meta(max_length=64, description="As Europe/Paris.")] | None = None
    anonymous_id: Annotated[Id, Meta(description="Of the visitor.")] | None = None
    user_id: Annotated[Id, Meta(description="Of the signed-in customer; with a proof.")] | None = None
    proof: Annotated[str, Meta(max_length=128, description="That the two are one person.")] | None = None


class SubscriptionEnd(Struct, forbid_unknown_fields=True):
    """A browser that wants no more, by its own secret."""

    endpoint: Text
    auth: Annotated[str, Meta(min_length=1, max_length=30)]


class PushKeyAnswer(Struct):
    key: Annotated[str, Meta(description="65 bytes in base64url.")]


class SubscriptionAnswer(Struct):
    whose: Annotated[Literal["visitor", "customer"], Meta(description="Whose acts make what it gets.")]
    verdict: Literal["subscribed"] = "subscribed"


class SubscriptionEnded(Struct):
    verdict: Literal["unsubscribed"] = "unsubscribed"


class PushView(BrowserView):
    """View for browsers; without keys it says which settings are missing."""

    required_scope = Scope.PUSH_SUBSCRIBE
    parser_classes = (RawJson,)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, KeysMissingError):
            return without_keys(
                _(
                    "This installation has no keys for browser notifications yet: set VAPID_KEY, CONTACT_KEYS, "
                    "CONTACT_HASH_KEY and LINK_KEYS; manage.py push_keys makes them."
                )
            )
        return super().handle_exception(exc)


class PushKeyView(PushView):
    @extend_schema(
        operation_id="push_key",
        summary="Key under which browsers subscribe",
        description=KEY_SAYS,
        responses={
            200: OpenApiResponse(schema_of(PushKeyAnswer), description="The key."),
            **problems(HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[KEY],
        tags=["customers"],
    )
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002 - given by the framework
        return as_json(PushKeyAnswer(application_server_key()))


class SubscriptionsView(PushView):
    deletes_by_body = True  # an endpoint in an address would stand in logs

    @extend_schema(
        operation_id="push_subscribe",
        summary="A browser to notify",
        description=DESCRIPTION,
        request=body_like(SubscriptionBody),
        responses={
            200: OpenApiResponse(schema_of(SubscriptionAnswer), description="It is known already."),
            201: OpenApiResponse(schema_of(SubscriptionAnswer), description="It is on disk."),
            **problems(*EVERY_BODY, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[VISITOR, SUBSCRIBED, KNOWN],
        tags=["customers"],
    )
    def post(self, request: Request) -> HttpResponse:
        body, quotas = _parse(body_of(request)), quotas_of(request)
        note(request, quotas.take_browser(body.user_id or body.anonymous_id or ""))
        form = SubscriptionForm(
            endpoint=body.endpoint, p256dh=body.keys.p256dh, auth=body.keys.auth, purposes=body.purposes,
            anonymous_id=body.anonymous_id, user_id=body.user_id, proof=body.proof, language=body.language or "",
            time_zone=body.time_zone or "", page=self.allowed_origin,
        )  # fmt: skip
        admit = partial(quotas.newcomers, proven=body.user_id is not None)
        try:
            is_new = subscribe(form, admit=admit, now=timezone.now())
        except InvalidSubscriptionError as error:
            return _invalid(error.flaw)
        except BrowserNeedsProofError:
            why = why_no_proof(body.proof, user_id=body.user_id or "", anonymous_id=body.anonymous_id)
            return problem(
                HTTPStatus.FORBIDDEN, why, flaws=[Flaw("/proof", why)], members={"code": "browser_needs_proof"}
            )
        except OtherKeysError:
            text = _("This endpoint is known with other keys. Let the browser subscribe anew.")
            return problem(HTTPStatus.CONFLICT, text, flaws=[Flaw("/keys", text)])
        except NotAdmittedError as error:
            raise OverQuotaError(Quota.PEOPLE, Rate(0, 0, 0, HOUR, HOUR), asked=0) from error
        status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
        return as_json(SubscriptionAnswer("customer" if body.user_id else "visitor"), status=status)

    @extend_schema(
        operation_id="push_unsubscribe",
        summary="A browser that wants no more",
        description=LEAVES,
        request=body_like(SubscriptionEnd),
        responses={
            200: OpenApiResponse(schema_of(SubscriptionEnded), description="Nothing more is sent to it."),
            **problems(*EVERY_BODY, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[LEAVING, LEFT],
        tags=["customers"],
    )
    def delete(self, request: Request) -> HttpResponse:
        body = decoded(_end, body_of(request))
        note(request, quotas_of(request).take_browser(body.endpoint))
        if not unsubscribe(endpoint=body.endpoint, auth=body.auth.rstrip("="), now=timezone.now()):
            raise Http404(_("No browser is known by this endpoint and this secret."))
        return as_json(SubscriptionEnded())


_body, _end = msgspec.json.Decoder(SubscriptionBody), msgspec.json.Decoder(SubscriptionEnd)


def _parse(content: bytes) -> SubscriptionBody:
    body = decoded(_body, content)
    if body.user_id is None and body.anonymous_id is None:
        raise refused(Flaw("/anonymous_id", _("Say whose browser it is: the visitor's anonymous_id.")))
    return body


FLAWS: dict[SubscriptionFlaw, tuple[str, Promise]] = {
    SubscriptionFlaw.ENDPOINT: (
        "/endpoint",
        gettext_lazy("This is the address of no push service that is known; PUSH_SERVICE_HOSTS adds others."),
    ),
    SubscriptionFlaw.POINT: ("/keys/p256dh", gettext_lazy("This is no point on P-256, 65 bytes in base64url.")),
    SubscriptionFlaw.AUTH: ("/keys/auth", gettext_lazy("This is no secret of 16 bytes in base64url.")),
}


def _invalid(flaw: SubscriptionFlaw) -> HttpResponse:
    pointer, text = FLAWS[flaw]
    members = {"code": "unknown_push_service"} if flaw is SubscriptionFlaw.ENDPOINT else {}
    detail = _("The request has errors.")
    return problem(HTTPStatus.BAD_REQUEST, detail, flaws=[Flaw(pointer, str(text))], members=members)
