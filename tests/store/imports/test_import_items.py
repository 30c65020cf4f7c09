"""Item files into the catalogue: what is kept, what is refused and why, and that twice is once."""

import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from recommendations.models import Category, Import, Item, ItemPrice, RejectedRow
from recommendations.store.imports import bulk_import, event_import, import_record, item_merge
from recommendations.store.imports.table_files import UnreadableFileError
from recommendations.store.temp_tables import silent

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 9, 2, 12, tzinfo=UTC)


def load(tmp_path: Path, content: str | bytes, *, now: datetime = NOW) -> Import:
    path = tmp_path / "items.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return bulk_import.import_items(path, currency="USD", now=now, report=silent)


def refused(imported: Import) -> list[tuple[int, str, str]]:
    """Line, field and the first words of the reason."""
    rows = RejectedRow.objects.filter(source=imported)
    return [(row.line, row.field, " ".join(row.reason.split()[:5])) for row in rows]


def counts(imported: Import) -> tuple[int, int, int, int]:
    return (imported.rows, imported.kept, imported.duplicates, imported.rejected)


FULL = (
    "item_id,title,description,brand,categories,price,original_price,cost,currency,availability,available_quantity,"
    "available_time,expire_time,image_url,url,tags,attributes,rating_average,rating_count\n"
    'A1,Red shoe,Soft,Acme,"Shoes > Running | Sale",19.90,25,9.999,USD,preorder,3,2026-09-01T00:00:00Z,'
    '2026-12-01T00:00:00+01:00,https://shop/a1.png,/a1,red| new ,"{""size"": ""42""}",4.5,12\n'
)


def test_every_column_of_an_item_file_is_kept(tmp_path: Path) -> None:
    imported = load(tmp_path, FULL)
    assert counts(imported) == (1, 1, 0, 0)
    assert imported.status == Import.Status.FINISHED
    item = Item.objects.get(shop_id="A1")
    assert (item.title, item.description, item.brand) == ("Red shoe", "Soft", "Acme")
    assert (item.price, item.original_price, item.cost) == (Decimal("19.90"), Decimal(25), Decimal("10.00"))
    assert (item.availability, item.available_quantity) == ("preorder", 3)
    assert item.available_at == datetime(2026, 9, 1, tzinfo=UTC)
    assert item.expires_at == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert (item.image_url, item.url, item.tags) == ("https://shop/a1.png", "/a1", ["red", "new"])
    assert (item.attributes, item.rating_average, item.rating_count) == ({"size": "42"}, 4.5, 12)
    assert (item.listed_at, item.updated_at, item.retired_at) == (NOW, NOW, None)
    assert sorted(item.categories.values_list("path", flat=True)) == ["Sale", "Shoes > Running"]
    running = Category.objects.get(path="Shoes > Running")
    assert (running.name, running.parent) == ("Running", Category.objects.get(path="Shoes"))
    assert list(ItemPrice.objects.values_list("item__shop_id", "valid_from", "price")) == [
        ("A1", NOW, Decimal("19.90"))
    ]


def test_a_work_is_kept_with_who_made_it_and_where_it_stands(tmp_path: Path) -> None:
    load(
        tmp_path,
        "item_id,title,item_kind,creator,collection,collection_number,duration,published_at,language\n"
        "T1,So What,track,Miles Davis,Kind of Blue,1,562,1959-08-17T00:00:00Z,en\n",
    )
    item = Item.objects.get()
    assert (item.kind, item.creator, item.collection, item.number) == ("track", "Miles Davis", "Kind of Blue", 1)
    assert (item.duration, item.published_at, item.language) == (562, datetime(1959, 8, 17, tzinfo=UTC), "en")


def test_a_short_file_gives_items_their_defaults(tmp_path: Path) -> None:
    load(tmp_path, "item_id,title\nA1,Shoe\n")
    item = Item.objects.get()
    assert (item.price, item.availability, item.available_quantity, item.tags) == (None, "in_stock", None, [])
    assert not ItemPrice.objects.exists()


