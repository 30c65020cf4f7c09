"""Sessions like the one that is going on, counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.frames import Queries, TrainingSet
from recommendations.engine.recommenders.session_knn import Config, SessionKnn
from recommendations.terms import Reason
from tests.shop import Act, in_view, stranger, training_set

TENT, STOVE, GAS, LAMP, BOOK = range(5)
PLAIN = {"rarity": 0.0, "length_power": 0.0, "target_power": 0.0}
SESSIONS = [[TENT, STOVE], [TENT, STOVE, GAS], [TENT, LAMP], [GAS, LAMP]]


def training(sessions: list[list[int]] = SESSIONS, *, n_items: int = 5) -> TrainingSet:
    """A visitor for each session, the later ones newer; nobody has seen the last item."""
    acts = [
        Act(user=number, item=item, basket=number, age=10.0 - number, strength=0.2, bought=False)
        for number, session in enumerate(sessions)
        for item in session
    ]
    return training_set(acts, n_users=len(sessions), category_of=[0] * n_items)


def model(**changes: object) -> SessionKnn:
    return SessionKnn(Config(**{**PLAIN, **changes})).fit(training(), seed=0)


def seen(weights: dict[int, float]) -> Queries:
    """A stranger who saw these items."""
    context = in_view([sorted(weights)], n_items=5)
    context.data = np.array([weights[item] for item in sorted(weights)], np.float32)
    return replace(stranger(5), context=context)


def test_every_session_that_shares_an_item_adds_to_the_score() -> None:
    scores = model().score(seen({TENT: 1.0}))[0]
    np.testing.assert_allclose(scores[:4], [3, 2, 1, 1])  # three sessions hold the tent; two of them the stove
    assert np.isnan(scores[BOOK])


def test_newer_items_of_the_session_weigh_more() -> None:
    scores = model().score(seen({TENT: 0.5, GAS: 1.0}))[0]
    # likeness: ½, ½ + 1, ½, 1
    np.testing.assert_allclose(scores[:4], [2.5, 2.0, 2.5, 1.5])


def test_only_the_nearest_sessions_count() -> None:
    scores = model(neighbours=1).score(seen({TENT: 0.5, GAS: 1.0}))[0]
    np.testing.assert_allclose(scores[:4], [1.5, 1.5, 1.5, 0])


def test_long_sessions_old_sessions_and_common_items_weigh_less() -> None:
    np.testing.assert_allclose(model(length_power=1.0).score(seen({GAS: 1.0}))[0, :4], [1 / 3, 1 / 3, 5 / 6, 1 / 2])
    np.testing.assert_allclose(model(target_power=1.0).score(seen({GAS: 1.0}))[0, :4], [1 / 3, 1 / 2, 1, 1 / 2])
    halved = model(half_life=1.0).score(seen({GAS: 1.0}))[0]  # ages of the sessions with gas: 9 and 7 days
    np.testing.assert_allclose(halved[[STOVE, LAMP]], [2.0**-9, 2.0**-7])
    rare = model(rarity=1.0).score(seen({GAS: 1.0, TENT: 1.0}))[0]
    tent, gas = np.log1p(4 / 3), np.log1p(4 / 2)  # sessions over holders
    np.testing.assert_allclose(rare[LAMP], tent + gas, rtol=1e-6)
    np.testing.assert_allclose(rare[STOVE], 2 * tent + gas, rtol=1e-6)


def test_the_terms_are_parts_of_the_score() -> None:
    first, second = model().evidence(seen({TENT: 0.5, GAS: 1.0}), LAMP)  # ½ by the tent, 1 by the gas
    assert [first.reason, second.reason] == [Reason.BECAUSE_YOU_VIEWED] * 2
    assert [(first.item, first.share), (second.item, second.share)] == [
        (GAS, pytest.approx(2 / 3)), (TENT, pytest.approx(1 / 3)),
    ]  # fmt: skip
    (only,) = model(neighbours=1).evidence(seen({TENT: 0.1, GAS: 1.0}), STOVE)[:1]
    assert only.item == GAS


def test_an_item_of_the_session_is_no_reason_for_itself() -> None:
    assert [each.item for each in model().evidence(seen({TENT: 0.5, GAS: 1.0}), GAS)] == [TENT]


def test_the_newest_sessions_are_kept() -> None:
    scores = model(sessions=2).score(seen({TENT: 1.0}))[0]
    np.testing.assert_allclose(scores[:4], [1, 0, 0, 1])  # of the last two sessions one holds a tent, and a lamp


def test_without_items_in_view_the_sessions_are_silent() -> None:
    assert np.isnan(model().score(stranger(5))).all()


def test_a_basket_is_a_session_and_a_refund_is_none() -> None:
    acts = [Act(0, TENT, 0, 5.0), Act(0, STOVE, 0, 5.0), Act(0, TENT, 1, 4.0, -1.0, False), Act(0, GAS, 2, 3.0)]
    shop = SessionKnn(Config(**PLAIN)).fit(training_set(acts, n_users=1, category_of=[0] * 5), seed=0)
    np.testing.assert_allclose(shop.score(seen({TENT: 1.0}))[0, :3], [1, 1, 0])
