"""Event files into the record: the form, the rules, the keys that are made, and that twice is once."""

import csv
import io
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection

from recommendations.ingest.event_repairs import event_key
from recommendations.models import Customer, CustomerAlias, Event, Import, Item, RejectedRow
from recommendations.services.catalogue.refused_rows import filled_columns, refused_file
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.imports import event_import
from recommendations.store.temp_tables import silent
from recommendations.terms import CustomerKind

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
EVENT = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(autouse=True)
def _shop(db: None) -> None:
    Item.objects.bulk_create([Item(shop_id=f"A{n}", title=f"Item {n}") for n in range(3)])


def load(tmp_path: Path, content: str | bytes) -> Import:
    path = tmp_path / "events.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return event_import.import_events(path, currency="USD", now=NOW, report=silent)


def counts(imported: Import) -> tuple[int, int, int, int]:
    return (imported.rows, imported.kept, imported.duplicates, imported.rejected)


def refused(imported: Import) -> list[tuple[int, str, str]]:
    rows = RejectedRow.objects.filter(source=imported)
    return [(row.line, row.field, " ".join(row.reason.split()[:5])) for row in rows]


FULL = (
    "event_id,name,timestamp,user_id,session_id,item_id,quantity,price,currency,transaction_id,recommendation_id,position\n"
    f"{EVENT},purchase,2026-08-01T12:00:00Z,u1,s1,A1,2,9.95,USD,t1,r1,4\n"
)


def test_every_column_of_an_event_file_is_kept(tmp_path: Path) -> None:
    imported = load(tmp_path, FULL)
    assert counts(imported) == (1, 1, 0, 0)
    event = Event.objects.get()
    assert (event.occurred_at, event.event_id, event.line, event.name) == (NOON, uuid.UUID(EVENT), 0, "purchase")
    assert (event.customer, event.item) == (Customer.objects.get(), Item.objects.get(shop_id="A1"))
    assert (event.quantity, event.price, event.amount) == (2, Decimal("9.95"), Decimal("19.90"))
    assert (event.transaction_id, event.session_id, event.recommendation_id, event.position) == ("t1", "s1", "r1", 4)
    assert (event.source, event.attributes) == ("import", None)


def test_importing_an_event_file_twice_changes_nothing(tmp_path: Path) -> None:
    content = FULL + ",view_item,2026-08-01T12:00:00Z,u1,,A2,,,,,,\n"
    load(tmp_path, content)
    before = list(Event.objects.order_by("event_id").values())
    imported = load(tmp_path, content)
    assert counts(imported) == (2, 0, 2, 0)
    assert list(Event.objects.order_by("event_id").values()) == before
    assert Customer.objects.count() == 1


def test_rows_older_than_events_are_kept_are_refused(tmp_path: Path) -> None:
    """The days are counted from the newest event; a first file is taken as it is."""
    head = "name,timestamp,user_id,item_id\n"
    first = "view_item,2020-01-01T12:00:00Z,u1,A1\nview_item,2015-01-01T12:00:00Z,u1,A1\n"
    taken = load(tmp_path, head + first)
    assert (counts(taken), "older than they are kept: 1." in taken.message) == ((2, 2, 0, 0), True)
    imported = load(tmp_path, f"{head}view_item,2018-01-01T12:00:00Z,u1,A1\nview_item,2017-12-31T12:00:00Z,u1,A1\n")
    assert counts(imported) == (2, 1, 0, 1)
    assert imported.reasons == {"not_kept": 1}


