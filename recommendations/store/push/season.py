"""What people spent since they first stood in line for a message this season, held out of everything or not."""

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from recommendations.event_types import EventName
from recommendations.push_terms import Priority
from recommendations.store.attribution.statements import PERSON
from recommendations.store.push.funnel import BEFORE
from recommendations.store.temp_tables import rows
from recommendations.terms import Trust

# Nobody is held out of what they asked for themselves, so such messages begin nobody's time.
_SPENT = f"""
WITH first AS MATERIALIZED (
  SELECT message.customer_id AS customer, min(message.due_at) AS at FROM recommendations_message message
  JOIN recommendations_campaignversion version ON version.id = message.version_id
  WHERE message.due_at > %(since)s
    AND coalesce(version.frozen #>> '{{safety,priority}}', '') <> '{Priority.SERVICE}' GROUP BY 1
), keys AS MATERIALIZED (
  SELECT first.customer, first.at, person.key FROM first CROSS JOIN {PERSON.format("first.customer")}
), amounts AS (
  SELECT keys.customer, sum(event.amount) FILTER (WHERE event.occurred_at > keys.at)::float8 AS y,
    sum(event.amount) FILTER (WHERE event.occurred_at <= keys.at)::float8 AS x
  FROM keys JOIN recommendations_event event ON event.customer_id = keys.key
  WHERE event.name = '{EventName.PURCHASE}' AND event.trust >= {Trust.SERVER}
    AND event.occurred_at > keys.at - %(before)s AND event.occurred_at <= keys.at + %(days)s
  GROUP BY 1
)
SELECT first.customer, first.at + %(days)s <= %(now)s, coalesce(amounts.y, 0), coalesce(amounts.x, 0)
FROM first LEFT JOIN amounts ON amounts.customer = first.customer ORDER BY 1
"""  # noqa: S608 - words of our own

type SeasonRows = tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]
"""Customers; whether their time is over; what they spent in it; what they spent in the 84 days before."""


def season_spending(*, since: datetime, days: timedelta, now: datetime) -> SeasonRows:
    """What everybody spent within so many days of the first message that they got, or would have got, since then."""
    stored = rows(_SPENT, since=since, days=days, before=BEFORE, now=now)
    customer, over, y, x = zip(*stored, strict=True) if stored else ((), (), (), ())
    return np.array(customer, np.int64), np.array(over, bool), np.array(y, np.float64), np.array(x, np.float64)
