"""The spectral filter against the matrices that it never makes."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.recommenders.spectral import Config, Spectral
from tests.shop import Act, everybody, folded_in, in_view, stranger, training_set

N_USERS, N_ITEMS = 12, 9


def shop() -> tuple[np.ndarray, Spectral, object]:
    draw = np.random.default_rng(5)
    taken = draw.random((N_USERS, N_ITEMS)) < 0.4
    taken[:, -1] = False  # nobody took the last one
    acts = [Act(user, item, user) for user, item in zip(*np.nonzero(taken), strict=True)]
    training = training_set(acts, n_users=N_USERS, category_of=[0] * N_ITEMS)
    fitted = Spectral(Config(factors=3, smooth=0.7)).fit(training, seed=0)
    return taken.astype(float), fitted, training


def explicit(taken: np.ndarray, *, factors: int, smooth: float) -> np.ndarray:
    """R̃'R̃ + α D^−½ V V' D^½, items × items."""
    people, items = (np.maximum(taken.sum(axis=axis), 1) for axis in (1, 0))
    normal = taken / np.sqrt(np.outer(people, items))
    waves = np.linalg.svd(normal)[2][:factors]
    return normal.T @ normal + smooth * np.diag(items**-0.5) @ waves.T @ waves @ np.diag(items**0.5)


def test_scores_are_those_of_the_explicit_filter() -> None:
    taken, fitted, training = shop()
    scores = fitted.score(everybody(training))
    expected = taken @ explicit(taken, factors=3, smooth=0.7)
    np.testing.assert_allclose(scores[:, :-1], expected[:, :-1], rtol=1e-4, atol=1e-5)
    assert np.isnan(scores[:, -1]).all()
    np.testing.assert_array_equal(fitted.score(folded_in(everybody(training))), scores)


def test_the_terms_are_parts_of_the_score() -> None:
    taken, fitted, training = shop()
    user, item = 0, int(np.flatnonzero(taken[0] == 0)[0])
    terms = taken[user] * explicit(taken, factors=3, smooth=0.7)[:, item]
    evidence = fitted.evidence(training.queries(np.asarray([user])), item)
    total = np.maximum(terms, 0).sum()
    assert [one.share for one in evidence] == pytest.approx(
        sorted((terms[terms > 0] / total).tolist(), reverse=True)[: len(evidence)], abs=1e-4
    )


def test_what_is_in_view_is_the_profile() -> None:
    taken, _, training = shop()
    fitted = Spectral(Config(profile="context", factors=3, smooth=0.7)).fit(training, seed=0)
    query = replace(stranger(N_ITEMS), context=in_view([[2, 5]], n_items=N_ITEMS))
    expected = explicit(taken, factors=3, smooth=0.7)[[2, 5]].sum(axis=0)
    np.testing.assert_allclose(fitted.score(query)[0, :-1], expected[:-1], rtol=1e-4, atol=1e-5)
    assert {one.item for one in fitted.evidence(query, 0)} <= {2, 5}
