"""Files of other systems' calls: as history they become what the live address makes of them, and never twice."""

import gzip
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from recommendations.ingest.calls.open_calls import open_calls, system_in
from recommendations.models import Customer, CustomerAlias, Event, Import, Item
from recommendations.store.live import fetch
from recommendations.terms import CustomerKind, Scope
from tests import foreign_bodies as bodies
from tests.api.conftest import ApiClient
from tests.api.events.conftest import key_of, results

NOW = timezone.now()
RECORD = (
    "occurred_at", "event_id", "line", "name", "customer", "item__shop_id", "quantity", "amount", "transaction_id",
    "position", "search_term", "rating", "rating_scale",
)  # fmt: skip
FOREIGN = "The shop's currency is USD. Convert the amounts, or leave the column out."
VIEW = {
    "type": "track", "event": "Product Viewed", "messageId": "v-1", "timestamp": "2026-08-01T12:00:00.123Z",
    "userId": "u-secret", "properties": {"product_id": "A1"},
}  # fmt: skip


@pytest.fixture
def _shop(db: None) -> None:
    Item.objects.bulk_create(Item(shop_id=key, title=key) for key in {*bodies.ITEMS, "A1", "A2"})


def run(path: Path, *arguments: str) -> tuple[list[str], list[str]]:
    output, errors = io.StringIO(), io.StringIO()
    call_command("import_events", str(path), *arguments, stdout=output, stderr=errors)
    return output.getvalue().splitlines(), errors.getvalue().splitlines()


def write(path: Path, *calls: Any) -> Path:
    path.write_text("".join(f"{json.dumps(call)}\n" for call in calls))
    return path


def counts() -> tuple[int, int, int, int]:
    last = Import.objects.latest("pk")
    return last.rows, last.kept, last.duplicates, last.rejected


def lines() -> list[tuple[Any, ...]]:
    return list(Event.objects.order_by("occurred_at", "event_id", "line").values_list(*RECORD))


RATED = {"method": "POST", "path": "/ratings/", "params": {**bodies.RECOMBEE_PURCHASE, "rating": 0.5}}
CALLS: list[tuple[str, list[dict[str, Any]]]] = [
    ("segment", [bodies.SEGMENT_ORDER, bodies.SEGMENT_VIEW]),
    ("ga4", [bodies.GA4_PURCHASE]),
    ("vertex", [bodies.VERTEX_PURCHASE]),
    ("recombee", [{"requests": [*bodies.RECOMBEE_BATCH["requests"][::2], RATED]}]),
    ("algolia", [bodies.ALGOLIA]),
]


@pytest.mark.usefixtures("_shop")
@pytest.mark.parametrize(("system", "calls"), CALLS, ids=[system for system, _calls in CALLS])
def test_a_file_and_the_live_address_make_the_same_events(
    tmp_path: Path, system: str, calls: list[dict[str, Any]], client_with: Callable[..., ApiClient]
) -> None:
    """Whichever came first, the other finds them there: by id, time, line, and whose they are."""
    sent = [bodies.dated(call, NOW) for call in calls]
    file = write(tmp_path / "calls.jsonl", *sent)
    run(file, "--from", system)
    imported, (rows, kept, _duplicates, rejected) = lines(), counts()
    assert imported
    assert (kept, rejected) == (rows, 0)
    run(file, "--from", system)
    assert counts() == (rows, 0, rows, 0)
    api = client_with(Scope.EVENTS_WRITE)
    live = [verdict for call in sent for verdict in results(api.post(f"/api/v1/events/{system}/", call), 202)]
    assert {verdict["verdict"] for verdict in live} <= {"duplicate", "ignored"}
    assert lines() == imported
    Event.objects.all().delete()
    for call in sent:
        api.post(f"/api/v1/events/{system}/", call)
    assert lines() == imported


def jsonl(calls: list[Any]) -> bytes:
    return "".join(f"{json.dumps(call)}\n" for call in calls).encode()


