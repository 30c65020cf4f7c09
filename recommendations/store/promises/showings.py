"""Showings of items in the answers of a placement, and the clicks on them; counted from what was answered."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from recommendations.models import NewItem, Slate
from recommendations.store.temp_tables import rows

WEEK = 7  # days: the rate of answers is its mean, each day of the week once
RATE_DAYS = 28  # days of which the click rates of slots are

_SHOWN = """
SELECT item, count(*) FROM recommendations_slate slate CROSS JOIN LATERAL unnest(slate.items) AS item
WHERE slate.placement = %(placement)s AND slate.served_at >= %(since)s AND slate.served_at < %(until)s
  AND slate.items && %(items)s::bigint[] AND item = ANY(%(items)s)
GROUP BY 1
"""
_CLICKS = """
WITH rate AS (
  SELECT position, sum(clicked)::float / sum(seen) AS clicks FROM recommendations_placementday
  WHERE placement = %(placement)s AND position > 0 AND day >= %(from_day)s GROUP BY 1 HAVING sum(seen) > 0
)
SELECT new.id, count(*) FILTER (WHERE at.position = ANY(outcome.clicked)), coalesce(sum(rate.clicks), 0)
FROM recommendations_slate slate
JOIN recommendations_slateoutcome outcome USING (recommendation_id)
CROSS JOIN LATERAL unnest(slate.items) WITH ORDINALITY AS at (item_id, position)
JOIN recommendations_newitem new ON new.item_id = at.item_id AND new.id = ANY(%(new)s)
  AND slate.served_at >= new.promised_at AND slate.served_at < coalesce(new.ended_at, %(now)s)
LEFT JOIN rate ON rate.position = at.position
WHERE slate.placement = %(placement)s AND slate.served_at >= %(since)s AND slate.items && %(items)s::bigint[]
  AND at.position = ANY(outcome.seen)
GROUP BY 1
"""


class Clicks(NamedTuple):
    """Clicks on an item while it was promised, and as many as others got in the slots where it was seen."""

    clicks: int
    expected: float


def answers_a_day(placement: str, *, now: datetime) -> float:
    """Answers of a placement a day, by the last week."""
    lately = Slate.objects.filter(placement=placement, served_at__gte=now - timedelta(days=WEEK), served_at__lt=now)
    return lately.count() / WEEK


def showings(placement: str, items: Collection[int], *, since: datetime, until: datetime) -> Mapping[int, int]:
    """How often each of these items was shown at a placement in [since, until)."""
    if not items:
        return {}
    return dict(rows(_SHOWN, placement=placement, items=list(items), since=since, until=until))


def clicks_of(new: Collection[NewItem], *, placement: str, now: datetime) -> Mapping[int, Clicks]:
    """Clicks on promised items of one placement, by key; none for what nobody was seen to see."""
    begun = [each.promised_at for each in new if each.promised_at]
    if not begun:
        return {}
    counted = rows(
        _CLICKS, placement=placement, new=[each.pk for each in new], items=[each.item_id for each in new],
        since=min(begun), now=now, from_day=(now - timedelta(days=RATE_DAYS)).date(),
    )  # fmt: skip
    return {key: Clicks(clicks, float(expected)) for key, clicks, expected in counted}
