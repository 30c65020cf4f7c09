"""Intake of the events that the API hands on: validate, pseudonymise, deduplicate, append."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime

from django.db import DatabaseError

from recommendations.event_types import EventName
from recommendations.ingest.arrivals import note_arrivals
from recommendations.ingest.event_lines import EventResult, Intake, RowFates
from recommendations.ingest.event_people import People
from recommendations.ingest.event_schema import EventRow
from recommendations.ingest.facts import Sender
from recommendations.ingest.live_events import likings_after, live_events
from recommendations.store.events import insert, mergers, waiting
from recommendations.store.events.generations import settled
from recommendations.store.events.mergers import Told
from recommendations.store.events.purpose_words import note_consent
from recommendations.store.live import writes
from recommendations.store.live.source_counts import SourceCount, source_counters
from recommendations.store.live.writes import Fact, Joined, told_of_words
from recommendations.terms import Side

NO_IDS: Mapping[int, str] = {}


def accept(
    rows: Sequence[EventRow], sender: Sender, *, now: datetime, ids: Mapping[int, str] = NO_IDS
) -> list[EventResult]:
    """Append the events that keep the rules, each once, and say for every row what became of it.

    ``ids`` has by row those that were sent and are no UUIDs, for whoever looks on.
    When it returns everything is committed, and the next answer knows of it (where Valkey is there). Raises
    ``DatabaseError`` where PostgreSQL is away; then nothing of the request was stored, or a retry repeats it.
    """
    with insert.reachable():
        return _accept(rows, sender, now=now, ids=ids)


def _accept(rows: Sequence[EventRow], sender: Sender, *, now: datetime, ids: Mapping[int, str]) -> list[EventResult]:
    intake = Intake(rows, sender, now=now)
    if not intake.taken:
        _note(sender, {SourceCount.UNPROVEN: intake.unproven, SourceCount.IGNORED: intake.unused}, now=now)
        verdicts = intake.verdicts(set())
        note_arrivals(rows, verdicts, sender, owned=(), ids=ids, at=now)
        return verdicts
    people = People.of(intake.taken, sender.newcomers, now=now)
    people.find_buyers(intake.taken)
    facts: list[Fact] = told_of_words(note_consent(people.words))
    change = mergers.merge(people.pairs(), told=Told.PAGE if sender.side is Side.PAGE else Told.EVENT)
    facts += [Joined(*pair) for pair in change.joined]
    intake.leave_out(people.erased)
    with settled() if intake.names_others else nullcontext():  # whom somebody follows is written as a pseudonym
        lines = list(people.lines_of(intake.taken, items=intake.items))
        try:
            new, erased = insert.insert(lines, key=sender.key)
        except DatabaseError:
            writes.remember(facts)  # a retry finds them done
            writes.mark_incomplete()  # if only the answer to the commit was lost, a retry finds duplicates
            raise
        held = list(people.waiting_lines(intake.taken))
        waits, late = waiting.hold([line for _row, line in held], key=sender.key)
    own = [(lines[number], customer) for number, customer in new.items() if customer is not None]
    facts += live_events(own)
    facts += likings_after(own, joined=[customer for _visitor, customer in change.joined])
    for pair in change.parted:
        writes.unmerge(*pair)
    writes.remember(facts)
    counts = {
        SourceCount.LINES: len(new),
        SourceCount.PURCHASES: [lines[number].name for number in new].count(EventName.PURCHASE),
        SourceCount.CRAWLED if sender.crawls else SourceCount.NOT_KEPT: len(people.nameless),
        SourceCount.UNPROVEN: intake.unproven,
        SourceCount.IGNORED: intake.unused,
        SourceCount.WAITING: len(waits),
    }
    whose = {customer for customer in new.values() if customer is not None}
    _note(sender, counts, now=now, people=whose)
    fates = RowFates(
        nameless=people.nameless, held={held[number][0] for number in waits},
        erased=people.erased | {held[number][0] for number in late}, erased_lines=erased,
    )  # fmt: skip
    verdicts = intake.verdicts(new.keys(), fates)
    owned = list(zip(intake.taken, people.owners, strict=True))
    gone = intake.erased_rows(fates)
    note_arrivals(rows, verdicts, sender, owned=owned, erased=gone, ids=ids, at=now)
    return verdicts


def _note(
    sender: Sender, counts: Mapping[SourceCount, int], *, now: datetime, people: Collection[int] = frozenset()
) -> None:
    if sender.key is not None:
        source_counters().note(sender.key, counts, at=now, people=people)
