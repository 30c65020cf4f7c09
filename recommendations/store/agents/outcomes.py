"""What became of people since a message could first have gone to them: spending, messages, who left."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from recommendations.event_types import EventName
from recommendations.push_terms import REAL, SENDING, MessageEventKind, MessageState, Priority, Verdict
from recommendations.store.attribution.statements import PERSON
from recommendations.store.temp_tables import rows
from recommendations.terms import Trust

type Values = NDArray[np.float64]

COULD_GO = SENDING | {Verdict.NOT_WORTH, Verdict.OUTRANKED, Verdict.WAITS, Verdict.OVER_BUDGET}
"""Verdicts of whoever passed the gates: which of them it is, a choice decides, or what is chosen of others."""

# A person counts from the first day on which a message could have gone: that is known before anything is chosen. The
# log alone would not do: of a message that a budget or a better one stopped it keeps nothing, and whose messages those
# are, depends on who chose. What people spent before is of days before the agent began, so that no choice of its is in
# it.
_OUTCOMES = f"""
WITH could AS (
  SELECT customer_id AS customer, day::timestamp AT TIME ZONE %(zone)s AS at FROM recommendations_agentdecision
  WHERE day >= (%(since)s AT TIME ZONE %(zone)s)::date
  UNION ALL
  SELECT considered.customer_id, date_trunc('day', greatest(considered.wanted_at, %(since)s), %(zone)s)
  FROM recommendations_occurrence occurrence
  JOIN recommendations_campaignversion version ON version.id = occurrence.version_id
  JOIN recommendations_considered considered ON considered.occurrence_id = occurrence.id
  WHERE occurrence.state = ANY(%(real)s) AND occurrence.decided_at >= %(since)s
    AND version.frozen #>> '{{safety,priority}}' <> '{Priority.SERVICE}'
    AND coalesce(nullif(considered.otherwise, ''), considered.verdict) = ANY(%(could_go)s)
), first AS (
  SELECT customer, min(at) AS at FROM could GROUP BY 1
)
SELECT first.customer, coalesce(amounts.y, 0), coalesce(amounts.x, 0), coalesce(sent.messages, 0),
  coalesce(sent.gone, false), coalesce(sent.complained, false)
FROM first CROSS JOIN LATERAL (
  SELECT sum(event.amount) FILTER (WHERE event.occurred_at > first.at)::float8 AS y,
    sum(event.amount) FILTER (WHERE event.occurred_at <= %(since)s)::float8 AS x
  FROM {PERSON.format("first.customer")} JOIN recommendations_event event ON event.customer_id = person.key
  WHERE event.name = '{EventName.PURCHASE}' AND event.trust >= {Trust.SERVER}
    AND event.occurred_at > %(since)s - %(before)s AND event.occurred_at <= least(first.at + %(days)s, %(now)s)
) AS amounts CROSS JOIN LATERAL (
  SELECT count(*) AS messages, bool_or(came.gone OR came.complained) AS gone, bool_or(came.complained) AS complained
  FROM recommendations_message message CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(event.kind = '{MessageEventKind.COMPLAINED}'), false) AS complained,
      coalesce(max(event.at) FILTER (WHERE event.kind = '{MessageEventKind.UNSUBSCRIBED}')
        > coalesce(max(event.at) FILTER (WHERE event.kind = '{MessageEventKind.RESUBSCRIBED}'), '-infinity'), false)
        AS gone
    FROM recommendations_messageevent event WHERE event.message_id = message.id
  ) AS came
  WHERE message.customer_id = first.customer AND message.state = '{MessageState.TAKEN}'
    AND message.handed_at > first.at AND message.handed_at <= least(first.at + %(days)s, %(now)s)
) AS sent ORDER BY 1
"""  # noqa: S608 - words of our own


@dataclass(frozen=True, kw_only=True, eq=False)
class PeopleOutcomes:
    """Arrays [people]: what they spent since their first day, and in the days before the agent began; messages that
    were taken; whether they left after one (a complaint is that, too), and whether they complained.
    """

    customer: NDArray[np.int64]
    spent: Values
    before: Values
    messages: Values
    left: NDArray[np.bool_]
    complained: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.customer)


def outcomes_since(since: datetime, *, zone: str, days: timedelta, before: timedelta, now: datetime) -> PeopleOutcomes:
    """Outcomes of everybody to whom a message could have gone since then, each for so many days from then."""
    words = {"real": [each.value for each in REAL], "could_go": [each.value for each in COULD_GO]}
    stored = rows(_OUTCOMES, since=since, zone=zone, days=days, before=before, now=now, **words)
    customer, spent, earlier, messages, left, complained = zip(*stored, strict=True) if stored else ((),) * 6
    return PeopleOutcomes(
        customer=np.array(customer, np.int64), spent=np.array(spent, np.float64),
        before=np.array(earlier, np.float64), messages=np.array(messages, np.float64),
        left=np.array(left, np.bool_), complained=np.array(complained, np.bool_),
    )  # fmt: skip
