"""A small record of events over months, and the files of it."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet as pq

from recommendations.models import Customer, Event, EventFile
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.snapshots import files

NOW = datetime(2026, 9, 15, 6, tzinfo=UTC)
DAY = timedelta(days=1)
JUNE, JULY, SEPTEMBER = (datetime(2026, month, 1, tzinfo=UTC) for month in (6, 7, 9))


def customer(name: str, **fields: Any) -> Customer:
    return Customer.objects.create(pseudonym=pseudonym(name), **fields)


def events(who: Customer | None, at: datetime, *, number: int = 1, **fields: Any) -> list[Event]:
    """So many lines of somebody, a second after each other."""
    prepare_partitions(at, at, tables=("recommendations_event",))
    given: dict[str, Any] = {"name": "view_item", "line": 0, "customer": who} | fields
    return Event.objects.bulk_create(
        Event(occurred_at=at + timedelta(seconds=second), event_id=uuid.uuid4(), **given) for second in range(number)
    )


def stored() -> dict[tuple[int, bool], EventFile]:
    """Files by the number of their month, and whether they are of what came late."""
    return {(each.month.month, each.late): each for each in EventFile.objects.all()}


def customers_in_files() -> list[int]:
    """Keys of customers in all rows of all files."""
    keys: list[int] = []
    for each in EventFile.objects.order_by("month", "late"):
        with files.open_file(each) as opened:
            keys += opened.read(columns=["customer"])["customer"].to_pylist()
    return keys


def customers_in(groups: pq.ParquetFile) -> Sequence[list[int]]:
    """Keys of the customers of the rows of each row group."""
    read = [groups.read_row_group(n, columns=["customer"]) for n in range(groups.num_row_groups)]
    return [group["customer"].to_pylist() for group in read]
