"""What lists bring where nothing is sold: how often people click in them, and what they take of what there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.cache import cache
from django.db.models import Count, Q

from analytics.queries.days import midnight
from analytics.queries.overview.outcomes import PlacementOutcome
from recommendations.engine.evaluation.intervals import Measure, wilson
from recommendations.models import Event
from recommendations.services.review.acts import taking

REMEMBERED = 60  # seconds, of what was taken: it reads the events of two periods


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What came of lists in whole days, today the last of them; ``before``: in the period before, as long."""

    taken: int
    before: int
    with_list: int  # of what was taken: the event names its list
    lists: int  # that people saw, or were given where the shop never says what was seen
    clicked: int
    click_rate: Measure
    placements: Sequence[PlacementOutcome]  # the one with most lists first


def brought(*, today: date, days: int, outcomes: Sequence[PlacementOutcome]) -> Brought:
    taken, before, with_list = _taken(today, days)
    people = [each.now for each in outcomes if not each.replay]
    lists, clicked = sum(each.tries for each in people), sum(each.clicked for each in people)
    return Brought(
        taken=taken, before=before, with_list=with_list, lists=lists, clicked=clicked,
        click_rate=wilson(clicked, lists), placements=outcomes,
    )  # fmt: skip


def _taken(today: date, days: int) -> tuple[int, int, int]:
    """Acts that took an item in the period and in the one before, and those of a list, a minute old at most."""
    key = f"overview/taken/{today}/{days}"
    known = cache.get(key)
    if isinstance(known, tuple):
        return known
    start, end = midnight(today - timedelta(days=days - 1)), midnight(today + timedelta(days=1))
    both = taking(Event.objects.between(midnight(today - timedelta(days=2 * days - 1)), end))
    now = Q(occurred_at__gte=start)
    counts = both.aggregate(
        now=Count("event_id", filter=now), before=Count("event_id", filter=~now),
        listed=Count("event_id", filter=now & Q(recommendation_id__isnull=False)),
    )  # fmt: skip
    taken = (counts["now"], counts["before"], counts["listed"])
    cache.set(key, taken, REMEMBERED)
    return taken