def test_importing_an_item_file_twice_changes_nothing(tmp_path: Path) -> None:
    load(tmp_path, FULL)
    before = list(Item.objects.values())
    imported = load(tmp_path, FULL, now=LATER)
    assert counts(imported) == (1, 0, 1, 0)
    assert list(Item.objects.values()) == before
    assert ItemPrice.objects.count() == 1


def test_only_the_columns_of_the_file_are_changed(tmp_path: Path) -> None:
    load(tmp_path, FULL)
    imported = load(tmp_path, "item_id,title,price\nA1,Red shoe,17\n", now=LATER)
    assert counts(imported) == (1, 1, 0, 0)
    item = Item.objects.get()
    assert (item.price, item.brand, item.availability, item.updated_at) == (Decimal(17), "Acme", "preorder", LATER)
    assert item.categories.count() == 2
    history = ItemPrice.objects.order_by("valid_from").values_list("valid_from", "price")
    assert list(history) == [(NOW, Decimal("19.90")), (LATER, Decimal(17))]


def test_categories_of_the_file_replace_those_of_the_item(tmp_path: Path) -> None:
    load(tmp_path, "item_id,title,categories\nA1,Shoe,Shoes|Sale\nA2,Boot,Shoes\n")
    imported = load(tmp_path, "item_id,title,categories\nA1,Shoe,Shoes\nA2,Boot,Shoes\n", now=LATER)
    assert counts(imported) == (2, 1, 1, 0)
    assert list(Item.objects.get(shop_id="A1").categories.values_list("path", flat=True)) == ["Shoes"]
    assert list(Item.objects.filter(updated_at=LATER).values_list("shop_id", flat=True)) == ["A1"]


