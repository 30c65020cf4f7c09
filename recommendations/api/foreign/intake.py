"""Intake of what other systems send, as they send it: ``/api/v1/events/{segment,ga4,vertex,recombee,algolia}/``.

Each is read into events of ours (``ingest/sources/``); what becomes of those is said as by ``POST /api/v1/events/``.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast

import msgspec
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from recommendations.api.access import ApiKeyAuthentication, UnfitKeyError, note, quotas_of, sender_of, valid_key
from recommendations.api.cors import BrowserView
from recommendations.api.customers.properties import blocked
from recommendations.api.errors import BadRequestError, Flaw
from recommendations.api.events import EventsAnswer, events_answer, lines_in, noting_refusals
from recommendations.api.foreign import examples
from recommendations.api.parsing import BeaconJson, RawJson, body_of, malformed
from recommendations.api.schema import EVERY_BODY, problems, schema_of
from recommendations.ingest.accept import accept
from recommendations.ingest.event_lines import EventResult
from recommendations.ingest.event_schema import EventForm, EventRow
from recommendations.ingest.refusal import Refusal, UnreadableError
from recommendations.ingest.sources.adapter import Call, Options
from recommendations.ingest.sources.table import EVENTS, Foreign, System, read_foreign
from recommendations.ingest.whole_refunds import with_items
from recommendations.services.access.keys import KnownKey
from recommendations.services.customers import BlockedIdError, TooManyPropertiesError, set_properties
from recommendations.terms import Scope

HEADERS = ("HTTP_X_ALGOLIA_API_KEY", "HTTP_X_GOOG_API_KEY")
IN_QUERY = ("api_secret", "x-algolia-api-key", "X-Algolia-API-Key", "key")
"""Where other systems' senders put a key; one in an address may send events and do nothing else."""
ITEM_ID = "item_id"
TRAITS = "/traits"


class _WithWriteKey(msgspec.Struct, rename="camel"):
    write_key: str


_with_write_key = msgspec.json.Decoder(_WithWriteKey)


class ForeignKeyAuthentication(ApiKeyAuthentication):
    """Authentication by our header, or by what the senders of other systems can send.

    Segment's give the key as the user name of HTTP Basic or in the body, Google's and Algolia's in a header or in the
    query. A key in the query or in the body may send events and do nothing else.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, KnownKey] | None:
        scheme, _space, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        match scheme.lower():
            case "basic":
                return AnonymousUser(), valid_key(_user_name(given.strip()))
            case "bearer":
                return AnonymousUser(), valid_key(given.strip())
        if scheme:
            return super().authenticate(request)
        if token := next((request.META[name] for name in HEADERS if name in request.META), None):
            return AnonymousUser(), valid_key(token)
        if token := next((request.GET[name] for name in IN_QUERY if name in request.GET), None):
            key = valid_key(token)
            if not key.is_public:
                raise UnfitKeyError(key, _("Only a key that can do nothing but send events may be in an address."))
            return AnonymousUser(), key
        return _of_body(request) or super().authenticate(request)


def _of_body(request: Request) -> tuple[AnonymousUser, KnownKey] | None:
    """Whose write key stands in the body, as Segment's senders may put it there; None where there is none."""
    try:
        key = valid_key(_with_write_key.decode(request.body).write_key)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if key.scopes != {Scope.EVENTS_WRITE}:
        raise UnfitKeyError(key, _("Only a key that can do nothing but send events may be in the body."))
    return AnonymousUser(), key


