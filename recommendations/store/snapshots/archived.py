"""Months of events that the database has no more: whose they are, what they tell of somebody, and how they go."""

import uuid
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recommendations.models import EventFile, HeldEvent, Item
from recommendations.store.snapshots.update import forget_months
from recommendations.store.snapshots.whose_rows import Sought, current, whose_rows

TOLD = ("name", "item", "quantity", "price", "amount", "rating", "trust")
"""Columns that tell what somebody did, beside when, and the event's id and line."""
DECIMALS = {"quantity": 3, "price": 2, "amount": 2, "rating": 3}
"""Decimals of numbers, which files have in single precision."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def customers_in(archived: Sequence[EventFile]) -> NDArray[np.int64]:
    """Keys of the customers who did anything in these months, in order."""
    keys = [np.empty(0, np.int64)]
    for file in archived:
        if (there := current(file)) is not None:
            with there[1] as opened:
                keys += [
                    np.unique(opened.read_row_group(number, columns=["customer"])["customer"].to_numpy())
                    for number in range(opened.num_row_groups)
                ]
    told = np.unique(np.concatenate(keys))
    return told[told >= 0]


def lines_of(sought: Sought, archived: Sequence[EventFile]) -> Iterator[dict[str, Any]]:
    """What somebody did in these months, a line each, the oldest month first.

    A line has ``TOLD``, the item as the shop calls it, ``occurred_at``, ``event_id`` and ``line``.
    """
    whose = whose_rows([sought])[True]
    for file in archived:
        if (there := current(file)) is None:
            continue
        with there[1] as opened:
            for table in whose.tables(opened):
                yield from _lines(table.filter(pa.array(whose.of(table) != whose.NOBODY)))


def forget(file: EventFile, *, held: Collection[int]) -> int:
    """Delete the file of a month; of its lines those of customers who are ``held`` are kept apart, which is how many
    were not there before.
    """
    apart = [
        HeldEvent(
            held_for=key, occurred_at=line.pop("occurred_at"), event_id=line.pop("event_id"), line=line.pop("line"),
            event={"item_id" if name == "item" else name: value for name, value in line.items() if value is not None},
        )
        for key in sorted(held)
        for line in lines_of(Sought(frozenset([key])), [file])
    ]  # fmt: skip
    before = HeldEvent.objects.count() if apart else 0
    HeldEvent.objects.bulk_create(apart, ignore_conflicts=True)
    forget_months([file.month], archived=True)
    return HeldEvent.objects.count() - before if apart else 0


def _lines(table: pa.Table) -> Iterator[dict[str, Any]]:
    ordered = table.select([*TOLD, "at", "event", "line"]).sort_by("at").to_pylist()
    names = dict(Item.objects.filter(pk__in={line["item"] for line in ordered}).values_list("pk", "shop_id"))
    for line in ordered:
        at, event = line.pop("at"), line.pop("event")
        numbers = {name: value and round(value, DECIMALS[name]) for name, value in line.items() if name in DECIMALS}
        yield (
            line
            | numbers
            | {
                "item": names.get(line["item"]),
                "occurred_at": EPOCH + timedelta(days=at),
                "event_id": uuid.UUID(bytes=event),
            }
        )
