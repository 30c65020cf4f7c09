"""Rules from the items in view, counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.frames import Queries
from recommendations.engine.recommenders.also_bought import AlsoBought, Config
from recommendations.terms import Reason
from tests.shop import Act, in_view, stranger, training_set

PASTA, SAUCE, SOAP, CHEESE = range(4)


def model(**changes: object) -> AlsoBought:
    """40 baskets: 10 with pasta and sauce, of which 5 with cheese; 10 with pasta alone; 20 with soap."""
    both = [Act(0, item, basket) for basket in range(10) for item in (PASTA, SAUCE)]
    cheese = [Act(0, CHEESE, basket) for basket in range(5)]
    rest = [Act(0, PASTA, basket) for basket in range(10, 20)] + [Act(0, SOAP, basket) for basket in range(20, 40)]
    training = training_set(both + cheese + rest, n_users=1, category_of=[0] * 5)
    return AlsoBought(Config(**{"people": 1, **changes})).fit(training, seed=0)


LIFT = {(PASTA, SAUCE): 10 * 40 / (20 * 10), (SAUCE, CHEESE): 5 * 40 / (10 * 5), (PASTA, CHEESE): 5 * 40 / (20 * 5)}


def ask(*items: int) -> Queries:
    return replace(stranger(5), context=in_view([items], n_items=5))


def test_the_score_is_log_lift_times_confidence() -> None:
    scores = model().score(ask(PASTA))[0]
    expected = [0, np.log(LIFT[PASTA, SAUCE]) * 10 / 20, 0, np.log(LIFT[PASTA, CHEESE]) * 5 / 20]
    np.testing.assert_allclose(scores[:4], expected, rtol=1e-6)
    assert np.isnan(scores[4])  # never in a basket


def test_the_items_of_a_basket_add_up() -> None:
    together, pasta, sauce = (model().score(ask(*items))[0] for items in ((PASTA, SAUCE), (PASTA,), (SAUCE,)))
    np.testing.assert_allclose(together[:4], pasta[:4] + sauce[:4], rtol=1e-6)


def test_the_evidence_is_the_rule() -> None:
    first, second = model().evidence(ask(PASTA, SAUCE), CHEESE)
    assert first.reason is second.reason is Reason.BOUGHT_TOGETHER
    assert (first.item, second.item) == (SAUCE, PASTA)
    assert dict(first.facts) == {"lift": pytest.approx(LIFT[SAUCE, CHEESE]), "confidence": pytest.approx(0.5)}
    assert dict(second.facts) == {"lift": pytest.approx(LIFT[PASTA, CHEESE]), "confidence": pytest.approx(0.25)}
    score = model().score(ask(PASTA, SAUCE))[0, CHEESE]
    assert first.share * score == pytest.approx(np.log(4) * 0.5, rel=1e-5)


def test_without_support_there_is_no_rule() -> None:
    scores = model(min_together=6).score(ask(PASTA))[0]
    assert scores[SAUCE] > 0
    assert scores[CHEESE] == 0


def test_without_items_in_view_the_rules_are_silent() -> None:
    assert np.isnan(model().score(stranger(5))).all()
    assert model().evidence(stranger(5), SAUCE) == []


def test_a_history_can_be_the_profile() -> None:
    history = training_set([Act(0, PASTA, 0, age=90.0)], n_users=1, category_of=[0] * 5)
    scores = model(profile="history", half_life=90.0).score(history.queries(np.asarray([0])))
    np.testing.assert_allclose(scores[0, :4], model().score(ask(PASTA))[0, :4] / 2, rtol=1e-6)


def test_a_pair_of_a_few_people_counts_for_those_alone() -> None:
    """Five people have pasta with sauce, four of them pasta with cheese."""
    acts = [Act(user, item, 3 * user) for user in range(5) for item in (PASTA, SAUCE)]
    acts += [Act(user, item, 3 * user + 1) for user in range(4) for item in (PASTA, CHEESE)]
    acts += [Act(user, SOAP, 100 + 20 * user + n) for user in range(5) for n in range(6)]
    training = training_set(acts, n_users=5, category_of=[0] * 4)
    everybodys, fives = (AlsoBought(Config(people=people)).fit(training, seed=0) for people in (1, 5))
    view = in_view([(PASTA,)] * 5, n_items=4)
    asked = training.queries(np.arange(5), context=view)
    np.testing.assert_allclose(fives.score(asked)[:4], everybodys.score(asked)[:4], rtol=1e-6)
    assert everybodys.score(asked)[4, CHEESE] > 0
    assert fives.score(asked)[4, CHEESE] == 0
    assert fives.score(asked)[4, SAUCE] == everybodys.score(asked)[4, SAUCE] > 0
    [habit] = fives.evidence(training.queries(np.array([0]), context=view[:1]), CHEESE)
    assert (habit.reason, habit.item) == (Reason.YOU_BUY_TOGETHER, PASTA)