def test_the_shops_ids_of_people_are_kept_nowhere(tmp_path: Path) -> None:
    content = (
        "name,timestamp,user_id,anonymous_id,item_id,target_type,target_id\n"
        "view_item,2026-08-01T12:00:00Z,secret-person,secret-visitor,A1,,\n"
        "follow,2026-08-01T12:00:00Z,secret-person,,,customer,secret-friend\n"
        "follow,2026-08-01T12:00:00Z,secret-person,,,brand,Acme\n"
        "follow,2026-08-01T12:00:00Z,secret-person,,,planet,secret-friend\n"
        "view_item,2026-08-01T12:00:00Z,secret-person,secret-visitor,NONE,,\n"
        "view_item,secret-person\n"
    )
    imported = load(tmp_path, content)
    assert counts(imported) == (6, 3, 0, 3)
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE 'recommendations%%'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE "{table}"::text LIKE %s', ["%secret%"])
            assert (table, cursor.fetchone()) == (table, (0,))
    follows = Event.objects.filter(name="follow").values_list("target_type", "target_id")
    assert sorted(follows) == [("brand", "Acme"), ("customer", pseudonym("secret-friend").hex())]


def test_a_visitor_and_a_customer_in_one_row_are_merged(tmp_path: Path) -> None:
    load(
        tmp_path,
        "name,timestamp,user_id,anonymous_id,item_id\n"
        "view_item,2026-08-01T12:00:00Z,,a1,A1\n"
        "view_item,2026-08-02T12:00:00Z,u1,a1,A1\n",
    )
    signed_in = Customer.objects.get(pseudonym=pseudonym("u1"))
    visitor = Customer.objects.get(pseudonym=pseudonym("a1", kind=CustomerKind.ANONYMOUS))
    assert sorted(Event.objects.values_list("customer", flat=True)) == sorted([visitor.pk, signed_in.pk])
    assert list(CustomerAlias.objects.values_list("anonymous", "customer")) == [(visitor.pk, signed_in.pk)]
    assert Event.objects.of_customer(signed_in).count() == 2


def test_a_customer_who_objects_is_counted_and_not_known(tmp_path: Path) -> None:
    Customer.objects.create(pseudonym=pseudonym("u1"), personalise=False)
    load(tmp_path, FULL)
    assert list(Event.objects.values_list("customer", "session_id")) == [(None, None)]


@pytest.mark.parametrize(
    ("written", "stored"),
    [("Order Completed", "purchase"), ("detail-page-view", "view_item"), ("AddBookmark", "add_to_wishlist")],
)
def test_event_names_of_other_systems_are_understood(tmp_path: Path, written: str, stored: str) -> None:
    load(tmp_path, f"name,timestamp,user_id,item_id,transaction_id\n{written},2026-08-01T12:00:00Z,u1,A1,t1\n")
    assert Event.objects.get().name == stored


@pytest.mark.parametrize("written", ["1785585600", "1785585600000", "1785585600000000", "1785585600.0"])
def test_an_epoch_in_a_file_is_a_time(tmp_path: Path, written: str) -> None:
    load(tmp_path, f"name,timestamp,user_id,item_id\nview_item,{written},u1,A1\n")
    assert Event.objects.get().occurred_at == NOON


def test_a_text_in_a_file_is_the_id_that_the_api_makes_of_it(tmp_path: Path) -> None:
    content = "event_id,name,timestamp,user_id,item_id\najs-next-ü,view_item,2026-08-01T12:00:00Z,u1,A1\n"
    assert counts(load(tmp_path, content)) == (1, 1, 0, 0)
    assert Event.objects.get().event_id == event_key("ajs-next-ü")
    assert counts(load(tmp_path, content)) == (1, 0, 1, 0)


def test_quantities_of_a_file_may_have_decimals(tmp_path: Path) -> None:
    header = "name,timestamp,user_id,item_id,quantity,price,transaction_id\n"
    load(tmp_path, header + "purchase,2026-08-01T12:00:00Z,u1,A1,0.75,10,t1\n")
    assert Event.objects.values_list("quantity", "amount").get() == (Decimal("0.75"), Decimal("7.50"))


def test_names_that_nothing_is_learned_from_are_left_out_of_a_file(tmp_path: Path) -> None:
    rows = ["page_view", "view_item", "page_view", "Coupon Applied", "view_cart"]
    lines = "".join(f"{name},2026-08-01T12:00:00Z,u1,A1\n" for name in rows)
    imported = load(tmp_path, "name,timestamp,user_id,item_id\n" + lines)
    assert counts(imported) == (2, 2, 0, 0)
    assert "page_view 2, Coupon Applied 1" in imported.message


