"""Invented events of a shop: as bodies of the API, as lines of the record, as a file."""

import csv
import io
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv

from recommendations.ingest import event_schema
from recommendations.ingest.event_lines import ALONE, Taken, lines_of
from recommendations.ingest.facts import Allowed
from recommendations.models import Item
from recommendations.store.events.id_cache import person_keys
from recommendations.store.events.insert import EventLine
from recommendations.terms import CustomerKind, Trust

ITEMS, CUSTOMERS = 5_000, 20_000
MIX = {"view_item": 0.70, "select_item": 0.12, "add_to_cart": 0.10, "purchase": 0.08}
ANONYMOUS = 0.3  # of the customers
FILE_COLUMNS = (
    *("event_id", "timestamp", "name", "user_id", "item_id", "session_id", "quantity", "price"),
    "transaction_id",
)


@dataclass(frozen=True)
class Shop:
    """Keys of the record by id of the shop."""

    items: Mapping[str, int]
    customers: Mapping[str, int]


def open_shop() -> Shop:
    """Make the items and customers that all events speak of, so that no look-up adds any."""
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title=f"Item {number}") for number in range(ITEMS))
    kinds = {kind: [_name(number) for number in range(CUSTOMERS) if _kind(number) is kind] for kind in CustomerKind}
    keys_of = [person_keys(names, kind) for kind, names in kinds.items()]
    return Shop(
        items=dict(Item.objects.values_list("shop_id", "pk")),
        customers={name: key for keys in keys_of for name, key in keys.items()},
    )


def events(count: int, *, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Invent events of one item each; every call gives new ids, times of the last hour."""
    kinds = rng.choice(list(MIX), count, p=list(MIX.values())).tolist()
    customers = rng.integers(0, CUSTOMERS, count).tolist()
    items = (rng.zipf(1.2, count) % ITEMS).tolist()
    ago = rng.integers(0, 3_600_000, count).tolist()
    now = datetime.now(UTC)
    return [
        _event(kind, customer, f"SKU{item}", at=now - timedelta(milliseconds=past))
        for kind, customer, item, past in zip(kinds, customers, items, ago, strict=True)
    ]


def bodies(made: Sequence[Mapping[str, Any]], *, size: int) -> list[bytes]:
    return [json.dumps({"events": part}).encode() for part in batched(made, size)]


def lines(made: Sequence[Mapping[str, Any]], shop: Shop) -> Iterator[EventLine]:
    """Make the lines that the API makes of the same events."""
    for body in bodies(made, size=event_schema.MOST_ROWS):
        for form in event_schema.parse_body(body).rows:
            if isinstance(form, event_schema.EventForm):
                owner = shop.customers[form.user_id or form.anonymous_id or ""]
                yield from lines_of(Taken(0, form, Allowed(Trust.SERVER), ALONE), items=shop.items, owner=owner)


def row(line: EventLine) -> tuple[Any, ...]:
    """Columns of a line; ``attributes`` as JSON."""
    *columns, attributes, trust, progress = msgspec.structs.astuple(line)
    return *columns, None if attributes is None else msgspec.json.encode(attributes).decode(), trust, progress


def as_text(made: Sequence[EventLine]) -> bytes:
    """Lines as text for COPY: a field that is empty without quotes is NULL."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows(map(row, made))
    return buffer.getvalue().encode()


def write_file(path: Path, made: Sequence[Mapping[str, Any]]) -> None:
    """Write a file as a shop would write it for ``import_events``."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FILE_COLUMNS)
        for event in made:
            item = event["items"][0]
            fields = {**event, **item, "user_id": event.get("user_id") or event["anonymous_id"]}
            writer.writerow([fields.get(name) for name in FILE_COLUMNS])


def write_months(path: Path, count: int, months: Sequence[datetime], *, rng: np.random.Generator) -> None:
    """Write a file of an export: rows in order of time from the first of these moments to the last, one an event."""
    first, last = months[0], months[-1]
    at = np.sort(rng.integers(0, int((last - first).total_seconds() * 1_000), count)).astype("timedelta64[ms]")
    kinds = rng.choice(list(MIX), count, p=list(MIX.values()))
    who, items = rng.integers(0, CUSTOMERS, count), rng.zipf(1.2, count) % ITEMS
    priced, bought = np.isin(kinds, ["add_to_cart", "purchase"]), kinds == "purchase"
    ids = rng.bytes(16 * count)
    columns = {
        "event_id": [str(uuid.UUID(bytes=ids[start : start + 16], version=4)) for start in range(0, 16 * count, 16)],
        "timestamp": np.char.add(np.datetime_as_string(np.datetime64(first.replace(tzinfo=None)) + at, "ms"), "Z"),
        "name": kinds,
        "user_id": np.char.add("user-", who.astype(str)),
        "item_id": np.char.add("SKU", items.astype(str)),
        "session_id": np.char.add(
            np.char.add("s", who.astype(str)), np.char.add("-", (at.astype(int) // 3_600_000).astype(str))
        ),
        "quantity": pa.array(1 + who % 3, mask=~priced),
        "price": pa.array(np.char.mod("%.2f", 1 + who % 9_000 / 100), mask=~priced),
        "transaction_id": pa.array(np.char.add("t", np.arange(count).astype(str)), mask=~bought),
    }
    table = pa.table({name: columns[name] for name in FILE_COLUMNS})
    pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(quoting_style="none"))


def _event(kind: str, customer: int, item_id: str, *, at: datetime) -> dict[str, Any]:
    item: dict[str, Any] = {"item_id": item_id}
    event: dict[str, Any] = {
        "event_id": str(uuid.uuid4()),
        "name": kind,
        "timestamp": at.isoformat(),
        "anonymous_id" if _is_anonymous(customer) else "user_id": _name(customer),
        "session_id": f"s{customer}-{at:%H}",
        "items": [item],
        "context": {"channel": "web", "page": f"/p/{item_id}", "locale": "en-GB"},
    }
    if kind == "select_item":
        item["index"] = customer % 20
    if kind in {"add_to_cart", "purchase"}:
        item |= {"quantity": 1 + customer % 3, "price": f"{1 + customer % 90}.{customer % 100:02}"}
    if kind == "purchase":
        event["transaction_id"] = f"t{uuid.uuid4().hex[:12]}"
    return event


def _is_anonymous(customer: int) -> bool:
    return customer < ANONYMOUS * CUSTOMERS


def _name(customer: int) -> str:
    return f"{'visitor' if _is_anonymous(customer) else 'user'}-{customer}"


def _kind(customer: int) -> CustomerKind:
    return CustomerKind.ANONYMOUS if _is_anonymous(customer) else CustomerKind.SIGNED_IN
