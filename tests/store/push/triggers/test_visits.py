"""Long not seen: three own gaps and so many days without a purchase, for thirty days at most."""

from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommendations.models import Item
from recommendations.store.push.triggers.look import Happening
from recommendations.store.push.triggers.visits import long_not_seen
from recommendations.terms import Trust
from tests.push_acts import (
    HOUR,
    MINUTE,
    NOW,
    at,
    buy,
    key_set_aside,
    of_a_moment_later,
    person,
    product,
    set_aside,
    view,
    visitor,
)

pytestmark = pytest.mark.django_db

silent = partial(long_not_seen, days=30)
DAY = 24 * HOUR


def tea() -> int:
    item = Item.objects.filter(shop_id="tea").first()
    return item.pk if item else product("tea")


def bought(who: int, *days: float, **fields: int) -> None:
    for each in days:
        buy(who, tea(), hours=24 * each, **fields)


def test_three_own_gaps_of_silence() -> None:
    ann = person("ann")
    bought(ann, 84, 72, 60)  # every 12 days: 36 days of silence, over for 24
    point = NOW - 24 * DAY
    told = Happening(ann, "2026-07-17", None, point)
    assert silent(at()) == [told]
    assert silent(at(point)) == []
    assert silent(at(point + MINUTE)) == [told]
    of_a_moment_later(silent, told)
    assert silent(at(point + 30 * DAY)) == [told]
    assert silent(at(point + 30 * DAY + MINUTE)) == []


def test_who_comes_often_is_missed_after_the_least_number_of_days() -> None:
    ann = person("ann")
    bought(ann, 33, 32, 31)
    assert silent(at(NOW - DAY)) == []
    assert silent(at(NOW - DAY + MINUTE)) == [Happening(ann, "2026-08-15", None, NOW - DAY)]
    assert long_not_seen(at(), days=31) == []


def test_three_days_with_a_purchase_have_to_be_known() -> None:
    bought(person("ann"), 60, 45)
    bought(person("bo"), 60, 60.1, 45)  # two of one day
    assert silent(at()) == []


def test_who_came_back_is_not_missed() -> None:
    ann = person("ann")
    bought(ann, 84, 72, 60)
    view(ann, tea(), hours=5)
    assert silent(at(people=[ann]))
    buy(ann, tea(), hours=1, trust=Trust.PAGE)  # by nobody's word
    assert silent(at(people=[ann]))
    buy(ann, tea(), hours=1)
    assert silent(at()) == silent(at(people=[ann])) == []


def test_a_visitor_counts_for_the_customer_they_are() -> None:
    ann = person("ann")
    vic = visitor("vic", of=ann)
    bought(ann, 84, 60)
    bought(vic, 72)
    assert [each.customer for each in silent(at())] == [ann]
    assert silent(at(people=[vic])) == silent(at())


def test_what_is_set_aside_counts_for_nobody() -> None:
    ann, bo = person("ann"), person("bo")
    bought(ann, 84, 72, 60)
    bought(bo, 84, 72)
    bought(bo, 60, key_id=key_set_aside())
    assert [each.customer for each in silent(at())] == [ann]
    set_aside(ann)
    assert silent(at()) == silent(at(people=[ann, bo])) == []


def test_many_people_cost_as_many_statements_as_one() -> None:
    for number in range(20):
        bought(person(f"u{number}"), 84, 72, 60)
    with CaptureQueriesContext(connection) as queries:
        assert len(silent(at())) == 20
    assert len(queries) == 1
