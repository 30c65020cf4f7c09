"""The replay through the real API of a running server: what is sent, once, in order; who learns from it."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from demo import held_back as store
from demo import replay as demo_replay
from demo.complete_journey import wheel
from demo.held_back import Basket, Purchase
from demo.models import Replay
from demo.replay import Door
from recommendations.models import AuditEntry, Event, Item, Run, Slate
from recommendations.services.operations import housekeeping
from recommendations.services.operations.jobs import JobIsOverError, cancel_job, resume_job
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.events.partitions import prepare_partitions
from recommendations.terms import RunStatus

AT = datetime(2026, 9, 1, 17, 30, tzinfo=UTC)
BASKET = Basket(
    number=7,
    household=42,
    at=AT,
    lines=(
        Purchase(product=11, quantity=3, amount=Decimal("1.00")),
        Purchase(product=12, quantity=1, amount=Decimal("2.50")),
        Purchase(product=11, quantity=2, amount=Decimal("0.99")),
    ),
)


def test_a_basket_is_seen_clicked_where_the_slate_had_it_and_bought() -> None:
    answer = {"recommendation_id": "r-1", "results": [{"item_id": "12"}, {"item_id": "99"}]}
    seen, click, first, second = demo_replay.events_of(BASKET, answer)
    assert {event["recommendation_id"] for event in (seen, click, first, second)} == {"r-1"}
    assert {event["context"]["source"] for event in (seen, click, first, second)} == {"replay"}
    assert [event["name"] for event in (seen, click, first)] == ["view_item_list", "select_item", "purchase"]
    assert seen["timestamp"] < click["timestamp"] < first["timestamp"] == second["timestamp"] == AT.isoformat()
    assert click["items"] == [{"item_id": "12"}]
    assert (first["event_id"], first["transaction_id"]) == (str(wheel.purchase_id(7, 11)), "7")
    assert [line["quantity"] for line in first["items"]] == [3, 2]
    amounts = [Decimal(line["price"]) * line["quantity"] for line in first["items"]]
    assert [amount.quantize(Decimal("0.01")) for amount in amounts] == [Decimal("1.00"), Decimal("0.99")]
    again = demo_replay.events_of(BASKET, answer)
    assert again == [seen, click, first, second]  # the same ids, however often


@pytest.fixture
def planned(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Replay:
    """Two baskets of a shop of three items."""
    prepare_partitions(AT - timedelta(days=1), timezone.now())
    Item.objects.bulk_create(Item(shop_id=str(key), title=f"Item {key}", price=1) for key in (11, 12, 13))
    later = Basket(number=8, household=42, at=AT + timedelta(hours=1), lines=BASKET.lines[:1])
    monkeypatch.setattr(store, "baskets", lambda _replay: [BASKET, later])
    return Replay.objects.create(starts_at=AT - timedelta(days=1), shift_weeks=0, baskets=2)


def test_the_baskets_come_in_once_through_the_api(planned: Replay, door: Door) -> None:
    assert demo_replay.run_replay(door, clock=timezone.now) is RunStatus.SUCCEEDED
    planned.refresh_from_db()
    assert (planned.status, planned.done, planned.refused) == (RunStatus.SUCCEEDED, 2, 0)
    purchases = Event.objects.purchases().order_by("occurred_at", "event_id", "line")
    assert purchases.count() == 4
    assert set(purchases.values_list("source", flat=True)) == {"replay"}
    bought = purchases.filter(event_id=wheel.purchase_id(7, 11)).values_list("line", "quantity", "price", "amount")
    assert list(bought) == [(0, 3, Decimal("0.33"), Decimal("1.00")), (1, 2, Decimal("0.50"), Decimal("0.99"))]
    before = Event.objects.count()
    assert planned.events + 1 == before  # an event of two lines
    assert demo_replay.run_replay(door, clock=timezone.now) is None
    Replay.objects.update(status=RunStatus.INTERRUPTED)
    assert demo_replay.run_replay(door, clock=timezone.now) is RunStatus.SUCCEEDED  # nothing is left to send
    assert Event.objects.count() == before
    housekeeping.write_slates()
    assert Slate.objects.count() == 2
    assert not Slate.objects.filter(replay=False).exists()


def test_a_cancelled_replay_goes_on_where_it_stopped(planned: Replay, door: Door) -> None:
    cancel_job(planned, by=None, now=timezone.now())
    planned.refresh_from_db()
    assert planned.status == RunStatus.CANCELLED
    with pytest.raises(JobIsOverError):
        cancel_job(planned, by=None, now=timezone.now())
    assert demo_replay.run_replay(door, clock=timezone.now) is None
    resume_job(planned, by=None, now=timezone.now())
    with pytest.raises(JobIsOverError):
        resume_job(planned, by=None, now=timezone.now())
    assert demo_replay.run_replay(door, clock=timezone.now) is RunStatus.SUCCEEDED
    steps = AuditEntry.objects.filter(object_type="replay").order_by("pk")
    assert list(steps.values_list("verb", flat=True)) == ["cancel", "resume"]


def test_a_cancelled_replay_stops_at_the_next_basket(planned: Replay, door: Door) -> None:
    Replay.objects.update(status=RunStatus.RUNNING, cancel_requested_at=timezone.now())
    assert demo_replay.run_replay(door, clock=timezone.now) is RunStatus.CANCELLED
    assert not Event.objects.exists()


def test_two_processes_never_replay_at_once(planned: Replay, door: Door) -> None:
    with advisory_lock(planned.lock) as alone:
        assert alone
        assert demo_replay.run_replay(door, clock=timezone.now) is None


def test_a_refusal_of_the_api_fails_the_replay_with_the_reason(planned: Replay, door: Door) -> None:
    door.key = "wrong.key"
    assert demo_replay.run_replay(door, clock=timezone.now) is RunStatus.FAILED
    planned.refresh_from_db()
    assert planned.message.startswith("GET /api/v1/placements/home/recommend/: 401")


def test_one_run_learns_from_a_finished_replay(planned: Replay, tmp_path: Path) -> None:
    Replay.objects.update(status=RunStatus.SUCCEEDED)
    running = Run.objects.create(now=AT, status=RunStatus.RUNNING)
    with override_settings(DEMO=True):
        assert not demo_replay.watch_replay(now=timezone.now())  # another goes round
        Run.objects.filter(pk=running.pk).update(status=RunStatus.SUCCEEDED)
        assert demo_replay.watch_replay(now=timezone.now())
        run = Run.objects.exclude(pk=running.pk).get()
        assert Replay.objects.get().run == run
        Run.objects.update(status=RunStatus.SUCCEEDED)
        assert not demo_replay.watch_replay(now=timezone.now())  # once
    assert Run.objects.count() == 2


def test_the_door_of_the_demo_is_open_when_its_pages_answer(tmp_path: Path) -> None:
    with override_settings(DEMO=True, DATA=tmp_path):
        assert demo_replay.demo_door() is None
        credentials = {"url": "http://127.0.0.1:1/", "api_key": "a.b"}
        (tmp_path / "demo.json").write_text(json.dumps(credentials), encoding="utf-8")
        assert demo_replay.demo_door() == Door(url=credentials["url"], key="a.b")
    with override_settings(DEMO=False, DATA=tmp_path):
        assert demo_replay.demo_door() is None
    assert settings.DATA


@pytest.mark.django_db
def test_purchases_of_the_last_days_are_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    times = pd.to_datetime(["2017-12-18 23:59:59", "2017-12-19 00:00:00", "2017-12-19 00:00:00", "2018-01-01 04:00:00"])
    lines = pd.DataFrame({"transaction_timestamp": times, "basket_id": [1, 2, 2, 3]})
    store.plan(lines, days=14, weeks=2, households=None)
    replay = Replay.objects.get()
    assert (replay.starts_at, replay.baskets) == (datetime(2018, 1, 2, tzinfo=UTC), 2)
    assert store.held_from() == pd.Timestamp("2017-12-19")
