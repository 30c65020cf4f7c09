"""Placements that show a part of the shop: a category, what a search found, the newest; and e-mail."""

from dataclasses import replace
from datetime import timedelta

import pytest

from recommendations.models import Category, Item, Placement
from recommendations.serving.search import matching
from recommendations.serving.types import Answer, Filter
from recommendations.store.live.state import LiveState
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import SnapshotHolder
from recommendations.terms import BlendName, Fallback, Reason, Source
from tests.serving.test_pipeline import ALL_OF_HOME, answer, assert_evidence_exists, customer, item, taste, weighted
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

PARTS = ("category", "search", "new", "email")


@pytest.fixture
def snapshot() -> Snapshot:
    return weighted(SnapshotHolder().current(None), BlendName.HOME, ALL_OF_HOME)


def names(found: Answer) -> list[str]:
    return [shown.product.shop_id for shown in found.shown]


def sources(found: Answer) -> set[Source]:
    return {shown.source for shown in found.shown}


# --- category


def test_a_category_shows_its_own_items_by_taste_then_by_popularity_then_the_newest(snapshot: Snapshot) -> None:
    reply = answer(snapshot, "category", customer(4), categories=("FOOD > WINE",), n=100)  # buys wine
    assert taste(reply) == {"Wine": 12}
    assert (reply.source, reply.fallback_reason, reply.personalised) == (Source.MODEL, None, True)
    staples = {f"wine-{number}" for number in range(3)}
    assert set(names(reply)[:3]) == staples
    assert_evidence_exists(reply)
    strangers = answer(snapshot, "category", None, categories=("FOOD > WINE",), n=100)
    assert taste(strangers) == {"Wine": 12}
    assert (strangers.source, strangers.fallback_reason) == (Source.POPULAR, Fallback.NO_HISTORY)
    assert set(names(strangers)[:3]) == staples
    soap = answer(snapshot, "category", None, categories=("FOOD > SOAP",), n=100)  # nobody buys soap
    assert taste(soap) == {"Soap": 12}
    assert sources(soap) == {Source.NEWEST}


def test_the_same_category_is_in_another_order_for_another_taste(snapshot: Snapshot) -> None:
    shelves = [answer(snapshot, "category", customer(number), categories=("FOOD",), n=6) for number in (3, 4)]
    assert [taste(reply).most_common(1)[0][0] for reply in shelves] == ["Tea", "Wine"]


def test_a_category_holds_what_lies_under_it_and_several_are_taken(snapshot: Snapshot) -> None:
    assert len(answer(snapshot, "category", customer(0), categories=("FOOD",), n=100).shown) == 72
    both = answer(snapshot, "category", customer(0), categories=("FOOD > TEA", "FOOD > WINE", "FOOD > NONE"), n=100)
    assert taste(both) == {"Tea": 12, "Wine": 12}


def test_an_unknown_category_is_empty_and_says_so(snapshot: Snapshot) -> None:
    for key in (customer(0), None):
        reply = answer(snapshot, "category", key, categories=("FOO",))
        assert (reply.shown, reply.source) == ((), Source.NONE)
        assert reply.fallback_reason is Fallback.UNKNOWN_CATEGORY


def test_without_a_category_that_of_the_item_in_view_counts_else_home_is_shown(snapshot: Snapshot) -> None:
    beside = answer(snapshot, "category", customer(0), context_items=(item("tea-0"),), n=100)
    assert taste(beside) == {"Tea": 11}
    reply = answer(snapshot, "category", customer(0))
    assert reply.fallback_reason is Fallback.NO_CONTEXT
    assert [shown.item for shown in reply.shown] == [
        shown.item for shown in answer(snapshot, "home", customer(0)).shown
    ]


# --- search


def test_all_that_a_search_found_comes_back_in_the_customers_order(snapshot: Snapshot) -> None:
    found_items = tuple(item(f"{name}-{number}") for name in ("wine", "bread", "soap") for number in range(10))
    reply = answer(snapshot, "search", customer(0), context_items=found_items)  # buys bread
    assert {shown.item for shown in reply.shown} == set(found_items)  # more than the placement's twenty
    assert (reply.source, reply.fallback_reason, reply.personalised) == (Source.MODEL, Fallback.SHORT, True)
    assert set(names(reply)[:3]) == {"bread-0", "bread-1", "bread-2"}
    assert {name.split("-")[0] for name in names(reply)[-10:]} == {"soap"}  # nobody has a word on it
    other = answer(snapshot, "search", customer(4), context_items=found_items)
    assert set(names(other)[:3]) == {"wine-0", "wine-1", "wine-2"}
    assert len(answer(snapshot, "search", customer(0), context_items=found_items, n=7).shown) == 7


