"""The slot of a promised item: exact chances, what rules hold stays, and nothing is shown that may not be."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.ranking.offers import PromiseOffer, with_promise
from recommendations.engine.ranking.promise import Budget
from recommendations.engine.ranking.rules import Rule
from recommendations.engine.ranking.selection import CatalogueState, Selection, SelectionParams, select
from recommendations.engine.rng import generator
from recommendations.terms import Repeat, RuleAction
from tests.engine.ranking.test_selection import ITEMS, N_ITEMS, SHELF, WEIGHTS, Z, rows

NEW = rows(30, 31, 32)
OFFER = PromiseOffer(
    rows=NEW,
    age=np.array([1, 1, 1], np.float32),
    fit=np.array([0.5, -0.5, 0], np.float32),
    budget=Budget(share=0.35, load=0.2),
)


def shown(
    seed: int, params: SelectionParams | None = None, shelf: CatalogueState = SHELF, offer: PromiseOffer = OFFER
) -> Selection:
    params = params or SelectionParams(n=3)
    plain = select(ITEMS, Z, WEIGHTS, catalogue=shelf, params=params)
    return with_promise(plain, offer, catalogue=shelf, params=params, draw=generator(seed, "promise"))


def test_the_last_slot_is_given_with_the_chance_of_the_budget_to_each_by_its_own() -> None:
    slates = [shown(seed) for seed in range(4_000)]
    assert {tuple(slate.items[:2].tolist()) for slate in slates} == {(2, 3)}
    seen = Counter(int(slate.items[2]) for slate in slates)
    assert seen[5] / 4_000 == pytest.approx(0.65, abs=0.025)
    chance = {int(slate.items[2]): slate.propensity[2] for slate in slates}
    assert chance[5] == pytest.approx(0.65)
    assert sum(chance.values()) == pytest.approx(1)
    for row in NEW.tolist():
        assert seen[row] / 4_000 == pytest.approx(chance[row], abs=0.02)
    assert all(slate.propensity[:2].tolist() == [1, 1] for slate in slates)


def test_a_known_reward_is_estimated_without_bias() -> None:
    reward = {5: 0.2, 30: 0.9, 31: 0.1, 32: 0.4}
    slates = [shown(seed) for seed in range(4_000)]
    for item, truth in reward.items():
        weighed = [reward[int(one.items[2])] * (one.items[2] == item) / one.propensity[2] for one in slates]
        assert np.mean(weighed) == pytest.approx(truth, abs=4 * np.std(weighed) / np.sqrt(4_000))


def test_a_promised_item_has_no_part_of_a_score() -> None:
    slate = next(one for one in map(shown, range(50)) if one.promised is not None)
    assert slate.promised == 2
    assert slate.score[2] == slate.final[2] == 0
    assert not slate.contributions[:, 2].any()
    assert slate.contributions[0, :2].tolist() == [4.5, 3.75]


def test_nothing_is_drawn_where_nothing_is_open() -> None:
    nothing = SelectionParams(n=3, excluded=NEW)
    for params in (nothing, SelectionParams(n=3, repeat=Repeat.ONLY, bought=rows(2, 3, 5))):
        slate = shown(1, params)
        assert slate.propensity.tolist() == [1, 1, 1]
        assert slate.promised is None
    still = replace(OFFER, budget=Budget(share=0.0, load=0.0))
    assert shown(1, offer=still).propensity.tolist() == [1, 1, 1]


def test_what_may_not_be_shown_is_never_promised() -> None:
    sellable = np.ones(N_ITEMS, np.bool_)
    sellable[30] = False
    shelf = replace(SHELF, sellable=sellable, families=np.where(np.arange(N_ITEMS) == 31, 2, np.arange(N_ITEMS)))
    got = {int(shown(seed, shelf=shelf).items[2]) for seed in range(200)}
    assert got == {5, 32}  # 30 is not for sale, 31 is of the product of 2


def test_an_item_that_is_ranked_already_is_not_shown_twice() -> None:
    offer = replace(OFFER, rows=rows(2, 3, 5))
    assert all(shown(seed, offer=offer).promised is None for seed in range(50))


def test_rules_keep_their_slots_and_caps_hold() -> None:
    pinned = np.zeros(N_ITEMS, np.bool_)
    pinned[21] = True
    pin = Rule(key=1, action=RuleAction.PIN, items=pinned, slot=3)
    slates = [shown(seed, SelectionParams(n=3, rules=(pin,))) for seed in range(200)]
    assert all(slate.items[2] == 21 and slate.propensity[2] == 1 for slate in slates)
    assert {slate.promised for slate in slates} == {None, 1}
    capped = np.zeros(N_ITEMS, np.bool_)
    capped[[2, 30, 31]] = True
    cap = Rule(key=2, action=RuleAction.CAP, items=capped, most=1)
    got = {int(shown(seed, SelectionParams(n=3, rules=(cap,))).items[2]) for seed in range(200)}
    assert got == {5, 32}


def test_an_answer_of_one_slot_may_be_a_promise_and_an_empty_one_is_none() -> None:
    assert {shown(seed, SelectionParams(n=1)).promised for seed in range(100)} == {None, 0}
    assert shown(1, SelectionParams(n=0)).promised is None