BAD = [
    ("item_id,title\n,Shoe\n", "item_id", "The field is required but"),
    (f"item_id,title\n{'x' * 129},Shoe\n", "item_id", "The text is too long"),
    ("item_id,title\nA,\n", "title", "The field is required but"),
    (f"item_id,title\nA,{'x' * 301}\n", "title", "The text is too long"),
    ("item_id,title,price\nA,Shoe,cheap\n", "price", "Not a number. Use a"),
    ("item_id,title,price\nA,Shoe,NaN\n", "price", "Not a number. Use a"),
    ("item_id,title,price\nA,Shoe,-inf\n", "price", "Not a number. Use a"),
    ('item_id,title,price\nA,Shoe,"19,90"\n', "price", "Not a number. Use a"),
    ("item_id,title,price\nA,Shoe,-1\n", "price", "A price cannot be negative."),
    ("item_id,title,price\nA,Shoe,1e308\n", "price", "The amount is larger than"),
    ("item_id,title,cost\nA,Shoe,9999999999.995\n", "cost", "The amount is larger than"),
    ("item_id,title,price,currency\nA,Shoe,1,EUR\n", "currency", "The shop's currency is USD."),
    ("item_id,title,availability\nA,Shoe,gone\n", "availability", "Availability must be in_stock, out_of_stock,"),
    ("item_id,title,available_quantity\nA,Shoe,1.5\n", "available_quantity", "The quantity in stock must"),
    ("item_id,title,available_quantity\nA,Shoe,2147483648\n", "available_quantity", "The quantity in stock must"),
    ("item_id,title,available_time\nA,Shoe,2026-09-01T08:00\n", "available_time", "The time has no time"),
    ("item_id,title,available_time\nA,Shoe,2026-02-30\n", "available_time", "Not a time. Write it"),
    ("item_id,title,available_time\nA,Shoe,26-09-2001\n", "available_time", "Not a time. Write it"),
    ("item_id,title,rating_average\nA,Shoe,2000000\n", "rating_average", "A rating must be a"),
    ("item_id,title,rating_count\nA,Shoe,-1\n", "rating_count", "The number must be a"),
    ("item_id,title,available_time\nA,Shoe,tomorrow\n", "available_time", "Not a time. Write it"),
    ("item_id,title,available_time\nA,Shoe,2026-02-30T00:00:00Z\n", "available_time", "Not a time. Write it"),
    ("item_id,title,image_url\nA,Shoe,javascript:alert(1)\n", "image_url", "An address must begin with"),
    ("item_id,title,item_kind\nA,Song,tune\n", "item_kind", "The kind of an item"),
    ("item_id,title,duration\nA,Song,3:20\n", "duration", "The number must be a"),
    ("item_id,title,published_at\nA,Song,1999\n", "published_at", "Not a time. Write it"),
    (f"item_id,title,tags\nA,Shoe,ok|{'x' * 101}\n", "tags", "Separate tags with |; each"),
    ("item_id,title,attributes\nA,Shoe,{\n", "attributes", "Attributes must be a JSON"),
    ("item_id,title,attributes\nA,Shoe,[]\n", "attributes", "Attributes must be a JSON"),
    ('item_id,title,attributes\nA,Shoe,"{""a"": ""\\u0000""}"\n', "attributes", "Attributes must be a JSON"),
    ("item_id,title,categories\nA,Shoe,Shoes >> Running\n", "categories", "Write a category as “Shoes"),
    (f"item_id,title,categories\nA,Shoe,{'x' * 201}\n", "categories", "Write a category as “Shoes"),
    ("item_id,title,rating_average\nA,Shoe,Infinity\n", "rating_average", "Not a number. Use a"),
    (
        "item_id,title,available_time,expire_time\nA,Shoe,2026-09-02T00:00:00Z,2026-09-01T00:00:00Z\n",
        "expire_time",
        "It would go on sale",
    ),
    ("item_id,title\nA\n", "", "The row has more or"),
    ('item_id,title\n"A,Shoe\n', "", "A quotation mark is not"),
    (b"item_id,title\nA,caf\xe9\n", "title", "The text is not UTF-8;"),
    (b"item_id,title\nA\x00,Shoe\n", "item_id", "The text holds a NUL"),
]


@pytest.mark.parametrize(
    ("content", "field", "reason"), BAD, ids=[f"{field}-{n}" for n, (_, field, _) in enumerate(BAD)]
)
def test_a_bad_row_is_refused_with_its_remedy_and_its_neighbour_is_kept(
    tmp_path: Path, content: str | bytes, field: str, reason: str
) -> None:
    content = content.encode() if isinstance(content, str) else content
    columns = content.split(b"\n")[0].count(b",") - 1
    imported = load(tmp_path, content + b"GOOD,Boot" + b"," * columns + b"\n")
    words = " ".join(reason.split()[:5])
    assert [(line, at, text.startswith(words)) for line, at, text in refused(imported)] == [(2, field, True)]
    assert counts(imported) == (2, 1, 0, 1)
    assert sum(imported.reasons.values()) == 1
    assert list(Item.objects.values_list("shop_id", flat=True)) == ["GOOD"]


def test_the_text_of_a_refused_row_is_recorded(tmp_path: Path) -> None:
    imported = load(tmp_path, "item_id,title,price\nA1,Shoe,cheap\nA2,Boot\n")
    assert list(imported.rejected_rows.values_list("line", "content")) == [
        (2, "item_id=A1, title=Shoe, price=cheap"),
        (3, "A2,Boot"),
    ]


def test_the_first_of_two_rows_of_an_item_counts(tmp_path: Path) -> None:
    imported = load(tmp_path, "item_id,title\nA1,First\nA1,Second\n")
    assert refused(imported) == [(3, "item_id", "The item is in an")]
    assert Item.objects.get().title == "First"


