"""Cheaper now: against the price at the last look, once for an item in thirty days."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommendations.models import Campaign, Item, Message
from recommendations.push_terms import Channel, MessageState
from recommendations.store.push.triggers.look import Happening, TriggerLook
from recommendations.store.push.triggers.prices import price_drops
from tests.push_acts import (
    HOUR,
    MINUTE,
    NOW,
    at,
    buy,
    cart,
    key_set_aside,
    of_a_moment_later,
    person,
    price,
    product,
    set_aside,
    view,
    visitor,
)
from tests.push_records import campaign

pytestmark = pytest.mark.django_db


def dropped(look: TriggerLook, *, of: int = 0) -> list[Happening]:
    sellable = frozenset(Item.objects.values_list("pk", flat=True))
    return price_drops(look, percent=10, campaign=of, sellable=sellable)


@pytest.fixture
def tea() -> int:
    """An item that cost 20 for long, and costs 18 from now on."""
    item = product("tea")
    price(item, 20, hours=24 * 300)
    price(item, 18, hours=0)
    return item


def test_it_costs_less_than_when_they_looked(tea: int) -> None:
    ann = person("ann")
    view(ann, tea, hours=24 * 60)
    assert dropped(at(NOW - MINUTE)) == []
    [told] = dropped(at())
    assert told == Happening(ann, f"{tea}:2026-09-15T12:00:00+00:00", tea, NOW)
    of_a_moment_later(dropped, told)
    assert dropped(at(NOW + 48 * HOUR))
    assert dropped(at(NOW + 48 * HOUR + MINUTE)) == []


def test_a_look_of_more_than_sixty_days_ago_is_forgotten(tea: int) -> None:
    view(person("ann"), tea, hours=24 * 60 + 0.1)
    assert dropped(at()) == []


def test_the_sixty_days_end_with_each_change(tea: int) -> None:
    mug = product("mug")
    price(mug, 20, hours=24 * 300)
    price(mug, 10, hours=40)
    for item in (tea, mug):
        view(person("ann"), item, hours=24 * 60 + 20)
    assert [each.item for each in dropped(at())] == [mug]


def test_what_lies_in_the_cart_counts_as_looked_at(tea: int) -> None:
    cart(person("ann"), tea, hours=5)
    assert dropped(at())


def test_who_has_looked_at_it_since_knows_the_price(tea: int) -> None:
    ann = person("ann")
    view(ann, tea, hours=50)
    view(ann, tea, hours=-1)
    assert dropped(at(NOW + 2 * HOUR)) == []
    assert dropped(at(NOW + 2 * HOUR, people=[ann]))  # whom a message is on its way to gets it


@pytest.mark.parametrize(
    ("before", "after", "fell"),
    [
        (20, 18, True),
        (20, 18.01, False),
        (10, 9, True),
        (5, 4.01, False),
        (5, 4, True),
        (10, 10, False),
        (9, 10, False),
    ],
)
def test_it_fell_by_ten_per_cent_and_by_one(before: float, after: float, fell: bool) -> None:
    mug = product("mug")
    price(mug, before, hours=24 * 300)
    price(mug, after, hours=1)
    view(person("ann"), mug, hours=30)
    assert bool(dropped(at())) is fell


def test_several_small_steps_are_a_fall_from_the_price_that_was_seen() -> None:
    ann, bo, mug = person("ann"), person("bo"), product("mug")
    for amount, hours in ((20, 24 * 300), (19, 40), (17.9, 2)):
        price(mug, amount, hours=hours)
    view(ann, mug, hours=50)
    view(bo, mug, hours=30)  # at 19
    assert [each.customer for each in dropped(at())] == [ann]


def test_it_is_undone_when_the_price_goes_up_again_and_not_when_it_falls_on() -> None:
    ann, mug = person("ann"), product("mug")
    view(ann, mug, hours=30)
    price(mug, 20, hours=24 * 300)
    price(mug, 15, hours=20)
    [told] = dropped(at())
    price(mug, 14, hours=10)
    assert told in dropped(at(people=[ann]))
    price(mug, 19, hours=5)
    assert dropped(at()) == dropped(at(people=[ann])) == []


def test_it_is_undone_by_a_purchase(tea: int) -> None:
    ann = person("ann")
    view(ann, tea, hours=30)
    buy(ann, tea, hours=29)
    assert dropped(at()) == dropped(at(people=[ann])) == []


def message(who: int, item: int, *, days: float, **fields: Any) -> Campaign:
    occurrence = campaign(f"Cheaper {Campaign.objects.count()}")
    due = NOW - timedelta(days=days)
    values = {
        "campaign": occurrence.campaign, "version": occurrence.version, "occurrence": occurrence, "key": "1",
        "customer_id": who, "channel": Channel.EMAIL, "state": MessageState.TAKEN, "due_at": due,
        "expires_at": due + timedelta(days=1), "trigger_item": item,
    }  # fmt: skip
    Message.objects.create(**values | fields)
    return occurrence.campaign


@pytest.mark.parametrize(
    ("days", "fields", "fires"),
    [
        (29.9, {}, False), (30.1, {}, True), (5, {"state": MessageState.WITHDRAWN}, True),
        (5, {"state": MessageState.HELD}, False), (-1, {"state": MessageState.DUE}, False),
        (5, {"trigger_item": 999_999}, True),
    ],
)  # fmt: skip
def test_once_for_an_item_in_thirty_days(tea: int, days: float, fields: dict[str, Any], fires: bool) -> None:
    ann = person("ann")
    view(ann, tea, hours=30)
    of = message(ann, tea, days=days, **fields)
    assert bool(dropped(at(), of=of.pk)) is fires
    assert dropped(at(), of=of.pk + 1)  # another campaign's


def test_its_own_message_is_in_nobodys_way(tea: int) -> None:
    ann = person("ann")
    view(ann, tea, hours=30)
    [told] = dropped(at())
    of = message(ann, tea, days=0, key=told.key)
    assert dropped(at(), of=of.pk) == [told]


def test_a_visitor_counts_for_the_customer_they_are(tea: int) -> None:
    ann = person("ann")
    vic = visitor("vic", of=ann)
    view(vic, tea, hours=30)
    assert [each.customer for each in dropped(at())] == [ann]
    assert dropped(at(people=[vic])) == dropped(at())
    of = message(vic, tea, days=3)  # sent before they signed in
    assert dropped(at(), of=of.pk) == []


def test_what_is_set_aside_counts_for_nobody(tea: int) -> None:
    ann, bo = person("ann"), person("bo")
    view(ann, tea, hours=30)
    view(bo, tea, hours=30, key_id=key_set_aside())
    set_aside(ann)
    assert dropped(at()) == dropped(at(people=[ann, bo])) == []


def test_statements_do_not_grow_with_people_and_none_reads_events_where_no_price_fell(tea: int) -> None:
    for number in range(20):
        view(person(f"u{number}"), tea, hours=30)
    sellable = frozenset([tea])
    with CaptureQueriesContext(connection) as queries:
        assert len(price_drops(at(), percent=10, campaign=0, sellable=sellable)) == 20
    assert len(queries) == 3
    with CaptureQueriesContext(connection) as queries:
        assert price_drops(at(NOW - HOUR), percent=10, campaign=0, sellable=sellable) == []
    assert len(queries) == 1
