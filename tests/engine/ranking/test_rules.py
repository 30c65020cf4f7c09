"""Rules in the selection: by hand, and what always holds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.engine.frames import BoolArray
from recommendations.engine.ranking.diversity import Likeness, spread
from recommendations.engine.ranking.rules import Rule, left_in, slots_of, unit
from recommendations.engine.ranking.scores import blend, promoted
from recommendations.engine.ranking.selection import (
    CatalogueState,
    IneligibleReason,
    Selection,
    SelectionParams,
    eligibility,
    select,
)
from recommendations.terms import Repeat, RuleAction

N_ITEMS = 40
ITEMS = np.array([2, 3, 5, 8, 13, 21, -1], np.int32)
Z = np.array([[6, 5, 4, 3, 2, 1, np.nan]], np.float16)
WEIGHTS = np.array([1.0], np.float32)
SHELF = CatalogueState(
    sellable=np.ones(N_ITEMS, np.bool_), likeness=Likeness(traits=np.full((N_ITEMS, 1), -1, np.int32))
)
UNIT = 2.25  # of the scores 1 … 6: p95 = 5.75, p50 = 3.5


def meant(*items: int) -> BoolArray:
    mask = np.zeros(N_ITEMS, np.bool_)
    mask[list(items)] = True
    return mask


def rule(key: int, action: RuleAction, items: Sequence[int] = range(N_ITEMS), **fields: Any) -> Rule:
    return Rule(key=key, action=action, items=meant(*items), **fields)


def shown(
    *rules: Rule,
    n: int = 3,
    wish: SelectionParams | None = None,
    shelf: CatalogueState = SHELF,
    seed: int | None = None,
) -> Selection:
    draw = None if seed is None else np.random.default_rng(seed)
    return select(
        ITEMS, Z, WEIGHTS, catalogue=shelf, params=replace(wish or SelectionParams(n=n), rules=rules), draw=draw
    )


def assert_adds_up(found: Selection) -> None:
    terms = found.contributions.sum(axis=0) + found.promotion + sum(found.boosts.values()) + found.diversity
    np.testing.assert_allclose(terms, found.final, rtol=0, atol=1e-6)


def test_excluding_and_including_only_take_candidates_out() -> None:
    excluding = rule(1, RuleAction.EXCLUDE, [2, 8, 30])
    including = rule(2, RuleAction.INCLUDE_ONLY, [2, 3, 13, 21])
    slate = shown(including, excluding)
    assert slate.items.tolist() == [3, 13, 21]
    assert slate.trace.lost == {IneligibleReason.RULED_OUT: 3}
    assert slate.trace.ruled == {1: 2, 2: 1}  # excluding comes first: the including one takes out what is left of 5
    assert slate.trace.eligible == 3
    assert not slate.touched
    again = rule(3, RuleAction.INCLUDE_ONLY, [3, 5])
    assert shown(including, again).items.tolist() == [3]


def test_a_candidate_lost_for_another_reason_does_not_count_for_a_rule() -> None:
    wish = SelectionParams(n=6, repeat=Repeat.EXCLUDE, bought=np.array([2], np.int32))
    slate = shown(rule(1, RuleAction.EXCLUDE, [2, 3]), wish=wish)
    assert slate.trace.lost == {IneligibleReason.BOUGHT: 1, IneligibleReason.RULED_OUT: 1}
    assert slate.trace.ruled == {1: 1}
    every = np.arange(N_ITEMS, dtype=np.int32)
    open_, lost = eligibility(
        every, catalogue=SHELF, params=replace(wish, rules=(rule(1, RuleAction.EXCLUDE, [2, 3]),))
    )
    assert np.flatnonzero(~open_).tolist() == [2, 3]
    assert lost == {IneligibleReason.BOUGHT: 1, IneligibleReason.RULED_OUT: 1}


def test_boosts_are_shares_of_the_spread_of_the_scores_and_add_up() -> None:
    first, second = rule(1, RuleAction.BOOST, [21, 13], strength=100), rule(2, RuleAction.BOOST, [21, 2], strength=80)
    burying = rule(3, RuleAction.BOOST, [3], strength=-100)
    slate = shown(first, second, burying, n=6)
    assert slate.items.tolist() == [2, 21, 13, 5, 8, 3]
    np.testing.assert_allclose(slate.final, [7.8, 5.05, 4.25, 4, 3, 2.75])
    assert slate.score.tolist() == [6, 1, 2, 4, 3, 5]
    np.testing.assert_allclose(slate.boosts[1], [0, 2.25, 2.25, 0, 0, 0])
    np.testing.assert_allclose(slate.boosts[2], [1.8, 1.8, 0, 0, 0, 0])
    np.testing.assert_allclose(slate.boosts[3], [0, 0, 0, 0, 0, -2.25])
    assert slate.touched[1].tolist() == [False, True, True, False, False, False]
    assert slate.trace.ruled == {1: 2, 2: 2, 3: 1}
    assert not slate.diversity.any()
    assert_adds_up(slate)


def test_the_unit_of_boosts_is_that_of_eligible_candidates() -> None:
    sellable = np.ones(N_ITEMS, np.bool_)
    sellable[2] = False
    slate = shown(rule(1, RuleAction.BOOST, [21], strength=100), n=6, shelf=replace(SHELF, sellable=sellable))
    assert slate.boosts[1].max() == pytest.approx(np.percentile([1, 2, 3, 4, 5], 95) - 3)


@given(st.lists(st.floats(-9, 9, width=32), max_size=40))
def test_the_unit_of_boosts_is_numpys_percentile_difference(scores: list[float]) -> None:
    values = np.array(scores, np.float32)
    expected = np.subtract(*np.percentile(values.astype(np.float64), [95, 50])) if scores else 0
    assert unit(values) == pytest.approx(expected, abs=1e-9)


def test_a_pin_moves_the_best_matched_candidate_only() -> None:
    slate = shown(rule(1, RuleAction.PIN, [8, 13], slot=2), n=4)
    assert slate.items.tolist() == [2, 8, 3, 5]
    assert slate.final.tolist() == [6, 3, 5, 4]
    assert slate.touched[1].tolist() == [False, True, False, False]
    assert not slate.boosts
    assert slate.trace.ruled == {1: 1}


def test_a_second_pin_on_a_slot_takes_the_next_and_none_beyond_the_last() -> None:
    rules = [rule(key, RuleAction.PIN, [item], slot=slot) for key, item, slot in ((1, 21, 2), (2, 13, 2), (3, 2, 9))]
    slate = shown(*rules, n=3)
    assert slate.items.tolist() == [2, 21, 13]
    assert slate.trace.ruled == {1: 1, 2: 1}
    crowded = shown(*rules[:2], rule(4, RuleAction.PIN, [8], slot=3), n=3)
    assert crowded.items.tolist() == [2, 21, 13]  # slot 3 has gone to the second
    one_item = shown(rule(1, RuleAction.PIN, [21], slot=1), rule(2, RuleAction.PIN, [21], slot=2), n=3)
    assert one_item.items.tolist() == [21, 2, 3]


def test_a_pin_from_outside_the_pool_enters_without_a_score() -> None:
    slate = shown(rule(1, RuleAction.PIN, [30, 31], slot=1), rule(2, RuleAction.BOOST, [30], strength=40))
    assert slate.items.tolist() == [30, 2, 3]
    assert slate.score.tolist() == [0, 6, 5]
    assert slate.contributions[:, 0].tolist() == [0]
    assert slate.final[0] == pytest.approx(0.4 * UNIT)
    assert slate.trace.candidates == slate.trace.eligible == 6
    assert_adds_up(slate)


@pytest.mark.parametrize(
    "wish",
    [
        SelectionParams(n=3, repeat=Repeat.ONLY, bought=np.array([2, 3, 5], np.int32)),
        SelectionParams(n=3, excluded=np.array([30], np.int32)),
        SelectionParams(n=3, allowed=~meant(30)),
    ],
)
def test_an_ineligible_item_is_not_pinned(wish: SelectionParams) -> None:
    assert shown(rule(1, RuleAction.PIN, [30], slot=1), wish=wish).items.tolist() == [2, 3, 5]
    unsellable = replace(SHELF, sellable=~meant(30))
    assert shown(rule(1, RuleAction.PIN, [30], slot=1), shelf=unsellable).items.tolist() == [2, 3, 5]
    out = rule(2, RuleAction.EXCLUDE, [30])
    assert shown(rule(1, RuleAction.PIN, [30], slot=1), out).items.tolist() == [2, 3, 5]


def test_a_pin_keeps_its_slot_where_the_pool_ends_before_it() -> None:
    slate = shown(rule(1, RuleAction.PIN, [30], slot=5), rule(2, RuleAction.INCLUDE_ONLY, [2, 3, 30]), n=6)
    assert slate.items.tolist() == [2, 3, 30]
    assert slate.slots.tolist() == [0, 1, 4]


def test_a_slate_of_pins_without_candidates() -> None:
    nothing = np.empty(0, np.int32)
    slate = select(
        nothing, np.empty((0, 0), np.float32), np.empty(0, np.float32), catalogue=SHELF,
        params=SelectionParams(n=3, diversity=0.5, rules=(rule(1, RuleAction.PIN, [30], slot=2),)),
    )  # fmt: skip
    assert (slate.items.tolist(), slate.slots.tolist(), slate.final.tolist()) == ([30], [1], [0])
    assert slate.trace.candidates == 0


def test_a_cap_holds_back_items_beyond_the_most_of_a_group() -> None:
    groups = np.full(N_ITEMS, -1, np.int32)
    groups[[2, 3, 5, 8]] = 70_000
    slate = shown(rule(1, RuleAction.CAP, groups=groups, most=2), n=4)
    assert slate.items.tolist() == [2, 3, 13, 21]
    assert slate.final.tolist() == [6, 5, 2, 1]
    assert slate.trace.ruled == {1: 2}
    assert slate.touched[1].tolist() == [False, False, True, False]  # 5 and 8 are held back at once
    only_some = shown(rule(1, RuleAction.CAP, [2, 3, 5], groups=groups, most=1), n=4)
    assert only_some.items.tolist() == [2, 8, 13, 21]
    together = shown(rule(1, RuleAction.CAP, [2, 5, 13], most=1), n=6)
    assert together.items.tolist() == [2, 3, 8, 21]
    assert shown(rule(1, RuleAction.CAP, [2, 5], most=0), n=6).items.tolist() == [3, 8, 13, 21]


def test_a_cap_counts_pinned_items_and_does_not_move_them() -> None:
    capped, first = rule(1, RuleAction.CAP, [2, 3, 21], most=1), rule(2, RuleAction.PIN, [21], slot=4)
    assert shown(capped, first, n=4).items.tolist() == [5, 8, 13, 21]


def test_a_minimum_share_is_brought_in_from_below() -> None:
    slate = shown(rule(1, RuleAction.MINIMUM_SHARE, [13, 21, 2], share=0.5), n=4)
    assert slate.items.tolist() == [2, 3, 5, 13]
    assert slate.touched[1].tolist() == [False, False, False, True]
    assert slate.trace.ruled == {1: 1}
    assert shown(rule(1, RuleAction.MINIMUM_SHARE, [13, 21], share=1.0), n=4).items.tolist() == [2, 3, 13, 21]
    assert shown(rule(1, RuleAction.MINIMUM_SHARE, [30], share=1.0), n=3).items.tolist() == [2, 3, 5]


def test_the_earlier_minimum_share_wins() -> None:
    some, others = ([8, 13, 21], [2, 3, 5])
    first, second = (rule(key, RuleAction.MINIMUM_SHARE, of, share=0.75) for key, of in ((1, some), (2, others)))
    assert Counter(item in some for item in shown(first, second, n=4).items.tolist()) == {True: 3, False: 1}
    assert Counter(item in some for item in shown(second, first, n=4).items.tolist()) == {True: 1, False: 3}


def test_a_cap_is_stronger_than_a_minimum_share() -> None:
    rules = [rule(1, RuleAction.MINIMUM_SHARE, [13, 21], share=1.0), rule(2, RuleAction.CAP, [13, 21], most=1)]
    assert shown(*rules, n=3).items.tolist() == [2, 3, 13]


@pytest.mark.parametrize(
    ("share", "n", "slots"), [(0.3, 10, 3), (0.31, 10, 4), (1 / 3, 9, 3), (0.0, 5, 0), (1.0, 7, 7)]
)
def test_slots_of_a_minimum_share(share: float, n: int, slots: int) -> None:
    assert slots_of(rule(1, RuleAction.MINIMUM_SHARE, share=share), n) == slots


def test_diversity_counts_pinned_items_above_and_is_a_term_of_its_own() -> None:
    traits = np.full((N_ITEMS, 1), -1, np.int32)
    traits[[30, 2, 5]] = 7
    alike = replace(SHELF, likeness=Likeness(traits=traits))
    slate = shown(rule(1, RuleAction.PIN, [30], slot=1), wish=SelectionParams(n=3, diversity=0.7), shelf=alike)
    assert slate.items.tolist() == [30, 3, 2]  # 2: .3 · 6 − .7 = 1.1 < .3 · 5
    np.testing.assert_allclose(slate.diversity, [0, -3.5, 1.1 - 6], atol=1e-6)
    assert_adds_up(slate)


def test_pinned_slots_are_not_explored_and_other_slots_keep_their_propensities() -> None:
    """The last two slots that are free, 2 and 4, have three cards: 8, 21 and 13, 5 having been pinned."""
    pin = rule(1, RuleAction.PIN, [5], slot=3)
    wish = SelectionParams(n=4, exploration=0.5)
    seen: list[Counter[int]] = [Counter(), Counter(), Counter(), Counter()]
    chances: list[dict[int, float]] = [{}, {}, {}, {}]
    runs = 3000
    for seed in range(runs):
        slate = shown(pin, wish=wish, seed=seed)
        for slot, (item, chance) in enumerate(zip(slate.items.tolist(), slate.propensity.tolist(), strict=True)):
            seen[slot][item] += 1
            chances[slot][item] = chance
    assert chances == [{2: 1.0}, {3: 0.5, 13: 0.5}, {5: 1.0}, {8: 0.5, 21: 0.5}]
    for slot in (1, 3):
        for item, chance in chances[slot].items():
            assert seen[slot][item] / runs == pytest.approx(chance, abs=0.03)


def test_exploration_keeps_caps_and_minimum_shares() -> None:
    wish = SelectionParams(n=3, exploration=1.0)
    for seed in range(20):
        capped = shown(rule(1, RuleAction.CAP, [2, 8, 13, 21], most=1), wish=wish, seed=seed)
        assert len({2, 8, 13, 21} & set(capped.items.tolist())) <= 1
        owed = shown(rule(1, RuleAction.MINIMUM_SHARE, [5], share=0.3), wish=wish, seed=seed)
        assert owed.items[2] == 5
        assert owed.propensity[2] == 1


def shop(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, CatalogueState]:
    """Candidates, z, weights and a catalogue state at random."""
    count = int(draw.integers(0, 35))
    items = np.sort(draw.choice(N_ITEMS, count, replace=False)).astype(np.int32)
    z = (draw.standard_normal((3, count)) * 3).astype(np.float16)
    z[:, draw.random(count) < 0.2] = np.nan
    shelf = CatalogueState(
        sellable=draw.random(N_ITEMS) < 0.9,
        likeness=Likeness(traits=draw.integers(-1, 3, (N_ITEMS, 2)).astype(np.int32)),
        lift=np.exp(draw.normal(size=N_ITEMS)).astype(np.float32) if draw.random() < 0.5 else None,
    )
    return items, z, draw.dirichlet(np.ones(3)).astype(np.float32), shelf


def some_rules(draw: np.random.Generator, n: int) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            key=key,
            action=list(RuleAction)[draw.integers(6)],
            items=draw.random(N_ITEMS) < draw.choice([0.05, 0.3, 0.9]),
            slot=int(draw.integers(1, n + 3)),
            strength=int(draw.integers(-100, 101)),
            most=int(draw.integers(0, 4)),
            groups=draw.integers(-1, 4, N_ITEMS).astype(np.int32) if draw.random() < 0.7 else None,
            share=float(draw.choice([0, 0.2, 0.5, 1])),
        )
        for key in range(1, int(draw.integers(1, 9)))
    )


def some_wish(draw: np.random.Generator, **fields: Any) -> SelectionParams:
    bought = np.sort(draw.choice(N_ITEMS, 6, replace=False)).astype(np.int32)
    return SelectionParams(
        n=int(draw.integers(1, 25)), repeat=list(Repeat)[draw.integers(3)], promotion=float(draw.choice([0, 0.5])),
        diversity=float(draw.choice([0, 0.3, 1])), exploration=float(draw.choice([0, 0.4])), bought=bought,
        excluded=bought[:2], **fields,
    )  # fmt: skip


def test_every_final_is_the_sum_of_its_terms_on_ten_thousand_items() -> None:
    looked_at = 0
    for seed in range(4_000):
        draw = np.random.default_rng(seed)
        items, z, weights, shelf = shop(draw)
        wish = some_wish(draw)
        slate = select(
            items, z, weights, catalogue=shelf, params=replace(wish, rules=some_rules(draw, wish.n)), draw=draw
        )
        assert_adds_up(slate)
        np.testing.assert_allclose(slate.contributions.sum(axis=0) + slate.promotion, slate.score, rtol=0, atol=1e-6)
        looked_at += len(slate.items)
        if looked_at >= 10_000:
            break
    assert looked_at >= 10_000


@settings(max_examples=300)
@given(st.integers(0, 2**32))
def test_random_rules_keep_the_invariants(seed: int) -> None:
    draw = np.random.default_rng(seed)
    items, z, weights, shelf = shop(draw)
    wish = some_wish(draw)
    wish = replace(wish, rules=some_rules(draw, wish.n))
    slate = select(items, z, weights, catalogue=shelf, params=wish, draw=draw)
    every = np.arange(N_ITEMS, dtype=np.int32)
    eligible, _ = eligibility(every, catalogue=shelf, params=wish)
    assert eligible[slate.items].all()
    assert len(set(slate.items.tolist())) == len(slate.items) == slate.trace.shown <= wish.n
    assert (np.diff(slate.slots) > 0).all()
    assert ((slate.slots >= 0) & (slate.slots < wish.n)).all()
    assert np.isfinite(slate.final).all()
    assert ((slate.propensity > 0) & (slate.propensity <= 1)).all()
    assert slate.trace.candidates == slate.trace.eligible + sum(slate.trace.lost.values())
    assert sum(slate.trace.ruled.get(one.key, 0) for one in wish.rules if one.action in OUT) == slate.trace.lost.get(
        IneligibleReason.RULED_OUT, 0
    )
    pinned = [one.key for one in wish.rules if one.action is RuleAction.PIN and one.key in slate.touched]
    assert all(slate.touched[key].sum() == 1 for key in pinned)
    assert (slate.propensity[np.any([slate.touched[key] for key in pinned], axis=0)] == 1).all() if pinned else True
    assert_caps_hold(slate, wish)


OUT = (RuleAction.EXCLUDE, RuleAction.INCLUDE_ONLY)


def assert_caps_hold(found: Selection, wish: SelectionParams) -> None:
    """Assert no more of a group than the cap, or than what is pinned of it."""
    pinned = np.zeros(len(found.items), np.bool_)
    for one in wish.rules:
        if one.action is RuleAction.PIN and one.key in found.touched:
            pinned |= found.touched[one.key]
    for one in wish.rules:
        if one.action is not RuleAction.CAP:
            continue
        groups = np.zeros(N_ITEMS, np.int32) if one.groups is None else one.groups
        codes = np.where(one.items, groups, -1)[found.items]
        fixed = Counter(codes[pinned].tolist())
        for group, times in Counter(codes.tolist()).items():
            assert group < 0 or times <= max(one.most, fixed[group])


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_rules_without_items_or_effect_change_nothing(seed: int) -> None:
    draw = np.random.default_rng(seed)
    items, z, weights, shelf = shop(draw)
    wish = some_wish(draw)
    idle = (
        rule(1, RuleAction.EXCLUDE, []), rule(2, RuleAction.INCLUDE_ONLY), rule(3, RuleAction.PIN, [], slot=1),
        rule(4, RuleAction.BOOST, [], strength=50), rule(5, RuleAction.BOOST), rule(6, RuleAction.CAP, most=N_ITEMS),
        rule(7, RuleAction.MINIMUM_SHARE),
    )  # fmt: skip
    plain = select(items, z, weights, catalogue=shelf, params=wish, draw=np.random.default_rng(seed))
    for rules in (idle[:2], idle[3:5], idle):
        slate = select(
            items, z, weights, catalogue=shelf, params=replace(wish, rules=rules), draw=np.random.default_rng(seed)
        )
        for name in ("items", "slots", "score", "final", "contributions", "promotion", "propensity", "diversity"):
            np.testing.assert_array_equal(getattr(slate, name), getattr(plain, name))
        assert not slate.touched
        assert not any(slate.trace.ruled.values())
        assert replace(slate.trace, ruled={}, diversified=0) == replace(plain.trace, ruled={}, diversified=0)


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_without_rules_the_list_is_what_panel_and_evaluator_rank(seed: int) -> None:
    """The lists are equal to the last bit: the blend of the eligible candidates, spread."""
    draw = np.random.default_rng(seed)
    items, z, weights, shelf = shop(draw)
    wish = replace(some_wish(draw), exploration=0.0)
    slate = select(items, z, weights, catalogue=shelf, params=wish)
    eligible, _ = eligibility(items, catalogue=shelf, params=wish)
    scores = blend(z, weights)
    if shelf.lift is not None and wish.promotion:
        scores += promoted(scores, shelf.lift[items], wish.promotion)
    scores = np.where(eligible, scores, -np.inf).astype(np.float32)
    order = spread(scores[None], items[None], likeness=shelf.likeness, diversity=wish.diversity, n=wish.n)
    taken = order.positions[0] >= 0
    np.testing.assert_array_equal(slate.items, items[order.positions[0][taken]])
    if wish.diversity:
        np.testing.assert_array_equal(slate.final.astype(np.float32), order.finals[0][taken])
    else:
        np.testing.assert_array_equal(slate.final, slate.score)


def test_left_in_counts_the_losses_of_each_rule() -> None:
    eligible = np.array([True, True, True, True, True, False])
    rules = [rule(1, RuleAction.INCLUDE_ONLY, [2, 3, 5, 21]), rule(2, RuleAction.EXCLUDE, [3, 8])]
    left, took = left_in(ITEMS[:6], eligible, rules)
    assert left.tolist() == [True, False, True, False, False, False]
    assert took == {2: 2, 1: 1}
