"""Left in the cart: from the hour on, by the last thing that is still in it, until it is bought or taken out."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommendations.event_types import EventName
from recommendations.store.push.triggers.carts import carts_left
from recommendations.store.push.triggers.look import Happening
from recommendations.terms import Trust
from tests.push_acts import (
    HOUR,
    MINUTE,
    NOW,
    act,
    at,
    buy,
    cart,
    key_set_aside,
    of_a_moment_later,
    person,
    product,
    set_aside,
    uncart,
    visitor,
)

pytestmark = pytest.mark.django_db

left = partial(carts_left, hours=4)


def test_a_cart_is_left_after_so_many_hours_and_not_a_minute_earlier() -> None:
    ann, tea = person("ann"), product("tea")
    key = cart(ann, tea, hours=4)
    assert left(at(NOW - MINUTE)) == []
    assert left(at()) == [Happening(ann, key, tea, NOW)]
    of_a_moment_later(left, left(at())[0])


def test_nobody_is_reminded_after_two_days_more() -> None:
    cart(person("ann"), product("tea"), hours=4)
    assert left(at(NOW + 48 * HOUR))
    assert left(at(NOW + 48 * HOUR + MINUTE)) == []


def test_a_look_may_begin_where_the_last_one_ended() -> None:
    cart(person("ann"), product("tea"), hours=6)
    assert left(at(since=NOW - 3 * HOUR))
    assert left(at(since=NOW - 1 * HOUR)) == []


def test_the_item_is_the_last_one_that_is_still_in_it_and_the_key_the_first_event() -> None:
    ann, tea, mug, jam = person("ann"), product("tea"), product("mug"), product("jam")
    cart(ann, jam, hours=9)
    buy(ann, jam, hours=8)
    first = cart(ann, tea, hours=7)
    cart(ann, mug, hours=5)
    assert left(at()) == [Happening(ann, first, mug, NOW - HOUR)]
    uncart(ann, mug, hours=4.5)
    assert left(at()) == [Happening(ann, first, tea, NOW - HOUR)]


@pytest.mark.parametrize(("taken", "inside"), [(1, True), (2, False), (None, False)])
def test_a_number_is_taken_off_and_without_one_all_is_out(taken: int | None, inside: bool) -> None:
    ann, tea = person("ann"), product("tea")
    cart(ann, tea, hours=6, quantity=2)
    uncart(ann, tea, hours=5, quantity=taken)
    assert bool(left(at())) is inside


def test_what_is_put_in_again_is_in() -> None:
    ann, tea = person("ann"), product("tea")
    first = cart(ann, tea, hours=7)
    uncart(ann, tea, hours=6, quantity=3)
    cart(ann, tea, hours=5)
    assert left(at()) == [Happening(ann, first, tea, NOW - HOUR)]


def test_it_is_undone_by_a_purchase_or_by_an_empty_cart_and_not_by_one_thing_more() -> None:
    ann, bo, cy, tea, mug = person("ann"), person("bo"), person("cy"), product("tea"), product("mug")
    keys = {who: cart(who, tea, hours=5) for who in (ann, bo, cy)}
    later = partial(at, people=[ann, bo, cy])
    assert {(each.customer, each.key) for each in left(later())} == set(keys.items())
    buy(ann, mug, hours=1)
    uncart(bo, tea, hours=1)
    cart(cy, mug, hours=1)
    assert [(each.customer, each.key) for each in left(later())] == [(cy, keys[cy])]
    assert left(at()) == []  # cy was here an hour ago


def test_a_purchase_that_is_not_believed_ends_no_cart() -> None:
    ann, tea = person("ann"), product("tea")
    cart(ann, tea, hours=5)
    buy(ann, tea, hours=1, trust=Trust.PAGE)
    assert left(at())


def test_what_the_replay_makes_up_is_no_cart() -> None:
    cart(person("ann"), product("tea"), hours=5, source="replay")
    assert left(at()) == []


def test_a_visitor_counts_for_the_customer_they_are() -> None:
    ann, tea = person("ann"), product("tea")
    vic = visitor("vic", of=ann)
    key = cart(vic, tea, hours=5)
    assert left(at()) == [Happening(ann, key, tea, NOW - HOUR)]
    assert left(at(people=[vic])) == left(at(people=[ann])) == left(at())
    buy(ann, tea, hours=1)
    assert left(at()) == left(at(people=[vic])) == []


def test_a_visitor_who_is_nobody_cannot_be_written_to() -> None:
    cart(visitor("vic"), product("tea"), hours=5)
    assert left(at()) == []


def test_what_is_set_aside_counts_for_nobody() -> None:
    ann, bo, tea = person("ann"), person("bo"), product("tea")
    cart(ann, tea, hours=5)
    cart(bo, tea, hours=5, key_id=key_set_aside())
    set_aside(ann)
    assert left(at()) == left(at(people=[ann, bo])) == []


def test_a_cart_of_long_ago_begins_within_the_year() -> None:
    ann, tea = person("ann"), product("tea")
    cart(ann, tea, hours=366 * 24)
    key = cart(ann, tea, hours=5)
    assert left(at())[0].key == key


def test_many_people_cost_as_many_statements_as_one() -> None:
    tea = product("tea")
    for number in range(20):
        act(EventName.ADD_TO_CART, person(f"u{number}"), tea, hours=5)
    with CaptureQueriesContext(connection) as queries:
        assert len(left(at())) == 20
    assert len(queries) == 1
    assert left(at(NOW + timedelta(days=90))) == []
