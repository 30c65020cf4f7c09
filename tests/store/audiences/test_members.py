"""Who is in an audience, by every kind of condition; and what is written when somebody joins or leaves."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from pytest_django import DjangoCaptureOnCommitCallbacks

from recommendations.event_types import EventName
from recommendations.models import (
    ApiKey,
    Aside,
    Audience,
    AudienceMember,
    Category,
    Customer,
    CustomerAlias,
    Event,
    Quarantine,
    Segment,
)
from recommendations.store.audiences.members import Example, Place, count, gone, refresh
from recommendations.terms import QuarantineState, Trust
from tests.analytics.records import NOW, customer, event, item, like, profile, run, version
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db

type Asked = Mapping[str, Any]
DAY = timedelta(days=1)
BOUGHT_TEA: Asked = {
    "kind": "bought", "days": 30, "times": 1,
    "items": [{"attribute": "category", "operator": "is", "values": ["Tea"]}],
}  # fmt: skip


@pytest.fixture
def shop() -> dict[str, Customer]:
    """Ann buys tea often, Bob bought it long ago, Cleo looks at soap; Dan is only known."""
    people = {name: customer(name) for name in ("ann", "bob", "cleo", "dan")}
    tea = item("tea", category=Category.objects.create(path="Tea", name="Tea"))
    soap = item("soap", category=Category.objects.create(path="Soap", name="Soap"))
    for order, days in enumerate((20, 10, 2)):
        row = event(people["ann"], tea, days_ago=days)
        _change(row, transaction_id=f"a{order}", amount=10 * (order + 1))
    event(people["bob"], tea, days_ago=50)
    event(people["cleo"], soap, days_ago=5, name=EventName.VIEW_ITEM)
    event(people["cleo"], soap, days_ago=4, name=EventName.VIEW_ITEM)
    return people


def _change(row: Event, **fields: Any) -> None:
    Event.objects.filter(event_id=row.event_id).update(**fields)


def names(shop: Mapping[str, Customer], *conditions: Asked, none: Sequence[Asked] = ()) -> set[str]:
    """Who meets the conditions, as the members of an audience and as a count."""
    asked = {"all": list(conditions), "none": list(none)}
    audience = Audience.objects.create(name=f"a{Audience.objects.count()}", conditions=asked)
    assert refresh(audience.pk, now=NOW).size == count(asked, now=NOW).size
    keys = set(AudienceMember.objects.filter(audience=audience).values_list("customer", flat=True))
    assert keys <= {one.pk for one in shop.values()}
    return {name for name, one in shop.items() if one.pk in keys}


def spent(operator: str, amount: float, days: int = 30) -> Asked:
    return {"kind": "spent", "operator": operator, "amount": amount, "days": days}


def span(kind: str, first: int, last: int) -> Asked:
    return {"kind": kind, "from_days": first, "to_days": last}


def said(name: str, operator: str, *values: str) -> Asked:
    return {"kind": "property", "property": name, "operator": operator, "values": list(values)}


def test_what_somebody_did(shop: dict[str, Customer]) -> None:
    assert names(shop, BOUGHT_TEA) == {"ann"}
    assert names(shop, {**BOUGHT_TEA, "days": 60}) == {"ann", "bob"}
    assert names(shop, {**BOUGHT_TEA, "days": 60, "times": 3}) == {"ann"}
    assert names(shop, {**BOUGHT_TEA, "days": 60, "times": 4}) == set()
    assert names(shop, {"kind": "bought", "items": [], "days": 60, "times": 1}) == {"ann", "bob"}
    assert names(shop, {"kind": "viewed", "items": [], "days": 30, "times": 2}) == {"cleo"}
    assert names(shop, {**BOUGHT_TEA, "kind": "viewed"}) == set()


def test_an_order_counts_once_whatever_it_holds(shop: dict[str, Customer]) -> None:
    Event.objects.filter(customer=shop["ann"]).update(transaction_id="one")
    assert names(shop, {**BOUGHT_TEA, "times": 2}) == set()


def test_what_somebody_spent_less_what_came_back(shop: dict[str, Customer]) -> None:
    assert names(shop, spent("at_least", 60)) == {"ann"}
    assert names(shop, spent("at_least", 60.01)) == set()
    assert names(shop, spent("at_most", 2.5, days=60)) == {"bob", "cleo", "dan"}  # who bought nothing spent 0
    back = event(shop["ann"], None, days_ago=1, name=EventName.REFUND)
    _change(back, amount=5)
    assert names(shop, spent("at_least", 60)) == set()
    assert names(shop, spent("at_least", 55)) == {"ann"}


def test_when_somebody_bought_last_and_came_first(shop: dict[str, Customer]) -> None:
    assert names(shop, span("last_purchase", 0, 7)) == {"ann"}
    assert names(shop, span("last_purchase", 7, 60)) == {"bob"}  # Ann bought then, too, but not last
    Customer.objects.filter(pk=shop["dan"].pk).update(created_at=NOW - 3 * DAY)
    assert names(shop, span("customer_since", 0, 6)) == {"cleo", "dan"}
    assert names(shop, span("customer_since", 6, 60)) == {"ann", "bob"}


def test_interests_and_segments_are_those_of_the_live_version(shop: dict[str, Customer], tmp_path: Path) -> None:
    live, old = version(run()), version(run(), live=False)
    drinkers = Segment.objects.create(number=3, version=live)
    for name in ("ann", "bob", "dan"):
        profile(shop[name], weight=9, segment=drinkers if name == "ann" else None)
    interest = {"kind": "interest", "category": "Tea", "percent": 30}
    with artefact_folder(tmp_path):
        like(old, {shop["cleo"]: {"Tea": 0.9}})
        liked = {"ann": {"Tea": 0.5, "Soap": 0.1}, "bob": {"Tea": 0.2}, "dan": {"Tea > Green": 0.3}}
        like(live, {shop[name]: shares for name, shares in liked.items()})
        assert names(shop, interest) == {"ann", "dan"}
        assert names(shop, {**interest, "category": "Tea > Green"}) == {"dan"}
        assert names(shop, {"kind": "segment", "segments": [3]}) == {"ann"}
        assert names(shop, interest, none=[{"kind": "segment", "segments": [3]}]) == {"dan"}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (said("city", "is", "rome"), {"ann"}),
        (said("city", "is", "Rome", "Oslo"), {"ann", "bob"}),
        (said("city", "is_not", "Rome"), {"bob"}),  # of Cleo nothing is known
        (said("age", "at_least", "40"), {"bob"}),  # "old" is no number
        (said("age", "at_most", "39.5"), {"ann"}),
        (said("member", "is", "true"), {"cleo"}),
    ],
)
def test_what_the_shop_said(shop: dict[str, Customer], asked: Asked, expected: set[str]) -> None:
    told: dict[str, dict[str, Any]] = {
        "ann": {"city": "Rome", "age": 39}, "bob": {"city": "Oslo", "age": 40}, "cleo": {"member": True, "age": "old"},
    }  # fmt: skip
    for name, properties in told.items():
        Customer.objects.filter(pk=shop[name].pk).update(properties=properties)
    assert names(shop, asked) == expected


def test_conditions_hold_together_and_what_must_not_be_is_left_out(shop: dict[str, Customer]) -> None:
    assert names(shop, {**BOUGHT_TEA, "days": 60}, spent("at_least", 60)) == {"ann"}
    assert names(shop, none=[{**BOUGHT_TEA, "days": 60}]) == {"cleo", "dan"}
    assert names(shop, {**BOUGHT_TEA, "days": 60}, none=[span("last_purchase", 0, 7), spent("at_least", 1000)]) == {
        "bob"
    }


def test_a_merged_visitor_is_the_customer(shop: dict[str, Customer]) -> None:
    """The visitor's acts count for the customer, and the visitor is in no audience."""
    CustomerAlias.objects.create(anonymous=shop["ann"], customer=shop["dan"])
    assert names(shop, {**BOUGHT_TEA, "times": 3}) == {"dan"}
    assert names(shop, span("customer_since", 6, 60)) == {"bob", "dan"}
    assert names(shop, none=[spent("at_least", 1000)]) == {"bob", "cleo", "dan"}
    CustomerAlias.objects.update(undone_at=NOW)
    assert names(shop, {**BOUGHT_TEA, "times": 3}) == {"ann"}