def test_event_ids_are_made_from_the_content_of_rows(tmp_path: Path) -> None:
    """Aliases, zones and the file's kind make no difference; another quantity does."""
    header = "name,timestamp,user_id,item_id,quantity,transaction_id\n"
    rows = [
        "purchase,2026-08-01T12:00:00Z,u1,A1,1,t1",
        "Order Completed,2026-08-01T14:00:00+02:00,u1,A1,1,t1",
        "purchase,2026-08-01T12:00:00Z,u1,A1,2,t1",
    ]
    assert counts(load(tmp_path, header + "\n".join(rows) + "\n")) == (3, 2, 1, 0)
    ids = {event.event_id for event in Event.objects.all()}
    assert {(key.version, key.variant) for key in ids} == {(8, uuid.RFC_4122)}
    path = tmp_path / "events.parquet"
    table = {"name": ["purchase"], "timestamp": pa.array([NOON], pa.timestamp("us", "UTC")), "user_id": ["u1"]}
    pq.write_table(pa.table(table | {"item_id": ["A1"], "quantity": [1], "transaction_id": ["t1"]}), path)
    assert counts(event_import.import_events(path, currency="USD", now=NOW, report=silent)) == (1, 0, 1, 0)


def test_lines_of_one_event_are_told_apart_by_their_content(tmp_path: Path) -> None:
    header = "event_id,name,timestamp,user_id,item_id,quantity,transaction_id\n"
    rows = [f"{EVENT},purchase,2026-08-01T12:00:00Z,u1,{item},{n},t1" for item, n in [("A1", 1), ("A2", 1), ("A1", 2)]]
    assert counts(load(tmp_path, header + "\n".join([*rows, rows[0]]) + "\n")) == (4, 3, 1, 0)
    assert sorted(Event.objects.values_list("line", flat=True)) == [0, 1, 2]
    assert counts(load(tmp_path, header + "\n".join(reversed(rows)) + "\n")) == (3, 0, 3, 0)


def test_a_line_that_was_refused_comes_in_with_the_same_file_once_its_item_is_there(tmp_path: Path) -> None:
    header = "event_id,name,timestamp,user_id,item_id,quantity,transaction_id\n"
    rows = [f"{EVENT},purchase,2026-08-01T12:00:00Z,u1,{item},1,t1\n" for item in ("A0-new", "A1", "A2")]
    assert counts(load(tmp_path, header + "".join(rows))) == (3, 2, 0, 1)
    Item.objects.create(shop_id="A0-new", title="It came late")
    assert counts(load(tmp_path, header + "".join(rows))) == (3, 1, 2, 0)
    assert sorted(Event.objects.values_list("item__shop_id", flat=True)) == ["A0-new", "A1", "A2"]


def test_line_numbers_of_the_file_are_kept(tmp_path: Path) -> None:
    header = "event_id,line,name,timestamp,user_id,item_id\n"
    load(tmp_path, header + f"{EVENT},7,view_item,2026-08-01T12:00:00Z,u1,A1\n")
    assert Event.objects.get().line == 7


def test_an_event_of_more_than_200_lines_is_cut(tmp_path: Path) -> None:
    header = "event_id,name,timestamp,user_id,item_id,quantity\n"
    rows = [f"{EVENT},view_item,2026-08-01T12:00:00Z,u1,A1,{n}" for n in range(1, 203)]
    imported = load(tmp_path, header + "\n".join(rows) + "\n")
    assert counts(imported) == (202, 200, 0, 2)
    assert refused(imported) == [(202, "event_id", "An event has at most"), (203, "event_id", "An event has at most")]


def test_old_events_get_their_partitions(tmp_path: Path) -> None:
    load(tmp_path, "name,timestamp,user_id,item_id\n" + "".join(
        f"view_item,{year}-02-28T23:59:59.999Z,u1,A1\n" for year in (1999, 2004, 2026)
    ))  # fmt: skip
    assert [at.year for at in Event.objects.order_by("occurred_at").values_list("occurred_at", flat=True)] == [
        1999,
        2004,
        2026,
    ]


