"""Hours of placements from slates and events; every sum is worked out by hand."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from recommendations.models import AttributedLine, Event, Item, PlacementHour, Slate, SlateOutcome
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.watches.hours import (
    KEPT,
    LATE,
    count_hours,
    counted_until,
    load_hours,
    moment_of,
    ordinal_hour,
    whole_hours,
)
from tests.store.test_attribution import HOUR, NOON, NOW, SKUS, act, slate, take

pytestmark = pytest.mark.django_db
NAMES = ("slates", "fallback", "clicked", "bought", "revenue", "squares", "events")


@pytest.fixture(autouse=True)
def _shop() -> Iterator[None]:
    prepare_partitions(NOW - timedelta(days=70), NOW)
    Item.objects.bulk_create(Item(shop_id=sku, title=sku) for sku in SKUS)
    return


def on_time() -> None:
    """Let all events have come in a minute after they happened."""
    for row in Event.objects.all():
        Event.objects.filter(event_id=row.event_id).update(received_at=row.occurred_at + timedelta(minutes=1))


def of_hour(at: datetime, placement: str = "home") -> tuple[Any, ...]:
    return tuple(PlacementHour.objects.filter(placement=placement, hour=at).values_list(*NAMES).get())


def test_an_hour_by_hand() -> None:
    """Three lists at noon, one of them not from the model; two clicks on one, two sales of one, 10 and 30."""
    for key in ("r-1", "r-2", "r-3"):
        slate(key, at=NOON + timedelta(minutes=10))
    Slate.objects.filter(recommendation_id="r-3").update(fallback_reason="no_history", latency_us=300_000)
    Slate.objects.exclude(recommendation_id="r-3").update(latency_us=4_000)
    later = NOON + timedelta(minutes=20)
    take(
        act("select_item", "SKU1", of="r-1", at=later),
        act("select_item", "SKU2", of="r-1", at=later),
        act("purchase", "SKU1", of="r-1", at=later),
        act("purchase", "SKU2", of="r-1", at=later, transaction_id="t2", line={"quantity": 3, "price": Decimal(10)}),
        act("view_item", "SKU0", at=NOON + HOUR),
    )
    on_time()
    assert count_hours(NOON + 2 * HOUR) == 2
    assert of_hour(NOON) == (3, 1, 1, 1, 40, 1_600, 0)
    assert of_hour(NOON, "") == (0, 0, 0, 0, 0, 0, 4)
    assert of_hour(NOON + HOUR, "") == (0, 0, 0, 0, 0, 0, 1)
    times = PlacementHour.objects.get(placement="home").times
    assert (sum(times), times[2], times[8]) == (3, 2, 1)  # 2.5 to 5 ms; 250 to 500 ms


def test_a_sale_counts_in_its_own_hour_without_a_list_in_it() -> None:
    slate("r-1")
    take(act("purchase", "SKU1", of="r-1", at=NOON + HOUR))
    on_time()
    count_hours(NOON + 2 * HOUR)
    assert of_hour(NOON)[:4] == (1, 0, 0, 0)
    assert of_hour(NOON + HOUR)[:4] == (0, 0, 0, 1)


def test_what_comes_late_or_of_the_replay_counts_in_no_hour() -> None:
    slate("r-1")
    take(act("select_item", "SKU1", of="r-1"), act("purchase", "SKU1", of="r-1"))  # three days late
    count_hours(NOON + HOUR)
    assert of_hour(NOON) == (1, 0, 0, 0, 0, 0, 0)
    PlacementHour.objects.all().delete()
    on_time()
    Event.objects.update(source="replay")
    for table in (Slate, SlateOutcome, AttributedLine):
        table.objects.update(replay=True)
    count_hours(NOON + HOUR)
    assert not PlacementHour.objects.exists()


def test_hours_are_counted_once_and_go_on_after_a_pause() -> None:
    slate("r-1")
    assert count_hours(NOON + HOUR) == 1
    slate("r-2")  # written too late
    slate("r-3", at=NOON + HOUR)
    slate("r-4", at=NOON + 30 * HOUR)
    assert count_hours(NOON + HOUR) == 0
    assert count_hours(NOON + 31 * HOUR) == 30
    assert counted_until() == NOON + 31 * HOUR
    assert [of_hour(NOON + number * HOUR)[0] for number in (0, 1, 30)] == [1, 1, 1]
    assert PlacementHour.objects.filter(placement="").count() == 31


def test_no_more_than_is_needed_is_counted_or_kept() -> None:
    slate("r-1", at=NOON - timedelta(days=40))
    slate("r-2", at=NOON - timedelta(days=20))
    assert count_hours(NOON) == 20 * 24
    PlacementHour.objects.create(hour=NOON - KEPT - HOUR, placement="home")
    count_hours(NOON)
    assert PlacementHour.objects.filter(hour__lt=NOON - KEPT).count() == 0


def test_arrays_have_a_day_of_24_hours_and_nothing_where_nothing_was(settings: Any) -> None:
    settings.SHOP_TIME_ZONE = "UTC"
    slate("r-1")
    slate("r-2", at=NOON + 3 * HOUR)
    count_hours(NOON + 4 * HOUR)
    own = load_hours(until=NOON + 4 * HOUR)
    assert own["home"].first == NOON.date()
    assert own["home"].columns["slates"].tolist() == [0] * 12 + [1, 0, 0, 1]
    assert own[""].clocked.tolist() == [0] * 12 + [1] * 4
    assert moment_of(ordinal_hour(NOON)) == NOON
    assert whole_hours(NOON + LATE) == NOON
    assert whole_hours(NOON + LATE - timedelta(seconds=1)) == NOON - HOUR
