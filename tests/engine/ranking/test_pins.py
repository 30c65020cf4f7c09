"""A pin puts the best of its items into a slot, also from outside the pool, by numbers worked out by hand."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.ranking.diversity import Likeness
from recommendations.engine.ranking.selection import SelectionParams, select
from recommendations.terms import Repeat, RuleAction
from tests.engine.ranking.test_rules import N_ITEMS, SHELF, UNIT, assert_adds_up, meant, rule, shown


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
    wish = SelectionParams(n=4, cards=0.5)
    seen: list[Counter[int]] = [Counter(), Counter(), Counter(), Counter()]
    chances: list[dict[int, float]] = [{}, {}, {}, {}]
    runs = 3000
    for seed in range(runs):
        slate = shown(pin, wish=wish, seed=seed)
        assert slate.fixed == (2,)
        for slot, (item, chance) in enumerate(zip(slate.items.tolist(), slate.propensity.tolist(), strict=True)):
            seen[slot][item] += 1
            chances[slot][item] = chance
    assert chances == [{2: 1.0}, {3: 0.5, 13: 0.5}, {5: 1.0}, {8: 0.5, 21: 0.5}]
    for slot in (1, 3):
        for item, chance in chances[slot].items():
            assert seen[slot][item] / runs == pytest.approx(chance, abs=0.03)
