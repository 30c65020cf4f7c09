"""An event about an item that is not there yet waits for it, and becomes what it would have been."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from recommendations.ingest import import_files
from recommendations.ingest.waiting import join_waiting
from recommendations.models import ApiKey, Aside, Customer, Event, Item, Quarantine, SourceHour, WaitingLine
from recommendations.services.operations import housekeeping
from recommendations.store.events import waiting
from recommendations.store.events.quarantine import delete_events
from recommendations.store.events.source_hours import write_source_hours
from recommendations.store.live import fetch
from recommendations.store.live.source_counts import source_counters
from recommendations.store.temp_tables import silent
from recommendations.terms import Scope, Side, SuspicionRule, Trust
from tests.api.conftest import ApiClient
from tests.api.events.conftest import EVENTS, accepted, event, key_of, purchase, results, when
from tests.store.plans import by_nested_loops

COMMITS = DjangoCaptureOnCommitCallbacks


def about_new(**fields: Any) -> dict[str, Any]:
    line = {"item_id": "NEW", "quantity": 0.5, "price": "3.00"}
    return purchase(**{"items": [{"item_id": "SKU1"}, line]} | fields)


def test_a_line_of_an_unknown_item_waits_and_is_named(api: ApiClient) -> None:
    row = about_new()
    result, again = [results(api.post(EVENTS, {"events": [row]}))[0] for _ in range(2)]
    assert result == {
        "verdict": "accepted",
        "event_id": row["event_id"],
        "waiting_items": [
            {
                "pointer": "/events/0/items/1/item_id",
                "reason": "There is no item with this id yet; the line waits for it, 14 days.",
            }
        ],
    }
    assert again["verdict"] == "duplicate"
    waits = WaitingLine.objects.get()
    assert (waits.shop_id, waits.line, waits.customer_id, waits.key_id) == (
        "NEW", 1, key_of("u1"), ApiKey.objects.get().pk,
    )  # fmt: skip
    assert "u1" not in str(waits.sent)
    assert Event.objects.get().line == 0


def test_it_becomes_an_event_with_all_that_it_had_when_the_item_comes(
    api: ApiClient, client_with: Callable[..., ApiClient], django_capture_on_commit_callbacks: COMMITS
) -> None:
    row = about_new(
        items=[{"item_id": "NEW", "quantity": 0.5, "price": "3.00"}], timestamp=when(days=3), session_id="s"
    )
    assert results(api.post(EVENTS, row))[0]["verdict"] == "accepted"
    WaitingLine.objects.update(received_at=timezone.now() - timedelta(days=2))
    catalogue = client_with(Scope.CATALOGUE_WRITE)
    with django_capture_on_commit_callbacks(execute=True):
        answer = catalogue.send("PUT", "/api/v1/items/NEW/", {"title": "Late", "price": "6.00"})
    assert answer.status_code == 201, answer.content
    assert not WaitingLine.objects.exists()
    stored = Event.objects.get()
    assert (stored.event_id, stored.item.shop_id, stored.customer_id) == (
        uuid.UUID(row["event_id"]),
        "NEW",
        key_of("u1"),
    )
    assert (stored.quantity, stored.amount, stored.session_id) == (Decimal("0.5"), Decimal("1.50"), "s")
    assert stored.occurred_at.isoformat() == row["timestamp"]
    assert (stored.trust, stored.key_id) == (Trust.SERVER, ApiKey.objects.get(scopes=[Scope.EVENTS_WRITE]).pk)
    assert stored.received_at < timezone.now() - timedelta(days=1)
    state = fetch.state_of(key_of("u1"), since=None).state
    assert state.bought.keys() == {stored.item_id}
    assert results(api.post(EVENTS, row))[0]["verdict"] == "duplicate"
    assert join_waiting() == 0


def test_a_file_of_items_joins_what_waits(
    api: ApiClient, tmp_path: Path, django_capture_on_commit_callbacks: COMMITS
) -> None:
    for number in range(3):
        api.post(EVENTS, event(items=[{"item_id": f"NEW{number}"}]))
    path = tmp_path / "items.csv"
    path.write_text("item_id,title\nNEW0,Tea\nNEW2,Cup\n")
    with django_capture_on_commit_callbacks(execute=True):
        import_files.import_items(path, now=timezone.now(), report=silent)
    assert set(Event.objects.values_list("item__shop_id", flat=True)) == {"NEW0", "NEW2"}
    assert WaitingLine.objects.get().shop_id == "NEW1"


def test_an_item_that_came_by_another_way_is_found_by_the_schedule(api: ApiClient) -> None:
    rows = [event(items=[{"item_id": "NEW"}], user_id=f"u{number}") for number in range(7)]
    api.post(EVENTS, {"events": rows})
    assert housekeeping.join_waiting() == 0
    Item.objects.create(shop_id="NEW", title="Late")
    assert housekeeping.join_waiting() == 7
    assert Event.objects.count() == 7


def test_no_more_are_taken_out_at_once_than_fit_whatever_the_plan(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [event(items=[{"item_id": "NEW"}], user_id=f"u{number}") for number in range(5)]
    api.post(EVENTS, {"events": rows})
    Item.objects.create(shop_id="NEW", title="Late")
    monkeypatch.setattr(waiting, "BATCH", 2)
    by_nested_loops()
    assert [len(waiting.take_arrived(None)) for _ in range(4)] == [2, 2, 1, 0]


def test_what_waits_too_long_is_forgotten(api: ApiClient) -> None:
    api.post(EVENTS, {"events": [event(items=[{"item_id": "NEW"}]), event(items=[{"item_id": "OTHER"}])]})
    old = timezone.now() - timedelta(days=14, minutes=1)
    WaitingLine.objects.filter(shop_id="NEW").update(received_at=old)
    assert housekeeping.forget_waiting(now=timezone.now()) == 1
    assert WaitingLine.objects.get().shop_id == "OTHER"


def test_a_key_may_let_so_many_wait_and_a_page_few(
    api: ApiClient, client_with: Callable[..., ApiClient], settings: LazySettings
) -> None:
    settings.WAITING_LINES = 300
    rows = [event(items=[{"item_id": f"NEW{number}-{part}"} for part in range(100)]) for number in range(4)]
    verdicts = results(api.post(EVENTS, {"events": rows}))
    assert [row["verdict"] for row in verdicts] == ["accepted"] * 3 + ["rejected"]
    assert "send the item first" in verdicts[3]["reason"]
    assert WaitingLine.objects.count() == 300
    page = client_with(Scope.EVENTS_WRITE, side=Side.PAGE)
    many = event(items=[{"item_id": f"P{n}"} for n in range(5)], user_id=..., anonymous_id="a1")
    [result] = results(page.post(EVENTS, many))
    assert (result["verdict"], len(result["waiting_items"]), len(result["rejected_items"])) == ("accepted", 3, 2)
    assert WaitingLine.objects.exclude(key_id=ApiKey.objects.earliest("pk").pk).count() == 3


def test_what_was_merely_shown_does_not_wait(api: ApiClient) -> None:
    [result] = results(api.post(EVENTS, event(name="view_item_list", items=[{"item_id": "SKU1"}, {"item_id": "NEW"}])))
    assert (result["verdict"], len(result["rejected_items"]), "waiting_items" in result) == ("accepted", 1, False)
    assert not WaitingLine.objects.exists()


def test_who_objects_waits_as_nobody_and_is_nobody_once_joined(api: ApiClient) -> None:
    accepted(api, event(user_id="late"))
    api.post(EVENTS, {"events": [about_new(user_id=who, session_id="s-1") for who in ("no", "late")]})
    Customer.objects.filter(pk=key_of("no")).update(personalise=False)
    api.post(EVENTS, about_new(user_id="no", session_id="s-2"))
    assert set(WaitingLine.objects.values_list("customer_id", flat=True)) == {key_of("no"), key_of("late"), None}
    hidden = WaitingLine.objects.get(customer_id=None)
    assert not {"customer_id", "session_id"} & hidden.sent.keys()
    Customer.objects.filter(pk=key_of("late")).update(personalise=False)
    Item.objects.create(shop_id="NEW", title="Late")
    assert join_waiting() == 3
    joined = Event.objects.filter(item__shop_id="NEW")
    assert set(joined.values_list("customer_id", "session_id")) == {(None, None)}


def test_what_is_set_aside_and_deleted_does_not_come_back(api: ApiClient) -> None:
    api.post(EVENTS, {"events": [about_new(user_id=who) for who in ("ann", "bob")]})
    quarantine = Quarantine.objects.create(rule=SuspicionRule.STAFF)
    Aside.objects.create(quarantine=quarantine, customer_id=key_of("ann"))
    delete_events(quarantine)
    assert WaitingLine.objects.get().customer_id == key_of("bob")
    key = ApiKey.objects.get().pk
    of_key = Quarantine.objects.create(rule=SuspicionRule.STAFF)
    Aside.objects.create(quarantine=of_key, key_id=key, since=timezone.now() - timedelta(hours=1))
    delete_events(of_key)
    assert not WaitingLine.objects.exists()


def test_lines_that_wait_are_counted_of_their_key(api: ApiClient) -> None:
    api.post(EVENTS, {"events": [about_new(), about_new()]})
    source_counters().tell()
    write_source_hours(now=timezone.now())
    hour = SourceHour.objects.get()
    assert (hour.lines, hour.waiting, hour.purchases) == (2, 2, 2)
    Item.objects.create(shop_id="NEW", title="Late")
    join_waiting()
    source_counters().tell()
    write_source_hours(now=timezone.now())
    assert SourceHour.objects.get().lines == 4