def test_a_stranger_sees_what_was_found_by_popularity_whatever_the_fallback(snapshot: Snapshot) -> None:
    found_items = tuple(item(name) for name in ("soap-1", "wine-11", "wine-0"))
    for fill in (True, False):
        reply = answer(snapshot, "search", None, context_items=found_items, fill=fill)
        assert names(reply)[0] == "wine-0"
        assert names(reply)[-1] == "soap-1"
        assert (reply.source, reply.personalised) == (Source.POPULAR, False)


def test_an_item_newer_than_the_model_is_ranked_behind(snapshot: Snapshot) -> None:
    fresh = Item.objects.create(shop_id="fresh", title="Fresh wine", brand="New brand", price=3, listed_at=NOW)
    fresh.categories.set([Category.objects.get(path="FOOD > WINE")])
    snapshot = weighted(SnapshotHolder().current(None), BlendName.HOME, ALL_OF_HOME)
    reply = answer(snapshot, "search", customer(4), context_items=(fresh.pk, item("wine-0"), item("wine-1")))
    assert names(reply)[-1] == "fresh"
    assert reply.shown[-1].source is Source.NEWEST


def test_a_search_without_results_is_answered_by_the_words_of_its_term(snapshot: Snapshot) -> None:
    assert taste(answer(snapshot, "search", customer(0), search_term="Wine!", n=100)) == {"Wine": 12}
    assert taste(answer(snapshot, "search", None, search_term="win", n=100)) == {"Wine": 12}  # as it is being typed
    assert names(answer(snapshot, "search", None, search_term="wine 7")) == ["wine-7"]  # both words
    assert {shown.product.brand for shown in answer(snapshot, "search", None, search_term="brand 2", n=100).shown} >= {
        "Brand 2"
    }
    assert len(answer(snapshot, "search", customer(0), search_term="food", n=100).shown) == 72  # a category's name


def test_a_search_takes_twelve_words_and_follows_the_names_of_categories(snapshot: Snapshot) -> None:
    letters = " ".join("abcdefghijkl")
    term = f"{letters} wine 7"
    assert names(answer(snapshot, "search", None, search_term=term, n=100)) == names(
        answer(snapshot, "search", None, search_term=letters, n=100)
    )
    holder = SnapshotHolder()
    before = holder.current({})
    Category.objects.filter(path="FOOD > WINE").update(path="FOOD > CELLAR")
    after = holder.current({"catalogue": "moved"})
    assert [len(matching("cellar", one)) for one in (before, after)] == [0, 12]
    assert after.stock is before.stock
    unmoved = holder.current({"catalogue": "moved again"})
    assert unmoved.names is after.names  # with the words that were made of them


@pytest.mark.parametrize("term", ["zebra", "!?", "ine", "\x00", "%", "wine\x00".replace("wine", "zebra")])
def test_a_term_that_nothing_matches_gets_homes_answer_and_says_so(snapshot: Snapshot, term: str) -> None:
    reply = answer(snapshot, "search", customer(0), search_term=term)
    assert (reply.source, reply.fallback_reason, reply.personalised) == (Source.MODEL, Fallback.NO_MATCH, True)
    assert [shown.item for shown in reply.shown] == [
        shown.item for shown in answer(snapshot, "home", customer(0)).shown
    ]


# --- new


def test_the_newest_items_are_shown_even_those_nobody_bought(snapshot: Snapshot) -> None:
    wine, tea = (Category.objects.get(path=f"FOOD > {name}") for name in ("WINE", "TEA"))
    for number, (category, name) in enumerate([(tea, "tea-new"), (wine, "wine-new")]):
        one = Item.objects.create(
            shop_id=name, title=name, brand="Brand 1", price=2, listed_at=NOW - timedelta(hours=number)
        )
        one.categories.set([category])
    late = weighted(SnapshotHolder().current(None), BlendName.HOME, ALL_OF_HOME)
    strangers = answer(late, "new", None)
    assert names(strangers)[:2] == ["tea-new", "wine-new"]
    assert (strangers.source, strangers.personalised, len(strangers.shown)) == (Source.NEWEST, False, 20)
    assert strangers.shown[0].reasons[0].code is Reason.NEW
    assert {shown.source for shown in strangers.shown} == {Source.NEWEST}
    listed = replace(snapshot.placements["new"], n=5)
    few = replace(snapshot, placements={**snapshot.placements, "new": listed})
    assert len(answer(few, "new", customer(4)).shown) == 5


def test_taste_orders_the_newest(snapshot: Snapshot) -> None:
    reply = answer(snapshot, "new", customer(4), n=12)
    assert (reply.source, reply.personalised) == (Source.MODEL, True)
    assert taste(reply).most_common(1)[0][0] == "Wine"
    assert len(answer(snapshot, "new", None, fill=False).shown) == 20


# --- e-mail