def test_an_order_that_a_visitor_and_the_customer_told_counts_once(shop: dict[str, Customer]) -> None:
    CustomerAlias.objects.create(anonymous=shop["ann"], customer=shop["dan"])
    told = Event.objects.filter(customer=shop["ann"], name=EventName.PURCHASE).latest("occurred_at")
    again = event(shop["dan"], told.item, days_ago=1)
    _change(again, transaction_id=told.transaction_id)
    assert names(shop, {**BOUGHT_TEA, "times": 3}) == {"dan"}
    assert names(shop, {**BOUGHT_TEA, "times": 4}) == set()


def test_who_objects_or_is_set_aside_is_in_none(shop: dict[str, Customer]) -> None:
    Customer.objects.filter(pk=shop["ann"].pk).update(personalise=False)
    quarantine = Quarantine.objects.create(rule="staff")
    Aside.objects.create(quarantine=quarantine, customer=shop["bob"])
    assert names(shop, none=[spent("at_least", 1000)]) == {"cleo", "dan"}
    Quarantine.objects.update(state=QuarantineState.RESTORED)
    assert names(shop, {**BOUGHT_TEA, "days": 60}) == {"bob"}


def test_what_a_key_sent_that_is_set_aside_counts_for_nobody(shop: dict[str, Customer]) -> None:
    key = ApiKey.objects.create(name="leaked", prefix="p", digest=b"d", scopes=["events:write"])
    Event.objects.filter(customer=shop["ann"]).update(key_id=key.pk)
    Aside.objects.create(quarantine=Quarantine.objects.create(rule="staff"), key=key, since=NOW - 900 * DAY)
    assert names(shop, {**BOUGHT_TEA, "days": 60}) == {"bob"}
    assert names(shop, spent("at_least", 1, days=60)) == {"bob"}


