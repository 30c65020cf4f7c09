from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.ranking.diversity import Likeness
from recommendations.engine.ranking.selection import (
    CatalogueState,
    IneligibleReason,
    Selection,
    SelectionParams,
    eligibility,
    select,
)
from recommendations.terms import Lift, Repeat, Way

N_ITEMS = 40
ITEMS = np.array([2, 3, 5, 8, 13, 21, -1, -1], np.int32)
Z = np.array([[6, 5, 4, 3, 2, 1, np.nan, np.nan], [np.nan, 0, 0, 0, 0, 8, np.nan, np.nan]], np.float16)
WEIGHTS = np.array([0.75, 0.25], np.float32)
SHELF = CatalogueState(
    sellable=np.ones(N_ITEMS, np.bool_), likeness=Likeness(traits=np.full((N_ITEMS, 2), -1, np.int32))
)


def rows(*items: int) -> np.ndarray:
    return np.array(items, np.int32)


def shown(wish: SelectionParams, shelf: CatalogueState = SHELF, seed: int | None = None) -> Selection:
    draw = None if seed is None else np.random.default_rng(seed)
    return select(ITEMS, Z, WEIGHTS, catalogue=shelf, params=wish, draw=draw)


def test_a_selection_by_hand() -> None:
    slate = shown(SelectionParams(n=3))
    assert slate.items.tolist() == [2, 3, 5]
    assert slate.score.tolist() == [4.5, 3.75, 3.0]
    assert slate.final.tolist() == [4.5, 3.75, 3.0]
    assert slate.contributions.tolist() == [[4.5, 3.75, 3.0], [0, 0, 0]]
    assert slate.propensity.tolist() == [1, 1, 1]
    assert (slate.trace.candidates, slate.trace.eligible, slate.trace.shown) == (6, 6, 3)
    assert not slate.trace.lost


def test_the_promotion_plan_is_a_term_of_its_own() -> None:
    lift = np.ones(N_ITEMS, np.float32)
    lift[[3, 5, 21]] = 4, 0.25, 9
    promoting = replace(SHELF, lifts={Lift.PROMOTION: lift})
    slate = shown(SelectionParams(n=6, exponents={Lift.PROMOTION: 0.5}), promoting)
    assert slate.items.tolist() == [21, 3, 2, 8, 5, 13]  # 21: (0.75 + 2) · 3, 3: 3.75 · 2, 5: 3 · 0.5
    assert slate.lifted[Lift.PROMOTION].tolist() == [5.5, 3.75, 0, 0, -1.5, 0]
    np.testing.assert_array_equal(slate.score, slate.contributions.sum(axis=0) + sum(slate.lifted.values()))
    np.testing.assert_array_equal(slate.final, slate.score.astype(np.float32))
    for plain in (shown(SelectionParams(n=6), promoting), shown(SelectionParams(n=6, exponents={Lift.PROMOTION: 0.5}))):
        assert plain.items.tolist() == shown(SelectionParams(n=6)).items.tolist()
        assert not plain.lifted


def test_each_ineligible_candidate_counts_once_under_its_first_reason() -> None:
    sellable = np.ones(N_ITEMS, np.bool_)
    sellable[[2, 30]] = False
    allowed = np.ones(N_ITEMS, np.bool_)
    allowed[[2, 8]] = False
    wish = SelectionParams(n=9, repeat=Repeat.EXCLUDE, bought=rows(2, 5, 30), excluded=rows(3, 5), allowed=allowed)
    slate = shown(wish, replace(SHELF, sellable=sellable))
    assert slate.items.tolist() == [21, 13]
    assert slate.trace.lost == {
        IneligibleReason.UNSELLABLE: 1,
        IneligibleReason.EXCLUDED: 2,
        IneligibleReason.FILTERED: 1,
    }
    assert slate.trace.candidates - sum(slate.trace.lost.values()) == slate.trace.eligible == 2


@pytest.mark.parametrize(
    ("repeat", "left"),
    [(Repeat.ALLOW, {2, 3, 8, 13, 21}), (Repeat.EXCLUDE, {3, 13, 21}), (Repeat.ONLY, {2, 8})],
)
def test_repeat_modes_and_resting_items(repeat: Repeat, left: set[int]) -> None:
    slate = shown(SelectionParams(n=9, repeat=repeat, bought=rows(2, 5, 8, 39), resting=rows(5)))
    assert set(slate.items.tolist()) == left


def test_repeat_only_without_purchases_shows_nothing() -> None:
    slate = shown(SelectionParams(n=5, repeat=Repeat.ONLY))
    assert slate.items.shape == slate.score.shape == slate.final.shape == (0,)
    assert slate.contributions.shape == (2, 0)
    assert slate.trace.lost == {IneligibleReason.NOT_BOUGHT: 6}


def test_diversity_moves_like_items_apart_and_counts_those_brought_in() -> None:
    traits = np.full((N_ITEMS, 1), -1, np.int32)
    traits[[2, 3, 5], 0] = 7
    alike = replace(SHELF, likeness=Likeness(traits=traits))
    slate = shown(SelectionParams(n=3, diversity=0.8), alike)
    assert slate.items.tolist() == [2, 21, 8]  # finals .9, .55, .45 − but .75 − .8 < 0 for items 3 and 5
    np.testing.assert_allclose(slate.final, [0.9, 0.55, 0.45], rtol=1e-6)
    assert slate.trace.diversified == 2