def test_an_email_has_six_items_of_variety_and_nothing_drawn(snapshot: Snapshot) -> None:
    exploring = weighted(snapshot, BlendName.HOME, ALL_OF_HOME, exploration=0.5, cards=0.5)
    reply = answer(exploring, "email", customer(0))
    assert len(reply.shown) == 6
    assert {shown.propensity for shown in reply.shown} == {1.0}
    assert any(shown.diversity < 0 for shown in reply.shown)
    drawn = answer(exploring, "home", customer(0))
    assert any(shown.propensity < 1 for shown in drawn.shown)


def test_a_placement_of_the_shop_s_own_is_served_as_its_row_says(snapshot: Snapshot) -> None:
    """A shop's own placement of the newest items that the customer has not bought."""
    own = replace(snapshot.placements["new"], name="fresh_finds", repeat="exclude", n=3)
    reply = answer(replace(snapshot, placements={"fresh_finds": own}), "fresh_finds", customer(4))
    assert len(reply.shown) == 3
    assert not {shown.item for shown in reply.shown} & {item(f"wine-{number}") for number in range(3)}


# --- filters, exclusions, fallback: at each placement


@pytest.mark.parametrize(
    "placement", ["home", "discover", "buy_again", "item", "also_bought", "cart", "trending", *PARTS]
)
def test_every_placement_keeps_filter_exclusions_and_options_of_the_request(snapshot: Snapshot, placement: str) -> None:
    context = {"context_items": (item("wine-0"),)} if placement != "search" else {"search_term": "food"}
    every = answer(snapshot, placement, customer(4), **context, n=100)
    assert every.shown
    gone = {every.shown[0].item}
    options = {"filter": Filter(brands=("Brand 1", "Brand 0"), price_to=6), "exclude_items": tuple(gone)}
    reply = answer(snapshot, placement, customer(4), **context, **options, n=100)
    assert reply.shown
    assert {shown.product.brand for shown in reply.shown} <= {"Brand 0", "Brand 1"}
    assert all(shown.product.price <= 6 for shown in reply.shown)  # type: ignore[operator]
    assert not gone & {shown.item for shown in reply.shown}
    none = answer(snapshot, placement, customer(4), **context, filter=Filter(in_stock=False))
    assert (none.shown, none.source) == ((), Source.NONE)
    plain = answer(snapshot, placement, customer(4), **context, personalise=False)
    assert (plain.personalised, plain.nameless) == (False, True)
    assert sources(plain) <= {Source.POPULAR, Source.NEWEST, Source.MODEL}
    silent = answer(snapshot, placement, customer(4), **context, explain=False)
    assert [shown.item for shown in silent.shown] == [shown.item for shown in every.shown[: len(silent.shown)]]
    assert {shown.reasons for shown in silent.shown} == {()}
    fewer = answer(snapshot, placement, customer(4), **context, n=100, fill=False)
    if placement not in {"search", "new"}:
        assert sources(fewer) <= {Source.MODEL, Source.POPULAR if placement == "trending" else Source.MODEL}
        assert len(fewer.shown) <= len(every.shown)
    diverse = answer(snapshot, placement, customer(4), **context, diversity=0.9)
    assert sum(shown.diversity < 0 for shown in diverse.shown) > 0 or len(diverse.shown) < 2


def test_without_fillers_a_stranger_gets_nothing_and_the_reason(snapshot: Snapshot) -> None:
    for placement in ("home", "discover", "buy_again", "also_bought", "category", "email"):
        reply = answer(snapshot, placement, None, fill=False)
        assert (reply.shown, reply.source) == ((), Source.NONE)
        assert reply.fallback_reason in {Fallback.NO_HISTORY, Fallback.NO_CONTEXT}
    short = answer(snapshot, "buy_again", customer(0), n=100, fill=False)
    assert (short.source, short.fallback_reason) == (Source.MODEL, Fallback.SHORT)


def test_the_answer_to_a_customer_who_objects_is_nameless_at_every_placement(snapshot: Snapshot) -> None:
    for placement in snapshot.placements:
        reply = answer(snapshot, placement, customer(0), state=LiveState(objected=True), context_items=(item("tea-0"),))
        assert reply.nameless, placement
    bare = replace(snapshot, model=None)
    assert answer(bare, "home", customer(0), state=LiveState(objected=True)).nameless
    assert not answer(snapshot, "home", customer(0)).nameless


def test_the_shipped_placements_of_a_part_of_the_shop() -> None:
    rows = Placement.objects.filter(name__in=PARTS).order_by("pk").values_list("name", "scope", "n", "explores")
    assert list(rows) == [
        ("category", "category", 20, True),
        ("search", "found", 20, False),
        ("new", "newest", 20, True),
        ("email", "whole", 6, False),
    ]
