"""Events and items as the engine sees them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from recommendations.event_types import EventName
from recommendations.models import Category, Customer, CustomerAlias, Event, Item
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.models.training_data import (
    arrivals,
    item_attributes,
    link_frame,
    newest_event,
    unknown_follows,
)
from recommendations.terms import Trust
from tests.event_frames import event_frame

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def months() -> None:
    prepare_partitions(NOW - timedelta(days=40), NOW)


def customer(name: str, **fields: Any) -> Customer:
    return Customer.objects.create(pseudonym=pseudonym(name), **fields)


def event(who: Customer | None, item: Item | None, *, days: float = 1, **fields: Any) -> Event:
    values = {"name": "view_item", "event_id": uuid.uuid4(), **fields}
    return Event.objects.create(customer=who, item=item, occurred_at=NOW - timedelta(days=days), **values)


def test_the_event_frame_has_a_row_per_line_with_baskets_and_unknowns() -> None:
    anna, tea = customer("anna"), Item.objects.create(shop_id="tea", title="Tea")
    event(anna, tea, days=3, name="purchase", transaction_id="t1", quantity=2, price="1.50", amount="3.00")
    event(anna, tea, days=2, session_id="s1")
    event(anna, None, days=1, name="search")
    event(anna, tea, days=1 / 2, name="rate_item", rating=4, rating_scale=5)
    frame = event_frame(until=NOW)
    assert frame["user"].tolist() == [anna.pk] * 4
    assert frame["item"].tolist() == [tea.pk, tea.pk, -1, tea.pk]
    assert frame["name"].tolist() == ["purchase", "view_item", "search", "rate_item"]
    assert frame["quantity"].tolist()[0] == 2
    assert frame["amount"].tolist()[0] == 3
    assert np.isnan(frame["price"][1])
    assert frame["rating"].tolist()[3] == pytest.approx(0.8)
    baskets = frame["basket"].tolist()
    assert baskets[0] > 0
    assert baskets[1] > 0
    assert baskets[0] != baskets[1]
    assert baskets[2] == -1
    newest = NOW - timedelta(days=1 / 2)
    assert frame["at"].tolist()[3] == pytest.approx(newest.timestamp() / 86_400, abs=1e-9)
    assert newest_event(until=NOW) == newest
    assert len(event_frame(until=NOW - timedelta(days=2))) == 1  # before, not at


def test_a_transaction_and_a_session_of_the_same_name_are_two_baskets() -> None:
    anna, tea = customer("anna"), Item.objects.create(shop_id="tea", title="Tea")
    event(anna, tea, days=2, name="purchase", transaction_id="7", quantity=1)
    event(anna, tea, days=1, session_id="7")
    assert event_frame(until=NOW)["basket"].nunique() == 2


def test_only_purchases_of_the_replay_are_learned_from() -> None:
    anna, tea = customer("anna"), Item.objects.create(shop_id="tea", title="Tea")
    for days, name in enumerate(EventName, start=1):
        event(anna, tea, days=days, name=name, source="replay", transaction_id="t1")
    assert event_frame(until=NOW)["name"].tolist() == ["purchase"]


def test_merged_keys_are_resolved_and_objections_and_the_replay_left_out() -> None:
    tea = Item.objects.create(shop_id="tea", title="Tea")
    anna, device, carl = customer("anna"), customer("device", kind="anonymous"), customer("carl", personalise=False)
    alias = CustomerAlias.objects.create(anonymous=device, customer=anna, source="test")
    event(device, tea, days=3)
    event(carl, tea, days=2)
    event(None, tea, days=2)
    event(anna, tea, days=1, source="replay")
    assert event_frame(until=NOW)["user"].tolist() == [anna.pk, -1]
    alias.undone_at = NOW
    alias.save()
    assert event_frame(until=NOW)["user"].tolist() == [device.pk, -1]


def test_no_events_are_an_empty_frame_of_the_same_columns() -> None:
    frame = event_frame(until=NOW)
    assert len(frame) == 0
    assert frame.columns.tolist() == [
        "user",
        "item",
        "name",
        "at",
        "basket",
        "quantity",
        "price",
        "amount",
        "rating",
        "trust",
        "day",
    ]
    assert newest_event(until=NOW) is None
    assert arrivals(since=None, until=NOW) == {"events": 0, "customers": 0, "new": 0}


def test_item_attributes_have_memberships_terms_and_ids_of_the_columns() -> None:
    tea, wine = (Category.objects.create(path=f"DRINKS > {name}", name=name) for name in ("TEA", "WINE"))
    green = Item.objects.create(shop_id="green", title='Green, "fine"\ntea', brand="Kan", price="2.50")
    both = Item.objects.create(shop_id="both", title="Tea wine", brand="Kan")
    bare = Item.objects.create(shop_id="bare", title="Something")
    green.categories.add(tea)
    both.categories.add(tea, wine)
    attributes, columns = item_attributes()
    assert attributes.ids.tolist() == [green.pk, both.pk, bare.pk]
    assert columns.ids.tolist() == sorted([tea.pk, wine.pk])
    assert attributes.categories.toarray().tolist() == [[1, 0], [0.5, 0.5], [0, 0]]
    assert attributes.price[0] == 2.5
    assert np.isnan(attributes.price[1])
    # Terms of at least two items: brand:Kan, category:DRINKS (twice in both), category:DRINKS > TEA, word:tea.
    assert attributes.terms.toarray().tolist() == [[1, 1, 1, 1], [1, 2, 1, 1], [0, 0, 0, 0]]


def test_departments_are_the_first_level_of_the_paths() -> None:
    for path in ("DRINKS > TEA", "DRINKS > WINE", "FOOD", "FOOD > BREAD > RYE"):
        Category.objects.create(path=path, name=path)
    departments = item_attributes()[0].departments
    assert departments is not None
    assert departments.tolist() == [0, 0, 1, 1]


def follows(who: Customer, whom: str, *, days: float, **fields: Any) -> None:
    values = {"name": "follow", "target_type": "customer", "target_id": pseudonym(whom).hex()} | fields
    event(who, None, days=days, **values)


def test_links_are_what_people_said_of_people_who_are_known() -> None:
    anna, bert, carl = customer("anna"), customer("bert"), customer("carl", personalise=False)
    device = customer("device", kind="anonymous")
    CustomerAlias.objects.create(anonymous=device, customer=bert, source="test")
    follows(anna, "bert", days=3)
    follows(device, "anna", days=2)
    follows(anna, "bert", days=1, name="unfollow")
    follows(anna, "carl", days=1)  # who objects is lent to nobody
    follows(carl, "anna", days=1)  # and lent nothing
    follows(anna, "dora", days=1)  # of whom nothing is known
    follows(anna, "bert", days=0.5, trust=Trust.PAGE)  # anybody could have said so
    follows(bert, "anna", days=1.5, trust=Trust.PROVEN)
    follows(anna, "x", days=1, target_type="brand", target_id="ACME")
    follows(anna, "x", days=1, target_id="no hash")
    frame = link_frame(until=NOW)
    rows = list(frame[["follower", "followed", "follows"]].itertuples(index=False, name=None))
    assert rows == [
        (anna.pk, bert.pk, True),
        (bert.pk, anna.pk, True),
        (bert.pk, anna.pk, True),
        (anna.pk, bert.pk, False),
    ]
    assert frame["at"].is_monotonic_increasing
    assert len(link_frame(until=NOW - timedelta(days=2.5))) == 1


def test_follows_of_what_nobody_knows_are_counted_by_kind() -> None:
    anna, bert = customer("anna"), customer("bert")
    Item.objects.create(shop_id="tea", title="Tea", brand="Acme")
    Category.objects.create(path="FOOD > TEA", name="Tea")
    said = [
        ("customer", pseudonym("bert").hex()), ("customer", pseudonym("nobody").hex()), ("customer", "no pseudonym"),
        ("brand", "Acme"), ("brand", "acme"), ("category", "FOOD > TEA"), ("category", "TEA"), ("category", "FOOD"),
    ]  # fmt: skip
    for kind, target in said:
        event(anna, None, name="follow", target_type=kind, target_id=target, days=2)
    event(bert, None, name="unfollow", target_type="brand", target_id="gone", days=2)
    assert unknown_follows(until=NOW) == {"customer": 2, "brand": 1, "category": 2, "creator": 0, "collection": 0}
    assert set(unknown_follows(until=NOW - timedelta(days=3)).values()) == {0}


def test_without_a_link_the_frame_has_its_columns() -> None:
    frame = link_frame(until=NOW)
    assert (len(frame), frame.columns.tolist()) == (0, ["follower", "followed", "at", "follows"])