def test_cards_change_only_the_last_slots_with_exact_propensities() -> None:
    """Three slots, two explored; three cards are left: the first explored slot holds two of them, the second one."""
    wish = SelectionParams(n=3, cards=0.5)
    seen: list[Counter[int]] = [Counter(), Counter(), Counter()]
    propensity: list[dict[int, float]] = [{}, {}, {}]
    runs = 4000
    for seed in range(runs):
        slate = shown(wish, seed=seed)
        for slot, (item, chance) in enumerate(zip(slate.items.tolist(), slate.propensity.tolist(), strict=True)):
            seen[slot][item] += 1
            propensity[slot][item] = chance
    assert propensity == [{2: 1.0}, {3: 0.5, 21: 0.25, 13: 0.25}, {5: 0.5, 8: 0.5}]
    for slot in (1, 2):
        assert sum(propensity[slot].values()) == 1
        for item, chance in propensity[slot].items():
            assert seen[slot][item] / runs == pytest.approx(chance, abs=0.03)


def test_exploration_needs_a_generator_and_leaves_a_trace() -> None:
    with pytest.raises(ValueError, match="generator"):
        shown(SelectionParams(n=3, cards=0.5))
    slate = shown(SelectionParams(n=3, cards=1.0), seed=1)
    assert slate.trace.explored == 2
    assert slate.items[0] == 2


def test_a_shuffled_slate_says_where_its_items_stood() -> None:
    """Places lead from what is shown back to the ranking, of which items 21, 8 and 13 may come in from below."""
    ranking = shown(SelectionParams(n=6)).items
    seen = set()
    for seed in range(40):
        slate = shown(SelectionParams(n=3, exploration=1.0), seed=seed)
        assert slate.way is Way.SHUFFLED
        assert slate.places.dtype == np.int16
        assert slate.items.tolist() == ranking[slate.places].tolist()
        assert slate.trace.explored == np.count_nonzero(slate.places != np.arange(3))
        np.testing.assert_allclose(slate.score, np.array([4.5, 3.75, 3.0, 2.75, 2.25, 1.5])[slate.places])
        seen |= set(slate.places.tolist())
    assert seen == {0, 1, 2, 3, 4, 5}
    plain = shown(SelectionParams(n=3))
    assert (plain.places.tolist(), plain.fixed, plain.way) == ([0, 1, 2], (), Way.AS_RANKED)


def test_without_further_candidates_nothing_is_explored() -> None:
    slate = shown(SelectionParams(n=6, cards=0.9), seed=1)
    assert slate.propensity.tolist() == [1] * 6
    assert slate.trace.explored == 0


@pytest.mark.parametrize(
    "wish",
    [
        SelectionParams(n=5),
        SelectionParams(n=5, diversity=0.5),
        SelectionParams(n=5, exploration=0.3, cards=0.5),
        SelectionParams(n=0),
    ],
)
def test_a_selection_without_candidates_is_empty(wish: SelectionParams) -> None:
    empty = np.full(3, -1, np.int32)
    slate = select(
        empty, np.full((2, 3), np.nan, np.float16), WEIGHTS, catalogue=SHELF, params=wish, draw=np.random.default_rng(0)
    )
    assert len(slate.items) == slate.trace.candidates == slate.trace.shown == 0


def test_silent_recommenders_give_the_items_in_their_order() -> None:
    slate = select(ITEMS, np.full_like(Z, np.nan), WEIGHTS, catalogue=SHELF, params=SelectionParams(n=2))
    assert slate.items.tolist() == [2, 3]
    assert slate.score.tolist() == [0, 0]


@given(
    st.integers(0, 10_000), st.integers(0, 30), st.sampled_from([0.0, 0.4, 1.0]), st.sampled_from([0.0, 0.3]),
    st.sampled_from(Repeat),
)  # fmt: skip
def test_invariants_of_random_slates(seed: int, n: int, diversity: float, exploration: float, repeat: Repeat) -> None:
    draw = np.random.default_rng(seed)
    count = int(draw.integers(0, 30))
    items = np.sort(draw.choice(N_ITEMS, count, replace=False)).astype(np.int32)
    z = draw.standard_normal((3, count)).astype(np.float16)
    z[:, draw.random(count) < 0.2] = np.nan
    weights = draw.dirichlet(np.ones(3)).astype(np.float32)
    shelf = CatalogueState(
        sellable=draw.random(N_ITEMS) < 0.8,
        likeness=Likeness(traits=draw.integers(-1, 3, (N_ITEMS, 2)).astype(np.int32)),
        lifts={name: np.exp(draw.normal(size=N_ITEMS)).astype(np.float32) for name in list(Lift)[seed % 5 :]},
    )
    bought = np.sort(draw.choice(N_ITEMS, 10, replace=False)).astype(np.int32)
    wish = SelectionParams(
        n=n, repeat=repeat, exponents=dict.fromkeys(Lift, seed % 3 / 2), diversity=diversity, exploration=exploration,
        cards=exploration / 2, bought=bought, excluded=bought[:2],
    )  # fmt: skip
    slate = select(items, z, weights, catalogue=shelf, params=wish, draw=draw)
    eligible, lost = eligibility(items, catalogue=shelf, params=wish)
    assert len(slate.items) == min(n, eligible.sum()) == slate.trace.shown
    assert set(slate.items) <= set(items[eligible])
    assert len(set(slate.items)) == len(slate.items)
    assert slate.trace.candidates == slate.trace.eligible + sum(lost.values())
    np.testing.assert_allclose(slate.contributions.sum(axis=0) + sum(slate.lifted.values()), slate.score, atol=1e-6)
    assert np.isfinite(slate.final).all()
    assert ((slate.propensity > 0) & (slate.propensity <= 1)).all()
