"""Relevance: a truth that is linear is recovered, and nobody's clicks speak of themselves."""

import numpy as np

from recommendations.engine.experiments.relevance import relevance, relevance_features


def test_features_by_hand() -> None:
    z = np.array([[[0.5, np.nan], [-1.0, 2.0]]], np.float32)
    features = relevance_features(z, np.array([[0, 6]]))
    np.testing.assert_allclose(features, [[[0.5, 0, 0, 1], [-1, 2, np.log(7), 1]]], rtol=1e-6)


def some_log(seed: int = 0, answers: int = 400) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    features = np.concatenate([draw.normal(size=(answers, 9, 3)), np.ones((answers, 9, 1))], axis=2).astype(np.float32)
    places = np.argsort(draw.random((answers, 9)), axis=1)[:, :4]
    places[draw.random(places.shape) < 0.1] = -1
    return {"features": features, "places": places, "customers": draw.integers(0, 60, answers)}


def test_a_linear_truth_is_recovered_for_all_items() -> None:
    log, q = some_log(), np.array([1.0, 0.6, 0.5, 0.2])
    truth = log["features"] @ np.array([0.02, -0.03, 0.01, 0.3])
    shown = np.take_along_axis(truth, np.maximum(log["places"], 0), axis=1)
    fitted = relevance(**log, outcomes=q * shown * (log["places"] >= 0), q=q)
    np.testing.assert_allclose(fitted, np.clip(truth, 0, 1), atol=1e-4)


def test_a_customer_s_clicks_do_not_speak_of_the_customer() -> None:
    log, q = some_log(), np.array([1.0, 0.6, 0.5, 0.2])
    draw = np.random.default_rng(3)
    clicks = (draw.random(log["places"].shape) < 0.2) * (log["places"] >= 0) * 1.0
    one = log["customers"] == 17
    others = np.where(one[:, None], (log["places"] >= 0) * 1.0 - clicks, clicks)
    before, after = (relevance(**log, outcomes=each, q=q) for each in (clicks, others))
    np.testing.assert_allclose(before[one], after[one], rtol=1e-12)
    assert not np.allclose(before[~one], after[~one])


def test_relevance_stays_within_its_bounds() -> None:
    log, q = some_log(), np.ones(4)
    fitted = relevance(**log, outcomes=50.0 * (log["places"] >= 0), q=q, most=7.0)
    assert (fitted >= 0).all()
    assert (fitted <= 7).all()
