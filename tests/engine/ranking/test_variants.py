"""Of each product one tile: by hand, and under random rules."""

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.engine.ranking.rules import Rule
from recommendations.engine.ranking.selection import IneligibleReason, SelectionParams, select
from recommendations.engine.ranking.variants import one_tile_each, siblings
from recommendations.terms import RuleAction
from tests.engine.ranking.test_rule_invariants import assert_caps_hold, shop, some_rules, some_wish
from tests.engine.ranking.test_rules import N_ITEMS, SHELF, assert_adds_up, rule, shown

FAMILIES = np.arange(N_ITEMS, dtype=np.int32)
FAMILIES[[3, 5, 8]] = 3  # of the scores 5, 4 and 3 of 2: 6, 3: 5, 5: 4, 8: 3, 13: 2, 21: 1
FAMILIES[30] = 21
TILES = replace(SHELF, families=FAMILIES)


def test_the_best_variant_has_the_tile_and_the_others_are_counted() -> None:
    slate = shown(n=4, shelf=TILES)
    assert slate.items.tolist() == [2, 3, 13, 21]
    assert slate.trace.lost == {IneligibleReason.VARIANT: 2}
    assert (slate.trace.candidates, slate.trace.eligible) == (6, 4)


def test_what_may_not_be_shown_holds_no_tile() -> None:
    slate = shown(n=4, shelf=TILES, wish=SelectionParams(n=4, excluded=np.array([3], np.int32)))
    assert slate.items.tolist() == [2, 5, 13, 21]
    assert slate.trace.lost == {IneligibleReason.EXCLUDED: 1, IneligibleReason.VARIANT: 1}


def test_a_boost_decides_between_variants_and_a_pin_wins() -> None:
    assert shown(rule(1, RuleAction.BOOST, [8], strength=100), n=4, shelf=TILES).items.tolist() == [2, 8, 13, 21]
    slate = shown(rule(1, RuleAction.PIN, [8], slot=1), n=4, shelf=TILES)
    assert slate.items.tolist() == [8, 2, 13, 21]
    assert slate.trace.lost == {IneligibleReason.VARIANT: 2}


def test_a_pinned_item_from_outside_takes_the_tile_of_its_product() -> None:
    slate = shown(rule(1, RuleAction.PIN, [30], slot=2), n=4, shelf=TILES)
    assert slate.items.tolist() == [2, 30, 3, 13]
    assert slate.trace.lost == {IneligibleReason.VARIANT: 3}  # 5 and 8, and 21


def test_a_product_is_pinned_once() -> None:
    pins = [rule(1, RuleAction.PIN, [5], slot=1), rule(2, RuleAction.PIN, [8], slot=2)]
    assert shown(*pins, n=4, shelf=TILES).items.tolist() == [5, 2, 13, 21]
    pins = [rule(1, RuleAction.PIN, [5], slot=1), rule(2, RuleAction.PIN, [8, 13], slot=2)]
    assert shown(*pins, n=4, shelf=TILES).items.tolist() == [5, 13, 2, 21]
    pins = [rule(1, RuleAction.PIN, [21], slot=1), rule(2, RuleAction.PIN, [30, 31], slot=2)]
    assert shown(*pins, n=4, shelf=TILES).items.tolist() == [21, 31, 2, 3]


def test_without_variants_nothing_is_otherwise() -> None:
    plain, alone = shown(n=6), shown(n=6, shelf=replace(SHELF, families=np.arange(N_ITEMS, dtype=np.int32)))
    assert plain.items.tolist() == alone.items.tolist()
    assert plain.trace == alone.trace


def test_siblings_and_the_cap_of_fillers() -> None:
    assert siblings(np.array([8, 21], np.int32), FAMILIES).tolist() == [3, 5, 8, 21, 30]
    cap = one_tile_each(FAMILIES)
    assert cap.take(5)
    assert np.flatnonzero(cap.blocked).tolist() == [3, 5, 8]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_random_rules_leave_one_tile_of_each_product(seed: int) -> None:
    draw = np.random.default_rng(seed)
    items, z, weights, shelf = shop(draw)
    families = np.minimum(np.arange(N_ITEMS), draw.integers(0, N_ITEMS, N_ITEMS)).astype(np.int32)
    for _ in range(6):
        families = families[families]
    wish = some_wish(draw)
    rules: tuple[Rule, ...] = some_rules(draw, wish.n)
    wish = replace(wish, rules=rules)
    slate = select(items, z, weights, catalogue=replace(shelf, families=families), params=wish, draw=draw)
    assert max(Counter(families[slate.items].tolist()).values(), default=1) == 1
    assert slate.trace.candidates == slate.trace.eligible + sum(slate.trace.lost.values())
    assert_adds_up(slate)
    assert_caps_hold(slate, wish)
    pinned = {one.key for one in rules if one.action is RuleAction.PIN} & slate.touched.keys()
    assert all(slate.touched[key].sum() == 1 for key in pinned)
