"""What the shop's record allows: how many customers did enough, what they did, and since when; counted once an hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from django.db.models import Max

from recommendations.event_types import EventName
from recommendations.models import Import
from recommendations.store.events.record_counts import count_record
from recommendations.store.live.array_cache import Arrays, cached

_FIGURES = ("everyone", "with_two", "buyers", "again", "orders", "of_two", "modelled", "counted_at", "since")


@dataclass(frozen=True, kw_only=True)
class RecordCounts:
    """Counts of the record as it was at ``counted_at``; nobody who is two ids of one customer is counted twice."""

    customers: int  # with any event
    with_two: int  # of them with two acts or more that tell of an interest
    buyers: int
    bought_again: int  # of them on another day
    orders: int
    baskets: int  # orders of two items or more
    modelled: int  # customers of the live model
    kinds: Mapping[EventName, int]
    since: datetime | None
    counted_at: datetime

    @property
    def covered(self) -> int:
        """Customers with recommendations of their own."""
        return min(self.modelled, self.customers)

    @property
    def coverage(self) -> float:
        return self.covered / self.customers if self.customers else 0.0


def record_counts(model: int | None, *, now: datetime) -> RecordCounts:
    """The counts, made again with each import and each model, and once an hour."""
    newest = Import.objects.aggregate(newest=Max("pk"))["newest"] or 0
    arrays = cached(f"record:{newest}:{model or 0}:{now:%Y-%m-%dT%H}", lambda: _count(now=now))
    figure = dict(zip(_FIGURES, arrays["figures"].tolist(), strict=True))
    lines = zip(EventName, arrays["kinds"].tolist(), strict=True)
    return RecordCounts(
        customers=int(figure["everyone"]),
        with_two=int(figure["with_two"]),
        buyers=int(figure["buyers"]),
        bought_again=int(figure["again"]),
        orders=int(figure["orders"]),
        baskets=int(figure["of_two"]),
        modelled=int(figure["modelled"]),
        kinds={name: int(count) for name, count in lines if count},
        since=datetime.fromtimestamp(figure["since"], UTC) if figure["since"] else None,
        counted_at=datetime.fromtimestamp(figure["counted_at"], UTC),
    )


def _count(*, now: datetime) -> Arrays:
    row = count_record()
    figures = {**row.people, **row.orders, "modelled": row.modelled, "counted_at": now.timestamp()}
    figures["since"] = row.since.timestamp() if row.since else 0
    return {
        "figures": np.array([figures[name] for name in _FIGURES], np.float64),
        "kinds": np.array([row.kinds.get(name, 0) for name in EventName], np.int64),
    }
