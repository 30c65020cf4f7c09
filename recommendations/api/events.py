"""Intake of events: ``POST /api/v1/events/``."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from recommendations.api.access import note, quotas_of, sender_of
from recommendations.api.cors import BrowserView
from recommendations.api.errors import BadRequestError, Flaw, problem
from recommendations.api.examples import EVENTS
from recommendations.api.parsing import BeaconJson, RawJson, body_of, malformed
from recommendations.api.rendering import as_json
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.ingest import event_schema
from recommendations.ingest.accept import accept
from recommendations.ingest.arrivals import note_refusal
from recommendations.ingest.event_lines import EventResult
from recommendations.ingest.event_schema import EventBatch, EventForm, ParsedBody
from recommendations.ingest.refusal import Refusal, UnreadableError
from recommendations.services.operations import metrics
from recommendations.terms import Scope

DESCRIPTION = """\
One event, or 1 to 1000 of them. Every row gets a verdict: `accepted`, `duplicate` (it was here before), `ignored` (a
name that nothing is learned from, or an act of before its id was erased, which is not kept) or `rejected`, the last two
with a reason and a pointer; a bad row never loses its neighbours. A page is told of an act that is not kept that it was
accepted. What was answered 202 is on disk. An event is known by `event_id` (any text) and `timestamp`, so a request
may be sent again; a purchase or refund is known by `event_id` and `transaction_id`, within a month. Numbers are taken
for ids, and seconds, milli- or microseconds since 1970 for a time. Fields that are unknown, or that this key may not
state, are kept out and named in `ignored`; `why_ignored` says of the latter why, and what to send instead. The line
of an item that the catalogue does not have waits for it, 14 days, and is named in `waiting_items`; where it cannot
wait, as too many do or a list was shown, it is lost and named in `rejected_items`.

A key in a page is believed about the page's visitor. It cannot say who is signed in: send `proof`, which your server
gets from `POST /api/v1/identity/`, beside `user_id` and `anonymous_id`; without it `user_id` is left out. Its purchases
count for nothing until your server sends the same `transaction_id`; refunds come from your server alone. An act of a
page is at most 24 hours old.

What a key may send is limited (`docs/keys.md`): beyond the lines of a minute, or the lines and bytes of one address
with a key in a page, the answer is 429 with `quota`, `limit` and `Retry-After`, and nothing was stored. Beyond the new
people of an hour an event of a visitor whom nobody knew is counted without a name: `/anonymous_id` is in `ignored`; so
is what a page sends to a crawler that says so in its `User-Agent`.

A page that is being left may send the body with `navigator.sendBeacon` as `text/plain`, and its key as `api_key` in it.
"""


class RowResult(msgspec.Struct, omit_defaults=True, gc=False):
    """The verdict on a row; pointers start at the body."""

    verdict: str
    event_id: str | None = None
    pointer: str | None = None
    reason: str | None = None
    rejected_items: list[Refusal] = []
    waiting_items: list[Refusal] = []
    ignored: list[str] = []
    why_ignored: list[Refusal] = []


class EventsAnswer(msgspec.Struct, omit_defaults=True):
    accepted: int
    duplicates: int
    rejected: int
    results: list[RowResult]
    ignored: list[str] = []
    ignored_events: int = 0


class Events(BrowserView):
    required_scope = Scope.EVENTS_WRITE
    parser_classes = (RawJson, BeaconJson)

    @extend_schema(
        operation_id="events",
        summary="Events in",
        description=DESCRIPTION,
        request=body_like(EventBatch, EventForm),
        responses={
            202: OpenApiResponse(schema_of(EventsAnswer), description="A verdict per row."),
            **problems(*EVERY_BODY, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=EVENTS,
        tags=["events"],
    )
    def post(self, request: Request) -> HttpResponse:
        body, quotas = body_of(request), quotas_of(request)
        quotas.take_bytes(len(body))
        with noting_refusals(quotas.key.pk):
            reading = _reading(body)
        note(request, quotas.take_lines(lines_in(reading)))
        verdicts = accept(reading.rows, sender_of(quotas), now=timezone.now(), ids=reading.ids)
        return events_answer(reading, verdicts)


@contextmanager
def noting_refusals(key: int) -> Iterator[None]:
    """Let whoever looks on see a body that holds no events."""
    try:
        yield
    except BadRequestError as error:
        flaw = error.flaws[0] if error.flaws else Flaw("", str(error.detail))
        note_refusal(flaw.pointer, flaw.message, key=key, at=timezone.now())
        raise


def _reading(body: bytes) -> ParsedBody:
    try:
        return event_schema.parse_body(body)
    except UnreadableError as error:
        refusal = error.refusal
        raise BadRequestError(refusal.reason, flaws=[Flaw(refusal.pointer, refusal.reason)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(body, error) from error


def lines_in(reading: ParsedBody) -> int:
    """Lines of a body: one per item of an event, one for an event without items, one for a row that is none."""
    return sum(len(row.items) or 1 if isinstance(row, EventForm) else 1 for row in reading.rows)


def events_answer(reading: ParsedBody, verdicts: list[EventResult]) -> HttpResponse:
    results = [_result(reading, number, verdict) for number, verdict in enumerate(verdicts)]
    counts = Counter([verdict.verdict for verdict in verdicts])
    metrics.count_events(counts)
    if counts["rejected"] == len(verdicts):
        flaws = [Flaw(result.pointer or "", result.reason or "") for result in results]
        members = {"results": results}
        return problem(HTTPStatus.BAD_REQUEST, _("Every event was rejected."), flaws=flaws, members=members)
    answer = EventsAnswer(
        accepted=counts["accepted"],
        duplicates=counts["duplicate"],
        rejected=counts["rejected"],
        results=results,
        ignored=reading.ignored.get(-1, []),
        ignored_events=counts["ignored"],
    )
    return as_json(answer, status=HTTPStatus.ACCEPTED)


def _result(reading: ParsedBody, number: int, verdict: EventResult) -> RowResult:
    sent: Any = verdict.event_id  # written as a text, which costs a tenth of making one
    result = RowResult(verdict.verdict, reading.ids.get(number, sent) if reading.ids else sent)
    unknown = reading.ignored.get(number, ()) if reading.ignored else ()
    if verdict.pointer is None and not (verdict.refused or verdict.waiting or verdict.ignored or unknown):
        return result
    place = partial(reading.pointer, number)
    if verdict.pointer is not None:
        result.pointer, result.reason = place(verdict.pointer), verdict.reason
    if verdict.refused:
        result.rejected_items = [Refusal(place(line.pointer), line.reason) for line in verdict.refused]
    result.waiting_items = [Refusal(place(line.pointer), line.reason) for line in verdict.waiting]
    result.ignored = [place(pointer) for pointer in (*unknown, *(one.pointer for one in verdict.ignored))]
    result.why_ignored = [Refusal(place(one.pointer), one.reason) for one in verdict.ignored]
    return result
