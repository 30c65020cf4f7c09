"""Answers from a model that the real loop made of a small shop."""

import math
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from recommendations.event_types import EventName
from recommendations.models import Category, Customer, Event, Item
from recommendations.serving.pipeline import UnknownPlacementError, recommend
from recommendations.serving.types import Answer, Filter, ResolvedRequest
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live.state import NOTHING, UNKNOWN, Act, LiveState
from recommendations.store.serving.snapshot import ServedPlacement, ServedWeights, Snapshot, WeightsKey
from recommendations.store.serving.snapshot_holder import SnapshotHolder
from recommendations.terms import BlendName, Fallback, Reason, Repeat, Source, Way
from recommendations.wording.reasons import reason_text
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

PLACEMENTS = ("home", "discover", "buy_again", "item", "also_bought", "cart", "trending")
ALL_OF_HOME = {
    "buy_again": 0.2, "ease_home": 0.2, "recent_neighbours_home": 0.1, "user_knn": 0.1, "interests": 0.1,
    "content": 0.1, "segments": 0.05, "popularity_home": 0.05, "item_knn": 0.05, "als": 0.03, "sequence": 0.02,
}  # fmt: skip
WARM = range(5)  # one of each taste


@pytest.fixture
def snapshot() -> Snapshot:
    return SnapshotHolder().current(None)


def customer(number: int) -> int:
    return Customer.objects.get(pseudonym=pseudonym(f"u{number}")).pk


def item(shop_id: str) -> int:
    return Item.objects.get(shop_id=shop_id).pk


def bought_by(key: int) -> set[int]:
    return set(Event.objects.purchases().filter(customer=key).values_list("item", flat=True))


def answer(snapshot: Snapshot, placement: str, key: int | None, *, state: LiveState = NOTHING, **asked: Any) -> Answer:
    return recommend(
        ResolvedRequest(placement=placement, customer=key, recommendation_id="r-1", **asked),
        snapshot=snapshot, state=state, now=NOW,
    )  # fmt: skip


def taste(answered: Answer) -> Counter[str]:
    return Counter(shown.product.title.split()[0] for shown in answered.shown)


def weighted(snapshot: Snapshot, blend: BlendName, weights: dict[str, float], **more: Any) -> Snapshot:
    served = ServedWeights(version=99, weights=weights, **{"diversity": 0.0, "exploration": 0.0} | more)
    return replace(snapshot, weights={**snapshot.weights, WeightsKey(blend): served})


def assert_evidence_exists(answered: Answer) -> None:
    for shown in answered.shown:
        for reason in shown.reasons:
            facts = reason.evidence
            if "item_id" in facts:
                assert Item.objects.get(shop_id=facts["item_id"]).title == facts["title"]
            if "category" in facts:
                assert Category.objects.get(path=facts["category"]).name == facts["name"]
            assert all(math.isfinite(value) for value in facts.values() if not isinstance(value, str))
            assert "%" not in reason_text(reason.code, facts)
            assert reason_text(reason.code, facts)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_every_answer_is_whole_for_warm_and_cold_customers(snapshot: Snapshot, placement: str) -> None:
    snapshot = weighted(snapshot, BlendName.HOME, ALL_OF_HOME)
    context = (item("bread-0"),) if snapshot.placements[placement].needs_context else ()
    for key in [*map(customer, range(8)), None, 10**9]:
        reply = answer(snapshot, placement, key, context_items=context)
        assert [shown.rank for shown in reply.shown] == list(range(1, len(reply.shown) + 1))
        assert len({shown.item for shown in reply.shown}) == len(reply.shown)
        for shown in reply.shown:
            assert sum(shown.contributions.values()) == pytest.approx(shown.score, abs=1e-6)
            assert shown.propensity == 1
        assert_evidence_exists(reply)
        if placement != "buy_again" or key in map(customer, range(8)):
            assert len(reply.shown) == (20 if placement != "buy_again" else len(reply.shown)) > 0
            assert all(shown.reasons for shown in reply.shown if shown.score > 0)  # what speaks for it can be told


