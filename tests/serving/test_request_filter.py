"""The filter of a request, and of a boost: what it leaves, what it is looked up for, and where it is never left out."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.models import Category, Item
from recommendations.serving.request_filter import matching_items
from recommendations.serving.serve import looks_up, serve
from recommendations.serving.types import Filter, Request
from recommendations.store.live import fetch
from recommendations.store.rules.conditions import matching
from recommendations.store.serving.rule_matching import MOST_TRIED, OutOfReachError
from recommendations.store.serving.snapshot_holder import current_snapshot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

RED, BLUE, BOTH = {"colour": "red", "size": ["M", "L"]}, {"colour": "blue", "size": "M"}, {"colour": ["red", "blue"]}
SAID: dict[str, tuple[list[str], dict[str, Any]]] = {
    "tea-0": (["organic"], RED),
    "tea-1": (["organic", "sale"], BLUE),
    "tea-2": (["sale"], BOTH),
    "tea-3": ([], {"shelf": 42, "vegan": True}),
    "tea-4": ([], {"shelf": "42", "vegan": "true"}),
}


@pytest.fixture(autouse=True)
def _said(_empty_valkey: None) -> None:
    for shop_id, (tags, attributes) in SAID.items():
        Item.objects.filter(shop_id=shop_id).update(tags=tags, attributes=attributes, updated_at=timezone.now())
    fetch.announce(*fetch.Changed)


def left(**wanted: Any) -> set[str]:
    snapshot = current_snapshot()
    mask = matching_items(Filter(**wanted), snapshot)
    return {product.shop_id for product, met in zip(snapshot.stock.products, mask.tolist(), strict=True) if met}


def every() -> set[str]:
    return set(Item.objects.values_list("shop_id", flat=True))


def test_tags_and_attributes_are_those_of_the_shop() -> None:
    assert left(tags=("organic",)) == {"tea-0", "tea-1"}
    assert left(tags=("sale", "organic")) == {"tea-0", "tea-1", "tea-2"}
    assert left(tags=("organic",), not_tags=("sale",)) == {"tea-0"}
    assert left(not_tags=("sale", "unheard of")) == every() - {"tea-1", "tea-2"}
    assert left(attributes=(("colour", ("red",)),)) == {"tea-0", "tea-2"}
    assert left(attributes=(("colour", ("red", "blue")), ("size", ("M",)))) == {"tea-0", "tea-1"}
    assert left(attributes=(("shelf", ("42",)),)) == {"tea-3", "tea-4"}  # a number is what it is written as
    assert left(attributes=(("vegan", ("true",)),)) == {"tea-3", "tea-4"}
    assert left(tags=("organic",), attributes=(("colour", ("blue",)),), brands=("Brand 1",)) == {"tea-1"}


def test_what_the_catalogue_does_not_have_matches_nothing_and_is_no_error() -> None:
    for wanted in (
        {"tags": ("unheard of",)}, {"tags": ()}, {"tags": ("\0",)}, {"attributes": (("nothing", ("such",)),)},
        {"attributes": (("colour", ()),)}, {"attributes": (("\0", ("red",)),)}, {"items": ()}, {"items": ("gone",)},
    ):  # fmt: skip
        assert left(**wanted) == set(), wanted
    assert left(not_tags=("unheard of", "\0"), not_brands=("Nobody",), not_categories=("NOWHERE",)) == every()


def test_lists_of_items_brands_and_categories_allow_and_bar() -> None:
    assert left(items=("tea-1", "gone", "soap-2")) == {"tea-1", "soap-2"}
    assert left(items=("tea-1", "tea-2"), not_brands=("Brand 1",)) == {"tea-2"}
    assert left(not_brands=("Brand 0", "Brand 1")) == set(
        Item.objects.filter(brand="Brand 2").values_list("shop_id", flat=True)
    )
    assert left(not_categories=("FOOD > TEA",)) == {name for name in every() if not name.startswith("tea-")}
    assert left(not_categories=("FOOD",)) == set()


def test_of_an_attribute_called_as_one_of_ours_it_is_the_shops() -> None:
    Item.objects.filter(shop_id="tea-5").update(attributes={"margin": "0.4"}, cost=1, updated_at=timezone.now())
    fetch.announce(fetch.Changed.CATALOGUE)
    assert left(attributes=(("margin", ("0.4",)),)) == {"tea-5"}
    assert left(attributes=(("price", ("1",)),)) == set()


values = st.sampled_from(["red", "blue", "M", "L", "42", "true", "x"])
keys = st.sampled_from(["colour", "size", "shelf", "vegan", "y"])


@settings(max_examples=40, deadline=None)
@given(
    tags=st.none() | st.lists(st.sampled_from(["organic", "sale", "z"]), min_size=1, max_size=3).map(tuple),
    attributes=st.dictionaries(keys, st.lists(values, min_size=1, max_size=3).map(tuple), max_size=3),
)
def test_it_is_what_the_conditions_of_rules_match(
    tags: tuple[str, ...] | None, attributes: dict[str, tuple[str, ...]]
) -> None:
    conditions = [
        {"attribute": f"attributes.{key}", "operator": "is", "values": list(own)} for key, own in attributes.items()
    ]
    if tags:
        conditions.append({"attribute": "tag", "operator": "is", "values": list(tags)})
    wanted = set(matching(conditions).values_list("shop_id", flat=True))
    assert left(tags=tags, attributes=tuple(attributes.items())) == wanted


def away(*_arguments: object, **_options: object) -> None:
    raise OperationalError("connection refused")


def ask(**wanted: Any) -> set[str]:
    answer = serve(Request(placement="home", user_id="u0", n=100, filter=Filter(**wanted)), now=timezone.now())
    return {shown.product.shop_id for shown in answer.shown}


def test_it_is_looked_up_once_for_a_state_of_the_catalogue() -> None:
    assert ask(tags=("sale", "organic")) == {"tea-0", "tea-1", "tea-2"}
    with CaptureQueriesContext(connection) as queries:
        assert ask(tags=("organic", "sale"), not_tags=("organic", "sale")) == set()
    assert [query["sql"] for query in queries if 'item"."tags"' in query["sql"]] == []
    Item.objects.filter(shop_id="wine-1").update(tags=["sale"], updated_at=timezone.now())
    fetch.announce(fetch.Changed.CATALOGUE)
    assert ask(tags=("organic", "sale")) == {"tea-0", "tea-1", "tea-2", "wine-1"}


def test_what_is_held_is_bounded() -> None:
    lookup = current_snapshot().rules.lookup
    for number in range(MOST_TRIED + 5):
        left(tags=(f"t{number}",))
    assert len(lookup.tried) <= MOST_TRIED


def test_without_postgresql_what_is_held_is_answered_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Request(placement="home", user_id="u0", filter=Filter(tags=("organic",)))
    other = Request(placement="home", user_id="u0", filter=Filter(attributes=(("colour", ("red",)),)))
    current_snapshot()
    assert looks_up(held)
    before = serve(held, now=timezone.now())
    assert not looks_up(held)
    assert looks_up(other)
    monkeypatch.setattr(Item.objects, "filter", away)
    again = serve(held, now=timezone.now())
    with pytest.raises(OutOfReachError):
        serve(other, now=timezone.now())
    with pytest.raises(OutOfReachError, match="a moment ago"):  # nobody waits for it again at once
        serve(other, now=timezone.now())
    assert [one.item for one in again.shown] == [one.item for one in before.shown] != []


def test_categories_are_left_as_they_were() -> None:
    assert Category.objects.filter(path="FOOD > TEA").exists()
    assert left(categories=("FOOD > TEA",), not_categories=("FOOD > WINE",)) == {f"tea-{n}" for n in range(12)}
