"""Messages of a stream as events: read, taken in, and what of them is to be put aside for a person to look at.

A message is a body as ``POST /api/v1/events/`` takes it: one event, or ``{"events": [1 to 1000 events]}``.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched

import msgspec
from django.utils.translation import gettext as _

from recommendations.ingest.accept import accept
from recommendations.ingest.event_lines import EventResult
from recommendations.ingest.event_schema import MOST_ROWS, EventRow, decode_row, parse_body
from recommendations.ingest.facts import Sender
from recommendations.ingest.refusal import Refusal, UnreadableError
from recommendations.store.live import counters
from recommendations.store.live.counters import Counted

SEVERAL = b'"events"'


@dataclass
class StreamVerdicts:
    """What became of messages: events by verdict, and by place of the message why it is put aside."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: dict[int, list[Refusal]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Row:
    """A row of a message: the message's place, where in it the row begins, and its id where that is no UUID."""

    message: int
    pointer: str
    row: EventRow
    sent_id: str | None = None


def take(messages: Sequence[bytes], sender: Sender, *, now: datetime) -> StreamVerdicts:
    """Take the events of messages in, in order. Raises ``DatabaseError`` where PostgreSQL is away: then all of them may
    be given again, and what was stored counts as there already.
    """
    taken = StreamVerdicts()
    rows = (row for place, message in enumerate(messages) for row in _rows(place, message))
    for some in batched(rows, MOST_ROWS):
        ids = {number: row.sent_id for number, row in enumerate(some) if row.sent_id is not None}
        verdicts = accept([row.row for row in some], sender, now=now, ids=ids)
        taken.counts.update(verdict.verdict for verdict in verdicts)
        for row, verdict in zip(some, verdicts, strict=True):
            if refusals := _refusals(row, verdict):
                taken.refused.setdefault(row.message, []).extend(refusals)
    counters.counters().add({(Counted.EVENTS, verdict): count for verdict, count in taken.counts.items()})
    return taken


def _rows(place: int, message: bytes) -> Iterator[_Row]:
    try:
        if SEVERAL not in message:
            row, sent_id = decode_row(message)
            yield _Row(place, "", row, sent_id)
            return
        body = parse_body(message)
    except UnreadableError as error:
        yield _Row(place, "", error.refusal)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield _Row(place, "", Refusal("", _("The message is no JSON: send one event, or {“events”: […]}.")))
    else:
        for number, row in enumerate(body.rows):
            yield _Row(place, body.pointer(number, ""), row, body.ids.get(number))


def _refusals(row: _Row, verdict: EventResult) -> list[Refusal]:
    """Why an event, or a line of it, was not taken; pointers begin at the message."""
    flaws = [*verdict.refused]
    if verdict.verdict == "rejected":
        flaws.append(Refusal(verdict.pointer or "", verdict.reason or ""))
    return [Refusal(f"{row.pointer}{flaw.pointer}", flaw.reason) for flaw in flaws]