def test_home_is_from_the_record_with_scores_in_order(snapshot: Snapshot) -> None:
    snapshot = weighted(snapshot, BlendName.HOME, ALL_OF_HOME)
    for number in WARM:
        reply = answer(snapshot, "home", customer(number))
        assert (reply.source, reply.fallback_reason, reply.personalised) == (Source.MODEL, None, True)
        assert reply.weights_version == 99
        assert reply.model_version == snapshot.model.version_id  # type: ignore[union-attr]
        scores = [shown.score for shown in reply.shown]
        assert scores == sorted(scores, reverse=True)
        own = ("Bread", "Cheese", "Fruit", "Tea", "Wine")[number]
        assert {shown.product.title.split()[0] for shown in reply.shown[:3]} == {own}
        assert set(reply.shown[0].contributions) <= set(ALL_OF_HOME)


def test_reasons_speak_of_what_the_customer_did(snapshot: Snapshot) -> None:
    snapshot = weighted(snapshot, BlendName.HOME, {"buy_again": 1.0})
    staple = answer(snapshot, "home", customer(0)).shown[0]
    reason = staple.reasons[0]
    assert reason.code is Reason.BOUGHT_BEFORE
    assert reason.evidence["item_id"] == staple.product.shop_id
    assert reason.evidence["every_days"] == pytest.approx(7)
    assert reason.evidence["days_since"] == pytest.approx(1, abs=0.05)  # before now, not before the model's history
    assert reason_text(reason.code, reason.evidence) == "Usually bought every 7 days; last bought 1 day ago"

    later = LiveState(bought={staple.item: (NOW - timedelta(hours=2)).timestamp()})
    again = answer(snapshot, "home", customer(0), state=later)
    first = next(shown for shown in again.shown if shown.item == staple.item).reasons[0]
    assert reason_text(first.code, first.evidence) == "Usually bought every 7 days; last bought today"


def test_discover_shows_nothing_that_was_bought_before_or_a_moment_ago(snapshot: Snapshot) -> None:
    for number in range(12):
        key = customer(number)
        reply = answer(snapshot, "discover", key)
        assert not bought_by(key) & {shown.item for shown in reply.shown}
        first = reply.shown[0].item
        state = LiveState(bought={first: NOW.timestamp()})
        assert first not in {shown.item for shown in answer(snapshot, "discover", key, state=state).shown}


def test_buy_again_shows_only_what_was_bought(snapshot: Snapshot) -> None:
    for number in WARM:
        key = customer(number)
        shown = {shown.item for shown in answer(snapshot, "buy_again", key, n=100).shown}
        assert shown == bought_by(key)
    new = item("soap-1")
    state = LiveState(bought={new: NOW.timestamp()})
    assert new in {shown.item for shown in answer(snapshot, "buy_again", customer(0), n=100, state=state).shown}


def test_a_refund_takes_a_purchase_back(snapshot: Snapshot) -> None:
    key, returned = customer(0), item("bread-0")
    assert returned in bought_by(key)
    after = LiveState(refunded={returned: NOW.timestamp()})
    before = LiveState(refunded={returned: (NOW - timedelta(days=60)).timestamp()})
    shown = [{one.item for one in answer(snapshot, "buy_again", key, state=s, n=100).shown} for s in (before, after)]
    assert returned in shown[0]
    assert returned not in shown[1]
    discovered = {one.item for one in answer(snapshot, "discover", key, state=after, n=100).shown}
    assert returned in discovered


def test_excluded_context_and_basket_items_and_disliked_ones_stay_out(snapshot: Snapshot) -> None:
    top = [shown.item for shown in answer(snapshot, "home", customer(1)).shown]
    state = LiveState(disliked={top[3]: NOW.timestamp()})
    reply = answer(
        snapshot, "home", customer(1), state=state, exclude_items=(top[0],), context_items=(top[1],), basket=(top[2],)
    )
    assert not set(top[:4]) & {shown.item for shown in reply.shown}
    assert reply.shown[0].item == top[4]


def test_an_answer_keeps_the_filter_of_the_request(snapshot: Snapshot) -> None:
    def shown(**wanted: Any) -> list[Any]:
        return [one.product for one in answer(snapshot, "home", customer(0), filter=Filter(**wanted), n=100).shown]

    cheap = shown(price_from=Decimal(2), price_to=Decimal(3))
    assert {product.price for product in cheap} == {Decimal(2), Decimal(3)}
    assert len(cheap) == 12
    assert {product.brand for product in shown(brands=("Brand 1",))} == {"Brand 1"}
    assert {product.title.split()[0] for product in shown(categories=("FOOD > TEA",))} == {"Tea"}
    assert len(shown(categories=("FOOD",))) == 72
    assert shown(categories=("FOO",)) == []
    assert len(shown(in_stock=True)) == 72
    assert shown(in_stock=False) == []


