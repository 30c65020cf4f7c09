"""Rules from ten baskets that can be counted by hand."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from recommendations.engine.frames import Sparse
from recommendations.engine.interests.association import (
    Baskets,
    Pairs,
    affordable,
    baskets,
    discoveries,
    many_carry,
    p_values,
    pairs,
    significant,
)
from tests.shop import Act, interactions

BREAD, BUTTER, JAM, SOAP = range(4)
TEN = [[BREAD, BUTTER]] * 3 + [[BREAD, BUTTER, JAM]] * 2 + [[BREAD], [SOAP], [SOAP, BREAD], [SOAP], [JAM]]


def held() -> Baskets:
    acts = [Act(number % 3, item, number) for number, basket in enumerate(TEN) for item in basket]
    looked = [Act(0, SOAP, 99, strength=0.2, bought=False), Act(0, JAM, 99, strength=0.2, bought=False)]
    return baskets(interactions(acts + looked, n_users=3, n_items=5))


def content() -> Sparse:
    return held().content


def rule(found: Pairs, first: int, second: int) -> int:
    return int(np.flatnonzero((found.first == first) & (found.second == second))[0])


def test_only_purchases_make_a_basket() -> None:
    matrix = content()
    assert matrix.shape == (10, 5)
    assert matrix.sum() == sum(len(basket) for basket in TEN)


def test_support_confidence_and_lift() -> None:
    rules = pairs(content(), min_together=1)
    assert rules.baskets_of.tolist() == [7, 5, 3, 3, 0]
    assert len(rules) == 8  # bread-butter, bread-jam, bread-soap, butter-jam, both ways
    there, back = rule(rules, BREAD, BUTTER), rule(rules, BUTTER, BREAD)
    assert rules.together[there] == rules.together[back] == 5
    assert rules.support[there] == pytest.approx(0.5)
    assert rules.confidence[there] == pytest.approx(5 / 7)
    assert rules.confidence[back] == pytest.approx(1)
    assert rules.lift[there] == pytest.approx(5 * 10 / (7 * 5))
    assert rules.lift[back] == rules.lift[there]
    assert rules.lift[rule(rules, SOAP, BREAD)] == pytest.approx(1 * 10 / (3 * 7))


def test_the_minimum_support_is_kept() -> None:
    rules = pairs(content(), min_together=3)
    assert list(zip(rules.first.tolist(), rules.second.tolist(), strict=True)) == [(BREAD, BUTTER), (BUTTER, BREAD)]
    assert len(pairs(content(), min_together=6)) == 0


def test_p_values_are_those_of_fishers_exact_test() -> None:
    rules = pairs(content(), min_together=1)
    for at, p in enumerate(p_values(rules)):
        both, first, second = rules.together[at], rules.baskets_of[rules.first[at]], rules.baskets_of[rules.second[at]]
        table = [[both, first - both], [second - both, 10 - first - second + both]]
        assert p == pytest.approx(fisher_exact(table, alternative="greater").pvalue)


def test_false_discoveries_are_limited() -> None:
    p = np.asarray([0.2, 0.001, 0.04, 0.03, 0.011])  # limits .01 .02 .03 .04 .05 of the sorted: .001 .011 .03 .04 .2
    np.testing.assert_array_equal(discoveries(p, rate=0.05), [False, True, True, True, True])
    np.testing.assert_array_equal(discoveries(p, rate=0.05, tests=50), [False, True, False, False, False])
    assert discoveries(np.empty(0), rate=0.05).shape == (0,)


def test_pairs_by_chance_are_no_rules() -> None:
    acts = [Act(0, BREAD, basket) for basket in range(40)]
    acts += [Act(0, BUTTER, basket) for basket in range(0, 40, 2)]  # with bread, as every basket is
    acts += [Act(0, JAM, basket) for basket in range(0, 40, 4)] + [Act(0, SOAP, basket) for basket in range(0, 40, 4)]
    result = significant(pairs(baskets(interactions(acts, n_users=1, n_items=4)).content, min_together=3), rate=0.01)
    rules = set(zip(result.first.tolist(), result.second.tolist(), strict=True))
    assert rules == {(JAM, SOAP), (SOAP, JAM), (BUTTER, JAM), (JAM, BUTTER), (BUTTER, SOAP), (SOAP, BUTTER)}


def test_no_baskets_no_rules() -> None:
    empty = baskets(interactions([], n_users=1, n_items=2)).content
    rules = significant(pairs(empty, min_together=2))
    assert len(rules) == 0


def test_only_pairs_above_chance_are_tested_but_all_are_counted_as_tests() -> None:
    rng = np.random.default_rng(5)
    acts = [Act(0, int(item), basket) for basket in range(300) for item in np.flatnonzero(rng.random(12) < 0.3)]
    acts += [Act(0, item, 300 + basket) for basket in range(60) for item in (basket % 3, basket % 3 + 3)]
    every = pairs(baskets(interactions(acts, n_users=1, n_items=12)).content, min_together=1)
    once = every.where(every.first < every.second)
    believed = once.where(discoveries(p_values(once), rate=0.05) & (once.lift > 1))
    rules = significant(every, rate=0.05)
    passed = rules.where(rules.first < rules.second)
    assert 0 < len(passed) < len(once)
    np.testing.assert_array_equal(passed.first, believed.first)
    np.testing.assert_array_equal(passed.second, believed.second)


def test_large_baskets_are_cut_where_they_hold_too_many_pairs() -> None:
    acts = [Act(0, item, 0) for item in range(4)] + [Act(0, item, 1) for item in range(2)]
    both = baskets(interactions(acts, n_users=1, n_items=4))
    assert len(pairs(affordable(both, most_pairs=20).content, min_together=1)) == 12
    three = affordable(both, most_pairs=19)  # three items of the first basket stay
    assert len(pairs(three.content, min_together=1)) in {6, 8}


def test_the_baskets_stand_by_their_owner() -> None:
    assert held().owner.tolist() == sorted(number % 3 for number in range(10))


@pytest.mark.parametrize("people", [1, 2, 5, 7])
def test_pairs_are_counted_by_people(people: int) -> None:
    rng = np.random.default_rng(people)
    acts = [
        Act(user, int(item), basket)
        for basket, user in enumerate(rng.integers(60, size=300).tolist())
        for item in np.flatnonzero(rng.random(15) < 0.12)
    ]
    all_baskets = baskets(interactions(acts, n_users=60, n_items=15))
    rules, has = pairs(all_baskets.content, min_together=1), all_baskets.content.toarray() > 0
    expected = [
        len(set(all_baskets.owner[has[:, one] & has[:, other]])) >= people
        for one, other in zip(rules.first, rules.second, strict=True)
    ]
    assert many_carry(all_baskets, rules, people=people).tolist() == expected
    assert any(expected)
    assert people == 1 or not all(expected)