def test_a_sale_that_would_end_before_the_stored_start_is_refused(tmp_path: Path) -> None:
    load(tmp_path, "item_id,title,available_time\nA1,Shoe,2026-09-10T00:00:00Z\n")
    imported = load(tmp_path, "item_id,title,expire_time\nA1,Shoe,2026-09-05T00:00:00Z\n")
    assert refused(imported) == [(2, "expire_time", "It would go on sale")]


def test_a_date_alone_is_the_start_of_that_day_in_the_shop(tmp_path: Path, settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    header = "item_id,title,available_time,expire_time\n"
    imported = load(
        tmp_path, f"{header}A1,Shoe,2026-09-01,2026-09-02T01:00:00Z\nA2,Boot,2026-09-02,2026-09-01T15:00:00Z\n"
    )
    assert Item.objects.get().available_at == datetime(2026, 8, 31, 16, tzinfo=UTC)
    assert refused(imported) == [(3, "expire_time", "It would go on sale")]


def test_columns_that_are_not_read_are_named(tmp_path: Path) -> None:
    imported = load(tmp_path, "item_id,title,colour,=cmd\nA1,Shoe,red,x\n")
    assert imported.message == "Columns that are ignored: “colour”, “=cmd”."


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("sku,name", ["line 1", "the column “item_id”, “title” is missing", "The file has “sku”, “name”"]),
        ("item_id", ["the column “title” is missing"]),
        ("item_id,title,title", ["the column “title” appears twice"]),
        (",".join(f"c{n}" for n in range(100_000)), ["is missing", "99990 more"]),
    ],
)
def test_an_unusable_header_is_named(tmp_path: Path, header: str, words: list[str]) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        load(tmp_path, f"{header}\nA1,Shoe\n")
    assert [word for word in ["items.csv", *words] if word not in str(caught.value)] == []
    imported = Import.objects.get()
    assert (imported.status, imported.message) == (Import.Status.FAILED, str(caught.value))
    assert not Item.objects.exists()


def test_a_file_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    titles = [f"A title to fill a page {n}" for n in range(60_000)]
    pq.write_table(pa.table({"item_id": [str(n) for n in range(60_000)], "title": titles}), path, row_group_size=20_000)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = b"\xaa" * 20_000
    path.write_bytes(bytes(content))
    with pytest.raises(UnreadableFileError, match="damaged"):
        bulk_import.import_items(path, currency="USD", now=NOW, report=silent)
    assert not Item.objects.exists()
    assert Import.objects.get().status == Import.Status.FAILED


def test_parquet_keeps_the_same_rules(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    columns = {
        "item_id": ["A1", "A2", "A3"],
        "title": ["Shoe", "Boot", None],
        "price": [19.9, float("nan"), 1.0],
        "available_quantity": pa.array([3, None, 1], pa.int32()),
        "categories": [["Shoes > Running", "Sale"], None, None],
        "attributes": [{"size": "42"}, None, None],
    }
    pq.write_table(pa.table(columns), path)
    imported = bulk_import.import_items(path, currency="USD", now=NOW, report=silent)
    assert refused(imported) == [(2, "price", "Not a number. Use a"), (3, "title", "The field is required but")]
    item = Item.objects.get()
    assert (item.price, item.available_quantity, item.attributes) == (Decimal("19.90"), 3, {"size": "42"})
    assert item.categories.count() == 2


def test_hostile_text_is_kept_as_text(tmp_path: Path) -> None:
    titles = [
        "'; DROP TABLE recommendations_item;--",
        "=cmd|' /C calc'!A0",
        "<script>alert(1)</script>",
        "{0} %s %(x)s",
        "\\.",
    ]
    lines = "\n".join(f"A{n},{json.dumps(title)}" for n, title in enumerate(titles))
    imported = load(tmp_path, f"item_id,title\n{lines}\n".replace("\\\\.", "\\."))
    assert counts(imported)[1] == len(titles)
    assert list(Item.objects.order_by("shop_id").values_list("title", flat=True)) == titles


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    path.write_bytes(b"item_id,title\nA1,Shoe\n")
    assert bulk_import.import_items(path, currency="USD", now=NOW, report=silent).file == "caf?.csv"
    path.write_bytes(b"")
    with pytest.raises(UnreadableFileError):
        bulk_import.import_items(path, currency="USD", now=NOW, report=silent)
    assert "caf?.csv is empty" in Import.objects.filter(status=Import.Status.FAILED).get().message


def test_an_import_that_was_killed_is_said_to_have_failed(tmp_path: Path) -> None:
    killed = Import.objects.create(kind="items", file="killed.csv")
    alive = Import.objects.create(kind="items", file="alive.csv")
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [import_record.LOCKS, alive.pk])
        load(tmp_path, "item_id,title\nA1,Shoe\n")
    killed.refresh_from_db()
    alive.refresh_from_db()
    assert (killed.status, alive.status) == (Import.Status.FAILED, Import.Status.RUNNING)
    assert killed.message == "It was interrupted, and nothing was kept; import the file again."


