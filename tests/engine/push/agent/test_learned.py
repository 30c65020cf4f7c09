"""Terms are told once they are certain, and chances that do not come true are seen."""

import numpy as np

from recommendations.engine.push.agent.belief import learn, prior
from recommendations.engine.push.agent.learned import answers_of_terms, calibration, learned_terms
from recommendations.engine.push.agent.terms import AgentTermKind
from tests.engine.push.agent.facts import TWO, messages

RATE = 0.05


def weights(**terms: float) -> np.ndarray:
    kinds = [str(term.kind) for term in TWO.terms]
    truth = np.zeros(len(kinds))
    truth[0] = np.log(RATE / (1 - RATE))
    for kind, value in terms.items():
        truth[kinds.index(kind)] = value
    return truth


def test_a_term_is_told_once_it_is_certain_and_rests_on_answers() -> None:
    closed = messages(30_000, TWO, weights(channel_browses=0.5, buys_often=-0.4), seed=1)
    belief = learn(prior(TWO, rate=RATE), closed)
    terms = learned_terms(belief, answers_of_terms(closed.rows, closed.answered))
    known = {str(one.term.kind): one for one in terms if one.is_known}
    assert {"channel_browses", "buys_often"} <= set(known)
    assert abs(known["channel_browses"].value - 0.5) < 0.15
    assert all(one.missing == 0 for one in terms)
    assert AgentTermKind.LEVEL not in {one.term.kind for one in terms}


def test_nothing_is_told_where_nothing_is_so() -> None:
    """α is split over all terms: of 40 shops without any difference hardly one is told of any."""
    wrong = 0
    for seed in range(40):
        closed = messages(3_000, TWO, weights(), seed=seed)
        belief = learn(prior(TWO, rate=RATE), closed)
        answers = np.full(len(TWO.terms), 500.0)
        wrong += any(one.is_known for one in learned_terms(belief, answers))
    assert wrong <= 4


def test_a_certain_term_that_rests_on_few_answers_says_how_many_are_missing() -> None:
    belief = learn(prior(TWO, rate=RATE), messages(30_000, TWO, weights(buys_often=1.0), seed=2))
    one = learned_terms(belief, np.full(len(TWO.terms), 61.0))[0]
    assert one.low > 0
    assert not one.is_known
    assert one.missing == 39


def test_answers_of_a_term_are_those_in_whose_score_it_stands() -> None:
    rows = np.array([[1.0, 0.0, 2.0], [1.0, 1.0, np.nan], [1.0, 0.0, 0.0]])
    assert answers_of_terms(rows, np.array([1.0, 1.0, 0.0])).tolist() == [2, 1, 1]


def test_chances_that_do_not_come_true_are_seen() -> None:
    draw = np.random.default_rng(3)
    chance = draw.beta(2, 30, 60_000)
    assert not calibration(chance, draw.random(60_000) < chance).is_off
    assert calibration(chance, draw.random(60_000) < 1.4 * chance).is_off
    told = calibration(chance, np.zeros(60_000))
    assert np.all(np.diff(told.told) > 0)
    assert abs(told.told.sum() - chance.sum()) < 1e-6
