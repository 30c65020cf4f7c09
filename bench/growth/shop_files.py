"""Files of an invented shop as a shop would hand them over: its items as CSV, its events as Parquet, one file a month.

A line is a row of an event of its own; those of a purchase share a moment and a transaction, views follow each other.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.growth import synthetic
from bench.growth.synthetic import DAYS, WINDOW, Visits
from recommendations.engine.rng import generator

BETWEEN_VIEWS = 20_000  # ms
AT_ONCE = 500_000  # rows that become text together
HYPHENS = (8, 13, 18, 23)
DAY = 86_400_000  # ms
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "ivory", "juniper")


def write_shop(folder: Path, *, rows: int, shape: tuple[int, int], seed: int, end: datetime) -> int:
    """Write the files of a shop of users × items whose last events are of ``end``; how many rows of events."""
    seen = synthetic.visits(rows, shape=shape, seed=seed)
    _write_items(folder / "items.csv", seen, seed=seed)
    last = int(end.timestamp() * 1000)
    visit_at = last - ((seen.age + np.float32(WINDOW)) * np.float64(DAY)).astype(np.int64)
    first = np.searchsorted(seen.basket, np.arange(len(seen.owner), dtype=np.int32))
    step = np.arange(len(seen.item)) - first[seen.basket]
    at = visit_at[seen.basket] + np.where(seen.buys[seen.basket], 0, step * BETWEEN_VIEWS)
    at = np.minimum(at, last)
    draw, total = generator(seed, "shop files"), 0
    for begin, stop in _months(end - timedelta(days=DAYS), end):
        lines = np.flatnonzero((at >= begin.timestamp() * 1000) & (at < stop.timestamp() * 1000))
        lines = lines[np.argsort(at[lines], kind="stable")]
        if len(lines):
            _write_month(folder / f"events-{begin:%Y-%m}.parquet", seen, lines, at[lines], draw=draw)
        total += len(lines)
    return total


def _months(first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
    begin = datetime(first.year, first.month, 1, tzinfo=UTC)
    while begin <= last:
        stop = (begin + timedelta(days=32)).replace(day=1)
        yield begin, stop
        begin = stop


def _write_items(path: Path, seen: Visits, *, seed: int) -> None:
    draw, n_items = generator(seed, "titles"), seen.shape[1]
    category = seen.catalogue.categories.indices
    words, brand = draw.integers(0, len(WORDS), (n_items, 2)), draw.integers(0, n_items // 20 + 1, n_items)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "title", "brand", "categories", "price"])
        for item in range(n_items):
            one, other = (WORDS[word] for word in words[item])
            shelf = f"Hall {category[item] % synthetic.TASTES} > Shelf {category[item]}"
            price = f"{max(float(seen.catalogue.price[item]), 0.01):.2f}"
            writer.writerow([f"i{item}", f"{one} {other} {item}".title(), f"Brand {brand[item]}", shelf, price])


def _write_month(
    path: Path, seen: Visits, lines: NDArray[np.int64], at: NDArray[np.int64], *, draw: np.random.Generator
) -> None:
    draft = path.with_suffix(".new")
    writer: pq.ParquetWriter | None = None
    for start in range(0, len(lines), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        table = _table(seen, lines[part], at[part], draw=draw)
        writer = writer or pq.ParquetWriter(draft, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()
    draft.rename(path)


def _table(seen: Visits, lines: NDArray[np.int64], at: NDArray[np.int64], *, draw: np.random.Generator) -> pa.Table:
    visit, item = seen.basket[lines], seen.item[lines]
    bought = seen.buys[visit]
    pieces = synthetic.quantities(draw, len(lines)).astype(np.int64)
    price = np.maximum(seen.catalogue.price[item], 0.01)
    return pa.table(
        {
            "event_id": ids(draw, len(lines)),
            "timestamp": pa.array(at, pa.timestamp("ms", "UTC")),
            "name": pa.array(np.where(bought, "purchase", "view_item")),
            "user_id": pa.array(np.char.add("c", seen.owner[visit].astype(str))),
            "item_id": pa.array(np.char.add("i", item.astype(str))),
            "session_id": pa.array(np.char.add("s", visit.astype(str))),
            "quantity": pa.array(pieces, mask=~bought),
            "price": pa.array(np.char.mod("%.2f", price), mask=~bought),
            "transaction_id": pa.array(np.char.add("t", visit.astype(str)), mask=~bought),
        }
    )


def ids(draw: np.random.Generator, count: int) -> pa.StringArray:
    """Draw so many ids of the form of a UUID's fourth version."""
    drawn = np.frombuffer(bytearray(draw.bytes(16 * count)), np.uint8).reshape(count, 16)
    drawn[:, 6] = drawn[:, 6] & 0x0F | 0x40
    drawn[:, 8] = drawn[:, 8] & 0x3F | 0x80
    digits = np.frombuffer(drawn.tobytes().hex().encode(), np.uint8).reshape(count, 32)
    text = np.full((count, 36), ord("-"), np.uint8)
    text[:, [place for place in range(36) if place not in HYPHENS]] = digits
    starts = np.arange(count + 1, dtype=np.int32) * 36
    return pa.StringArray.from_buffers(count, pa.py_buffer(starts), pa.py_buffer(text))