BAD = [
    ("glance,2026-08-01T12:00:00Z,u1,A1", "name", "There is no event with"),
    (",2026-08-01T12:00:00Z,u1,A1", "name", "The field is required but"),
    ("view_item,,u1,A1", "timestamp", "The field is required but"),
    ("view_item,2026-08-01T12:00:00,u1,A1", "timestamp", "The time has no time"),
    ("view_item,2026-08-01,u1,A1", "timestamp", "The time has no time"),
    ("view_item,yesterday,u1,A1", "timestamp", "Not a time. Write it"),
    ("view_item,20260801,u1,A1", "timestamp", "The time is before 1990."),
    ("view_item,-1785585600,u1,A1", "timestamp", "Not a time. Write it"),
    ("view_item,2026-13-01T12:00:00Z,u1,A1", "timestamp", "Not a time. Write it"),
    ("view_item,2026-08-01T12:00:00+99:00,u1,A1", "timestamp", "Not a time. Write it"),
    ("view_item,2026-09-01T12:10:01Z,u1,A1", "timestamp", "The time is more than"),
    ("view_item,9999-12-31T23:59:59Z,u1,A1", "timestamp", "The time is more than"),
    ("view_item,1989-12-31T23:59:59Z,u1,A1", "timestamp", "The time is before 1990."),
    ("view_item,2026-08-01T12:00:00Z,,A1", "user_id", "No customer is named. Fill"),
    (f"view_item,2026-08-01T12:00:00Z,{'u' * 129},A1", "user_id", "The text is too long"),
    ("view_item,2026-08-01T12:00:00Z,u1,", "item_id", "The field is required but"),
    ("view_item,2026-08-01T12:00:00Z,u1,NONE", "item_id", "The catalogue has no such"),
    ("purchase,2026-08-01T12:00:00Z,u1,A1", "transaction_id", "The field is required but"),
    ("search,2026-08-01T12:00:00Z,u1,", "search_term", "The field is required but"),
    ("rate_item,2026-08-01T12:00:00Z,u1,A1", "rating", "The field is required but"),
    ("follow,2026-08-01T12:00:00Z,u1,", "target_type", "The field is required but"),
]
BAD_FIELDS = [
    ("event_id", "x" * 129, "The text is too long"),
    ("line", "-1", "The number must be a"),
    ("quantity", "0", "The quantity must be a"),
    ("quantity", "0.0001", "The quantity must be a"),
    ("quantity", "a few", "The quantity must be a"),
    ("quantity", "inf", "The quantity must be a"),
    ("quantity", "1000001", "The quantity must be a"),
    ("price", "NaN", "Not a number. Use a"),
    ("price", "-0.01", "The amount is negative; a"),
    ("price", "1e999", "The amount is larger than"),
    ("amount", "Infinity", "Not a number. Use a"),
    ("currency", "EUR", "The shop's currency is USD."),
    ("session_id", "x" * 129, "The text is too long"),
    ("search_term", "x" * 513, "The text is too long"),
    ("recommendation_id", "x" * 65, "The text is too long"),
    ("position", "32768", "The number must be a"),
    ("target_type", "planet", "Only a customer, a brand,"),
    ("rating", "6", "The rating is not between"),
    ("progress", "1.2", "What was played is a"),
    ("progress", "half", "Not a number. Use a"),
]


@pytest.mark.parametrize(("row", "field", "reason"), BAD)
def test_a_bad_row_is_refused_with_its_remedy(tmp_path: Path, row: str, field: str, reason: str) -> None:
    good = "view_item,2026-09-01T12:10:00Z,u1,A1"  # ten minutes ahead, and no second more
    imported = load(tmp_path, f"name,timestamp,user_id,item_id\n{row}\n{good}\n")
    assert (2, field, reason) in refused(imported)  # a rating lacks its scale, too, and a follow whom
    assert {line for line, _field, _reason in refused(imported)} == {2}
    assert counts(imported) == (2, 1, 0, 1)


