"""Facts by which it is learned, and said, who answers a campaign: purchases and answers of the 84 days before it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings

from recommendations.engine.push.logistic import Columns
from recommendations.engine.push.response import SPAN_DAYS, logged
from recommendations.event_types import EventName
from recommendations.push_terms import MessageState
from recommendations.store.push.people import KEYS
from recommendations.store.temp_tables import rows
from recommendations.terms import Trust

SPAN = timedelta(days=SPAN_DAYS)
COUPONS = ["coupon", "coupon_discount"]
"""Attributes of a line of an order that say that a coupon was used."""

_WINDOW = f"""
event.name = '{EventName.PURCHASE}' AND event.occurred_at >= %(since)s AND event.occurred_at < %(at)s
  AND event.trust >= {Trust.SERVER}
"""
_BOUGHT = f"""
{KEYS}
SELECT keys.person, count(DISTINCT (event.occurred_at AT TIME ZONE %(zone)s)::date), sum(event.amount)::float8,
  max(event.occurred_at), count(*) FILTER (WHERE event.attributes ?| %(coupons)s),
  count(*) FILTER (WHERE event.item_id = ANY(%(items)s::bigint[]))
FROM keys JOIN recommendations_event event ON event.customer_id = keys.key
WHERE {_WINDOW} GROUP BY 1
"""  # noqa: S608 - parts of our own
_LINES = f"""
{KEYS}, wanted AS (
  SELECT DISTINCT person, item FROM unnest(%(whose)s::bigint[], %(items)s::bigint[]) AS each(person, item))
SELECT wanted.person, count(*) FROM wanted JOIN keys USING (person)
JOIN recommendations_event event ON event.customer_id = keys.key AND event.item_id = wanted.item
WHERE {_WINDOW} GROUP BY 1
"""  # noqa: S608
# What was received before, and how much of it was answered before; ours by a purchase that counts for the list.
_ANSWERED = f"""
{KEYS}, got AS (
  SELECT keys.person, receipt.answered_at IS NOT NULL AND receipt.answered_at < %(at)s AS answered
  FROM keys JOIN recommendations_importedreceipt receipt ON receipt.customer_id = keys.key
  WHERE receipt.received_at < %(at)s
  UNION ALL
  SELECT keys.person, EXISTS (
    SELECT FROM recommendations_attributedline line WHERE line.recommendation_id = message.recommendation_id
      AND line.name = '{EventName.PURCHASE}' AND line.kept AND line.occurred_at < %(at)s)
  FROM keys JOIN recommendations_message message ON message.customer_id = keys.key
  WHERE message.state = '{MessageState.TAKEN}' AND message.handed_at < %(at)s
)
SELECT person, count(*), count(*) FILTER (WHERE answered) FROM got GROUP BY 1
"""  # noqa: S608


def columns_of(
    people: Sequence[int],
    *,
    at: datetime,
    items: Collection[int] = (),
    own_items: Mapping[int, Collection[int]] | None = None,
    size: int = 0,
    broad: bool = False,
    chosen: bool = False,
) -> Columns:
    """Features of people whom a campaign goes to at a moment, [people, 9].

    ``items`` are those of the campaign, or ``own_items`` what the message would show each person.
    """
    values = {"people": list(people), "since": at - SPAN, "at": at}
    bought = {
        person: (days, spend or 0.0, (at - last) / timedelta(days=1), coupons, own)
        for person, days, spend, last, coupons, own in rows(
            _BOUGHT, **values, zone=settings.SHOP_TIME_ZONE, coupons=COUPONS, items=list(items)
        )
    }
    lines: dict[int, int] = {}
    if own_items is not None:
        pairs = [(person, item) for person, own in own_items.items() for item in own]
        lines = dict(rows(_LINES, **values, whose=[person for person, _ in pairs], items=[item for _, item in pairs]))
    answered = {person: (sent, yes) for person, sent, yes in rows(_ANSWERED, people=list(people), at=at)}
    table = []
    for person in people:
        days, spend, since, coupons, own = bought.get(person, (0, 0.0, float(SPAN_DAYS), 0, 0))
        sent, yes = answered.get(person, (0, 0))
        own_size = size if own_items is None else len(own_items.get(person, ()))
        own = own if own_items is None else lines.get(person, 0)
        table.append((days, spend, own, since, (yes + 0.1) / (sent + 1), coupons, own_size, broad, chosen))
    return logged(np.array(table, np.float64).reshape(-1, 9))
