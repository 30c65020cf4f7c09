"""Rules in the selection exclude, boost, cap and owe a share, by numbers worked out by hand."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.frames import BoolArray
from recommendations.engine.ranking.diversity import Likeness
from recommendations.engine.ranking.rules import Rule, left_in, slots_of, unit
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
    terms = found.contributions.sum(axis=0) + sum(found.lifted.values()) + sum(found.boosts.values()) + found.diversity
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


def test_exploration_keeps_caps_and_minimum_shares() -> None:
    wish = SelectionParams(n=3, cards=1.0)
    for seed in range(20):
        capped = shown(rule(1, RuleAction.CAP, [2, 8, 13, 21], most=1), wish=wish, seed=seed)
        assert len({2, 8, 13, 21} & set(capped.items.tolist())) <= 1
        owed = shown(rule(1, RuleAction.MINIMUM_SHARE, [5], share=0.3), wish=wish, seed=seed)
        assert owed.items[2] == 5
        assert owed.propensity[2] == 1


def test_left_in_counts_the_losses_of_each_rule() -> None:
    eligible = np.array([True, True, True, True, True, False])
    rules = [rule(1, RuleAction.INCLUDE_ONLY, [2, 3, 5, 21]), rule(2, RuleAction.EXCLUDE, [3, 8])]
    left, took = left_in(ITEMS[:6], eligible, rules)
    assert left.tolist() == [True, False, True, False, False, False]
    assert took == {2: 2, 1: 1}
