"""A placement's promise to new items: versions, what is refused, what it costs, and the way back."""

from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError

from recommendations.models import AuditEntry, NewItemPromise, Placement, PlacementDay
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.promises.publishing import (
    PromiseForm,
    StalePromiseError,
    price_of,
    promise_now,
    publish_promise,
    undo_promise,
)
from tests.services.promises.conftest import FORM, NOW

pytestmark = pytest.mark.django_db


def test_another_version_takes_the_place_of_the_first(home: Placement, promise: NewItemPromise) -> None:
    second = publish_promise(home, replace(FORM, impressions=50), note="more", by=None, now=NOW, based_on=1)
    assert (promise.number, second.number, promise_now(home)) == (1, 2, second)
    promise.refresh_from_db()
    assert (promise.is_default, promise.impressions) == (False, 10)
    assert [entry.note for entry in AuditEntry.objects.order_by("pk")] == ["to be seen", "more"]


def test_what_was_not_seen_is_not_overwritten(home: Placement, promise: NewItemPromise) -> None:
    with pytest.raises(StalePromiseError) as caught:
        publish_promise(home, FORM, note="mine", by=None, now=NOW)
    assert caught.value.current == promise
    with pytest.raises(NoteNeededError):
        publish_promise(home, FORM, note=" ", by=None, now=NOW, based_on=1)
    assert NewItemPromise.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("impressions", 0), ("days", 0), ("days", 61), ("highest_share", 0.0), ("highest_share", 0.51), ("new_days", 366)],
)
def test_the_impossible_is_refused_by_field(home: Placement, field: str, value: float) -> None:
    with pytest.raises(ValidationError) as caught:
        publish_promise(home, replace(FORM, **{field: value}), note="x", by=None, now=NOW)
    assert list(caught.value.message_dict) == [field]
    assert not NewItemPromise.objects.exists()


@pytest.mark.parametrize("name", ["buy_again", "search"])
def test_where_new_items_have_no_place_nothing_is_promised(name: str) -> None:
    placement = Placement.objects.get(name=name)
    with pytest.raises(ValidationError, match="new items have no place"):
        publish_promise(placement, FORM, note="x", by=None, now=NOW)


def test_undone_it_is_as_before_and_before_the_first_nothing_was_promised(
    home: Placement, promise: NewItemPromise
) -> None:
    second = publish_promise(home, replace(FORM, days=9), note="longer", by=None, now=NOW, based_on=1)
    third = undo_promise(second, by=None, now=NOW)
    assert (third.number, third.days, third.gives) == (3, 5, True)
    with pytest.raises(StalePromiseError):
        undo_promise(second, by=None, now=NOW)
    NewItemPromise.objects.exclude(pk=promise.pk).delete()
    NewItemPromise.objects.update(is_default=True)
    assert undo_promise(promise, by=None, now=NOW).gives is False


def test_the_price_is_the_share_of_clicks_that_the_last_slot_gets(home: Placement) -> None:
    for position, clicked in enumerate((50, 30, 15, 5, 0), start=1):
        PlacementDay.objects.create(
            day=NOW.date(), placement="home", replay=False, position=position, listed=1000,
            seen=1000 if position < 5 else 10, clicked=clicked, carted=0, bought=0, purchases=0, revenue=0, squares=0,
        )  # fmt: skip
    price = price_of(home, FORM, now=NOW)
    assert price
    assert (price.clicks, price.slot, price.share) == (100, 4, 0.05)
    assert price.low < 0.05 < price.high
    assert price.highest == pytest.approx(0.4 * 0.05)


def test_without_a_click_there_is_no_price(home: Placement) -> None:
    assert price_of(home, PromiseForm(), now=NOW) is None
