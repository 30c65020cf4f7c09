"""What orders held, as the best source told of them."""

from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple

from recommendations.event_types import EventName
from recommendations.store.events.insert import run
from recommendations.terms import Trust

_BOUGHT = f"""
SELECT DISTINCT ON (transaction_id, event.item_id) transaction_id, item.shop_id, event.quantity, event.price
FROM recommendations_event event JOIN recommendations_item item ON item.id = event.item_id
WHERE transaction_id = ANY(%b::text[]) AND event.name = '{EventName.PURCHASE}' AND event.trust >= {Trust.SERVER}
ORDER BY transaction_id, event.item_id, event.trust DESC, event.received_at
"""  # noqa: S608 - words of our own


class BoughtItem(NamedTuple):
    transaction: str
    shop_id: str
    quantity: float | None
    price: Decimal | None


def bought_in(transactions: Collection[str]) -> list[BoughtItem]:
    """The items of these orders, each once."""
    return [BoughtItem(*row) for row in run(_BOUGHT, [list(transactions)])]
