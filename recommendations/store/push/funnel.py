"""What became of a campaign's messages, and what people spent after the moment of one, held out or not."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from recommendations.engine.experiments.moments import Moments
from recommendations.event_types import EventName
from recommendations.push_terms import SETTLED_CLICK, MessageEventKind, MessageState
from recommendations.store.attribution.statements import PERSON, WORDS
from recommendations.store.temp_tables import rows
from recommendations.terms import PATH_SEPARATOR, Trust

BEFORE = timedelta(days=84)
"""How far back what a person spent before goes, by which a comparison is adjusted."""

_STATES = f"""
SELECT message.state, message.reason, count(*), count(*) FILTER (WHERE clicked.yes), count(*) FILTER (WHERE bought.yes),
  count(*) FILTER (WHERE gone.yes)
FROM recommendations_message message
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM recommendations_messageevent event WHERE event.message_id = message.id
  AND event.kind = '{MessageEventKind.CLICKED}' AND event.told_as = '{SETTLED_CLICK}') AS yes) AS clicked
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM recommendations_attributedline line
  WHERE message.recommendation_id <> '' AND line.recommendation_id = message.recommendation_id
    AND line.name = ANY(%(bought)s) AND line.kept) AS yes) AS bought
CROSS JOIN LATERAL (SELECT (SELECT event.kind FROM recommendations_messageevent event
  WHERE event.message_id = message.id AND event.kind IN
    ('{MessageEventKind.UNSUBSCRIBED}', '{MessageEventKind.RESUBSCRIBED}', '{MessageEventKind.COMPLAINED}')
  ORDER BY event.at DESC, event.id DESC LIMIT 1) IN
    ('{MessageEventKind.UNSUBSCRIBED}', '{MessageEventKind.COMPLAINED}') AS yes) AS gone
WHERE message.campaign_id = %(campaign)s
GROUP BY 1, 2
"""  # noqa: S608 - words of our own
# One moment a person, that of their first message, which both sides have: whoever was to be written to counts,
# whatever came of it, as of the held-out nobody knows what would have come of it either. x is what they spent before.
# Keys are written out first, so that events are found by their customer and not by their day.
_SPENT = f"""
WITH first AS MATERIALIZED (
  SELECT DISTINCT ON (customer_id) customer_id AS customer, state = '{MessageState.HELD}' AS held, due_at AS at, items
  FROM recommendations_message WHERE campaign_id = %(campaign)s ORDER BY customer_id, created_at, id
), keys AS MATERIALIZED (
  SELECT first.customer, first.at, first.items, person.key FROM first CROSS JOIN {PERSON.format("first.customer")}
), amounts AS (
  SELECT keys.customer, sum(event.amount) FILTER (WHERE event.occurred_at > keys.at)::float8 AS y,
    sum(event.amount) FILTER (WHERE event.occurred_at <= keys.at)::float8 AS x
  FROM keys JOIN recommendations_event event ON event.customer_id = keys.key
  WHERE event.name = '{EventName.PURCHASE}' AND event.trust >= {Trust.SERVER}
    AND event.occurred_at > keys.at - %(before)s AND event.occurred_at <= keys.at + %(days)s
    AND (%(anything)s OR (%(shown)s AND event.item_id = ANY(keys.items)) OR event.item_id IN (
      SELECT link.item_id FROM recommendations_item_categories link
      JOIN recommendations_category category ON category.id = link.category_id
      JOIN unnest(%(paths)s::text[]) AS wanted(path)
        ON category.path = wanted.path OR starts_with(category.path, wanted.path || '{PATH_SEPARATOR}')))
  GROUP BY 1
), spent AS (
  SELECT first.held, first.at + %(days)s <= %(now)s AS over, coalesce(amounts.y, 0) AS y, coalesce(amounts.x, 0) AS x
  FROM first LEFT JOIN amounts ON amounts.customer = first.customer
)
SELECT held, over, count(*), sum(y), sum(y * y), sum(x), sum(x * x), sum(x * y), count(*) FILTER (WHERE y > 0)
FROM spent GROUP BY 1, 2
"""  # noqa: S608
_BEGAN = """
SELECT min(due_at) FROM recommendations_message WHERE campaign_id = %(campaign)s
"""
_TYPICAL = f"""
SELECT coalesce(sum(amount) / nullif(count(DISTINCT customer_id), 0), 0)::float8 FROM recommendations_event
WHERE name = '{EventName.PURCHASE}' AND trust >= {Trust.SERVER} AND customer_id IS NOT NULL
  AND occurred_at > %(began)s - %(before)s AND occurred_at <= %(began)s
"""  # noqa: S608


class MessageFate(NamedTuple):
    """Messages of one state and reason; of them people clicked, bought after and left."""

    state: MessageState
    reason: str
    messages: int
    clicked: int
    bought: int
    left: int


class Spending(NamedTuple):
    """What people spent for the goal after their moment; ``over``: their time is over, and no more can come."""

    held: bool
    over: bool
    moments: Moments
    buyers: int


def fates_of(campaign: int) -> list[MessageFate]:
    """What became of the messages of a campaign, shadows among them."""
    stored = rows(_STATES, campaign=campaign, bought=WORDS["bought"])
    return [MessageFate(MessageState(state), *others) for state, *others in stored]


def spending(
    campaign: int, *, anything: bool, shown: bool, paths: Sequence[str], days: timedelta, now: datetime
) -> list[Spending]:
    """What people spent on what counts (anything, what was shown, categories by path) after their first message."""
    stored = rows(
        _SPENT, campaign=campaign, anything=anything, shown=shown, paths=list(paths), days=days, before=BEFORE, now=now
    )
    return [
        Spending(held, over, Moments(n=float(n), y=y, yy=yy, x=x, xx=xx, xy=xy), buyers)
        for held, over, n, y, yy, x, xx, xy, buyers in stored
    ]


def typical_spending(campaign: int, *, days: timedelta) -> float:
    """What a buyer of the shop spent in so many days before the first message of a campaign; 0 before it has one."""
    [(began,)] = rows(_BEGAN, campaign=campaign)
    if began is None:
        return 0.0
    [(amount,)] = rows(_TYPICAL, began=began, before=BEFORE)
    return float(amount) * (days / BEFORE)
