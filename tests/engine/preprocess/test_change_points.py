"""Who buys otherwise than before, since when, and what that leaves of what came before."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recommendations.engine.frames import Interactions
from recommendations.engine.preprocess.change_points import ChangePoints, lessened
from recommendations.engine.preprocess.matrix import EventWeights, snapshot
from tests.engine.preprocess.events import DAY, act, attributes, frame
from tests.shop import Act, catalogue, interactions

BREAD, MILK, PAINT, BRUSH, STAMP = range(5)
ITEMS = 5
DEPARTMENTS = catalogue([0, 0, 1, 1, 2]).categories
FOOD, TOOLS, BOTH = (BREAD,), (PAINT, BRUSH), (MILK, BRUSH)


def history(*baskets: Sequence[int], user: int = 0) -> list[Act]:
    """One basket a day, the oldest first; the newest is a day old."""
    ages = range(len(baskets), 0, -1)
    return [
        Act(user, item, 100 * user + number, age=float(age))
        for number, (age, items) in enumerate(zip(ages, baskets, strict=True))
        for item in items
    ]


def of_one(*baskets: Sequence[int]) -> Interactions:
    return interactions(history(*baskets), n_users=1, n_items=ITEMS)


def change(acts: Interactions) -> tuple[int, float]:
    """After how many baskets ago, and how many days ago, the only user changed."""
    points = ChangePoints.of(acts, DEPARTMENTS)
    return int(points.baskets[0]), float(points.since[0])


@pytest.mark.parametrize(
    ("baskets", "since"),
    [
        ([*[FOOD] * 10, *[TOOLS] * 3], 3),  # nothing in common with before
        ([*[FOOD] * 9, *[TOOLS] * 3], 0),  # nine baskets are no habit
        ([*[FOOD] * 10, *[TOOLS] * 2], 0),  # two are no change
        ([*[FOOD] * 10, *[TOOLS] * 5], 4),  # four of five: (1/11) / (101/121) = .11, of three (2/12) / (104/144) = .23
        ([*[FOOD] * 10, *[TOOLS] * 6], 6),  # of four (2/12) / (104/144) = .23, of six 0
        ([*[FOOD] * 10, *[TOOLS] * 3, FOOD], 4),  # q = (1/4, 3/4), p = (1, 0): as alike as a change may be
        ([*[FOOD] * 10, *[TOOLS] * 2, *[FOOD] * 2], 0),  # back again
        ([*[FOOD] * 10, *[BOTH] * 4], 0),  # half of each basket is of what it always was
        ([*[FOOD, TOOLS] * 5, *[TOOLS] * 4], 0),  # p = (1/2, 1/2): they always bought both
        ([*[TOOLS] * 3, *[FOOD] * 10], 0),  # long ago
    ],
)
def test_a_change_is_three_baskets_or_more_that_are_unlike_all_before(
    baskets: Sequence[Sequence[int]], since: int
) -> None:
    assert change(of_one(*baskets)) == (since, float(since) if since else np.inf)


def test_what_was_only_looked_at_makes_no_change() -> None:
    acts = of_one(*[FOOD] * 10, *[TOOLS] * 3)
    assert change(replace(acts, bought=acts.age > 1)) == (0, np.inf)


def test_what_lies_in_no_department_says_nothing() -> None:
    nowhere = sparse.csr_matrix(DEPARTMENTS.multiply([[1]] * STAMP + [[0]]))
    nowhere.eliminate_zeros()
    acts = of_one(*[FOOD] * 10, *[(STAMP,)] * 3)
    assert change(acts) == (3, 3)
    assert ChangePoints.of(acts, nowhere).baskets.tolist() == [0]


def test_each_basket_since_halves_what_came_before_and_takes_nothing_away() -> None:
    others = history(*[FOOD] * 13, user=1)
    look = Act(0, MILK, 99, age=3.5, strength=0.2, bought=False)
    acts = interactions([*history(*[FOOD] * 10, *[TOOLS] * 3), look, *others], n_users=2, n_items=ITEMS)
    less = ChangePoints.of(acts, DEPARTMENTS).lessening(acts)
    own = less.user == 0
    assert less.strength[own] == pytest.approx([1 / 8] * 10 + [1] * 6 + [0.2 / 8])
    assert (less.strength[~own] == 1).all()
    for name in ("user", "item", "basket", "age", "quantity", "amount", "bought"):
        assert np.array_equal(getattr(less, name), getattr(acts, name))
    for at_once in (1, 17, 20, 1_000):
        assert np.array_equal(lessened(acts, DEPARTMENTS, at_once=at_once).strength, less.strength)


def test_where_nobody_changed_the_acts_are_the_same() -> None:
    acts = of_one(*[FOOD] * 13)
    assert ChangePoints.of(acts, DEPARTMENTS).lessening(acts) is acts
    nobody = interactions([], n_users=0, n_items=ITEMS)
    assert ChangePoints.of(nobody, DEPARTMENTS).lessening(nobody) is nobody


habits = st.lists(st.lists(st.sampled_from(range(ITEMS)), min_size=1, unique=True), min_size=12, max_size=18)


@settings(max_examples=30)
@given(st.lists(habits, min_size=2, max_size=4))
def test_a_change_is_of_a_persons_own_acts_alone(people: list[list[list[int]]]) -> None:
    """Who goes, or comes, changes nobody else: not by a bit."""
    rows = [row for user, baskets in enumerate(people) for row in history(*baskets, user=user)]
    acts = interactions(rows, n_users=len(people), n_items=ITEMS)
    every = ChangePoints.of(acts, DEPARTMENTS).lessening(acts)
    rest = acts.without(np.array([0]))
    without = ChangePoints.of(rest, DEPARTMENTS).lessening(rest)
    assert np.array_equal(without.strength, every.without(np.array([0])).strength)


@pytest.mark.parametrize(("departments", "left"), [(None, 1), ([0, 0, 1, 1], 1 / 8), ([0, 0, 0, 0], 1)])
def test_a_training_set_knows_who_changed_where_its_shop_has_departments(
    departments: list[int] | None, left: float
) -> None:
    """Item n is the only one of category n: both kinds of food lie in one department, or all is one."""
    bought = [*[BREAD, MILK] * 5, PAINT, BRUSH, PAINT]
    events = frame([act(7, item, at=DAY + number, basket=number) for number, item in enumerate(bought)])
    given = None if departments is None else np.array(departments, np.int32)
    made = snapshot(events, replace(attributes([0, 1, 2, 3]), departments=given), cut=DAY + 20, weights=EventWeights())
    assert made.training.interactions.strength == pytest.approx([left] * 10 + [1] * 3)
