import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from recommendations.engine.frames import Promotions, TrainingSet
from recommendations.engine.preprocess.matrix import EventWeights, ItemAttributes, TrainingSnapshot, snapshot
from recommendations.engine.preprocess.terms import membership
from recommendations.engine.ranking.candidates import Candidates, with_plane
from recommendations.engine.ranking.features import Features, features
from recommendations.engine.ranking.item_facts import item_facts
from recommendations.engine.ranking.second_stage import (
    NAME,
    Config,
    Lesson,
    NothingToLearnError,
    Plane,
    SecondStage,
    SecondStageUnavailableError,
    cross_fitted,
    lesson,
    part_of,
)
from recommendations.engine.rng import generator
from recommendations.terms import Trust

CONFIG = Config(rounds=12, learning_rate=0.3, rows_per_leaf=5, ridge=1.0, columns_per_tree=1.0, threads=1)
QUERIES, KEPT = 40, 15
Columns = ("buy_again: z", "rhythm: due", "rhythm: times")


def record(n: int = QUERIES) -> Candidates:
    """Every record has one candidate less than there is room for."""
    items = np.tile(np.arange(KEPT, dtype=np.int32), (n, 1))
    items[:, -1] = -1
    z = generator(0, "z").normal(size=(n, 1, KEPT)).astype(np.float16)
    return Candidates(instances=("buy_again",), items=items, z=z, own=np.zeros((n, 1, 3), np.int32))


def things_due(candidates: Candidates) -> Features:
    rows = int((candidates.items >= 0).sum())
    values = generator(1, "values").normal(size=(rows, len(Columns))).astype(np.float16)
    values[::7, 1] = np.nan
    return Features(
        names=Columns,
        groups=tuple(name.partition(":")[0] for name in Columns),
        values=values,
        counts=np.full(len(candidates), KEPT - 1, np.int32),
    )


RECORD = record()
FEATURES = things_due(RECORD)
BOUGHT = np.nan_to_num(FEATURES.values[:, 1].astype(np.float32), nan=-1) > 1.0
"""Bought is what is due."""

LESSON = Lesson(features=FEATURES, relevant=BOUGHT)
STAGE = SecondStage(CONFIG).fit([LESSON], seed=0)
PLANE = STAGE.plane(FEATURES, RECORD)


def test_the_plane_ranks_bought_items_first() -> None:
    z = PLANE.z[RECORD.items >= 0]
    assert z[BOUGHT].min() > np.median(z[~BOUGHT].astype(np.float32))
    assert np.isnan(PLANE.z[:, -1]).all()
    assert PLANE.z.dtype == np.float16


