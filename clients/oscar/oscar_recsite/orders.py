"""Oscar's orders as purchases and refunds. Their ids are made of the order's number, so that one told twice is one."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.utils import timezone

from recsite_client.bodies import Event, EventFields, EventItem

CENT = Decimal("0.01")


def purchase_of(order: Any, names: EventFields) -> Event | None:
    """The purchase that an order is; None where nothing of it is in the catalogue any more."""
    items = list(_lines(order))
    if not items:
        return None
    placed = order.date_placed
    return Event(
        **names,
        name="purchase",
        event_id=f"oscar-order-{order.number}",
        timestamp=timezone.make_aware(placed) if timezone.is_naive(placed) else placed,
        transaction_id=str(order.number),
        items=items,
        value=order.total_incl_tax,
        currency=order.currency,
    )


COLUMNS = (
    "name", "event_id", "timestamp", "user_id", "anonymous_id", "transaction_id", "currency",
    "line", "item_id", "quantity", "price",
)  # fmt: skip


def rows_of(order: Any) -> Iterator[dict[str, object]]:
    """The order as rows of a file of events; one of nobody is of a visitor who did nothing else."""
    event = purchase_of(order, {})
    if event is not None:
        whose = names_of(order).get("user_id")
        whole = {name: value for name, value in event.items() if name in COLUMNS}
        whole["timestamp"] = order.date_placed.isoformat()
        whole |= {"user_id": whose} if whose else {"anonymous_id": f"order-{order.number}"}
        for line, item in enumerate(event["items"]):
            yield {**whole, "line": line, **item}


def refund_of(order: Any, names: EventFields) -> Event | None:
    """The refund of a whole order, now."""
    items = list(_lines(order))
    if not items:
        return None
    return Event(
        **names,
        name="refund",
        event_id=f"oscar-refund-{order.number}",
        timestamp=timezone.now(),
        transaction_id=str(order.number),
        items=items,
        currency=order.currency,
    )


def names_of(order: Any) -> EventFields:
    """Whose an order is, from the order alone: of a customer of the shop, or of nobody."""
    return {"user_id": str(order.user_id)} if order.user_id else {"consent": {"personalisation": False}}


def _lines(order: Any) -> Iterator[EventItem]:
    """What was bought, each product once: lines of one may differ in their options."""
    pieces: dict[int, int] = defaultdict(int)
    paid: dict[int, Decimal] = defaultdict(Decimal)
    for line in order.lines.all():
        if line.product_id and line.quantity:
            pieces[line.product_id] += line.quantity
            paid[line.product_id] += line.line_price_incl_tax
    for key, quantity in pieces.items():
        yield {"item_id": str(key), "quantity": quantity, "price": (paid[key] / quantity).quantize(CENT)}
