"""Refunds of whole orders, which GA4 and Segment tell of by the order's number alone."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from recommendations.event_types import NAMES, EventName
from recommendations.fields import MOST_LINES
from recommendations.ingest.event_schema import EventForm, EventItemForm, EventRow
from recommendations.ingest.facts import Sender
from recommendations.store.events import insert
from recommendations.store.events.orders import bought_in
from recommendations.terms import Side


def with_items(rows: Sequence[EventRow], sender: Sender) -> list[EventRow]:
    """The rows, refunds without items with those of their order, where it is known.

    Not those of a page: whoever reads its key could try out which orders there are.
    """
    whole = [] if sender.side is Side.PAGE else [number for number, row in enumerate(rows) if _is_whole_refund(row)]
    if not whole:
        return list(rows)
    orders: dict[str, list[EventItemForm]] = defaultdict(list)
    with insert.reachable():
        for item in bought_in({_order_of(rows[number]) for number in whole}):
            orders[item.transaction].append(EventItemForm(item.shop_id, item.quantity, item.price))
    filled = list(rows)
    for number in whole:
        items = orders.get(_order_of(rows[number]), [])
        filled[number] = msgspec.structs.replace(rows[number], items=items[:MOST_LINES])
    return filled


def _is_whole_refund(row: EventRow) -> bool:
    if not isinstance(row, EventForm) or row.items or row.transaction_id is None:
        return False
    return NAMES.get(row.name) is EventName.REFUND


def _order_of(row: EventRow) -> str:
    return str(row.transaction_id) if isinstance(row, EventForm) else ""
