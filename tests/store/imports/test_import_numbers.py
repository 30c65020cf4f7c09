"""Numbers that a file can hold and a column cannot: the row is refused with its field, and its neighbours are kept."""

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommendations.models import Import, Item
from recommendations.store.imports import bulk_import, event_import
from recommendations.store.temp_tables import silent

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
NUMBERS = [
    "1e-999", "-1e-999", "1e-400", "5e-324", "1e-320", "2.2e-308", f"0.{'0' * 400}1", "1e-16383", "1e-16384", "1e999",
    "-1e999", "1e400", "1e131071", "1e131072", "1e999999999999", "1e-999999999999", "9" * 400, "9" * 5_000, "-0",
    "-0.0", "0x1F", "0b1", "1_000", "1e3", ".5", "5.", "+1", "NaN", "-nan", "Infinity", "inf", "9007199254740993",
    "2147483648", "32768", "9999999999.994", "9999999999.995", "1000000.0000000001",
]  # fmt: skip
EVENT = {
    "name": "rate_item", "timestamp": "2026-08-01T12:00:00Z", "user_id": "u", "item_id": "A1", "rating": "4",
    "rating_scale": "5",
}  # fmt: skip
ITEM = {"item_id": "", "title": "Tea"}
PROMOTION = {"item_id": "", "week": "2026-08-03", "display": "0.5"}
FOLLOWS = {"price": ["amount"], "rating_scale": ["rating"]}
"""Fields that are wrong because of another one: a price times a quantity, a rating above its scale."""

type Write = Callable[[Path, Sequence[dict[str, str]]], Path]


def as_csv(folder: Path, lines: Sequence[dict[str, str]]) -> Path:
    path = folder / "numbers.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return path


def as_parquet(folder: Path, lines: Sequence[dict[str, str]]) -> Path:
    path = folder / "numbers.parquet"
    pq.write_table(pa.Table.from_pylist(list(lines)), path)
    return path


@pytest.fixture(params=[as_csv, as_parquet])
def write(request: pytest.FixtureRequest) -> Write:
    return request.param


def check(imported: Import, *, field: str, neighbours: int) -> None:
    refused = list(imported.rejected_rows.all())
    assert imported.rows == imported.kept + imported.duplicates + imported.rejected
    assert imported.kept >= neighbours
    assert refused
    assert all(row.reason for row in refused)
    assert {row.field for row in refused} <= {field, *FOLLOWS.get(field, ())}


@pytest.mark.parametrize("field", ["rating", "rating_scale", "quantity", "price", "amount", "line", "position"])
def test_an_unstorable_number_of_an_event_is_refused(write: Write, field: str, tmp_path: Path) -> None:
    Item.objects.create(shop_id="A1", title="Tea")
    lines = [EVENT | {field: number, "session_id": str(at)} for at, number in enumerate(NUMBERS)]
    path = write(tmp_path, [*lines, EVENT | {field: "1", "session_id": "good"}])
    check(event_import.import_events(path, currency="USD", now=NOW, report=silent), field=field, neighbours=1)


@pytest.mark.parametrize(
    "field", ["price", "original_price", "cost", "available_quantity", "rating_average", "rating_count"]
)
def test_an_unstorable_number_of_an_item_is_refused(write: Write, field: str, tmp_path: Path) -> None:
    lines = [ITEM | {field: number, "item_id": str(at)} for at, number in enumerate([*NUMBERS, "1"])]
    path = write(tmp_path, lines)
    check(bulk_import.import_items(path, currency="USD", now=NOW, report=silent), field=field, neighbours=1)
    assert Item.objects.filter(shop_id=str(len(NUMBERS))).exists()


def test_an_unstorable_number_in_the_attributes_of_an_item_is_refused(write: Write, tmp_path: Path) -> None:
    texts = [f'{{"size": {number}}}' for number in [*NUMBERS, "1"]]
    path = write(tmp_path, [ITEM | {"attributes": text, "item_id": str(at)} for at, text in enumerate(texts)])
    check(bulk_import.import_items(path, currency="USD", now=NOW, report=silent), field="attributes", neighbours=1)


@pytest.mark.parametrize("field", ["display", "mailer"])
def test_an_unstorable_number_of_a_promotion_is_refused(write: Write, field: str, tmp_path: Path) -> None:
    Item.objects.bulk_create(Item(shop_id=str(at), title="Tea") for at in range(len(NUMBERS) + 1))
    lines = [PROMOTION | {field: number, "item_id": str(at)} for at, number in enumerate([*NUMBERS, "1"])]
    check(bulk_import.import_promotions(write(tmp_path, lines), now=NOW, report=silent), field=field, neighbours=1)


def test_too_fine_a_rating_names_the_remedy(tmp_path: Path) -> None:
    Item.objects.create(shop_id="A1", title="Tea")
    path = as_csv(tmp_path, [EVENT | {"rating": "1e-999"}, EVENT])
    imported = event_import.import_events(path, currency="USD", now=NOW, report=silent)
    (row,) = imported.rejected_rows.all()
    assert (row.line, row.field, row.reason) == (
        2, "rating", "The number is too close to 0 to be stored; write 0.",
    )  # fmt: skip
