"""What is set aside, as the record keeps it: read when a run begins to learn, and added to by what it finds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from recommendations.engine.frames import IdArray
from recommendations.engine.preprocess.held import Held
from recommendations.engine.preprocess.levels import CONFIRMING
from recommendations.engine.preprocess.suspects import Suspicion
from recommendations.models import Aside, Customer, Quarantine, Run
from recommendations.store.attribution.settle import recount
from recommendations.store.attribution.statements import NOTED
from recommendations.store.temp_tables import rows
from recommendations.store.temp_tables import run as run_sql
from recommendations.terms import QuarantineState, SuspicionRule, Trust

EPOCH = date(1970, 1, 1)

# Event lines that quarantines cover, each once: of a customer under whatever id, of a key in its time, of an item what
# pages told of customers who are not confirmed.
_COVERED = """
SELECT event.occurred_at, event.event_id, event.line, event.customer_id FROM recommendations_event event
JOIN (
  SELECT aside.customer_id AS key FROM recommendations_aside aside WHERE aside.quarantine_id = ANY(%(quarantines)s)
  UNION
  SELECT alias.anonymous_id FROM recommendations_aside aside
  JOIN recommendations_customeralias alias ON alias.customer_id = aside.customer_id AND alias.undone_at IS NULL
  WHERE aside.quarantine_id = ANY(%(quarantines)s)
) person ON person.key = event.customer_id
UNION
SELECT event.occurred_at, event.event_id, event.line, event.customer_id FROM recommendations_event event
JOIN recommendations_aside aside ON aside.quarantine_id = ANY(%(quarantines)s) AND aside.key_id = event.key_id
  AND event.received_at >= aside.since AND (aside.until IS NULL OR event.received_at < aside.until)
UNION
SELECT event.occurred_at, event.event_id, event.line, event.customer_id FROM recommendations_event event
JOIN recommendations_aside aside ON aside.quarantine_id = ANY(%(quarantines)s) AND aside.item_id = event.item_id
  AND event.received_at >= aside.since AND event.trust < %(server)s
LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = event.customer_id AND alias.undone_at IS NULL
WHERE NOT EXISTS (
  SELECT FROM recommendations_event bought
  WHERE bought.customer_id = coalesce(alias.customer_id, event.customer_id)
    AND bought.name = ANY(%(confirming)s) AND bought.trust >= %(server)s)
"""
_COUNT = f"""
SELECT count(*), count(DISTINCT coalesce(alias.customer_id, covered.customer_id)) FROM ({_COVERED}) covered
LEFT JOIN recommendations_customeralias alias
  ON alias.anonymous_id = covered.customer_id AND alias.undone_at IS NULL
"""  # noqa: S608 - a query of our own
_DELETE = f"""
DELETE FROM {{table}} line USING ({_COVERED}) covered
WHERE (line.occurred_at, line.event_id, line.line) = (covered.occurred_at, covered.event_id, covered.line)
"""  # noqa: S608
_SLATES = f"""
SELECT recommendation_id FROM recommendations_event JOIN ({_COVERED}) covered USING (occurred_at, event_id, line)
WHERE recommendation_id IS NOT NULL
UNION
SELECT recommendation_id FROM recommendations_attributedline
JOIN ({_COVERED}) covered USING (occurred_at, event_id, line)
"""  # noqa: S608
_NOTE = f"""
INSERT INTO recommendations_dueline (occurred_at, event_id, line)
SELECT occurred_at, event_id, line FROM recommendations_event event
JOIN ({_COVERED}) covered USING (occurred_at, event_id, line, customer_id) WHERE {NOTED}
"""  # noqa: S608

# What still waits for its item, of the people, and of the keys in their time.
_DELETE_WAITING = """
DELETE FROM recommendations_waitingline line USING recommendations_aside aside
WHERE aside.quarantine_id = ANY(%(quarantines)s) AND (
  aside.key_id = line.key_id AND line.received_at >= aside.since
    AND (aside.until IS NULL OR line.received_at < aside.until)
  OR line.customer_id IN (
    SELECT aside.customer_id UNION ALL
    SELECT alias.anonymous_id FROM recommendations_customeralias alias
    WHERE alias.customer_id = aside.customer_id AND alias.undone_at IS NULL))
