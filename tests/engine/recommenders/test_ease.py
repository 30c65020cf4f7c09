"""EASE against its definition: B = I − P / diag(P) by plain inversion of the item-item matrix."""

import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from recommendations.engine.frames import TrainingSet
from recommendations.engine.recommenders import item_regression
from recommendations.engine.recommenders.ease import Config, Ease
from recommendations.terms import Reason
from tests.shop import WEIGHTS, Act, everybody, folded_in, interactions, training_set, worked_example

RIDGE = 2.0


def random_shop(n_users: int = 30, n_items: int = 40) -> TrainingSet:
    rng = np.random.default_rng(2)
    acts = [
        Act(user, int(item), basket=60 * user + n, age=float(rng.integers(0, 90)))
        for user in range(n_users)
        for n, item in enumerate(rng.integers(0, n_items - 1, 12))  # nobody buys the last item
    ]
    return training_set(acts, n_users=n_users, category_of=[0] * n_items)


def by_definition(taught: np.ndarray, profile: np.ndarray, ridge: float) -> np.ndarray:
    precision = np.linalg.inv(taught.T @ taught + ridge * np.eye(taught.shape[1]))
    weights = -precision / np.diag(precision)
    np.fill_diagonal(weights, 0)
    return profile @ weights


def config(**changes: object) -> Config:
    return Config(**{"transform": "sqrt", "half_life": None, "ridge": RIDGE, "profile_half_life": None, **changes})


@pytest.mark.parametrize("solver", [{}, {"dual_users": 0}])
def test_scores_of_the_worked_example(solver: dict[str, int]) -> None:
    training = worked_example()
    weights = np.zeros((10, 20))
    for user, row in WEIGHTS.items():
        weights[user - 1, :8] = np.sqrt(np.asarray(row) / 5)
    scores = Ease(config(**solver)).fit(training, seed=0).score(everybody(training))
    np.testing.assert_allclose(scores[:3, :8], by_definition(weights, weights, RIDGE)[:3, :8], atol=1e-6)
    assert np.isnan(scores[3:]).all()
    assert np.isnan(scores[:, 8:]).all()


@pytest.mark.parametrize("half_lives", [{}, {"half_life": 60.0, "profile_half_life": 20.0}])
def test_dual_and_primal_give_the_same_scores(half_lives: dict[str, float]) -> None:
    training = random_shop()
    # In single precision the difference grows as the ridge shrinks: at 10 it is far below what orders two items.
    dual, primal = (Ease(config(ridge=10.0, **solver, **half_lives)) for solver in ({}, {"dual_users": 0}))
    first, second = (model.fit(training, seed=0).score(everybody(training)) for model in (dual, primal))
    np.testing.assert_allclose(first[:, :-1], second[:, :-1], atol=1e-6)
    assert np.isnan(first[:, -1]).all()
    assert np.isnan(second[:, -1]).all()
    for item in range(5):
        here, there = (model.evidence(training.queries(np.asarray([3])), item) for model in (dual, primal))
        assert [term.item for term in here] == [term.item for term in there]
        assert [term.share for term in here] == pytest.approx([term.share for term in there], abs=1e-5)


def test_a_catalogue_too_large_for_either_keeps_the_most_bought_items() -> None:
    training = random_shop()
    counts = np.bincount(training.interactions.matrix().indices, minlength=40)
    scores = Ease(config(dual_users=0, primal_items=10)).fit(training, seed=0).score(everybody(training))
    scored = ~np.isnan(scores).all(axis=0)
    assert scored.sum() == 10
    assert counts[scored].min() >= counts[~scored].max()


def test_the_terms_are_parts_of_the_score() -> None:
    """A score without one item of the history is less by exactly that item's term."""
    training = random_shop()
    model = Ease(config()).fit(training, seed=0)
    history = [3, 11, 17]

    def score(items: list[int]) -> np.ndarray:
        block = everybody(
            training_set([Act(0, item, n) for n, item in enumerate(items)], n_users=1, category_of=[0] * 40)
        )
        return model.score(folded_in(block))[0]

    whole = score(history)
    query = folded_in(
        everybody(training_set([Act(0, item, n) for n, item in enumerate(history)], n_users=1, category_of=[0] * 40))
    )
    checked = 0
    for item in range(39):
        parts = {k: whole[item] - score([other for other in history if other != k])[item] for k in history if k != item}
        positive = sum(part for part in parts.values() if part > 0)
        for term in model.evidence(query, item):
            assert term.reason is Reason.BECAUSE_YOU_BOUGHT
            assert term.item is not None
            assert term.share * positive == pytest.approx(parts[term.item], abs=1e-6)
            checked += 1
    assert checked > 20


