"""The shop says so: until it is too old, for the person whom it means."""

import pytest

from recommendations.models import Campaign, ShopOccasion
from recommendations.store.push.triggers.look import Happening, TriggerLook
from recommendations.store.push.triggers.told import told_by_the_shop
from tests.push_acts import HOUR, MINUTE, NOW, at, person, product, set_aside, visitor
from tests.push_records import campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def told() -> Campaign:
    return campaign("The shop says so").campaign


def say(told: Campaign, who: int, *, key: str = "order-1", item: int | None = None, hours: float = 0) -> None:
    ShopOccasion.objects.create(campaign=told, customer_id=who, key=key, item_id=item, at=NOW - hours * HOUR)


def happenings(told: Campaign, look: TriggerLook) -> list[Happening]:
    return told_by_the_shop(look, campaign=told.pk)


def test_it_is_taken_up_for_two_days_and_stands(told: Campaign) -> None:
    ann, tea = person("ann"), product("tea")
    say(told, ann, item=tea)
    assert happenings(told, at(NOW - MINUTE)) == []
    expected = [Happening(ann, "order-1", tea, NOW)]
    assert happenings(told, at()) == happenings(told, at(NOW + 48 * HOUR)) == expected
    assert happenings(told, at(NOW + 48 * HOUR + MINUTE)) == []
    assert happenings(told, at(NOW + 14 * 24 * HOUR, people=[ann])) == expected


def test_it_may_be_too_old_earlier(told: Campaign) -> None:
    say(told, person("ann"), hours=24)
    assert happenings(told, at(since=NOW - 24 * HOUR))
    assert happenings(told, at(since=NOW - 24 * HOUR + MINUTE)) == []


def test_what_is_said_of_one_campaign_is_of_no_other(told: Campaign) -> None:
    say(campaign("Another").campaign, person("ann"))
    assert happenings(told, at()) == []


def test_a_visitor_counts_for_the_customer_they_are(told: Campaign) -> None:
    ann = person("ann")
    vic = visitor("vic", of=ann)
    say(told, vic, hours=2)
    say(told, ann, hours=1)  # the same again
    assert happenings(told, at()) == [Happening(ann, "order-1", None, NOW - 2 * HOUR)]
    assert happenings(told, at(people=[vic])) == happenings(told, at())
    assert happenings(told, at(people=[person("bo")])) == []


def test_who_is_set_aside_gets_nothing(told: Campaign) -> None:
    ann = person("ann")
    say(told, ann)
    set_aside(ann)
    assert happenings(told, at()) == []
