"""What a night of the agent reads: everybody's numbers, the shop's rate of answers, and what was bought by whom."""

from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from recommendations.event_types import EventName
from recommendations.push_terms import MessageState
from recommendations.store.agents.people import ANSWERED
from recommendations.store.attribution.statements import PERSON, WORDS
from recommendations.store.temp_tables import rows
from recommendations.terms import Trust

PRIOR_RATE, PRIOR_MESSAGES = 0.01, 100.0  # a shop that has sent nothing yet
RATE_FROM = timedelta(days=400)
WINDOW = timedelta(days=28)  # in which purchases are compared, and as long before it

_RATE = f"""
SELECT count(*), count(*) FILTER (WHERE {ANSWERED}) FROM recommendations_message message
WHERE message.state = '{MessageState.TAKEN}' AND message.handed_at > %(since)s AND message.handed_at <= %(closed)s
"""  # noqa: S608 - parts of our own
# One moment a person, that of their first decision in the log; orders count on both sides of it.
_BOUGHT = f"""
WITH first AS (
  SELECT customer_id AS customer, min(day)::timestamptz AS at, bool_or(held) AS held FROM recommendations_agentdecision
  WHERE day >= %(since)s GROUP BY 1
)
SELECT first.customer, first.held,
  count(DISTINCT event.transaction_id) FILTER (WHERE event.occurred_at > first.at),
  count(DISTINCT event.transaction_id) FILTER (WHERE event.occurred_at <= first.at),
  (SELECT count(*) FROM recommendations_agentdecision decision WHERE decision.customer_id = first.customer
     AND decision.day >= first.at::date AND decision.day < (first.at + %(window)s)::date AND decision.answered)
FROM first CROSS JOIN {PERSON.format("first.customer")}
LEFT JOIN recommendations_event event ON event.customer_id = person.key AND event.name = '{EventName.PURCHASE}'
  AND event.trust >= {Trust.SERVER} AND event.occurred_at > first.at - %(window)s
  AND event.occurred_at <= first.at + %(window)s
WHERE first.at + %(window)s <= %(now)s GROUP BY 1, 2, first.at
"""  # noqa: S608
_EVERYBODY = (
    "SELECT id FROM recommendations_customer WHERE personalise AND kind = 'signed_in' ORDER BY id LIMIT %(most)s"
)
MOST_PEOPLE = 50_000  # of whom scales are taken: more tell no more


def shop_rate(*, closed: datetime) -> float:
    """Answers a message of the shop, drawn towards one of a hundred."""
    [(taken, answered)] = rows(_RATE, since=closed - RATE_FROM, closed=closed, bought=WORDS["bought"])
    return float((answered + PRIOR_RATE * PRIOR_MESSAGES) / (taken + PRIOR_MESSAGES))


def bought_of_log(*, since: date, now: datetime) -> dict[int, tuple[bool, int, int, int]]:
    """Return, for all with a decision since then and 28 days over: held out, orders in and before them, answers."""
    stored = rows(_BOUGHT, since=since, window=WINDOW, now=now)
    return {customer: (held, bought, before, answers) for customer, held, bought, before, answers in stored}


def some_people() -> NDArray[np.int64]:
    """Customers of whom the scales are taken."""
    return np.array([key for (key,) in rows(_EVERYBODY, most=MOST_PEOPLE)], np.int64)
