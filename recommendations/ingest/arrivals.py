"""What came in with a key or by a hook, for whoever looks on: events, their verdicts, and bodies that were none."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from functools import partial
from typing import NamedTuple

from recommendations.ingest.event_lines import EventResult, Taken
from recommendations.ingest.event_schema import EventForm, EventRow, PersonForm
from recommendations.ingest.facts import Sender
from recommendations.ingest.refusal import Refusal
from recommendations.store.live.arrivals import MOST, Arrival, Why, arrival_log, last_arrivals

__all__ = [
    "STRANGERS", "Arrival", "Why", "last_arrivals", "note_arrivals", "note_refusal", "note_turned_away", "source_name",
    "turned_away_by",
]  # fmt: skip

STRANGERS = "strangers"
"""Name in the log of whoever came without a key that is known."""
PERSON = "identify"
"""What is said of a person without an act, as Segment calls it."""
ITEMS, WHYS, LONGEST = 5, 5, 300  # that are kept of an event, and characters of a reason


def source_name(*, key: int | None = None, hook: str = "") -> str:
    """What a source is called in the log; empty where nothing is kept of it."""
    return hook or ("" if key is None else str(key))


def note_arrivals(
    rows: Sequence[EventRow],
    verdicts: Sequence[EventResult],
    sender: Sender,
    *,
    owned: Sequence[tuple[Taken, int | None]],
    ids: Mapping[int, str],
    at: datetime,
    erased: Set[int] = frozenset(),
) -> None:
    """Note what became of the rows of a request.

    ``owned``: events with whom the next answers may know of; ``ids``: by row, what was sent for an id and is no UUID;
    ``erased``: rows of before an erasure, of which only the verdict is noted.
    """
    if source := source_name(key=sender.key, hook=sender.hook):
        start = max(0, len(rows) - MOST)
        owners = {event.row: owner for event, owner in owned[-MOST:]}
        of = RowOwners(owners, ids, erased)
        make = partial(_arrivals, rows[start:], verdicts[start:], of, start=start, at=at.timestamp())
        arrival_log().note(source, make)


def note_refusal(pointer: str, reason: str, *, key: int, at: datetime) -> None:
    """Note a body that holds no events."""
    why = Why(pointer, reason[:LONGEST])
    arrival_log().note(source_name(key=key), lambda: [Arrival(at.timestamp(), "refused", whys=[why])])


def turned_away_by(source: str) -> str:
    """The name in the log of what came in a source's name and was not let in: it pushes out nothing that was."""
    return f"{source}:away"


def note_turned_away(reason: str, *, at: datetime, source: str = "", address: str = "") -> None:
    """Note a request that was not let in; without a source by the address that it came to."""
    away = Arrival(at.timestamp(), "away", "" if source else address, whys=[Why("", reason[:LONGEST])])
    arrival_log().note(turned_away_by(source) if source else STRANGERS, lambda: [away])


class RowOwners(NamedTuple):
    """Whose events are, and what was sent for their ids, by row; and rows of before an erasure."""

    owners: Mapping[int, int | None]
    ids: Mapping[int, str]
    erased: Set[int]


def _arrivals(
    rows: Sequence[EventRow], verdicts: Sequence[EventResult], whose: RowOwners, *, start: int, at: float
) -> list[Arrival]:
    return [
        _bare(row, verdict, at=at)
        if number in whose.erased
        else _arrival(row, verdict, sent_id=whose.ids.get(number), owner=whose.owners.get(number), at=at)
        for number, (row, verdict) in enumerate(zip(rows, verdicts, strict=True), start)
    ]


def _bare(row: EventRow, verdict: EventResult, *, at: float) -> Arrival:
    """What came, and why it was not taken, without what would lead to who was erased."""
    whys = [] if verdict.pointer is None else [Why(verdict.pointer, (verdict.reason or "")[:LONGEST])]
    return Arrival(at, verdict.verdict, _name_of(row), whys=whys)


def _arrival(row: EventRow, verdict: EventResult, *, sent_id: str | None, owner: int | None, at: float) -> Arrival:
    named = [] if verdict.pointer is None else [Refusal(verdict.pointer, verdict.reason or "")]
    whys = [*named, *verdict.refused, *verdict.waiting, *verdict.ignored][:WHYS]
    items = [item.item_id for item in row.items] if isinstance(row, EventForm) else []
    return Arrival(
        at,
        verdict.verdict,
        _name_of(row),
        sent_id or ("" if verdict.event_id is None else str(verdict.event_id)),
        items[:ITEMS],
        max(0, len(items) - ITEMS),
        owner,
        [Why(why.pointer, why.reason[:LONGEST]) for why in whys],
    )


def _name_of(row: EventRow) -> str:
    if isinstance(row, Refusal):
        return ""
    return PERSON if isinstance(row, PersonForm) else row.name[:64]
