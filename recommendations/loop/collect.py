"""Stage 1: events in, from files and from the API; a turn closes the window that it will learn from."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, transaction

from recommendations.loop.event_form import EventForm, Refusal
from recommendations.loop.event_lines import Intake, People, Verdict, lines_of
from recommendations.loop.event_rules import NAMES, NEEDS_ITEMS, TRADES
from recommendations.loop.turn import TurnContext
from recommendations.models import Event, Import, ModelVersion, Promotion, Turn
from recommendations.store import accepted, bulk, history, live, live_writes, mergers, model, replays
from recommendations.store.bulk import Watch
from recommendations.store.complete_journey import load, wheel
from recommendations.store.complete_journey.load import ClockIsSetError
from recommendations.store.complete_journey.wheel import WheelIsMissingError
from recommendations.store.event_rows import EventRules
from recommendations.store.files import UnreadableFileError
from recommendations.store.live import Changed
from recommendations.store.live_state import LiveEvent
from recommendations.store.live_writes import Fact, Joined, Objection, ValkeyAwayError
from recommendations.store.stage import Report
from recommendations.terms import Cut

__all__ = [
    "ClockIsSetError", "UnreadableFileError", "WheelIsMissingError", "accept", "close_window", "import_events",
    "import_items", "import_promotions", "lacks_complete_journey", "load_complete_journey",
]  # fmt: skip


def accept(rows: Sequence[EventForm | Refusal], *, source: str, now: datetime) -> list[Verdict]:
    """Append the events that keep the rules, each once, and say for every row what became of it.

    When it returns everything is committed, and the next answer knows of it (where Valkey is there). Raises
    ``DatabaseError`` where PostgreSQL is away; then nothing of the request was stored, or a retry repeats it.
    """
    with accepted.reachable():
        return _accept(rows, source=source, now=now)


def _accept(rows: Sequence[EventForm | Refusal], *, source: str, now: datetime) -> list[Verdict]:
    intake = Intake(rows, now=now)
    if not intake.taken:
        return intake.verdicts(set())
    people = People.of(intake.taken)
    facts: list[Fact] = [Objection(key, not may) for key, may in accepted.note_consent(people.words).items()]
    facts += [Joined(*pair) for pair in mergers.merge(people.pairs(), source="event")]
    lines = [
        line
        for event, owner in zip(intake.taken, people.owners, strict=True)
        for line in lines_of(event, items=intake.items, owner=owner, source=source)
    ]
    try:
        new = accepted.insert(lines)
    except DatabaseError:
        live_writes.remember(facts)  # a retry finds them done
        live_writes.doubt()  # if only the answer to the commit was lost, a retry finds duplicates
        raise
    facts += [
        LiveEvent(customer, lines[number].name, lines[number].item_id, lines[number].occurred_at)
        for number, customer in new.items()
        if customer is not None
    ]
    live_writes.remember(facts)
    return intake.verdicts(new.keys())


def import_items(path: Path, *, now: datetime, report: Report, watch: Watch | None = None) -> Import:
    """Items of a CSV or Parquet file into the catalogue; raises UnreadableFileError where there are none."""
    imported = bulk.import_items(path, currency=settings.SHOP_CURRENCY, now=now, report=report, watch=watch)
    transaction.on_commit(lambda: live.announce(Changed.CATALOGUE))
    return imported


def import_events(path: Path, *, now: datetime, report: Report) -> Import:
    """Events of a CSV or Parquet file, each once; raises UnreadableFileError where there are none."""
    names = {written: str(name) for written, name in NAMES.items()}
    rules = EventRules(names=names, need_items=NEEDS_ITEMS, trades=TRADES, currency=settings.SHOP_CURRENCY)
    imported = bulk.import_events(path, rules=rules, now=now, report=report)
    if ModelVersion.objects.live().exists():  # it has not learned from these, so that they count as just done
        transaction.on_commit(_catch_up)
    return imported


def import_promotions(path: Path, *, now: datetime, report: Report) -> Import:
    """The promotion plan of a CSV or Parquet file; raises UnreadableFileError where there is none.

    The next turn of the loop learns from it.
    """
    return bulk.import_promotions(path, now=now, report=report)


def load_complete_journey(
    *, weeks: int | None, households: int | None, hold_days: int = 0, now: datetime, report: Report
) -> tuple[Import, Import, Import]:
    """The demo's data, moved by whole weeks; None: so that the purchases end in the past seven days.

    The first time the last ``hold_days`` may be held back for the replay; later it stays as it was then.
    """
    report("wheel", 0, 1)
    journey = wheel.read_journey(households=households)
    report("wheel", 1, 1)
    with transaction.atomic():
        first = not load.clock_is_set()
        shift = load.set_clock(weeks, now=now)
        if first and hold_days:
            replays.plan(journey.purchases, days=hold_days, weeks=shift, households=households)
    items = load.load_catalogue(journey, weeks=shift, now=now, report=report)
    purchases = load.load_purchases(journey, weeks=shift, hold_from=replays.held_from(), report=report)
    promotions = load.load_promotions(journey, weeks=shift, report=report)
    transaction.on_commit(lambda: live.announce(Changed.CATALOGUE))
    return items, purchases, promotions


def lacks_complete_journey() -> bool:
    """Whether the demo's data are to be loaded: into an empty shop, or again where they came without promotions yet."""
    return not Event.objects.exists() or (load.clock_is_set() and not Promotion.objects.exists())


def _catch_up() -> None:
    with suppress(ValkeyAwayError):
        live_writes.rebuild()


def close_window(context: TurnContext) -> Mapping[str, object]:
    """Fix the three cuts of the turn, and count what came in since the last one."""
    last = Turn.objects.succeeded().exclude(pk=context.turn.pk).order_by("-now").first()
    counted = history.arrivals(since=last.now if last else None, until=context.now)
    cuts = {cut: model.moment(day).isoformat() for cut, day in context.windows.cuts.items()}
    end = model.moment(context.windows.end).isoformat()
    ModelVersion.objects.filter(pk=context.version.pk).update(
        windows={"cuts": cuts, "end": end, "days": context.windows.days}
    )
    context.report(1, text=f"{counted['events']:,} events, {counted['new']:,} new; history until {cuts[Cut.LIVE]}")
    return counted