def test_an_item_is_set_aside_for_those_who_are_not_confirmed(shop: dict[str, Customer]) -> None:
    soap = Event.objects.filter(customer=shop["cleo"]).values_list("item", flat=True)[0]
    Event.objects.filter(customer=shop["cleo"]).update(trust=Trust.PAGE)
    Aside.objects.create(quarantine=Quarantine.objects.create(rule="rush"), item_id=soap, since=NOW - 900 * DAY)
    viewed = {"kind": "viewed", "items": [], "days": 30, "times": 1}
    assert names(shop, viewed) == set()
    event(shop["cleo"], None, days_ago=1)  # a purchase by the word of the shop
    assert names(shop, viewed) == {"cleo"}


def test_purchases_that_nobody_confirmed_do_not_count(shop: dict[str, Customer], settings: LazySettings) -> None:
    Event.objects.filter(customer=shop["ann"]).update(trust=Trust.PAGE)
    assert names(shop, BOUGHT_TEA) == names(shop, spent("at_least", 1)) == set()
    settings.PURCHASES_FROM = Trust.PAGE
    assert names(shop, BOUGHT_TEA) == names(shop, spent("at_least", 60)) == {"ann"}


def test_a_purchase_told_twice_is_spent_once(shop: dict[str, Customer], settings: LazySettings) -> None:
    settings.PURCHASES_FROM = Trust.PAGE
    told = Event.objects.filter(customer=shop["ann"]).order_by("occurred_at")[0]
    again = event(shop["ann"], told.item, days_ago=19)
    _change(again, transaction_id=told.transaction_id, amount=10, trust=Trust.PAGE)
    assert names(shop, spent("at_least", 60)) == {"ann"}
    assert names(shop, spent("at_least", 61)) == set()


def test_examples_say_by_what_they_match(shop: dict[str, Customer]) -> None:
    asked = {"all": [BOUGHT_TEA, {**BOUGHT_TEA, "times": 2}, spent("at_least", 20)], "none": []}
    [example] = count(asked, now=NOW).examples
    assert example == Example(shop["ann"].pk, ((NOW - 2 * DAY).isoformat(), "3", "60.00"))


def test_an_audience_that_asks_for_what_is_gone_is_for_nobody(shop: dict[str, Customer]) -> None:
    """Its segment has no members and its category no items, so “none of them” would mean everybody."""
    live = version(run())
    segment = Segment.objects.create(number=7, name="Drinkers", version=live)
    of_segment: Asked = {"kind": "segment", "segments": [7]}
    unwanted: Asked = {"kind": "interest", "category": "Tea", "percent": 5}
    asked = {"all": [BOUGHT_TEA], "none": [of_segment, unwanted]}
    audience = Audience.objects.create(name="x", conditions=asked)
    assert refresh(audience.pk, now=NOW).size == 1
    Segment.objects.filter(pk=segment.pk).update(version=version(run(), live=False))
    Category.objects.filter(path="Tea").delete()
    assert [(one.place, one.name) for one in gone(asked)] == [
        (Place("all", 0), "Tea"), (Place("none", 0), "Drinkers"), (Place("none", 1), "Tea"),
    ]  # fmt: skip
    assert refresh(audience.pk, now=NOW).size == count(asked, now=NOW).size == 0
    assert not audience.members.exists()


def test_only_what_changed_is_written_and_announced(
    shop: dict[str, Customer], valkey: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    audience = Audience.objects.create(name="x", conditions={"all": [{**BOUGHT_TEA, "days": 60}], "none": []})
    marks = []
    for now in (NOW, NOW + DAY / 100, NOW + 20 * DAY):
        with django_capture_on_commit_callbacks(execute=True):
            refresh(audience.pk, now=now)
        marks.append(valkey.hget("live:changed", "audiences"))
        if now == NOW:
            first = AudienceMember.objects.get(customer=shop["ann"]).pk
    assert None is not marks[0] == marks[1] != marks[2]
    audience.refresh_from_db()
    assert (audience.size, audience.size_before, audience.generation) == (1, 2, 2)
    assert AudienceMember.objects.get(audience=audience).pk == first
