"""The same items in every format make the same catalogue: whatever Hypothesis can think of to put into them."""

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recommendations.ingest.import_files import import_items
from recommendations.models import Item
from recommendations.store.temp_tables import silent

NOW = datetime(2026, 9, 15, 12, tzinfo=UTC)
NAMES = ["id", "title", "brand", "product_type", "price", "availability", "link", "color", "item_group_id"]
STORED = ("shop_id", "title", "brand", "price", "availability", "url", "attributes", "parent__shop_id")

# Without what XML cannot hold, and what CSV takes for the apostrophe that our own exports write.
letters = st.characters(
    codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"], exclude_characters="'\ufffe\uffff"
)
words = st.text(letters, max_size=12).map(str.strip)
levels = st.text(st.characters(codec="ascii", categories=["Lu", "Ll"]), min_size=1, max_size=6)
money = st.decimals(0, 10_000, places=2).flatmap(lambda amount: st.sampled_from([f"{amount} USD", f"USD {amount}"]))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.text(letters, min_size=1, max_size=6).map(str.strip).filter(bool),
            "title": words.map(lambda text: f"T {text}".strip()),
            "brand": words,
            "product_type": st.lists(levels, max_size=3).map(" > ".join),
            "price": money | st.just(""),
            "availability": st.sampled_from(["in stock", "out of stock", "preorder", "backorder", ""]),
            "link": st.just("") | words.map(lambda text: f"https://shop.example/{text}".strip()),
            "color": words,
            "item_group_id": st.sampled_from(["", "G1", "G2"]),
        }
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda row: row["id"],
)
type Rows = Sequence[Mapping[str, str]]


def as_csv(rows: Rows, *, delimiter: str = ",") -> bytes:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, NAMES, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode("utf-8-sig")


def as_rss(rows: Rows) -> bytes:
    items = "".join(
        f"<item>{''.join(f'<g:{name}>{escape(row[name])}</g:{name}>' for name in NAMES)}</item>" for row in rows
    )
    return f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{items}</channel></rss>'.encode()


def as_atom(rows: Rows) -> bytes:
    entries = "".join(
        "<entry>" + "".join(f"<g:{name}>{cdata(row[name])}</g:{name}>" for name in NAMES) + "</entry>\n" for row in rows
    )
    text = f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">{entries}</feed>'
    return text.encode("utf-16")


def cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def as_parquet(rows: Rows) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: [row[name] for row in rows] for name in NAMES}), buffer)
    return buffer.getvalue()


TWINS: dict[str, Callable[[Rows], bytes]] = {
    "tsv": lambda rows: as_csv(rows, delimiter="\t"),
    "rss": as_rss,
    "atom": as_atom,
    "json": lambda rows: json.dumps(rows).encode(),
    "wrapped": lambda rows: json.dumps({"items": rows}, indent=1).encode(),
    "lines": lambda rows: "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode(),
    "gzip": lambda rows: gzip.compress(as_rss(rows)),
    "parquet": as_parquet,
}


def catalogue_of(content: bytes) -> tuple[Any, ...]:
    """What an import makes of a file in an empty catalogue, which it is again afterwards."""
    with transaction.atomic(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed"
        path.write_bytes(content)
        imported = import_items(path, now=NOW, report=silent)
        items = list(Item.objects.order_by("shop_id").values_list(*STORED))
        links = sorted(Item.objects.values_list("shop_id", "categories__path"), key=str)
        transaction.set_rollback(True)
    return imported.rows, imported.kept, imported.rejected, imported.reasons, items, links


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows)
@example(
    rows=[
        dict.fromkeys(NAMES, "") | {"id": "A&B", "title": "<b>]]>", "price": "USD 1.50", "item_group_id": "G1"},
        dict.fromkeys(NAMES, "") | {"id": "=1", "title": '"Æ', "color": "|", "item_group_id": "G1"},
    ]
)
def test_every_format_makes_the_catalogue_of_its_csv(rows: Rows) -> None:
    wanted = catalogue_of(as_csv(rows))
    assert wanted[0] == len(rows)
    for name, write in TWINS.items():
        assert (name, catalogue_of(write(rows))) == (name, wanted)