def packed(name: str, content: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return whole.getvalue()


FORMATS: dict[str, Callable[[list[Any]], bytes]] = {
    "calls.jsonl": jsonl,
    "with a mark and blank lines.jsonl": lambda calls: b"\xef\xbb\xbf\n" + jsonl(calls).replace(b"\n", b"\r\n\r\n"),
    "list.json": lambda calls: json.dumps(calls).encode(),
    "indented list.json": lambda calls: json.dumps(calls, indent=2).encode(),
    "batch.json": lambda calls: json.dumps({"batch": calls, "sentAt": "2026-09-01T00:00:00Z"}).encode(),
    "indented batch.json": lambda calls: json.dumps({"writeKey": "k", "batch": calls}, indent=2).encode(),
    "batches.jsonl": lambda calls: jsonl([{"batch": calls[:1]}, {"batch": calls[1:]}]),
    "calls.jsonl.gz": lambda calls: gzip.compress(jsonl(calls[:1])) + gzip.compress(jsonl(calls[1:])),
    "calls.zip": lambda calls: packed("calls.jsonl", jsonl(calls)),
}


@pytest.mark.usefixtures("_shop")
@pytest.mark.parametrize("name", FORMATS)
def test_every_way_to_write_a_file(tmp_path: Path, name: str) -> None:
    calls = [{**VIEW, "messageId": f"m-{n}", "properties": {"product_id": "A1"}} for n in range(3)]
    (tmp_path / name).write_bytes(FORMATS[name](calls))
    run(tmp_path / name, "--from", "segment")
    assert counts() == (3, 3, 0, 0)
    with pytest.raises(CommandError, match=r"This looks like a Segment"):
        run(tmp_path / name)
    assert system_in(tmp_path / name) == "segment"


@pytest.mark.usefixtures("_shop")
def test_what_stands_around_a_list_holds_for_its_calls(tmp_path: Path) -> None:
    """Also where it stands behind it: whose events GA4's are, when Segment's were sent, and who objects."""
    ga4 = {
        "events": [{"name": "view_item", "params": {"items": [{"item_id": key}]}} for key in ("A1", "A2")],
        "client_id": "c-1",
        "timestamp_micros": 1_785_000_000_000_000,
    }
    (tmp_path / "ga4.json").write_text(json.dumps(ga4, indent=1))
    run(tmp_path / "ga4.json", "--from", "ga4")
    whose = key_of("c-1", CustomerKind.ANONYMOUS)
    assert set(Event.objects.values_list("customer", "item__shop_id")) == {(whose, "A1"), (whose, "A2")}
    call = {name: value for name, value in VIEW.items() if name != "timestamp"}
    no = {"consent": {"categoryPreferences": {"Personalization": False}}}
    batch = {"batch": [call], "sentAt": "2026-08-02T00:00:00Z", "context": no}
    (tmp_path / "batch.json").write_text(json.dumps(batch, indent=1))
    run(tmp_path / "batch.json", "--from", "segment")
    event = Event.objects.get(occurred_at=datetime(2026, 8, 2, tzinfo=UTC))
    assert event.customer is None
    assert not Customer.objects.get(pk=key_of("u-secret")).personalise


@pytest.mark.usefixtures("_shop")
def test_answers_know_who_objected_in_a_file(
    tmp_path: Path, valkey: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """Also where there is no model yet, so that nothing else is made again for them."""
    no = {"consent": {"categoryPreferences": {"Personalization": False}}}
    with django_capture_on_commit_callbacks(execute=True):
        run(write(tmp_path / "calls.jsonl", {**VIEW, "context": no}), "--from", "segment")
    assert valkey.hkeys(fetch.OBJECTED) == [str(key_of("u-secret")).encode()]


@pytest.mark.usefixtures("_shop")
def test_an_export_says_what_became_of_each_call(tmp_path: Path) -> None:
    order = {
        "type": "track", "event": "Order Completed", "messageId": "o-1", "timestamp": "2026-08-01T13:00:00Z",
        "userId": "u-secret",
        "properties": {"order_id": "1", "currency": "USD", "products": [
            {"product_id": "A1", "price": "9.90", "quantity": 2}, {"product_id": "GONE", "price": 1},
            {"product_id": "A2"},
        ]},
    }  # fmt: skip
    file = write(
        tmp_path / "export.jsonl",
        VIEW,
        {**VIEW, "messageId": "v-2", "timestamp": "yesterday"},
        order,
        {"type": "page", "messageId": "p", "anonymousId": "a", "context": {"page": {"path": "/about"}}},
        {**VIEW, "event": "Coupon Entered", "messageId": "c-1"},
        {**VIEW, "event": "Coupon Entered", "messageId": "c-2"},
        bodies.SEGMENT_IDENTIFY,
        {**VIEW, "messageId": "v-3", "properties": {"product_id": "A1", "currency": "EUR"}},
        {name: value for name, value in VIEW.items() if name != "timestamp"},
        {**VIEW, "messageId": "v-4", "timestamp": "1989-12-31T00:00:00Z"},
    )
    with file.open("a") as more:
        more.write('{"type": "track", \n"a call"\n')
    output, errors = run(file, "--from", "segment")
    assert output[0] == "export.jsonl: 10 rows: 3 kept, 0 already there, 7 refused."
    assert "Calls that only say who somebody is: 1." in output[1]
    assert "event → name" in output[2]
    assert "properties.products.product_id → item_id" in output[2] or "properties.product_id → item_id" in output[2]
    assert output[3].endswith("nothing is learned from them: Coupon Entered 2, page 1.")
    assert [line.removeprefix("export.jsonl, ") for line in errors] == [
        "line 2, timestamp: Send a time such as 2026-09-01T10:02:11Z.",
        "line 3, item_id (properties.product_id): The catalogue has no such item; import the items first.",
        f"line 8, currency (properties.currency): {FOREIGN}",
        "line 9, timestamp: The field is required but empty.",
        "line 10, timestamp: The time is before 1990.",
        "line 11, row: Not a JSON object. Write each as {…}, in JSON Lines on a line of its own.",
        "line 12, row: Send an object, not a string.",
    ]
    bought = Event.objects.filter(name="purchase").order_by("line").values_list("item__shop_id", "line", "amount")
    assert [(item, line, str(amount)) for item, line, amount in bought] == [("A1", 0, "19.80"), ("A2", 2, "None")]
    assert not [row for row in Import.objects.get().rejected_rows.all() if "secret" in f"{row.content}{row.given}"]
    alias = CustomerAlias.objects.get()
    assert alias.customer_id == key_of("97980cfea0067")
    assert Customer.objects.get(pk=alias.customer_id).properties == {}


@pytest.mark.usefixtures("_shop")
def test_a_whole_order_is_given_back_by_its_number(tmp_path: Path, client_with: Callable[..., ApiClient]) -> None:
    """As live: with the items of the order, from the file or from the record; one that nobody knows is refused."""
    file = write(tmp_path / "export.jsonl", bodies.SEGMENT_ORDER, bodies.SEGMENT_ORDER, given_back())
    run(file, "--from", "segment")
    assert counts() == (6, 4, 2, 0)
    refund = Event.objects.filter(name="refund").order_by("line")
    expected = [("507f1f77bcf86cd799439011", 0, 1, 19), ("505bd76785ebb509fc183733", 1, 2, 6)]
    assert list(refund.values_list("item__shop_id", "line", "quantity", "amount")) == expected
    refund.delete()
    run(write(tmp_path / "later.jsonl", given_back(), given_back(order="o-2")), "--from", "segment")
    assert counts() == (3, 2, 0, 1)
    assert list(refund.values_list("item__shop_id", "line", "quantity", "amount")) == expected
    refund.delete()
    api = client_with(Scope.EVENTS_WRITE)
    api.post("/api/v1/events/segment/", given_back())
    assert list(refund.values_list("item__shop_id", "line", "quantity", "amount")) == expected


def given_back(*, order: str = "50314b8e9bcf000000000000") -> dict[str, Any]:
    return {
        "type": "track", "event": "Order Refunded", "messageId": f"r-{order}", "userId": "AiUGstSDIg",
        "timestamp": "2026-11-05T10:00:00Z", "properties": {"order_id": order},
    }  # fmt: skip


@pytest.mark.usefixtures("_shop")
def test_a_catalogue_of_skus(tmp_path: Path) -> None:
    file = write(tmp_path / "export.jsonl", {**VIEW, "properties": {"product_id": "65a1", "sku": "A1"}})
    run(file, "--from", "segment", "--item-id", "sku")
    assert counts() == (1, 1, 0, 0)
    with pytest.raises(CommandError, match="--item-id colour: with --from segment it is one of product_id, sku"):
        run(file, "--from", "segment", "--item-id", "colour")


@pytest.mark.usefixtures("_shop")
def test_a_message_that_an_export_has_often_is_one(tmp_path: Path) -> None:
    """Exports hold a message at least once; a list of 60 that comes five times has no more lines than one may have."""
    Item.objects.bulk_create(Item(shop_id=f"L{n}", title=f"L{n}") for n in range(60))
    listed = {**VIEW, "event": "Product List Viewed"}
    listed["properties"] = {"list_id": "l", "products": [{"product_id": f"L{n}"} for n in range(60)]}
    run(write(tmp_path / "export.jsonl", *[listed] * 5), "--from", "segment")
    assert counts() == (300, 60, 240, 0)


@pytest.mark.usefixtures("_shop")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps(VIEW), "looks like a Segment call. Import it with: manage.py import_events FILE --from segment"),
        (json.dumps(bodies.GA4_PURCHASE), "looks like a GA4 Measurement Protocol body. Import it with: .* --from ga4"),
        (
            json.dumps([bodies.VERTEX_PURCHASE], indent=1),
            "looks like a Vertex UserEvent. Import it with: .* --from vertex",
        ),
        ('{"a": 1}\n' + json.dumps(VIEW), "looks like a Segment call"),
        ('{"batch": [' + json.dumps(VIEW) + f', {{"x": "{"x" * 2**21}', "looks like a Segment batch"),
        (
            '{"line_items": [], "cart_token": ""}',
            "This is JSON. Say whose events it holds: --from segment, ga4, vertex",
        ),
        ('[{"name": "view_item"}]', "This is JSON. Say whose events it holds"),
    ],
)
def test_a_file_of_somebody_elses_is_told_how_it_comes_in(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "calls").write_text(content)
    with pytest.raises(CommandError, match=message):
        run(tmp_path / "calls")
    assert Import.objects.get().status == Import.Status.FAILED


