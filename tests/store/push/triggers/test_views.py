"""Looked at and not bought: an item twice, three of a category, and each only once."""

import pytest

from recommendations.models import Item
from recommendations.store.push.triggers.look import Happening, TriggerLook
from recommendations.store.push.triggers.views import looked_at
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


def looked(look: TriggerLook, *, views: int = 2) -> list[Happening]:
    return looked_at(look, views=views, hours=4, sellable=frozenset(Item.objects.values_list("pk", flat=True)))


def test_an_item_that_was_looked_at_twice() -> None:
    ann, tea = person("ann"), product("tea")
    view(ann, tea, hours=30)
    assert looked(at()) == []
    view(ann, tea, hours=4)
    assert looked(at(NOW - MINUTE)) == []
    assert looked(at()) == [Happening(ann, f"{tea}:2026-09-14", tea, NOW)]
    of_a_moment_later(looked, looked(at())[0])
    assert looked(at(NOW + 48 * HOUR))
    assert looked(at(NOW + 48 * HOUR + MINUTE)) == []


@pytest.mark.parametrize(("hours", "enough"), [((76, 40, 4), True), ((76.1, 40, 4), False), ((112, 76, 40, 4), True)])
def test_three_views_have_to_lie_within_72_hours(hours: tuple[float, ...], enough: bool) -> None:
    ann, tea = person("ann"), product("tea")
    for each in hours:
        view(ann, tea, hours=each)
    assert bool(looked(at(), views=3)) is enough


def test_who_looks_again_within_three_days_gives_no_new_occasion() -> None:
    ann, tea = person("ann"), product("tea")
    for hours in (200, 130, 70, 5):
        view(ann, tea, hours=hours)
    first = (NOW - 200 * HOUR).date()
    assert [each.key for each in looked(at())] == [f"{tea}:{first}"]


def test_who_looks_again_after_more_than_three_days_does() -> None:
    ann, tea = person("ann"), product("tea")
    for hours in (100, 99, 6, 5):
        view(ann, tea, hours=hours)
    keys = [f"{tea}:{(NOW - hours * HOUR).date()}" for hours in (6, 100)]
    assert [each.key for each in looked(at())] == keys[:1]
    assert [each.key for each in looked(at(people=[ann]))] == keys


def test_who_looks_every_other_day_for_a_month_is_not_reminded_any_more() -> None:
    ann, tea = person("ann"), product("tea")
    for day in range(17):
        view(ann, tea, hours=5 + 48 * day)
    assert looked(at()) == []


def test_of_several_items_the_one_looked_at_last() -> None:
    ann, tea, mug = person("ann"), product("tea"), product("mug")
    for item, hours in ((tea, 9), (mug, 8), (tea, 7), (mug, 6), (tea, 5.5)):
        view(ann, item, hours=hours)
    assert [each.item for each in looked(at())] == [tea]
    assert [each.item for each in looked(at(people=[ann]))] == [tea, mug]


def test_three_items_of_a_category() -> None:
    ann, bo = person("ann"), person("bo")
    cups = [product(f"cup {number}", category="Cups") for number in range(3)]
    category = Item.objects.get(pk=cups[0]).categories.get().pk
    for item, hours in zip(cups, (40, 30, 4), strict=True):
        view(ann, item, hours=hours)
    for item, hours in ((cups[0], 60), (cups[1], 30), (cups[1], 4)):  # one of them twice
        view(bo, item, hours=hours)
    of_ann = Happening(ann, f"c{category}:2026-09-13", cups[2], NOW)
    assert looked(at()) == [of_ann, Happening(bo, f"{cups[1]}:2026-09-14", cups[1], NOW)]
    assert looked(at(NOW - MINUTE)) == []
    of_a_moment_later(looked, of_ann)


def test_the_three_items_of_a_category_lie_within_72_hours_of_one_another() -> None:
    ann = person("ann")
    cups = [product(f"cup {number}", category="Cups") for number in range(3)]
    for item, hours in ((cups[0], 100), (cups[1], 50), (cups[2], 5)):
        view(ann, item, hours=hours)
    assert looked(at()) == []
    view(ann, cups[0], hours=60)  # now 60, 50 and 5 hours ago: the item itself was looked at twice, 40 hours apart
    assert looked(at(), views=3)


@pytest.mark.parametrize(
    ("looks", "several"),
    [
        (((0, 40), (1, 30), (0, 20), (1, 5)), False),  # two items by turns
        (((0, 40), (1, 30), (0, 20), (2, 5)), True),
        (((0, 140), (1, 100), (2, 60), (0, 5)), False),  # never three of them within 72 hours
        (((0, 140), (1, 75), (2, 60), (2, 58), (0, 5)), True),
    ],
)
def test_it_takes_three_different_items(looks: tuple[tuple[int, float], ...], several: bool) -> None:
    ann = person("ann")
    cups = [product(f"cup {number}", category="Cups") for number in range(3)]
    for place, hours in looks:
        view(ann, cups[place], hours=hours)
    assert bool(looked(at(), views=20)) is several


def test_an_item_of_it_that_was_looked_at_twice_comes_before_its_category() -> None:
    ann = person("ann")
    cups = [product(f"cup {number}", category="Cups") for number in range(3)]
    for item, hours in ((cups[0], 9), (cups[0], 8), (cups[1], 7), (cups[2], 6)):
        view(ann, item, hours=hours)
    assert [each.item for each in looked(at())] == [cups[0]]


def test_one_more_item_of_the_category_is_no_new_occasion() -> None:
    ann = person("ann")
    cups = [product(f"cup {number}", category="Cups") for number in range(4)]
    for place, item in enumerate(cups[:3]):
        view(ann, item, hours=30 - place)
    [before] = looked(at())
    view(ann, cups[3], hours=5)
    [after] = looked(at())
    assert (before.key, before.item) == (after.key, cups[2])
    assert after.item == cups[3]


def test_a_purchase_undoes_it_of_the_category_that_of_any_of_its_items() -> None:
    ann, bo, cy, tea = person("ann"), person("bo"), person("cy"), product("tea")
    cups = [product(f"cup {number}", category="Cups") for number in range(3)]
    buy(ann, tea, hours=40)  # before
    for who in (ann, bo):
        view(who, tea, hours=30)
        view(who, tea, hours=5)
    for item in cups:
        view(cy, item, hours=6)
    assert [each.customer for each in looked(at())] == [ann, bo, cy]
    buy(bo, tea, hours=1)
    buy(cy, cups[0], hours=1)
    assert [each.customer for each in looked(at())] == [ann]
    assert [each.customer for each in looked(at(people=[ann, bo, cy]))] == [ann]


def test_what_is_not_for_sale_is_not_recalled() -> None:
    ann, tea = person("ann"), product("tea")
    view(ann, tea, hours=6)
    view(ann, tea, hours=5)
    assert looked_at(at(), views=2, hours=4, sellable=frozenset()) == []


def test_a_visitor_counts_for_the_customer_they_are() -> None:
    ann, tea = person("ann"), product("tea")
    view(visitor("vic", of=ann), tea, hours=30)
    view(ann, tea, hours=5)
    assert [each.customer for each in looked(at())] == [ann]


def test_what_is_set_aside_counts_for_nobody() -> None:
    ann, bo, tea = person("ann"), person("bo"), product("tea")
    for hours in (6, 5):
        view(ann, tea, hours=hours)
    view(bo, tea, hours=6, key_id=key_set_aside())
    view(bo, tea, hours=5)
    set_aside(ann)
    assert looked(at()) == looked(at(people=[ann, bo])) == []
