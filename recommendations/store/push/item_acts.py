"""What somebody did with one item: when they did so last, and which price they saw."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from recommendations.event_types import EventName
from recommendations.store.push.triggers.look import COUNTS, KEYS_OF, STANDS
from recommendations.store.push.triggers.prices import LOOKS_BACK
from recommendations.store.temp_tables import rows

LONG_AGO: timedelta = LOOKS_BACK + STANDS
"""An act before that calls for no message any more."""
_FROM = (
    f"FROM {KEYS_OF.format('%(person)s::bigint')} each JOIN recommendations_event event ON event.customer_id = each.key"
)
_WHERE = f"""
WHERE event.item_id = %(item)s AND event.name = ANY(%(names)s) AND event.occurred_at > %(begin)s
  AND event.occurred_at <= %(now)s AND {COUNTS}
"""
_LAST = f"SELECT event.occurred_at {_FROM} {_WHERE} ORDER BY event.occurred_at DESC LIMIT 1"
_DEARER = f"""
SELECT seen.price {_FROM}
JOIN LATERAL (
  SELECT price FROM recommendations_itemprice
  WHERE item_id = event.item_id AND valid_from <= event.occurred_at ORDER BY valid_from DESC LIMIT 1) seen ON true
{_WHERE} AND seen.price > %(price)s ORDER BY event.occurred_at DESC LIMIT 1
"""  # noqa: S608 - parts of our own


def last_act(person: int, item: int, *, names: Sequence[EventName], now: datetime) -> datetime | None:
    """When a person did one of these things with an item last."""
    acts = rows(_LAST, person=person, item=item, names=list(names), begin=now - LONG_AGO, now=now)
    return acts[0][0] if acts else None


def price_before(person: int, item: int, *, price: Decimal, now: datetime) -> Decimal | None:
    """The price above this one that a person saw last when they looked at an item or put it into the cart."""
    names = [EventName.VIEW_ITEM, EventName.ADD_TO_CART]
    acts = rows(_DEARER, person=person, item=item, names=names, begin=now - LONG_AGO, now=now, price=price)
    return acts[0][0] if acts else None