class ForeignEvents(BrowserView):
    """A view of what one system sends; ``system`` is its name in the table."""

    required_scope = Scope.EVENTS_WRITE
    authentication_classes = (ForeignKeyAuthentication,)
    parser_classes = (RawJson, BeaconJson)
    system = ""

    def post(self, request: Request, *, system: str = "", kind: str = "") -> HttpResponse:
        name = system or self.system
        if name not in EVENTS:
            raise Http404
        body, quotas = body_of(request), quotas_of(request)
        quotas.take_bytes(len(body))
        options = Options(item_id_of(EVENTS[name], request.GET), kind.strip("/").rpartition("/")[2])
        with noting_refusals(quotas.key.pk):
            foreign = reading_of(EVENTS[name], body, options)
        note(request, quotas.take_lines(lines_in(foreign.body)))
        sender = sender_of(quotas)
        rows = with_items(foreign.body.rows, sender)
        verdicts = accept(rows, sender, now=timezone.now(), ids=foreign.body.ids)
        may = Scope.CUSTOMERS_WRITE in quotas.key.scopes
        return events_answer(
            foreign.body,
            [_with_traits(*each, may=may) for each in zip(foreign.calls, foreign.body.rows, verdicts, strict=True)],
        )


def reading_of(system: System, body: bytes, options: Options) -> Foreign:
    """The events of a body. Raises BadRequestError."""
    try:
        return read_foreign(system, body, now=timezone.now(), options=options)
    except UnreadableError as error:
        refusal = error.refusal
        raise BadRequestError(refusal.reason, flaws=[Flaw(refusal.pointer, refusal.reason)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(body, error) from error


def item_id_of(system: System, query: Mapping[str, Any]) -> str:
    """The field of a product that is the item's id, as the address says. Raises BadRequestError."""
    wanted = str(query.get(ITEM_ID, ""))
    if wanted and wanted not in system.item_ids:
        text = _("One of: %(names)s.") % {"names": ", ".join(system.item_ids) or "–"}
        raise BadRequestError(_("The request has errors."), flaws=[Flaw(ITEM_ID, text)])
    return wanted


def _with_traits(call: Call, row: EventRow, verdict: EventResult, *, may: bool) -> EventResult:
    """Keep what a call says of a customer, where its key may; what is left out is named in the verdict."""
    user_id = call.event.get("user_id") if isinstance(call.event, dict) else None
    if not call.properties or verdict.verdict == "rejected" or user_id is None:
        return verdict
    if not may:
        reason = _("This key may not say what customers are like: it lacks the scope “%(scope)s”.")
        reason %= {"scope": Scope.CUSTOMERS_WRITE}
    else:
        try:
            at = row.timestamp if isinstance(row, EventForm) else None
            set_properties(user_id=str(user_id), properties=call.properties, at=at)
        except BlockedIdError:
            reason = blocked().message
        except TooManyPropertiesError as error:
            reason = _("The customer would have %(n)s properties.") % {"n": error.number}
        else:
            return verdict
    ignored = [*verdict.ignored, Refusal(TRAITS, reason)]
    return msgspec.structs.replace(verdict, ignored=ignored)


def _user_name(given: str) -> str:
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        raise AuthenticationFailed(_("Send the key as the user name of HTTP Basic.")) from None


def _described[View: Callable[..., HttpResponse]](operation: str, summary: str, *, name: str) -> Callable[[View], View]:
    described: Any = extend_schema(
        operation_id=operation,
        summary=summary,
        description=examples.DESCRIPTIONS[name],
        request={"application/json": examples.SCHEMAS[name]},
        responses={
            202: OpenApiResponse(schema_of(EventsAnswer), description="A verdict per event."),
            **problems(*EVERY_BODY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.NOT_FOUND),
        },
        examples=[*examples.EXAMPLES[name], examples.VERDICTS],
        tags=["events"],
    )
    return cast("Callable[[View], View]", described)


def view_of(name: str) -> type[ForeignEvents]:
    """The view of a system, with its words in the schema."""
    label = EVENTS[name].label

    @_described(f"events_{name}", f"Events of {label}", name=name)
    def post(self: ForeignEvents, request: Request) -> HttpResponse:
        return ForeignEvents.post(self, request)

    return cast("type[ForeignEvents]", type(f"{label}Events", (ForeignEvents,), {"system": name, "post": post}))


@extend_schema(exclude=True)
class ForeignKindEvents(ForeignEvents):
    """A view of addresses with another system's own end, such as that of Recombee's purchases or Segment's batch."""
