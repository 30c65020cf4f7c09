"""What orders held, as the best source told of them."""

from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple

from recommendations.event_types import EventName
from recommendations.store.events.insert import run
from recommendations.terms import Trust

# Of an item that several sources told of the best one's lines count: a page, the server and a reload tell the same.
_BOUGHT = f"""
SELECT transaction_id, shop_id, quantity, price FROM (
  SELECT transaction_id, item.shop_id, event.quantity, event.price, event.line, dense_rank() OVER (
    PARTITION BY transaction_id, event.item_id ORDER BY event.trust DESC, event.received_at, event.event_id
  ) AS place
  FROM recommendations_event event JOIN recommendations_item item ON item.id = event.item_id
  WHERE transaction_id = ANY(%b::text[]) AND event.name = '{EventName.PURCHASE}' AND event.trust >= {Trust.SERVER}
) told WHERE place = 1 ORDER BY transaction_id, line
"""  # noqa: S608 - words of our own


class BoughtItem(NamedTuple):
    transaction: str
    shop_id: str
    quantity: float | None
    price: Decimal | None


def bought_in(transactions: Collection[str]) -> list[BoughtItem]:
    """The items of these orders, as often as the order has them."""
    return [BoughtItem(*row) for row in run(_BOUGHT, [list(transactions)])]
