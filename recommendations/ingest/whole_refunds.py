"""Refunds of whole orders, which GA4 and Segment tell of by the order's number alone."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeGuard

import msgspec

from recommendations.event_types import NAMES, EventName
from recommendations.fields import MOST_LINES
from recommendations.ingest.event_schema import EventForm, EventItemForm, EventRow, UnknownOrder
from recommendations.ingest.facts import Sender
from recommendations.store.events import insert
from recommendations.store.events.orders import bought_in
from recommendations.terms import Side


def with_items(rows: Sequence[EventRow], sender: Sender) -> list[EventRow]:
    """The rows; refunds without items have those of their order, or are of one that nobody knows.

    Not those of a page: whoever reads its key could try out which orders there are.
    """
    whole: dict[int, EventForm] = {number: row for number, row in enumerate(rows) if _is_whole_refund(row)}
    if not whole or sender.side is Side.PAGE:
        return list(rows)
    orders: dict[str, list[EventItemForm]] = defaultdict(list)
    with insert.reachable():
        for item in bought_in({str(row.transaction_id) for row in whole.values()}):
            orders[item.transaction].append(EventItemForm(item.shop_id, item.quantity, item.price))
    filled = list(rows)
    for number, row in whole.items():
        if items := orders.get(str(row.transaction_id)):
            filled[number] = msgspec.structs.replace(row, items=items[:MOST_LINES])
        else:
            filled[number] = UnknownOrder(**msgspec.structs.asdict(row))
    return filled


def _is_whole_refund(row: EventRow) -> TypeGuard[EventForm]:
    if not isinstance(row, EventForm) or row.items or row.transaction_id is None:
        return False
    return NAMES.get(row.name) is EventName.REFUND