@pytest.mark.parametrize(("field", "value", "reason"), BAD_FIELDS)
def test_a_bad_value_is_refused_with_its_remedy(tmp_path: Path, field: str, value: str, reason: str) -> None:
    scale = ",rating_scale" if field == "rating" else ""
    imported = load(
        tmp_path,
        f"name,timestamp,user_id,item_id,{field}{scale}\n"
        f"view_item,2026-08-01T12:00:00Z,u1,A1,{value}{',5' if scale else ''}\n"
        f"view_item,2026-08-01T12:00:00Z,u1,A1,{',' if scale else ''}\n",
    )
    assert refused(imported) == [(2, field, reason)]
    assert counts(imported) == (2, 1, 0, 1)


def test_a_price_times_its_quantity_must_be_money(tmp_path: Path) -> None:
    header = "name,timestamp,user_id,item_id,quantity,price\n"
    imported = load(tmp_path, header + "view_item,2026-08-01T12:00:00Z,u1,A1,1000,9999999999\n")
    assert refused(imported) == [(2, "amount", "The amount is larger than")]


def test_price_and_amount_follow_from_each_other(tmp_path: Path) -> None:
    load(
        tmp_path,
        "name,timestamp,user_id,item_id,quantity,price,amount\n"
        "view_item,2026-08-01T12:00:00Z,u1,A0,3,1.00,2.50\n"
        "view_item,2026-08-01T12:00:00Z,u1,A1,3,1.00,\n"
        "view_item,2026-08-01T12:00:00Z,u1,A2,4,,10\n",
    )
    prices = Event.objects.order_by("item__shop_id").values_list("price", "amount")
    assert list(prices) == [
        (Decimal("1.00"), Decimal("2.50")),
        (Decimal("1.00"), Decimal("3.00")),
        (Decimal("2.50"), Decimal("10.00")),
    ]


def test_rows_that_are_refused_beyond_the_limit_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommendations.store.imports.validate.LISTED", 2)
    imported = load(tmp_path, "name,timestamp\n" + "x,y\n" * 5)
    assert (imported.rejected, imported.rejected_rows.values("line").distinct().count()) == (5, 2)
    assert imported.reasons == {"unknown_name": 5}


def test_the_file_of_refused_rows_can_be_mended_and_imported(tmp_path: Path) -> None:
    """Ids of people are stored nowhere, so that they are filled in from the shop's own file, by its line."""
    head = "event_id,line,name,timestamp,user_id,item_id,price\n"
    content = f"{head}o-1,0,view_item,2026-08-01T12:00:00Z,u1,A1,1\no-1,1,view_item,2026-08-01T12:00:00Z,u1,A1,cheap\n"
    imported = load(tmp_path, content)
    assert counts(imported) == (2, 1, 0, 1)
    flaws = imported.rejected_rows.order_by("line", "pk")
    text = "".join(refused_file(flaws, kind=imported.kind, filled=filled_columns(imported)))
    [row] = csv.DictReader(io.StringIO(text))
    assert [*row] == [
        "file_line", "why", "event_id", "line", "name", "timestamp", "user_id", "anonymous_id", "item_id", "price",
        "target_id", "row",
    ]  # fmt: skip
    assert (row["file_line"], row["line"], row["user_id"]) == ("3", "1", "")
    unmended = load(tmp_path, text)
    assert [(line, field) for line, field, _reason in refused(unmended)] == [(2, "user_id"), (2, "price")]
    mended = io.StringIO()
    writer = csv.DictWriter(mended, row)
    writer.writeheader()
    writer.writerow({**row, "user_id": "u1", "price": "2"})
    assert counts(load(tmp_path, mended.getvalue())) == (1, 1, 0, 0)
    stored = Event.objects.order_by("line").values_list("line", "price", "customer__pseudonym")
    assert list(stored) == [(0, 1, pseudonym("u1")), (1, 2, pseudonym("u1"))]
