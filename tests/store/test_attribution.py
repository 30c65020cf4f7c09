"""Attribution of events to slates, through the door that they come in by; every result is known by hand."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from recommendations.ingest.accept import accept
from recommendations.ingest.event_schema import ConsentForm, EventContextForm, EventForm, EventItemForm
from recommendations.ingest.facts import Sender
from recommendations.models import AttributedLine, DueLine, Event, Item, Placement, PlacementDay, Slate, SlateOutcome
from recommendations.store.attribution.settle import settle
from recommendations.store.events.partitions import prepare_partitions

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
NOON = (NOW - timedelta(days=3)).replace(hour=12, minute=0, second=0)
HOUR = timedelta(hours=1)
SKUS = ("SKU0", "SKU1", "SKU2", "SKU3")


@pytest.fixture(autouse=True)
def items() -> dict[str, int]:
    prepare_partitions(NOW - timedelta(days=40), NOW)
    Item.objects.bulk_create(Item(shop_id=sku, title=sku) for sku in (*SKUS, "SKU9"))
    return dict(Item.objects.values_list("shop_id", "pk"))


def slate(key: str, *skus: str, placement: str = "home", at: datetime = NOON) -> str:
    """Serve a slate of items in the order of their ranks."""
    keys = dict(Item.objects.values_list("shop_id", "pk"))
    ranked = [keys[sku] for sku in skus or SKUS]
    Slate.objects.create(
        served_at=at, recommendation_id=key, placement=placement, source="model", personalised=True, items=ranked,
        scores=[1.0] * len(ranked), propensities=[1.0] * len(ranked),
    )  # fmt: skip
    return key


SERVER = Sender()


def act(name: str, *skus: str, at: datetime = NOON, of: str | None = None, **fields: Any) -> EventForm:
    plain: dict[str, Any] = {"event_id": uuid.uuid4(), "timestamp": at, "user_id": "u1", "recommendation_id": of}
    plain |= {"transaction_id": "t1"} if name in {"purchase", "refund"} else {}
    bought = {"quantity": 2, "price": Decimal(5)} if name in {"purchase", "add_to_cart", "refund"} else {}
    bought |= fields.pop("line", {})
    return EventForm(name=name, items=[EventItemForm(sku, **bought) for sku in skus], **plain | fields)


def take(*forms: EventForm, sender: Sender = SERVER) -> None:
    """Accept events and settle them."""
    verdicts = accept(forms, sender, now=NOW)
    assert {verdict.verdict for verdict in verdicts} <= {"accepted", "duplicate"}
    settle()


def tied() -> list[tuple[str, str, int, str]]:
    lines = AttributedLine.objects.order_by("occurred_at", "position")
    return list(lines.values_list("name", "recommendation_id", "position", "touch"))


def counted(*, position: int = 0, placement: str = "home") -> dict[str, Any]:
    """The sums over all days."""
    names = ("listed", "seen", "clicked", "carted", "bought", "purchases", "revenue", "squares")
    days = PlacementDay.objects.filter(placement=placement, position=position).values(*names)
    return {name: sum(day[name] for day in days) for name in names}


def test_an_event_that_names_its_slate_counts_for_it() -> None:
    slate("r-1")
    take(
        act("view_item_list", of="r-1"),
        act("select_item", "SKU1", of="r-1", at=NOON + HOUR),
        act("add_to_cart", "SKU1", of="r-1", at=NOON + 2 * HOUR),
        act("purchase", "SKU1", "SKU9", of="r-1", at=NOON + 3 * HOUR),
    )
    assert tied() == [("add_to_cart", "r-1", 2, "event"), ("purchase", "r-1", 2, "event")]  # SKU9 is not in the slate
    assert counted() == {
        "listed": 1, "seen": 1, "clicked": 1, "carted": 1, "bought": 1, "purchases": 1, "revenue": 10, "squares": 100,
    }  # fmt: skip
    assert [counted(position=place)["seen"] for place in (1, 2, 3, 4, 5)] == [1, 1, 1, 1, 0]
    assert [counted(position=place)["revenue"] for place in (1, 2, 3, 4)] == [0, 10, 0, 0]
    assert not DueLine.objects.exists()


@pytest.mark.parametrize("place", range(24))
def test_a_slate_that_comes_in_while_its_events_are_settled_counts(place: int) -> None:
    """Slates are written beside: one may be there for a statement of the pass and not have been for that before."""
    statements = 0

    def come(execute: Callable[..., Any], *asked: Any) -> Any:
        nonlocal statements
        statements += 1
        if statements == place + 1:
            slate("r-1")
        return execute(*asked)

    accept([act("select_item", "SKU1", of="r-1"), act("purchase", "SKU1", of="r-1", at=NOON + HOUR)], SERVER, now=NOW)
    with connection.execute_wrapper(come):
        settle()
    assert statements <= 24, "a pass has more statements than this test tries"
    if not Slate.objects.exists():
        slate("r-1")
    DueLine.objects.update(due_at=NOW - HOUR)
    while settle():
        pass
    assert SlateOutcome.objects.get().clicked == [2]
    assert tied() == [("purchase", "r-1", 2, "event")]
    assert counted()["revenue"] == 10


def test_a_list_that_names_its_items_was_seen_at_their_positions() -> None:
    slate("r-1")
    take(act("view_item_list", "SKU0", "SKU2", "SKU9", of="r-1"))
    assert SlateOutcome.objects.get().seen == [1, 3]


def test_without_an_impression_what_was_clicked_was_seen() -> None:
    slate("r-1")
    take(act("view_item", "SKU2", of="r-1"))
    outcome = SlateOutcome.objects.get()
    assert (outcome.listed, outcome.seen, outcome.clicked) == (False, [3], [3])


@pytest.mark.parametrize(
    ("hours", "minutes", "expected"),
    [(0, 0, 1), (24, 0, 1), (24, 1, 0)],
)
def test_the_attribution_window_includes_both_its_ends(hours: int, minutes: int, expected: int) -> None:
    slate("r-1")
    later = NOON + timedelta(hours=hours, minutes=minutes)
    take(act("select_item", "SKU1", of="r-1"), act("purchase", "SKU1", at=later))
    assert len(tied()) == expected


def test_the_attribution_window_is_that_of_the_placement() -> None:
    Placement.objects.filter(name="home").update(attribution_window=48)
    slate("r-1")
    slate("r-2", placement="discover")
    take(act("select_item", "SKU1", of="r-1"), act("select_item", "SKU1", of="r-2", at=NOON + HOUR))
    take(act("purchase", "SKU1", at=NOON + 30 * HOUR))  # too late for discover, in time for home
    assert tied() == [("purchase", "r-1", 2, "click")]


def test_the_last_of_two_touches_gets_the_line_which_counts_once() -> None:
    slate("r-1")
    slate("r-2", "SKU1", placement="discover")
    take(
        act("select_item", "SKU1", of="r-1"),
        act("select_item", "SKU1", of="r-2", at=NOON + HOUR),
        act("purchase", "SKU1", at=NOON + 2 * HOUR),
    )
    assert tied() == [("purchase", "r-2", 1, "click")]
    assert (counted()["purchases"], counted(placement="discover")["purchases"]) == (0, 1)


def test_the_slate_that_an_event_names_goes_before_the_last_click() -> None:
    slate("r-1")
    slate("r-2")
    take(act("select_item", "SKU1", of="r-2"), act("purchase", "SKU1", of="r-1", at=NOON + HOUR))
    assert tied() == [("purchase", "r-1", 2, "event")]


def test_an_impression_or_a_click_on_another_item_attributes_nothing() -> None:
    slate("r-1")
    take(
        act("view_item_list", of="r-1"),
        act("select_item", "SKU2", of="r-1"),
        act("purchase", "SKU1", at=NOON + HOUR),
        act("purchase", "SKU2", at=NOON + HOUR, user_id="u2", transaction_id="t2"),
        act("purchase", "SKU2", at=NOON - HOUR, transaction_id="t3"),
    )
    assert tied() == []


def test_events_out_of_order_count_the_same() -> None:
    purchase, click = act("purchase", "SKU1", at=NOON + HOUR), act("select_item", "SKU1", of="r-1")
    take(purchase)
    assert tied() == []
    take(click)  # its slate is not in the record yet
    assert tied() == []
    slate("r-1")
    DueLine.objects.update(due_at=NOW)
    settle()
    assert tied() == [("purchase", "r-1", 2, "click")]
    later = act("select_item", "SKU1", of=slate("r-2"), at=NOON + HOUR / 2)
    take(later)
    assert tied() == [("purchase", "r-2", 2, "click")]  # moved, not counted twice
    assert counted()["purchases"] == 1
    assert (counted()["seen"], counted()["clicked"]) == (2, 2)


def test_an_unknown_slate_is_waited_for_but_not_for_ever() -> None:
    take(act("select_item", "SKU1", of="r-never"))
    waiting = DueLine.objects.get()
    assert waiting.due_at > waiting.noted_at
    DueLine.objects.update(due_at=NOW, noted_at=NOW - timedelta(minutes=11))
    settle()
    assert not DueLine.objects.exists()
    assert not SlateOutcome.objects.exists()


def test_the_same_event_again_changes_nothing() -> None:
    slate("r-1")
    forms = [act("view_item_list", of="r-1"), act("select_item", "SKU1", of="r-1"), act("purchase", "SKU1", of="r-1")]
    take(*forms)
    once = counted()
    take(*forms)
    assert counted() == once
    DueLine.objects.bulk_create(
        DueLine(occurred_at=at, event_id=key, line=line)
        for at, key, line in Event.objects.values_list("occurred_at", "event_id", "line")
    )
    settle()  # settled once more
    assert counted() == once
    assert once["purchases"] == 1


@pytest.mark.parametrize(
    ("line", "purchases", "revenue"),
    [
        ({"quantity": 1, "price": Decimal(5)}, 1, 5),  # one of two
        ({"quantity": 2, "price": Decimal(5)}, 0, 0),
        ({"quantity": 1, "price": None}, 1, 5),
        ({"quantity": None, "price": Decimal("2.50")}, 1, Decimal("7.50")),  # money alone
        ({"quantity": None, "price": None}, 0, 0),  # everything
        ({"quantity": 5, "price": Decimal(5)}, 0, 0),  # more than was bought
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_refunds_take_purchases_back(line: dict[str, Any], purchases: int, revenue: Decimal, *, first: bool) -> None:
    slate("r-1")
    bought = act("purchase", "SKU1", "SKU2", of="r-1")
    refund = act("refund", "SKU1", at=NOON + HOUR, line=line)
    for form in (refund, bought) if first else (bought, refund):
        take(form)
    assert (counted()["purchases"], counted()["revenue"]) == (1 + purchases, 10 + revenue)
    assert counted(position=2)["revenue"] == revenue
    assert counted(position=2)["bought"] == purchases
    assert counted(position=2)["seen"] == 1


def test_a_refund_of_another_transaction_takes_nothing_back() -> None:
    slate("r-1")
    take(act("purchase", "SKU1", of="r-1"), act("refund", "SKU1", at=NOON + HOUR, transaction_id="t2"))
    assert counted()["revenue"] == 10


@pytest.mark.parametrize("said", ["personalisation", "measure"])
def test_a_customer_who_objects_counts_for_no_slate(said: str) -> None:
    slate("r-1")
    no = {"consent": ConsentForm(**{said: False}), "user_id": "u1"}
    take(
        act("select_item", "SKU1", of="r-1", **no),
        act("purchase", "SKU1", at=NOON + HOUR, **no),
        act("purchase", "SKU2", of="r-1", at=NOON + HOUR, transaction_id="t2", **no),
    )
    assert tied() == []
    assert (counted()["clicked"], counted()["purchases"]) == (0, 0)


def test_a_click_before_the_sign_in_counts_once_the_keys_are_one() -> None:
    slate("r-1")
    take(act("select_item", "SKU1", of="r-1", user_id=None, anonymous_id="a1"))
    take(act("purchase", "SKU1", at=NOON + HOUR))
    assert tied() == []
    take(act("view_homepage", at=NOON + 2 * HOUR, anonymous_id="a1"))
    assert tied() == [("purchase", "r-1", 2, "click")]


def test_the_replay_is_counted_apart_on_the_days_of_its_events() -> None:
    slate("r-1", at=NOW)  # served now
    replay = EventContextForm(source="replay")
    events = [act("view_item_list", of="r-1", context=replay), act("purchase", "SKU0", of="r-1", context=replay)]
    take(*events, sender=Sender(replays=True))
    day = PlacementDay.objects.get(position=0)
    assert (day.replay, day.day, day.purchases) == (True, timezone.localdate(NOON), 1)
    assert Slate.objects.get().replay
    assert AttributedLine.objects.get().replay