"""

_WORDS: dict[str, Any] = {"server": int(Trust.SERVER), "confirming": [name.value for name in CONFIRMING]}


class Covered(NamedTuple):
    """How many event lines are covered, of how many customers."""

    events: int
    people: int


@dataclass(frozen=True)
class Case:
    """A suspicion, and how many events it sets aside."""

    suspicion: Suspicion
    events: int


def held_items() -> Held:
    """Items that are set aside, each since its first day; people and keys are left out by the query of the events."""
    asides = Aside.objects.filter(item__isnull=False, quarantine__in=Quarantine.objects.in_force())
    held = asides.values_list("item").annotate(Min("since")).order_by("item")
    items, since = zip(*held, strict=True) if held else ((), ())
    days = [(moment.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date() - EPOCH).days for moment in since]
    return Held(items=np.array(items, np.int64), since=np.array(days, np.int64))


def cleared() -> dict[SuspicionRule, tuple[IdArray, IdArray]]:
    """People and items by rule that somebody has restored: the rule does not set them aside again."""
    restored = Aside.objects.filter(quarantine__state=QuarantineState.RESTORED)
    told = list(restored.values_list("quarantine__rule", "customer", "item"))
    return {
        rule: (_keys(row[1] for row in told if row[0] == rule), _keys(row[2] for row in told if row[0] == rule))
        for rule in SuspicionRule
    }


def count_covered(*quarantines: int) -> Covered:
    """The event lines that quarantines (by key) cover, and their customers; what several cover counts once."""
    return Covered(*rows(_COUNT, quarantines=list(quarantines), **_WORDS)[0])


def note_due(*quarantines: int) -> None:
    """Let what quarantines (by key) cover be attributed anew: it counts for no slate, or does again."""
    run_sql(_NOTE, quarantines=list(quarantines), **_WORDS)


@transaction.atomic
def delete_events(quarantine: Quarantine) -> int:
    """Delete the event lines that a quarantine covers, with what was attributed to them; how many they were.

    It covers nothing afterwards.
    """
    values = {"quarantines": [quarantine.pk]} | _WORDS
    slates = [slate for (slate,) in rows(_SLATES, **values)]
    run_sql(_DELETE.format(table="recommendations_attributedline"), **values)
    deleted = run_sql(_DELETE.format(table="recommendations_event"), **values)
    run_sql(_DELETE_WAITING, **values)
    quarantine.emptied_at = timezone.now()
    quarantine.save(update_fields=["emptied_at"])
    recount(slates)
    return deleted


def to_be_deleted() -> list[Quarantine]:
    """Quarantines that were deleted and whose events are still there."""
    return list(Quarantine.objects.filter(state=QuarantineState.DELETED, emptied_at=None))


@transaction.atomic
def keep(run: Run, cases: Sequence[Case]) -> None:
    """Set aside what a run has found; what the same run kept before it was interrupted is replaced."""
    Quarantine.objects.filter(run=run, state=QuarantineState.ASIDE).delete()
    for case in cases:
        suspicion = case.suspicion
        stored = Quarantine.objects.create(
            rule=suspicion.rule,
            run=run,
            events=case.events,
            people=len(suspicion.people),
            items=suspicion.items.tolist(),
        )
        there = Customer.objects.filter(pk__in=suspicion.people.tolist(), erased_at=None)  # a run takes time
        people = [Aside(quarantine=stored, customer=one) for one in there.only("pk")]
        since = None if suspicion.since is None else _midnight(suspicion.since)
        items = (
            []
            if since is None
            else [Aside(quarantine=stored, item_id=key, since=since) for key in suspicion.items.tolist()]
        )
        Aside.objects.bulk_create([*people, *items], batch_size=2_000)
        note_due(stored.pk)


def _midnight(day: int) -> datetime:
    """The beginning of a day of the shop."""
    return datetime.combine(EPOCH + timedelta(days=day), time(), ZoneInfo(settings.SHOP_TIME_ZONE)).astimezone(UTC)


def _keys(values: Iterable[int | None]) -> IdArray:
    return np.unique(np.array([value for value in values if value is not None], np.int64))