@pytest.mark.usefixtures("_shop")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,timestamp\n", "This is no JSON. Without --from it is read as CSV or Parquet"),
        ("", "This is no JSON"),
        ("[]", "This JSON has no list of objects"),
        ('[{"type": "track"}', "this is no JSON that can be read"),
        ('{"batch": [{"type": "track"}\n', "this is no JSON that can be read"),
        ('{"batch":\n[]} more', "something follows its end"),
    ],
)
def test_what_holds_no_calls_is_refused_as_a_whole(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "calls").write_text(content)
    with pytest.raises(CommandError, match=message):
        run(tmp_path / "calls", "--from", "segment")
    assert not Event.objects.exists()


@pytest.mark.usefixtures("_shop")
@pytest.mark.parametrize("value", [None, 0, [], {}, "\x00", "x" * 500, 10**400, 1.5, [[]], "\ud800", "9" * 30])
@pytest.mark.parametrize("field", ["userId", "messageId", "timestamp", "event", "type", "properties", "context"])
def test_no_value_stops_a_file(tmp_path: Path, field: str, value: Any) -> None:
    run(write(tmp_path / "calls", {**VIEW, field: value}, {**VIEW, "messageId": "sound"}), "--from", "segment")
    assert Event.objects.filter(customer=key_of("u-secret")).exists()


