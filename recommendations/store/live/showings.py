"""Showings of items from the record: which items of which answers somebody was reported to have seen, at which slot.

They are remembered only where a placement, or an arm of an experiment under way, lets what was ignored go down.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.fields import AHEAD
from recommendations.models import Arm, Placement
from recommendations.store.live.state import LISTS, RECENT, SHOWINGS, LiveEvent
from recommendations.store.temp_tables import rows
from recommendations.terms import ExperimentStatus

UNDER_WAY = (ExperimentStatus.RUNNING, ExperimentStatus.PAUSED)

# An event with items names what was seen; one without was about the whole answer. The newest ones of each person.
_SHOWN = f"""
SELECT person, item, slot, recommendation_id, at FROM (
  SELECT event.person_id AS person, seen.item, seen.slot, event.recommendation_id, event.occurred_at AS at,
         row_number() OVER (PARTITION BY event.person_id ORDER BY event.occurred_at DESC) AS place
  FROM events_to_personalise event CROSS JOIN LATERAL (
    SELECT event.item_id AS item, greatest(coalesce(event.position, event.line + 1), 1)::bigint AS slot
    WHERE event.item_id IS NOT NULL
    UNION ALL
    SELECT listed.item, listed.slot
    FROM recommendations_slate slate, unnest(slate.items) WITH ORDINALITY AS listed(item, slot)
    WHERE event.item_id IS NULL AND slate.recommendation_id = event.recommendation_id
  ) AS seen
  WHERE event.name = ANY(%(lists)s) AND event.recommendation_id IS NOT NULL AND event.customer_id IS NOT NULL
    AND event.source <> 'replay' AND event.occurred_at >= %(since)s AND event.occurred_at < %(until)s
    AND (%(keys)s::bigint[] IS NULL OR event.customer_id = ANY(%(keys)s::bigint[]))
) AS showing WHERE place <= {2 * SHOWINGS}
"""  # noqa: S608 - a number of our own
_LISTED = """
SELECT recommendation_id, items FROM recommendations_slate
WHERE recommendation_id = ANY(%(answers)s) AND served_at >= %(since)s
"""


def are_used() -> bool:
    """Whether any answer may depend on what was shown before."""
    if Placement.objects.filter(fatigue__gt=0).exists():
        return True
    changes = Arm.objects.filter(experiment__status__in=UNDER_WAY).values_list("changes", flat=True)
    return any(values.get("fatigue") for each in changes for values in each.get("placements", {}).values())


def recorded_showings(keys: Sequence[int] | None = None, *, at: datetime | None = None) -> Iterator[LiveEvent]:
    """Showings of the 30 days before ``at`` (now), of a person's keys or of everybody; merged keys are the customer's.

    Of each person about twice as many as are remembered: what was reported twice is among them.
    """
    until = at or timezone.now() + AHEAD
    values = {
        "lists": list(LISTS),
        "since": until - RECENT,
        "until": until,
        "keys": None if keys is None else list(keys),
    }
    for person, item, slot, answer, when in rows(_SHOWN, **values):
        yield LiveEvent(person, EventName.VIEW_ITEM_LIST, item, when, slot, answer)


def whole_answers(events: Sequence[LiveEvent]) -> list[LiveEvent]:
    """A showing of each item of the answers that were reported as seen without naming items.

    An answer that is not in the record yet has none; the next rebuilding knows of it.
    """
    if not events:
        return []
    since = min(event.at for event in events) - RECENT
    listed = dict(rows(_LISTED, answers=list({event.answer for event in events}), since=since))
    return [
        event._replace(item=item, slot=slot)
        for event in events
        for slot, item in enumerate(listed.get(event.answer, ()), 1)
    ]