def test_a_stranger_gets_what_is_popular(snapshot: Snapshot) -> None:
    reply = answer(snapshot, "home", None)
    assert (reply.source, reply.fallback_reason) == (Source.POPULAR, Fallback.NO_HISTORY)
    assert (reply.personalised, reply.weights_version) == (False, None)
    buyers = Counter(
        Event.objects.filter(occurred_at__gte=NOW - timedelta(days=8)).values_list("item", flat=True).distinct()
    )
    assert reply.shown[0].item in buyers
    assert set(reply.shown[0].contributions) == {"popularity_home"}
    assert reply.shown[0].reasons[0].code is Reason.POPULAR
    assert answer(snapshot, "home", 10**9).shown == reply.shown
    assert answer(snapshot, "buy_again", None).source is Source.NONE


def test_without_personalisation_a_customer_gets_the_strangers_answer(snapshot: Snapshot) -> None:
    key = customer(0)
    everybodys = answer(snapshot, "home", None).shown
    asked = answer(snapshot, "home", key, personalise=False)
    objected = answer(snapshot, "home", key, state=LiveState(objected=True))
    on_record = answer(replace(snapshot, objectors=frozenset({key})), "home", key)
    for reply in (asked, objected, on_record):
        assert reply.shown == everybodys
        assert (reply.personalised, reply.fallback_reason) == (False, Fallback.NOT_PERSONALISED)
    taken_back = answer(replace(snapshot, objectors=frozenset({key})), "home", key, state=LiveState(objected=False))
    assert (taken_back.shown, taken_back.fallback_reason) == (everybodys, Fallback.NO_HISTORY)


def test_who_agrees_again_is_known_by_what_they_do_from_then_on(snapshot: Snapshot) -> None:
    """The model learned before they objected, so it knows what is to stay out; the next one does not."""
    key, model = customer(0), snapshot.model
    assert model is not None
    everybodys = answer(snapshot, "home", None).shown
    since = replace(snapshot, resumed={key: (model.as_of + timedelta(hours=1)).timestamp()})
    reply = answer(since, "home", key, state=LiveState(objected=False))
    assert (reply.shown, reply.fallback_reason) == (everybodys, Fallback.NO_HISTORY)
    assert (
        answer(weighted(since, BlendName.HOME, ALL_OF_HOME), "home", key, state=viewed("tea-0")).source
        is Source.SESSION
    )
    learned_since = replace(snapshot, resumed={key: (model.as_of - timedelta(hours=1)).timestamp()})
    assert answer(learned_since, "home", key).personalised


def viewed(*shop_ids: str) -> LiveState:
    """Views of these items, one a minute, the last one a minute ago."""
    acts = [
        Act(item(shop_id), EventName.VIEW_ITEM, (NOW - timedelta(minutes=minutes)).timestamp())
        for minutes, shop_id in enumerate(shop_ids, start=1)
    ]
    return LiveState(recent=tuple(acts))


def test_a_new_customer_is_answered_from_the_session(snapshot: Snapshot) -> None:
    snapshot = weighted(snapshot, BlendName.HOME, ALL_OF_HOME)
    newcomer = Customer.objects.create(pseudonym=b"n" * 32).pk
    reply = answer(snapshot, "home", newcomer, state=viewed("tea-0", "tea-1"))
    assert (reply.source, reply.fallback_reason, reply.personalised) == (Source.SESSION, None, True)
    assert taste(reply).most_common(1)[0][0] == "Tea"
    assert {shown.product.title.split()[0] for shown in reply.shown[:5]} == {"Tea"}
    assert_evidence_exists(reply)
    wine = answer(snapshot, "home", newcomer, state=viewed("wine-0", "wine-1"))
    assert {shown.product.title.split()[0] for shown in wine.shown[:5]} == {"Wine"}
    bought = LiveState(bought={item("tea-0"): NOW.timestamp()})
    discovered = answer(snapshot, "discover", newcomer, state=bought)
    assert discovered.source is Source.SESSION
    assert item("tea-0") not in {shown.item for shown in discovered.shown}


