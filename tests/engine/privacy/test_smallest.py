"""Nobody is told a number about fewer than five others, and nobody's coming or going shows in such a number."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from recommendations.engine.frames import TrainingSet
from recommendations.engine.interests.shared_buyers import Bought, SharedBuyers
from recommendations.engine.privacy.smallest import COUNTS, OF_COUNTS, sayable_count, sayable_facts
from recommendations.engine.recommenders import also_bought, popularity, recent_neighbours, user_knn
from recommendations.terms import Reason
from tests.shop import Act, in_view, training_set

SMALLEST = 5
USERS, ITEMS = 40, 80
MODELS = (
    (popularity.Popularity, popularity.Config(window=365)),
    (user_knn.UserKnn, user_knn.Config()),
    (recent_neighbours.RecentNeighbours, recent_neighbours.Config()),
    (also_bought.AlsoBought, also_bought.Config(min_together=1, false_discovery_rate=1.0)),
)


def crowd() -> TrainingSet:
    """A shop in which some items have many buyers and most have a few; each comes three times."""
    rng = np.random.default_rng(19)
    liked = 1 / np.arange(1, ITEMS + 1)
    acts = [
        Act(user, int(item), 3 * user + trip, age=float(rng.integers(0, 60)))
        for user in range(USERS)
        for trip in range(3)
        for item in rng.choice(ITEMS, size=4, replace=False, p=liked / liked.sum())
    ]
    return training_set(acts, n_users=USERS, category_of=[item % 3 for item in range(ITEMS)])


def facts_told(training: TrainingSet, pairs: Sequence[tuple[int, int]], *, smallest: int) -> list[dict[str, float]]:
    """What every model tells each customer of an item, by model and name; they look at the most bought one."""
    told = [dict[str, float]() for _ in pairs]
    for kind, config in MODELS:
        model = kind(config).fit(training, seed=0)  # type: ignore[arg-type]
        for facts, (user, item) in zip(told, pairs, strict=True):
            query = training.queries(np.array([user]), context=in_view([[0]], n_items=ITEMS))
            for term in model.evidence(query, item):
                sayable: Mapping[str, Any] = sayable_facts(term.reason, term.facts, smallest=smallest)
                numbers = OF_COUNTS.get(term.reason, frozenset()) & sayable.keys()
                facts |= {f"{kind.__name__} {name}": float(sayable[name]) for name in numbers}
    return told


@pytest.mark.parametrize("smallest", [SMALLEST, 1])
def test_a_household_shows_in_no_number_of_fewer_than_five(smallest: int) -> None:
    """300 pairs of a customer and an item, with and without the history of one of 15 households."""
    whole, rng, leaks, shown = crowd(), np.random.default_rng(20), 0, 0
    for gone in rng.choice(USERS, size=15, replace=False).tolist():
        others = [user for user in range(USERS) if user != gone]
        pairs = [(int(rng.choice(others)), int(rng.integers(ITEMS))) for _ in range(20)]
        moved = [(user - (user > gone), item) for user, item in pairs]
        before = facts_told(whole, pairs, smallest=smallest)
        after = facts_told(whole.without(np.array([gone])), moved, smallest=smallest)
        for one, other in zip(before, after, strict=True):
            shown += len(one)
            leaks += sum(number < SMALLEST and other.get(name, number) != number and other[name] < SMALLEST
                         for name, number in one.items())  # fmt: skip
    assert shown > 100
    assert (leaks == 0) == (smallest == SMALLEST)


def test_facts_of_few_are_left_out_and_those_of_many_stay() -> None:
    assert COUNTS.keys() < OF_COUNTS.keys()
    for reason, name in COUNTS.items():
        few, many = {name: 4.0, "days": 7, "of": 9.0}, {name: 5.0, "days": 7, "of": 9.0}
        assert sayable_facts(reason, many, smallest=SMALLEST) == many
        assert sayable_facts(reason, few, smallest=SMALLEST).keys() == few.keys() - OF_COUNTS[reason]
        assert sayable_facts(reason, {"days": 7}, smallest=SMALLEST) == {"days": 7}
    own = {"item_id": "tea", "lift": 9.0, "confidence": 1.0}
    assert sayable_facts(Reason.YOU_BUY_TOGETHER, own, smallest=SMALLEST) == {"item_id": "tea"}
    assert sayable_facts(Reason.BOUGHT_TOGETHER, own, smallest=SMALLEST) == own
    assert sayable_facts(Reason.BOUGHT_TOGETHER, own, smallest=SMALLEST + 1) == {"item_id": "tea"}  # five may carry it


def test_a_count_of_few_is_no_number() -> None:
    assert [sayable_count(people, smallest=SMALLEST) for people in (None, 0, 4, 5)] == [None, None, None, 5]


def test_likeness_by_buyers_counts_fewer_than_five_as_nobody() -> None:
    whole = crowd().interactions
    bought = Bought.of(whole)
    likeness, plain = SharedBuyers(bought, people=SMALLEST), SharedBuyers(bought)
    matrix = whole.matrix().toarray() > 0
    buyers = matrix.sum(axis=0)
    for row in range(ITEMS):
        told, common = likeness.cosines(row), (matrix[:, [row]] & matrix).sum(axis=0)
        known = (buyers >= SMALLEST) & (buyers[row] >= SMALLEST)
        np.testing.assert_array_equal(np.isnan(told), ~known)
        assert (told[known & (common < SMALLEST)] == 0).all()
        np.testing.assert_array_equal(
            told[known & (common >= SMALLEST)], plain.cosines(row)[known & (common >= SMALLEST)]
        )