@pytest.mark.usefixtures("_shop")
@pytest.mark.parametrize(
    "field", ["product_id", "price", "quantity", "products", "currency", "order_id", "value", "position"]
)
@pytest.mark.parametrize(
    "value", [None, 0, -1, [], {}, [1], "\x00", "x" * 500, 10**400, 1e300, "NaN", [[]], True, "1e5"]
)
def test_no_property_stops_a_file(tmp_path: Path, field: str, value: Any) -> None:
    odd = {**VIEW, "event": "Order Completed", "properties": {"product_id": "A1", "order_id": "1", field: value}}
    run(write(tmp_path / "calls", odd, {**VIEW, "messageId": "sound"}), "--from", "segment")
    assert Event.objects.filter(customer=key_of("u-secret")).exists()


@pytest.mark.parametrize("form", ["calls.jsonl", "batch.json"])
def test_a_large_file_is_not_held_in_memory(tmp_path: Path, form: str) -> None:
    path = tmp_path / form
    with path.open("w") as file:
        file.write('{"batch": [\n' if form == "batch.json" else "")
        end = ",\n" if form == "batch.json" else "\n"
        for number in range(8_000):
            call = {**VIEW, "messageId": f"m-{number}", "context": {"userAgent": "x" * 5_000}}
            file.write(json.dumps(call) + end)
        file.write('{"type": "page"}], "sentAt": "2026-09-01T00:00:00Z"}' if form == "batch.json" else "")
    assert path.stat().st_size > 40_000_000
    tracemalloc.start()
    try:
        with open_calls(path, system="segment") as table:
            count = sum(len(part) for part in blocks(table))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 8_000
    assert peak < 25_000_000