def test_items_in_view_bring_items_that_go_with_them(snapshot: Snapshot) -> None:
    for placement in ("also_bought", "cart", "item"):
        reply = answer(snapshot, placement, None, context_items=(item("cheese-0"),), n=5)
        assert (reply.source, reply.personalised) == (Source.MODEL, False)
        assert taste(reply) == {"Cheese": 5}
        assert item("cheese-0") not in {shown.item for shown in reply.shown}
        assert_evidence_exists(reply)
    together = answer(snapshot, "also_bought", None, context_items=(item("cheese-0"),)).shown[0].reasons
    assert "Often bought with Cheese 0" in [reason_text(reason.code, reason.evidence) for reason in together]
    assert answer(snapshot, "cart", customer(1), basket=(item("cheese-0"),)).personalised


def test_without_a_known_item_in_view_popular_items_are_shown(snapshot: Snapshot) -> None:
    for context in ((), (10**9,)):
        reply = answer(snapshot, "also_bought", customer(0), context_items=context)
        assert (reply.source, reply.fallback_reason) == (Source.POPULAR, Fallback.NO_CONTEXT)
        assert len(reply.shown) == 20


def test_trending_is_the_same_for_everybody(snapshot: Snapshot) -> None:
    lists = {tuple(shown.item for shown in answer(snapshot, "trending", key).shown) for key in (None, customer(0))}
    assert len(lists) == 1
    reply = answer(snapshot, "trending", customer(0))
    assert (reply.source, reply.fallback_reason, reply.personalised) == (Source.POPULAR, None, False)
    assert [reason_text(one.code, one.evidence) for one in reply.shown[0].reasons] == ["Popular this week"]


def test_a_short_answer_is_filled_source_by_source(snapshot: Snapshot) -> None:
    reply = answer(snapshot, "home", customer(0), n=72)
    assert len(reply.shown) == 72  # the record holds what somebody buys; soap and the rest follow
    sources = [shown.source for shown in reply.shown]
    assert sources == sorted(sources, key=[Source.MODEL, Source.SEGMENT, Source.POPULAR, Source.NEWEST].index)
    assert reply.source is Source.MODEL
    if Source.NEWEST in sources:
        assert reply.fallback_reason is Fallback.SHORT
        assert reply.shown[-1].reasons[0].code is Reason.NEW
    assert sum(reply.trace.filled.values()) == 72 - reply.trace.eligible
    assert [one.place for one in reply.shown] == [*range(reply.trace.eligible), *[-1] * (72 - reply.trace.eligible)]


def test_before_the_first_run_the_newest_items_are_shown(snapshot: Snapshot) -> None:
    newest = Item.objects.create(shop_id="new", title="New", listed_at=NOW)
    reply = answer(replace(SnapshotHolder().current(None), model=None), "home", customer(0))
    assert (reply.source, reply.fallback_reason, reply.model_version) == (Source.NEWEST, Fallback.NO_MODEL, None)
    assert reply.shown[0].item == newest.pk
    assert reason_text(reply.shown[0].reasons[0].code, reply.shown[0].reasons[0].evidence) == "New in the shop"


def test_silent_recommenders_fall_back_to_popular_items(snapshot: Snapshot) -> None:
    nothing_to_say = weighted(snapshot, BlendName.HOME, {"popularity_home": 1.0})
    reply = answer(nothing_to_say, "home", customer(0))
    assert (reply.source, reply.fallback_reason, reply.personalised) == (Source.POPULAR, Fallback.SILENT, False)
    unknown = weighted(snapshot, BlendName.HOME, {"buy_again": 0.5, "of_tomorrow": 0.5})
    assert answer(unknown, "home", customer(0)).trace.missing == ("of_tomorrow",)


def test_segment_weights_come_before_the_default_weights(snapshot: Snapshot) -> None:
    model = snapshot.model
    assert model is not None
    key = customer(0)
    number = int(model.segments[model.users.rows([key])[0]])
    own = ServedWeights(version=7, weights={"als": 1.0}, diversity=0.0, exploration=0.0)
    other = ServedWeights(version=8, weights={"als": 1.0}, diversity=0.0, exploration=0.0)
    keys = (WeightsKey(BlendName.HOME, segment=number), WeightsKey(BlendName.HOME, segment=number + 1))
    snapshot = replace(snapshot, weights=snapshot.weights | dict(zip(keys, (own, other), strict=True)))
    reply = answer(snapshot, "home", key)
    assert reply.weights_version == 7
    assert set(reply.shown[0].contributions) == {"als"}