def test_all_flaws_of_a_row_are_named_at_once(tmp_path: Path) -> None:
    text = (
        "item_id,title,price,currency,image_url,available_time,expire_time\n"
        "A1,,cheap,EUR,pictures/a1.png,2026-12-01T00:00:00Z,2026-09-01T00:00:00Z\n"
        "A2,Shoe,1,USD,/a2.png,2026-12-01T00:00:00Z,2026-09-01T00:00:00Z\n"
        "A3,Shoe,1,USD,/a3.png,,\nA3,Shoe,-1,USD,/a3.png,,\n"
    )
    imported = load(tmp_path, text)
    flaws = [(row.line, row.field, row.value) for row in imported.rejected_rows.all()]
    assert flaws == [
        (2, "title", ""), (2, "image_url", "pictures/a1.png"), (2, "price", "cheap"), (2, "currency", "EUR"),
        (3, "expire_time", "2026-09-01T00:00:00Z"),  # asked where each time is right by itself
        (5, "item_id", "A3"), (5, "price", "-1"),
    ]  # fmt: skip
    assert counts(imported) == (4, 1, 0, 3)
    assert imported.reasons == {"missing": 1, "available_after_end": 1, "already_listed": 1}  # that which is first


def test_what_is_hashed_is_in_no_refused_row(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("name,timestamp,user_id,item_id\nview_item,never,household-7,A1\n")
    imported = event_import.import_events(path, currency="USD", now=NOW, report=silent)
    given = [row.given for row in imported.rejected_rows.all()]
    assert given == [{"name": "view_item", "timestamp": "never", "item_id": "A1"}] * 2


@pytest.mark.parametrize(
    ("currencies", "there", "leads"),
    [("EUR EUR", False, True), ("EUR EUR", True, False), ("EUR USD", False, False), ("EUR GBP", False, False),
     ("eur eur", False, False), ("USD USD", False, False)],
)  # fmt: skip
def test_a_first_file_in_another_currency_leads_to_the_shops_own(
    tmp_path: Path, currencies: str, there: bool, leads: bool
) -> None:
    if there:
        Item.objects.create(shop_id="B1", title="Boot")
    rows = "".join(f"A{number},Tea,{code}\n" for number, code in enumerate(currencies.split()))
    assert ("SHOP_CURRENCY=EUR" in load(tmp_path, f"item_id,title,currency\n{rows}").message) is leads


def test_the_planner_knows_of_many_new_items_at_once(tmp_path: Path) -> None:
    """Without that the page of the catalogue took more than a minute after the first import."""
    rows = "".join(f"A{number},Title {number}\n" for number in range(item_merge.ANALYSED))
    load(tmp_path, f"item_id,title\n{rows}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT n_distinct FROM pg_stats WHERE tablename = 'recommendations_item' AND attname = 'title'")
        assert cursor.fetchone() == (-1.0,)
