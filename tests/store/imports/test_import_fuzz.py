"""Whatever a CSV file holds, an import ends in words: rows kept, rows refused, or a file that will not do."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recommendations.models import Event, Import, Item, Promotion
from recommendations.store.imports import bulk_import, event_import, event_rows, item_rows, promotion_rows
from recommendations.store.imports.table_files import UnreadableFileError
from recommendations.store.temp_tables import silent

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
SOUND_EVENT = {"name": "view_item", "timestamp": "2026-08-01T12:00:00Z", "user_id": "u1", "item_id": "A1"}
SOUND_PROMOTION = {"item_id": "A1", "week": "2026-08-03", "display": "0.5", "mailer": "1"}
HOSTILE = [
    "", " ", "\x00", "NaN", "-Infinity", "1e999", "1e-999", "1_000", "0x1F", "-0", "9" * 400, "9999999999.994",
    "2147483648", "32768", "1.5", ".5", "5.", "0001-01-01T00:00:00Z", "294277-01-01T00:00:00Z", "2026-08-01T12:00:00Z",
    "2026-08-03", "2026-08-10 00:00", "2026-08-01", "2026-08-01T24:00:00Z", "2026-06-30T23:59:60Z",
    "2026-08-01T12:00:00 +05:30", "infinity", "now", "epoch", "purchase", "view_item", "follow", "rate_item", "search",
    "A1", "A2", "u1", "too long", "user", "brand",
    "USD", "11111111-1111-4111-8111-111111111111", "{11111111111141118111111111111111}", "in_stock", "a > b | c", ">",
    "|", " > ", "{}", "[]", "null", '{"a": "\\u0000"}', '{"a": 1e400}', "https://x", "'; DROP TABLE x;--",
    "%s %(x)s {0}", "\\.", "\\N", "𝄞\u202e", "x" * 600, "\ufeff", "\x7f\x01", "a\nb", "a\rb", '"',
]  # fmt: skip


def rows(columns: list[str], sound: dict[str, str]) -> st.SearchStrategy[bytes]:
    """Files with the right header and sound rows, some values of which, and then some bytes, are replaced."""
    value = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
    line = st.dictionaries(st.sampled_from(columns), value, max_size=3)
    spoiled = st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from([b'"', b"\xff", b"\x00", b"\n", b","])), max_size=3
    )

    def write(lines: list[dict[str, str]], spoils: list[tuple[int, bytes]]) -> bytes:
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, columns)
        writer.writeheader()
        writer.writerows(sound | line for line in lines)
        content = bytearray(buffer.getvalue().encode())
        header = content.index(b"\n")
        for place, byte in spoils:
            at = header + 1 + place
            content[at : at + 1] = byte
        return bytes(content)

    return st.builds(write, st.lists(line, max_size=6), spoiled)


def check(load: Callable[..., Import], content: bytes, *, folder: Path, **options: Any) -> None:
    path = folder / "any.csv"
    path.write_bytes(content)
    with transaction.atomic():
        try:
            imported = load(path, now=NOW, report=silent, **options)
        except UnreadableFileError as error:
            words = str(error)
        else:
            words = imported.file
            assert imported.rows == imported.kept + imported.duplicates + imported.rejected
            assert imported.rejected == imported.rejected_rows.exclude(reason="").values("line").distinct().count()
            again = load(path, now=NOW, report=silent, **options)
            assert (again.kept, again.rejected) == (0, imported.rejected)
        assert "any.csv" in words
        transaction.set_rollback(True)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=st.one_of(rows(item_rows.FORM.known, {"item_id": "A1", "title": "Item"}), st.binary(max_size=100)))
@example(content=b"item_id,title,rating_average\nA1,Item,1e-999\nA2,Item,0b1\n")
def test_any_item_file_ends_in_words(content: bytes, tmp_path: Path) -> None:
    check(bulk_import.import_items, content, folder=tmp_path, currency="USD")
    assert not Item.objects.exists()


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=st.one_of(rows(event_rows.FORM.known, SOUND_EVENT), st.binary(max_size=100)))
@example(content=b"name,timestamp,user_id,item_id,rating,rating_scale\nrate_item,2026-08-01T12:00:00Z,u,A1,1e-999,5\n")
@example(content=b"name,timestamp,user_id,item_id,rating,rating_scale\nrate_item,2026-08-01T12:00:00Z,u,A1,1_000,0b1\n")
def test_any_event_file_ends_in_words(content: bytes, tmp_path: Path) -> None:
    Item.objects.get_or_create(shop_id="A1", defaults={"title": "Item"})
    check(event_import.import_events, content, folder=tmp_path, currency="USD")
    assert not Event.objects.exists()


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=st.one_of(rows(promotion_rows.FORM.known, SOUND_PROMOTION), st.binary(max_size=100)))
def test_any_promotion_file_ends_in_words(content: bytes, tmp_path: Path) -> None:
    Item.objects.get_or_create(shop_id="A1", defaults={"title": "Item"})
    check(bulk_import.import_promotions, content, folder=tmp_path)
    assert not Promotion.objects.exists()