def test_the_plane_is_standardised_over_each_record() -> None:
    z = PLANE.z[:, :-1].astype(np.float64)
    np.testing.assert_allclose(z.mean(axis=1), 0, atol=1e-3)
    np.testing.assert_allclose(z.std(axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("query", [0, 7, QUERIES - 1])
def test_terms_add_up_to_the_stored_z_and_to_both_margins(query: int) -> None:
    rows = FEATURES.rows(np.array([query]))
    values, z, scale = FEATURES.values[rows], PLANE.z[query, :-1], PLANE.scale[query]
    terms = STAGE.terms(values, z=z, scale=scale)
    assert terms.groups == ("buy_again", "rhythm")
    np.testing.assert_allclose(terms.values.sum(axis=1) + terms.base, z.astype(np.float64), atol=1e-12)
    # apart from the base, which is one number for the whole record but for the rounding, they are the margins
    margins = STAGE.margins(values) * scale[:, None]
    np.testing.assert_allclose(np.diff(terms.values.sum(axis=1)), np.diff(margins.sum(axis=0)), atol=1e-6)
    assert np.ptp(terms.base) < 2 * np.spacing(np.float16(np.abs(z).max()))


def test_the_group_that_decides_has_the_largest_term() -> None:
    rows = FEATURES.rows(np.array([0]))
    terms = STAGE.terms(FEATURES.values[rows], z=PLANE.z[0, :-1], scale=PLANE.scale[0])
    spread = np.ptp(terms.values, axis=0)
    assert spread[terms.groups.index("rhythm")] > 5 * spread[terms.groups.index("buy_again")]


def test_equal_candidates_have_z_zero() -> None:
    alike = replace(FEATURES, values=np.repeat(FEATURES.values[:1], len(FEATURES.values), axis=0))
    plane = STAGE.plane(alike, RECORD)
    assert (plane.z[:, :-1] == 0).all()
    assert (plane.scale == 0).all()


def test_a_restored_second_stage_gives_the_same_plane_and_terms() -> None:
    arrays = STAGE.arrays()
    assert {array.dtype.kind for array in arrays.values()} == {"U", "u"}
    again = SecondStage.restored(CONFIG, arrays)
    np.testing.assert_array_equal(again.plane(FEATURES, RECORD).z, PLANE.z)
    rows = FEATURES.rows(np.array([3]))
    ours, theirs = (
        stage.terms(FEATURES.values[rows], z=PLANE.z[3, :-1], scale=PLANE.scale[3]) for stage in (STAGE, again)
    )
    np.testing.assert_array_equal(ours.values, theirs.values)


def test_the_same_seed_gives_the_same_trees() -> None:
    again = SecondStage(CONFIG).fit([LESSON], seed=0)
    np.testing.assert_array_equal(again.binary_, STAGE.binary_)
    assert not np.array_equal(SecondStage(CONFIG).fit([LESSON], seed=1).order_, STAGE.order_)


def test_lessons_of_two_cuts_teach_together() -> None:
    halves = [part_of(LESSON, np.arange(20)), part_of(LESSON, np.arange(20, QUERIES))]
    together = SecondStage(CONFIG).fit(halves, seed=0)
    np.testing.assert_array_equal(together.plane(FEATURES, RECORD).z, PLANE.z)


def test_features_of_other_columns_are_refused() -> None:
    other = replace(FEATURES, names=("a: a", "b: b", "c: c"))
    with pytest.raises(ValueError, match="columns"):
        STAGE.plane(other, RECORD)
    with pytest.raises(ValueError, match="columns"):
        SecondStage(CONFIG).fit([LESSON, Lesson(features=other, relevant=BOUGHT)], seed=0)


def test_trees_of_an_older_release_leave_out_the_columns_that_they_do_not_know() -> None:
    newer = replace(
        FEATURES,
        names=("rhythm: of the moon", *Columns),
        groups=("rhythm", *FEATURES.groups),
        values=np.column_stack([FEATURES.values[:, 2], FEATURES.values]),
    )
    np.testing.assert_array_equal(STAGE.plane(newer, RECORD).z, PLANE.z)
    assert STAGE.own(newer).names == Columns


@pytest.mark.parametrize("everything", [True, False])
def test_a_lesson_of_one_class_has_nothing_to_learn(everything: bool) -> None:
    with pytest.raises(NothingToLearnError):
        SecondStage(CONFIG).fit([replace(LESSON, relevant=np.full(len(BOUGHT), everything))], seed=0)


def test_a_lesson_is_the_best_by_the_blend() -> None:
    relevant = np.zeros(RECORD.items.shape, np.bool_)
    relevant[RECORD.items >= 0] = BOUGHT
    short = lesson(FEATURES, RECORD, relevant, weights={"buy_again": 1.0}, best=5)
    assert short.features.counts.tolist() == [5] * QUERIES
    best = np.sort(np.argsort(-RECORD.z[0, 0, :-1])[:5])
    np.testing.assert_array_equal(short.features.values[:5], FEATURES.values[best])
    np.testing.assert_array_equal(short.relevant[:5], relevant[0, best])


def crossed(lessons: Lesson) -> Plane:
    return cross_fitted(CONFIG, lessons, FEATURES, RECORD, learners=np.arange(QUERIES), folds=2, seed=0)


def test_cross_fitting_scores_no_customer_by_trees_that_saw_them() -> None:
    """Whatever one customer bought, their own plane stays as it is; someone else's does not."""
    before = crossed(LESSON)
    customer = 5
    turned = BOUGHT.copy()
    rows = FEATURES.rows(np.array([customer]))
    turned[rows] = ~turned[rows]
    after = crossed(replace(LESSON, relevant=turned))
    np.testing.assert_array_equal(after.z[customer], before.z[customer])
    np.testing.assert_array_equal(after.scale[customer], before.scale[customer])
    assert not np.array_equal(after.z, before.z, equal_nan=True)


def test_a_cross_fitted_plane_ranks_bought_items_first() -> None:
    plane = crossed(LESSON)
    z = plane.z[RECORD.items >= 0]
    assert np.isfinite(z).all()
    assert z[BOUGHT].mean() > 1


def test_the_plane_becomes_an_instance() -> None:
    records = with_plane(RECORD, NAME, PLANE.z)
    assert records.instances == ("buy_again", NAME)
    np.testing.assert_array_equal(records.z[:, 1], PLANE.z)
    order = np.argsort(-PLANE.z[0, :-1].astype(np.float32), kind="stable")[:3]
    assert records.own[0, 1].tolist() == RECORD.items[0, order].tolist()
    np.testing.assert_array_equal(records.ranked({NAME: 1.0}, 3)[0], records.own[0, 1])
    np.testing.assert_array_equal(records.ranked({"buy_again": 1.0}, 3), RECORD.ranked({"buy_again": 1.0}, 3))


@pytest.fixture
def not_installed() -> Iterator[None]:
    """Python's own way to say that a module is not there."""
    held = sys.modules["lightgbm"]
    sys.modules["lightgbm"] = None
    yield
    sys.modules["lightgbm"] = held


@pytest.mark.usefixtures("not_installed")
def test_without_lightgbm_the_error_names_the_remedy() -> None:
    with pytest.raises(SecondStageUnavailableError, match="extra second-stage"):
        SecondStage(CONFIG).fit([LESSON], seed=0)
    with pytest.raises(SecondStageUnavailableError, match="libgomp1"):
        SecondStage.restored(CONFIG, STAGE.arrays()).margins(FEATURES.values)


CUT = 100.0
ATTRIBUTES = ItemAttributes(
    ids=np.arange(3, dtype=np.int64),
    categories=membership([np.array([0]), np.array([1]), np.array([1])], n_columns=2),
    terms=sparse.csr_matrix(np.ones((3, 1), np.float32)),
    price=np.array([1, 2, 3], np.float32),
    listed_at=np.array([0.0, 0.0, 0.0]),
)


def purchases(*rows: tuple[int, int, float]) -> pd.DataFrame:
    user, item, at = zip(*rows, strict=True)
    n = len(rows)
    return pd.DataFrame(
        {
            "user": np.array(user, np.int64),
            "item": np.array(item, np.int64),
            "name": pd.Categorical(["purchase"] * n),
            "at": np.array(at, np.float64),
            "basket": np.arange(n, dtype=np.int64),
            "quantity": np.ones(n, np.float32),
            "price": np.full(n, 2, np.float32),
            "amount": np.full(n, 2, np.float32),
            "rating": np.full(n, np.nan, np.float32),
            "trust": np.full(n, Trust.SERVER, np.int8),
        }
    )


def seen_at_the_cut(made: TrainingSnapshot) -> Features:
    plan = Promotions(
        item=np.array([0, 1], np.int32),
        start=np.array([-9, -2], np.float32),
        display=np.array([0.5, 0.5], np.float32),
        mailer=np.array([0.5, 0.5], np.float32),
    )
    training: TrainingSet = replace(made.training, promotions=plan)
    items = np.array([[0, 1, 2], [0, 1, 2]], np.int32)
    z, own = np.zeros((2, 1, 3), np.float16), np.zeros((2, 1, 1), np.int32)
    candidates = Candidates(instances=("ease",), items=items, z=z, own=own)
    return features(candidates, training.queries(np.arange(2)), item_facts(training))


def test_events_after_the_cut_change_no_feature() -> None:
    past = [(0, 0, 40.0), (0, 0, 90.0), (0, 1, 90.0), (1, 2, 99.0), (1, 1, 60.0)]
    future = [(0, 2, 100.5), (1, 1, 120.0), (1, 0, 100.0)]
    before, all_of_it = (
        seen_at_the_cut(snapshot(purchases(*rows), ATTRIBUTES, cut=CUT, weights=EventWeights()))
        for rows in (past, past + future)
    )
    np.testing.assert_array_equal(before.values, all_of_it.values)