def test_an_item_does_not_explain_itself() -> None:
    training = random_shop()
    model = Ease(config()).fit(training, seed=0)
    alone = folded_in(everybody(training_set([Act(0, 5, 0)], n_users=1, category_of=[0] * 40)))
    assert model.score(alone)[0, 5] == pytest.approx(0, abs=1e-6)
    assert model.evidence(alone, 5) == []


def test_evidence_calls_viewed_items_similar_and_not_bought() -> None:
    acts = [Act(user, item, 2 * user) for user in range(6) for item in (0, 1)]
    training = training_set(acts, n_users=6, category_of=[0, 0])
    model = Ease(config()).fit(training, seed=0)
    looked = training_set([Act(0, 0, 0, strength=0.2, bought=False)], n_users=1, category_of=[0, 0])
    (term,) = model.evidence(folded_in(everybody(looked)), 1)
    assert (term.reason, term.item) == (Reason.SIMILAR_ITEM, 0)


def test_the_profile_decays_by_a_half_life_of_its_own() -> None:
    training = random_shop()
    model = Ease(config(profile_half_life=10.0)).fit(training, seed=0)
    fresh, old = (
        folded_in(everybody(training_set([Act(0, 3, 0, age=age)], n_users=1, category_of=[0] * 40)))
        for age in (0.0, 20.0)
    )
    np.testing.assert_allclose(model.score(old)[0, :39], model.score(fresh)[0, :39] / 2, rtol=1e-4, atol=1e-7)


def test_ease_on_a_shop_without_users() -> None:
    empty = training_set([], n_users=0, category_of=[0, 0])
    assert np.isnan(Ease(config()).fit(empty, seed=0).score(folded_in(everybody(_one_act())))).all()


def _one_act() -> TrainingSet:
    return TrainingSet(
        interactions=interactions([Act(0, 0, 0)], n_users=1, n_items=2),
        catalogue=training_set([], n_users=0, category_of=[0, 0]).catalogue,
    )


def test_fewer_items_than_users_make_the_items_matrix() -> None:
    few = random_shop(n_users=30, n_items=12)  # 11 of them are bought
    assert hasattr(Ease(config()).fit(few, seed=0), "weights_")
    assert hasattr(Ease(config(primal_items=10)).fit(few, seed=0), "kernel_")
    assert hasattr(Ease(config()).fit(random_shop(), seed=0), "kernel_")


def test_the_most_bought_items_are_solved_as_if_there_were_no_others() -> None:
    training = random_shop()
    model = Ease(config(dual_users=0, primal_items=10)).fit(training, seed=0)
    taught = np.sqrt(training.interactions.matrix().toarray()).astype(np.float64)[:, model.kept_]
    expected = by_definition(taught, taught, RIDGE)
    np.testing.assert_allclose(model.score(everybody(training))[:, model.kept_], expected, atol=1e-5)


@pytest.mark.parametrize("at_once", [1, 4, 60, 10**6])
def test_products_and_inverses_in_parts_are_those_of_the_whole(at_once: int) -> None:
    rows = random_shop().interactions.matrix()
    dense = rows.toarray().astype(np.float64)
    gram = item_regression._gram(rows, rows.T.tocsr(), stored=at_once)
    np.testing.assert_array_equal(gram, dense @ dense.T)
    expected = np.linalg.inv(gram + RIDGE * np.eye(len(gram)))
    np.testing.assert_allclose(item_regression._inverse(gram, RIDGE, mirrored=at_once), expected, atol=1e-12)


def test_histories_are_cut_where_they_hold_too_many_pairs() -> None:
    """User 0 has three items and user 1 one: 9 + 1 pairs. Of at most 5, user 0 keeps the two that weigh most."""
    acts = [Act(0, item, trip + 10 * item) for item in range(3) for trip in range(3 - item)] + [Act(1, 2, 99)]
    training = training_set(acts, n_users=2, category_of=[0] * 3)
    whole = Ease(config(dual_users=0, most_pairs=10)).fit(training, seed=0).weights_
    cut = Ease(config(dual_users=0, most_pairs=5)).fit(training, seed=0).weights_
    assert (whole[0, 1] > 0) & (whole[0, 2] > 0)
    assert cut[0, 1] > 0
    assert cut[0, 2] == 0


def test_other_threads_run_while_a_matrix_is_factored() -> None:
    """A run reports that it lives, and fits its other recommenders, from other threads."""
    square = np.eye(2_500) * 3 + 1
    ticks, ended = 0, threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not ended.wait(0.002):
            ticks += 1

    thread = threading.Thread(target=tick)
    with threadpool_limits(1, user_api="blas"):
        thread.start()
        time.sleep(0.02)
        before = ticks
        assert item_regression._lapack("dpotrf", square) == 0
        during = ticks - before
    ended.set()
    thread.join()
    assert during >= 10