def test_exploration_is_drawn_by_the_answers_id_and_its_chance_is_exact(snapshot: Snapshot) -> None:
    snapshot = weighted(snapshot, BlendName.HOME, ALL_OF_HOME, cards=0.4)
    key, n, rounds = customer(0), 10, 400
    plain = [one.item for one in answer(snapshot, "home", key, n=n, explore=False).shown]
    seen: Counter[int] = Counter()
    chance: dict[int, float] = {}
    for number in range(rounds):
        asked = ResolvedRequest(placement="home", customer=key, n=n, recommendation_id=f"r-{number}")
        shown = recommend(asked, snapshot=snapshot, state=NOTHING, now=NOW).shown
        assert [one.item for one in shown] == [
            one.item for one in recommend(asked, snapshot=snapshot, state=NOTHING, now=NOW).shown
        ]
        assert [one.item for one in shown[:8]] == plain[:8]
        assert [one.propensity for one in shown[:8]] == [1] * 8
        seen[shown[9].item] += 1
        chance[shown[9].item] = shown[9].propensity
    assert sum(chance.values()) <= 1 + 1e-9
    assert seen[plain[9]] / rounds == pytest.approx(0.6, abs=4 * math.sqrt(0.24 / rounds))
    for key_of_item, propensity in chance.items():
        spread = math.sqrt(propensity * (1 - propensity) / rounds)
        assert seen[key_of_item] / rounds == pytest.approx(propensity, abs=5 * spread)


def test_a_shuffled_answer_says_where_its_items_stood(snapshot: Snapshot) -> None:
    key, n = customer(0), 10
    ranking = [one.item for one in answer(weighted(snapshot, BlendName.HOME, ALL_OF_HOME), "home", key, n=n + 4).shown]
    exploring = weighted(snapshot, BlendName.HOME, ALL_OF_HOME, exploration=1.0)
    asked = ResolvedRequest(placement="home", customer=key, n=n, recommendation_id="r-1")
    reply = recommend(asked, snapshot=exploring, state=NOTHING, now=NOW)
    assert reply.way is Way.SHUFFLED
    assert [one.item for one in reply.shown] == [ranking[one.place] for one in reply.shown]
    assert [one.place for one in reply.shown] != list(range(n))
    assert not any(one.fixed for one in reply.shown)


def test_diversity_is_that_of_the_weights_or_of_the_request(snapshot: Snapshot) -> None:
    alike = answer(weighted(snapshot, BlendName.HOME, ALL_OF_HOME), "home", customer(0), n=6)
    asked = answer(weighted(snapshot, BlendName.HOME, ALL_OF_HOME), "home", customer(0), n=6, diversity=0.9)
    weights = answer(weighted(snapshot, BlendName.HOME, ALL_OF_HOME, diversity=0.9), "home", customer(0), n=6)
    assert len(taste(alike)) == 1
    assert len(taste(asked)) > 1
    assert [one.item for one in weights.shown] == [one.item for one in asked.shown]
    assert asked.trace.diversified > 0


def test_an_item_rests_for_a_share_of_its_own_rhythm(snapshot: Snapshot) -> None:
    key, staple = customer(0), item("bread-0")

    def shown(cool_down: float) -> set[int]:
        home = snapshot.placements["home"]
        resting: dict[str, ServedPlacement] = {**snapshot.placements, "home": replace(home, cool_down=cool_down)}
        return {one.item for one in answer(replace(snapshot, placements=resting), "home", key, n=100).shown}

    assert staple in shown(0)
    assert staple in shown(0.1)  # bought a day ago, every seven days
    assert staple not in shown(0.5)


def test_an_unreachable_live_state_is_a_fallback_reason(snapshot: Snapshot) -> None:
    reply = answer(snapshot, "home", customer(0), state=UNKNOWN)
    assert (reply.source, reply.fallback_reason) == (Source.MODEL, Fallback.NO_LIVE_STATE)
    assert answer(snapshot, "home", None, state=UNKNOWN).fallback_reason is Fallback.NO_HISTORY


def test_an_unknown_placement_is_an_error(snapshot: Snapshot) -> None:
    with pytest.raises(UnknownPlacementError):
        answer(snapshot, "nowhere", None)


def test_a_placement_that_excludes_purchases_can_be_made_to_repeat_them(snapshot: Snapshot) -> None:
    key = customer(0)
    allowed = {**snapshot.placements, "discover": replace(snapshot.placements["discover"], repeat=Repeat.ALLOW)}
    staple = item("bread-0")
    assert staple not in {one.item for one in answer(snapshot, "discover", key, n=100).shown}
    assert staple in {one.item for one in answer(replace(snapshot, placements=allowed), "discover", key, n=100).shown}
