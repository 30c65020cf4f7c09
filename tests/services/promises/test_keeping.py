"""Promises are given while there is room, counted from answers, and end kept or late."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from recommendations.models import Item, NewItem, NewItemBudget, NewItemPromise, Placement, PlacementDay, SlateOutcome
from recommendations.promise_terms import Lacking, NewItemState
from recommendations.services.promises import acts, keeping
from recommendations.services.promises.keeping import judge_new_items, keep_promise
from recommendations.services.promises.publishing import publish_promise
from recommendations.services.promises.readiness import lacking
from recommendations.store.promises.served_promises import served_promises
from recommendations.terms import Availability
from tests.services.promises.conftest import FORM, NOW, state_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
type Make = Callable[..., Item]
type Note = Callable[..., None]


@pytest.fixture(autouse=True)
def _without_a_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No model knows these items; how they fit is tested where one does."""
    monkeypatch.setattr(keeping, "fits_of", lambda _items: {})
    return iter(())


def fits(**by_name: float) -> Callable[..., dict[int, float]]:
    return lambda _items: {Item.objects.get(shop_id=name).pk: fit for name, fit in by_name.items()}


def test_what_cannot_be_kept_is_not_promised(
    promise: NewItemPromise, listed: Make, answered: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = listed("old", days_ago=40)
    new = [listed(f"new-{number}") for number in range(5)]
    monkeypatch.setattr(keeping, "fits_of", fits(**{"new-3": 0.9, "new-1": 0.8, "new-0": 0.1}))
    answered(old, times=140)  # 20 a day: room for .6 × 20 × .4 × 5 = 24 impressions, two promises of ten
    assert keep_promise(promise, now=NOW)
    assert [state_of(item) for item in new] == ["waiting", "promised", "waiting", "promised", "waiting"]
    room = NewItemBudget.objects.get()
    assert room.requests_a_day == pytest.approx(20)
    assert room.share == pytest.approx(1.2 * 20 / (0.65 * 5 * 20))
    assert room.load == pytest.approx(room.share / 0.4)
    served = served_promises()[promise.placement_id]
    assert served.items == tuple(sorted((new[1].pk, new[3].pk)))
    assert (served.share, served.since) == (room.share, (NOW.timestamp(),) * 2)


def test_a_placement_that_nobody_asks_promises_nothing(promise: NewItemPromise, listed: Make) -> None:
    item = listed("new")
    keep_promise(promise, now=NOW)
    assert state_of(item) == NewItemState.WAITING
    assert served_promises() == {}


def test_showings_are_counted_once_and_a_promise_is_kept(promise: NewItemPromise, listed: Make, answered: Note) -> None:
    item, other = listed("new"), listed("old", days_ago=40)
    answered(other, times=140)
    keep_promise(promise, now=NOW)
    answered(item, other, times=6, until=NOW + timedelta(minutes=9), minutes=9)
    for minute in (10, 11):
        keep_promise(promise, now=NOW + timedelta(minutes=minute))
    new = NewItem.objects.get(item=item)
    assert (new.state, new.shown) == ("promised", 6)
    answered(other, item, times=4, until=NOW + timedelta(minutes=19), minutes=8)
    end = NOW + timedelta(minutes=20)
    keep_promise(promise, now=end)
    new.refresh_from_db()
    assert (new.state, new.shown, new.ended_at) == ("kept", 10, end)
    assert served_promises() == {}
    assert NewItemBudget.objects.get().share == 0


def test_a_promise_whose_days_are_over_is_late(promise: NewItemPromise, listed: Make, answered: Note) -> None:
    item, other = listed("new"), listed("old", days_ago=40)
    answered(other, times=140)
    keep_promise(promise, now=NOW)
    keep_promise(promise, now=NOW + 5 * DAY - timedelta(seconds=1))
    assert state_of(item) == NewItemState.PROMISED
    keep_promise(promise, now=NOW + 5 * DAY)
    assert state_of(item) == NewItemState.LATE


def test_what_the_ranking_has_shown_often_enough_needs_no_promise(
    promise: NewItemPromise, listed: Make, answered: Note
) -> None:
    shown, rare = listed("shown", days_ago=10), listed("rare", days_ago=10)
    answered(shown, times=10)
    answered(rare, times=9)
    answered(listed("old", days_ago=40), times=140)
    keep_promise(promise, now=NOW)
    assert (state_of(shown), state_of(rare)) == ("known", "promised")


def test_items_wait_until_they_can_be_shown_and_no_longer_than_they_are_new(
    promise: NewItemPromise, listed: Make, answered: Note
) -> None:
    listed("without", price=None)
    listed("empty", availability=Availability.OUT_OF_STOCK)
    listed("none-left", available_quantity=0)
    listed("soon", available_at=NOW + DAY)
    listed("gone", retired_at=NOW - DAY)
    item = listed("waiting", days_ago=19.5)
    keep_promise(promise, now=NOW)
    assert [new.item for new in NewItem.objects.all()] == [item]
    counts = {Lacking.SOLD_OUT: 2, Lacking.LATER: 1, Lacking.PRICE: 1}
    assert lacking(promise.placement, FORM, now=NOW) == counts
    Item.objects.filter(pk=item.pk).update(available_quantity=0)
    answered(listed("old", days_ago=40), times=140)
    keep_promise(promise, now=NOW + DAY / 4)
    assert state_of(item) == NewItemState.WAITING  # sold out: no promise of what cannot be shown
    keep_promise(promise, now=NOW + DAY)
    assert state_of(item) == NewItemState.MISSED


def test_pictures_are_asked_for_where_the_shop_wants_them(home: Placement, listed: Make) -> None:
    listed("bare")
    pictured = listed("pictured", image_url="https://cdn.example/a.png")
    promise = publish_promise(home, replace(FORM, needs_picture=True), note="x", by=None, now=NOW)
    keep_promise(promise, now=NOW)
    assert [new.item for new in NewItem.objects.all()] == [pictured]


def test_switched_off_it_gives_nothing_and_keeps_what_was_promised(
    promise: NewItemPromise, home: Placement, listed: Make, answered: Note
) -> None:
    first = listed("first")
    answered(listed("old", days_ago=40), times=140)
    keep_promise(promise, now=NOW)
    off = publish_promise(home, replace(FORM, gives=False), note="enough", by=None, now=NOW, based_on=1)
    listed("second")
    keep_promise(off, now=NOW + DAY)
    assert [(new.item, new.state) for new in NewItem.objects.all()] == [(first, "promised")]
    assert served_promises()[home.pk].items == (first.pk,)


def test_staff_put_first_take_out_and_let_in_again(promise: NewItemPromise, listed: Make, answered: Note) -> None:
    items = [listed(f"new-{number}", days_ago=9 - number) for number in range(4)]
    keep_promise(promise, now=NOW)
    last, second = (NewItem.objects.get(item=items[place]) for place in (3, 1))
    acts.put_first(last, first=True, by=None)
    answered(listed("old", days_ago=40), times=140)
    keep_promise(promise, now=NOW)
    assert [state_of(item) for item in items] == ["promised", "waiting", "waiting", "promised"]
    with pytest.raises(acts.NewItemMovedError):
        acts.put_first(last, first=False, by=None)
    acts.take_out(last, by=None, now=NOW)
    keep_promise(promise, now=NOW)
    assert state_of(items[1]) == NewItemState.PROMISED  # there is room again
    assert state_of(items[3]) == NewItemState.STOPPED
    acts.let_in(last, by=None)
    assert state_of(items[3]) == NewItemState.WAITING
    with pytest.raises(acts.NewItemMovedError):
        acts.let_in(second, by=None)


def test_clicks_stand_beside_what_others_got_in_the_same_slots(
    promise: NewItemPromise, listed: Make, answered: Note
) -> None:
    item, other = listed("new"), listed("old", days_ago=40)
    answered(other, times=140)
    keep_promise(promise, now=NOW)
    after = NOW + timedelta(hours=1)
    answered(other, item, times=4, until=after, minutes=30)
    seen = [f"r-{number}" for number in range(140, 144)]
    for number, key in enumerate(seen):
        SlateOutcome.objects.create(
            recommendation_id=key, placement="home", at=after, replay=False, listed=True,
            seen=[1, 2] if number < 3 else [1], clicked=[2] if number == 0 else [1], carted=[], bought=[], revenues=[],
            purchases=0,
        )  # fmt: skip
    PlacementDay.objects.create(
        day=NOW.date(), placement="home", replay=False, position=2, listed=200, seen=200, clicked=20, carted=0,
        bought=0, purchases=0, revenue=0, squares=0,
    )  # fmt: skip
    assert judge_new_items(now=after) == 1
    new = NewItem.objects.get(item=item)
    assert (new.clicks, new.expected) == (1, pytest.approx(0.3))
