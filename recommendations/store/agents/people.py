"""What the agent knows of people before it chooses: how they buy and look, what they were sent and answered."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.push.agent.features import PersonNumbers
from recommendations.engine.push.agent.terms import SLOT_HOURS, SLOTS
from recommendations.event_types import EventName
from recommendations.push_terms import COUNTING, SETTLED_CLICK, Channel, MessageEventKind, MessageState
from recommendations.store.attribution.statements import WORDS
from recommendations.store.push.people import KEYS
from recommendations.store.temp_tables import rows
from recommendations.terms import Trust

SPAN = timedelta(days=84)
ANSWERS = timedelta(days=400)
PRIOR_ORDERS = 0.5  # by which somebody who bought nothing in the span has a rate
UNKNOWN_SILENCE = 84.0  # days

_ACTS = f"""
{KEYS}
SELECT keys.person, count(DISTINCT event.transaction_id) FILTER (WHERE event.name = '{EventName.PURCHASE}'
    AND event.trust >= {Trust.SERVER}),
  count(DISTINCT event.occurred_at::date),
  count(DISTINCT event.occurred_at::date) FILTER (WHERE event.name = '{EventName.PURCHASE}'),
  extract(epoch FROM %(now)s - min(event.occurred_at)) / 86400,
  extract(epoch FROM %(now)s - max(event.occurred_at)) / 86400
FROM keys JOIN recommendations_event event ON event.customer_id = keys.key
WHERE event.occurred_at > %(since)s AND event.occurred_at <= %(now)s GROUP BY 1
"""  # noqa: S608 - parts of our own
_SENT = f"""
{KEYS}
SELECT keys.person, count(*) FILTER (WHERE coalesce(message.handed_at, message.due_at) > %(week)s), count(*)
FROM keys JOIN recommendations_message message ON message.customer_id = keys.key
WHERE message.state = ANY(%(counting)s) AND coalesce(message.handed_at, message.due_at) > %(month)s
  AND coalesce(message.handed_at, message.due_at) <= %(now)s GROUP BY 1
"""  # noqa: S608
ANSWERED = f"""
EXISTS (SELECT FROM recommendations_messageevent event WHERE event.message_id = message.id
  AND event.kind = '{MessageEventKind.CLICKED}' AND event.told_as = '{SETTLED_CLICK}')
AND EXISTS (SELECT FROM recommendations_attributedline line WHERE message.recommendation_id <> ''
  AND line.recommendation_id = message.recommendation_id AND line.name = ANY(%(bought)s) AND line.kept)
"""  # noqa: S608 - words of our own
"""Whether a message was answered: a person clicked it, and bought something that it showed."""
_ANSWERS = f"""
{KEYS}
SELECT keys.person, message.channel, count(*), count(*) FILTER (WHERE {ANSWERED})
FROM keys JOIN recommendations_message message ON message.customer_id = keys.key
WHERE message.state = '{MessageState.TAKEN}' AND message.handed_at > %(since)s AND message.handed_at <= %(closed)s
GROUP BY 1, 2
"""  # noqa: S608


def numbers_of(
    people: Sequence[int],
    *,
    channels: Sequence[Channel],
    hours: dict[int, NDArray[np.float64]],
    closed: datetime,
    now: datetime,
) -> PersonNumbers:
    """Numbers by the rows of ``people``; ``hours`` are [168] of the week, by person.

    Answers count of messages before ``closed``, whose days are over.
    """
    at = {person: row for row, person in enumerate(people)}
    acts = _columns(_ACTS, at, 5, people=list(people), now=now, since=now - SPAN)
    sent = _columns(
        _SENT, at, 2, people=list(people), now=now, week=now - timedelta(days=7), month=now - timedelta(days=28),
        counting=sorted(COUNTING),
    )  # fmt: skip
    taken, answers = (np.zeros((len(people), len(channels))) for _ in range(2))
    for person, channel, count, answered in rows(
        _ANSWERS, people=list(people), since=now - ANSWERS, closed=closed, bought=WORDS["bought"]
    ):
        if channel in channels:
            taken[at[person], channels.index(Channel(channel))] = count
            answers[at[person], channels.index(Channel(channel))] = answered
    orders, active, buying, first, last = acts.T
    known = active > 0
    return PersonNumbers(
        log_rate=np.log((orders + PRIOR_ORDERS) / SPAN.days),
        browsing=np.where(known, (active - buying) / np.maximum(active, 1), np.nan),
        newness=np.where(known, -first, np.nan), due=np.full(len(people), np.nan), sent_7=sent[:, 0],
        sent_28=sent[:, 1], silence=np.where(known, last, UNKNOWN_SILENCE),
        hours=np.stack([_slots(hours.get(person)) for person in people]) if people else np.zeros((0, len(SLOTS))),
        taken=taken, answers=answers,
    )  # fmt: skip


def _columns(statement: str, at: dict[int, int], width: int, **values: object) -> NDArray[np.float64]:
    """Numbers [people, width] of a statement that gives a person and so many of them; 0 of whom it knows nothing."""
    columns = np.zeros((len(at), width))
    for person, *numbers in rows(statement, **values):
        columns[at[person]] = [float(number or 0) for number in numbers]
    return columns


def _slots(week: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Shares of somebody's acts in the slots of the day, which sum to 1; even where nothing is known."""
    if week is None:
        return np.full(len(SLOTS), 1 / len(SLOTS))
    day = week.reshape(7, 24).sum(axis=0)
    shares = np.array([day[first:end].sum() for first, end in (SLOT_HOURS[slot] for slot in SLOTS)])
    total = shares.sum()
    return shares / total if total > 0 else np.full(len(SLOTS), 1 / len(SLOTS))
