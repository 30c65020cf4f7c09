"""Back in stock: absences are written down as they begin and end, and who asked is told."""

from datetime import datetime

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommendations.models import Item, ItemAbsence
from recommendations.store.push.absences import follow_stock
from recommendations.store.push.triggers.look import Happening, TriggerLook
from recommendations.store.push.triggers.returns import back_in_stock
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
    wish,
)

pytestmark = pytest.mark.django_db


def back(look: TriggerLook) -> list[Happening]:
    return back_in_stock(look, sellable=frozenset(Item.objects.values_list("pk", flat=True)))


def stock(*items: int, sellable: str, hours: float) -> tuple[int, int]:
    """A look at the stock; ``sellable`` has a 1 for each item that is for sale."""
    mask = np.array([each == "1" for each in sellable])
    return follow_stock(np.array(items, np.int64), sellable=mask, now=NOW - hours * HOUR)


def away(item: int, *, since: float, until: float | None = None) -> None:
    ended = None if until is None else NOW - until * HOUR
    ItemAbsence.objects.create(item_id=item, since=NOW - since * HOUR, until=ended)


def absences() -> list[tuple[int, datetime, datetime | None]]:
    return list(ItemAbsence.objects.order_by("since", "item").values_list("item", "since", "until"))


class TestAbsences:
    def test_only_what_changed_is_written(self) -> None:
        tea, mug = product("tea"), product("mug")
        looks = [stock(tea, mug, sellable=each, hours=9 - place) for place, each in enumerate(("11", "01", "01", "10"))]
        assert looks == [(0, 0), (1, 0), (0, 0), (1, 1)]
        assert absences() == [
            (tea, NOW - 8 * HOUR, NOW - 6 * HOUR),
            (mug, NOW - 6 * HOUR, None),
        ]

    def test_nothing_is_written_where_nothing_changed(self) -> None:
        tea, mug = product("tea"), product("mug")
        stock(tea, mug, sellable="01", hours=2)
        with CaptureQueriesContext(connection) as queries:
            stock(tea, mug, sellable="01", hours=1)
        assert [query["sql"].split()[0] for query in queries if "item" in query["sql"]] == ["SELECT"]

    def test_an_item_that_is_gone_from_the_record_is_left_out(self) -> None:
        assert stock(999_999, sellable="0", hours=1) == (0, 0)


def test_who_wished_for_it_is_told_as_soon_as_it_is_back() -> None:
    ann, bo, tea = person("ann"), person("bo"), product("tea")
    wish(ann, tea, hours=24 * 30)
    view(bo, tea, hours=24 * 30)  # before it was away
    stock(tea, sellable="0", hours=24 * 20)
    assert back(at()) == []
    stock(tea, sellable="1", hours=0)
    [told] = back(at())
    assert told == Happening(ann, f"{tea}:2026-09-15T12:00:00+00:00", tea, NOW)
    assert back(at(NOW - MINUTE)) == []
    of_a_moment_later(back, told)
    assert back(at(NOW + 48 * HOUR))
    assert back(at(NOW + 48 * HOUR + MINUTE)) == []


def test_who_looked_at_it_while_it_was_away_is_told() -> None:
    ann, bo, tea = person("ann"), person("bo"), product("tea")
    away(tea, since=10, until=2)
    view(ann, tea, hours=5)
    view(bo, tea, hours=1)  # it was back already
    assert [each.customer for each in back(at())] == [ann]


def test_a_wish_after_the_return_is_none() -> None:
    ann, tea, mug = person("ann"), product("tea"), product("mug")
    away(tea, since=30, until=20)
    away(mug, since=30, until=2)
    for item in (tea, mug):
        wish(ann, item, hours=10)
    assert [each.item for each in back(at())] == [mug]


def test_a_wish_of_long_ago_is_forgotten() -> None:
    ann, tea = person("ann"), product("tea")
    away(tea, since=10, until=2)
    wish(ann, tea, hours=24 * 91)
    assert back(at()) == []


def test_it_is_undone_when_it_is_sold_out_again() -> None:
    ann, tea = person("ann"), product("tea")
    wish(ann, tea, hours=20)
    away(tea, since=10, until=2)
    assert back(at(people=[ann]))
    away(tea, since=1)
    assert back(at()) == back(at(people=[ann])) == []


def test_it_is_undone_by_a_purchase_of_the_item_alone() -> None:
    ann, bo, tea, mug = person("ann"), person("bo"), product("tea"), product("mug")
    for who in (ann, bo):
        wish(who, tea, hours=20)
    away(tea, since=10, until=2)
    buy(ann, tea, hours=1)
    buy(bo, mug, hours=1)
    assert [each.customer for each in back(at())] == [bo]
    assert [each.customer for each in back(at(people=[ann, bo]))] == [bo]


def test_of_two_returns_the_last_one_is_told() -> None:
    ann, tea = person("ann"), product("tea")
    wish(ann, tea, hours=40)
    away(tea, since=30, until=20)
    away(tea, since=10, until=2)
    assert [each.at for each in back(at())] == [NOW - 2 * HOUR]
    assert [each.at for each in back(at(people=[ann]))] == [NOW - 20 * HOUR, NOW - 2 * HOUR]


def test_a_visitor_counts_for_the_customer_they_are() -> None:
    ann, tea = person("ann"), product("tea")
    vic = visitor("vic", of=ann)
    wish(vic, tea, hours=20)
    away(tea, since=10, until=2)
    assert [each.customer for each in back(at())] == [ann]
    assert back(at(people=[vic])) == back(at())
    buy(ann, tea, hours=1)
    assert back(at()) == []


def test_what_is_set_aside_counts_for_nobody() -> None:
    ann, bo, tea = person("ann"), person("bo"), product("tea")
    wish(ann, tea, hours=20)
    wish(bo, tea, hours=20, key_id=key_set_aside())
    away(tea, since=10, until=2)
    set_aside(ann)
    assert back(at()) == back(at(people=[ann, bo])) == []


def test_no_events_are_read_where_nothing_came_back() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert back(at()) == []
    assert not any("recommendations_event" in query["sql"] for query in queries)


def test_what_is_not_for_sale_is_not_told() -> None:
    ann, tea = person("ann"), product("tea")
    wish(ann, tea, hours=20)
    away(tea, since=10, until=2)
    assert back_in_stock(at(), sellable=frozenset()) == []
