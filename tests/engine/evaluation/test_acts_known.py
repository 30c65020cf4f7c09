"""Lists by acts known: with none they are what everybody buys, and nobody who is judged has taught the models."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.evaluation.acts_known import (
    BANDS,
    FEWEST,
    BandFigures,
    by_acts_known,
    cut_down,
    left_out,
    without,
)
from recommendations.engine.frames import TrainingSet
from recommendations.engine.recommenders.hybrid import FittedInstance
from recommendations.engine.recommenders.registry import INSTANCES, leaning_of
from recommendations.terms import BlendName
from tests.shop import Act, training_set

USERS, ITEMS, SHELF = 120, 60, 12
WEIGHTS = {"ease_home": 1.0}


@pytest.fixture(scope="module")
def training() -> TrainingSet:
    """Five tastes of twelve items: everybody took from their own shelf, the last shelf has the most people."""
    draw = np.random.default_rng(5)
    acts = [
        Act(user, int(shelf_of(user) * SHELF + draw.integers(SHELF)), 30 * user + day, age=float(day))
        for user in range(USERS)
        for day in range(24)
    ]
    return training_set(acts, n_users=USERS, category_of=[item // SHELF for item in range(ITEMS)])


def shelf_of(user: int) -> int:
    return min(4, user % 7)


@pytest.fixture(scope="module")
def figures(training: TrainingSet) -> dict[str, BandFigures]:
    out = np.arange(USERS) % 2 == 0
    taught, leaning = without(training, out), leaning_of(BlendName.HOME)
    assert leaning is not None
    fitted = [
        FittedInstance(name=one.name, recommender=one.build().fit(taught, seed=0))
        for one in INSTANCES
        if one.name in {*WEIGHTS, leaning.popular}
    ]
    people = np.flatnonzero(out)
    truth = sparse.csr_matrix(np.eye(5)[[shelf_of(user) for user in people]].repeat(SHELF, axis=1), dtype=np.float32)
    found = by_acts_known(
        fitted, training.interactions.of_users(people), truth, weights=WEIGHTS, leaning=leaning, seed=0
    )
    return {each.band: each for each in found}


def test_with_nothing_known_it_is_what_everybody_buys(figures: dict[str, BandFigures]) -> None:
    assert figures["0"].blend == figures["0"].popular
    assert figures["0"].ahead == (0, 0, 0)


def test_the_more_is_known_the_better_the_lists(figures: dict[str, BandFigures]) -> None:
    assert [*figures] == [*BANDS]
    values = [figures[band].blend.value for band in BANDS]
    assert values == sorted(values)
    assert values[-1] > 0.95  # five clean tastes
    assert figures["1"].ahead.low > 0
    assert len({figures[band].popular for band in BANDS}) == 1  # the same people, and no history in it
    assert {figures[band].people for band in BANDS} == {USERS // 2}
    for each in figures.values():
        assert each.blend.low <= each.blend.value + 1e-9
        assert each.blend.value <= each.blend.high + 1e-9


def test_who_is_judged_has_taught_nothing(training: TrainingSet) -> None:
    out = left_out(training, np.random.default_rng(1))
    assert out.sum() == USERS // 4
    held = replace(training, teaches=np.arange(len(training.interactions)) % 2 == 0)
    taught = without(held, out)
    assert not out[taught.interactions.user].any()
    assert taught.n_users == USERS
    assert len(taught.teaching) == int((held.teaches & ~out[held.interactions.user]).sum())  # type: ignore[operator]


def test_a_history_is_cut_to_its_newest_acts(training: TrainingSet) -> None:
    acts = training.interactions
    few = cut_down(acts, np.random.default_rng(2), least=2, most=5)
    counts = np.bincount(few.user, minlength=USERS)
    assert set(counts) <= {2, 3, 4, 5}
    assert len(set(counts)) > 1
    assert few.age.max() < 5  # one act a day
    assert len(cut_down(acts, np.random.default_rng(2), least=0, most=0)) == 0
    assert cut_down(acts, np.random.default_rng(2), least=21, most=None) is acts


def test_bands_of_fewer_than_twenty_people_are_left_out(training: TrainingSet) -> None:
    leaning = leaning_of(BlendName.HOME)
    assert leaning is not None
    histories = training.interactions.of_users(np.arange(FEWEST - 1))
    truth = sparse.csr_matrix(np.ones((FEWEST - 1, ITEMS), np.float32))
    assert [*by_acts_known([], histories, truth, weights=WEIGHTS, leaning=leaning, seed=0)] == []