def blocks(table: Any) -> Iterator[list[Any]]:
    yield from table.blocks(())


@pytest.mark.usefixtures("_shop")
@pytest.mark.parametrize("name", FORMATS)
def test_refused_calls_are_a_file_that_can_be_mended_and_imported(tmp_path: Path, name: str) -> None:
    """As they were sent, with what stood around them, so that what was taken of a line is not taken again."""
    calls = [{**VIEW, "messageId": f"m-{n}", "properties": {"product_id": each}} for n, each in enumerate("ABC", 1)]
    calls[1]["properties"]["product_id"] = "A1"
    (tmp_path / name).write_bytes(FORMATS[name](calls))
    new = tmp_path / "mended.jsonl"
    output, _errors = run(tmp_path / name, "--from", "segment", "--refused", str(new))
    assert output[0].startswith(f"Lines with refused calls: {1 if name == 'batch.json' else 2}, in ")
    assert counts() == (3, 1, 0, 2)
    assert "u-secret" in new.read_text()
    new.write_text(new.read_text().replace('"A"', '"A1"').replace('"C"', '"A2"'))
    with pytest.raises(CommandError, match="is there already"):
        run(tmp_path / name, "--from", "segment", "--refused", str(new))
    run(new, "--from", "segment")
    assert counts()[3] == 0
    assert sorted(Event.objects.values_list("item__shop_id", flat=True)) == ["A1", "A1", "A2"]


@pytest.mark.usefixtures("_shop")
def test_a_refused_line_that_is_no_json_is_handed_back_as_it_is(tmp_path: Path) -> None:
    file = write(tmp_path / "calls.jsonl", VIEW, {"data": [1e3, 10**30]})
    with file.open("a") as more:
        more.write('{"type": "track",\n')
    run(file, "--from", "segment", "--refused", str(tmp_path / "new.jsonl"))
    assert (tmp_path / "new.jsonl").read_text().splitlines() == file.read_text().splitlines()[1:]
    run(write(tmp_path / "fine.jsonl", VIEW), "--from", "segment", "--refused", str(tmp_path / "none.jsonl"))
    assert not (tmp_path / "none.jsonl").exists()
    with pytest.raises(CommandError, match="say whose with --from"):
        run(tmp_path / "calls.csv", "--refused", str(tmp_path / "none.jsonl"))
