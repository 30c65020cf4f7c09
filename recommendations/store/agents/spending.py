"""What people spent before now, in parts: the A/A of the agent's groups is made of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from recommendations.event_types import EventName
from recommendations.store.attribution.statements import WHOLE
from recommendations.store.temp_tables import rows
from recommendations.terms import Trust

# Part 0 is the time before; the others are the parts of the time that counts, the first one first.
_SPENT = f"""
WITH own AS (
  SELECT event.customer_id AS key, greatest(1 + floor(
      extract(epoch FROM event.occurred_at - %(since)s) / extract(epoch FROM %(part)s::interval)
    )::int, 0) AS part, sum(event.amount)::float8 AS spent
  FROM recommendations_event event
  WHERE event.name = '{EventName.PURCHASE}' AND event.trust >= {Trust.SERVER} AND event.customer_id IS NOT NULL
    AND event.occurred_at >= %(since)s - %(before)s::interval AND event.occurred_at < %(until)s
  GROUP BY 1, 2
)
SELECT {WHOLE.format("own.key")}, own.part, sum(own.spent) FROM own GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 - words of our own


@dataclass(frozen=True, kw_only=True, eq=False)
class PartedSpending:
    """What people spent in the time before [people], and up to the end of each part after it [people, parts]."""

    customer: NDArray[np.int64]
    before: NDArray[np.float64]
    spent: NDArray[np.float64]


def spending_in_parts(*, since: datetime, part: timedelta, parts: int, before: timedelta) -> PartedSpending:
    """Spending of everybody who bought in ``before``, or in the ``parts`` that begin at ``since``.

    A purchase that is kept without its customer, as of who objects to being known, is nobody's.
    """
    stored = list(rows(_SPENT, since=since, part=part, before=before, until=since + parts * part))
    customers, place = np.unique(np.array([row[0] for row in stored], np.int64), return_inverse=True)
    amounts = np.zeros((len(customers), parts + 1))
    np.add.at(amounts, (place, np.array([row[1] for row in stored], np.int64)), [float(row[2]) for row in stored])
    return PartedSpending(customer=customers, before=amounts[:, 0], spent=amounts[:, 1:].cumsum(axis=1))
