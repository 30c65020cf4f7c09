"""Practice of the agent with made answers: it repeats itself, and what it is told to be true is what was made."""

from functools import cache

import numpy as np

from recommendations.engine.push.agent.explain import best_option, money_line, waterfall
from recommendations.engine.push.agent.terms import SLOTS, Slot
from recommendations.engine.simulation.recipient_practice import (
    MorningPeople,
    PracticeOutcome,
    practise,
    traits_of,
    true_terms,
)
from recommendations.engine.simulation.recipients import (
    CAMPAIGN,
    MENU,
    SLOT,
    RecipientModel,
    RecipientTraits,
    made_recipients,
)

PEOPLE = 2_500


def known(people: int = PEOPLE, *, seed: int = 1) -> RecipientTraits:
    made = made_recipients(RecipientModel(people=people), seed=seed)
    return RecipientTraits(traits=made.traits, buys=made.buys, worth=made.worth, hours=made.hours)


@cache
def practised(*, seed: int) -> PracticeOutcome:
    """Practice of people of this seed, by the same seed; it is read by several tests and changed by none."""
    return practise(known(seed=seed), seed=seed)


def as_told(outcome: PracticeOutcome) -> tuple[object, ...]:
    return outcome.arms, outcome.terms, outcome.morning


def test_the_truth_of_the_terms_is_what_people_answer_by() -> None:
    """Options differ by levers alone: what the terms say, and that new people answer better in the morning."""
    people = made_recipients(RecipientModel(people=200), seed=3)
    truth, weights = dict(true_terms(people)), np.zeros(len(MENU.terms))
    for term, value in truth.items():
        weights[MENU.terms.index(term)] = value
    due = np.random.default_rng(1).normal(size=200)
    at = {name: place for place, name in enumerate(MENU.columns)}
    features = np.zeros((200, len(MENU.columns)))
    features[:, [at["buys_often"], at["browses"], at["newness"], at["due"]]] = np.column_stack([people.traits, due])
    for place, slot in enumerate(SLOTS):
        features[:, at[f"own_hours:{slot}"]] = 2 * (people.hours[:, place] - 1 / len(SLOTS))
    scores = MENU.scores(features, weights)
    hidden = 0.3 * people.traits[:, 2:3] * (SLOTS.index(Slot.MORNING) == SLOT)
    made = people.logits[0] + 0.8 * due[:, None] * CAMPAIGN
    off = made - scores - hidden
    assert np.abs(off - off[:, :1]).max() < 1e-9


def test_a_practice_repeats_itself_and_finds_the_planted_morning_people() -> None:
    shares: list[float] = []
    outcome = practise(known(), seed=1, progress=shares.append)
    assert as_told(practised(seed=1)) == as_told(outcome)
    assert as_told(practise(known(), seed=2)) != as_told(outcome)
    assert (len(shares), shares[-1]) == (3 * 56, 1.0)
    assert shares == sorted(shares)
    assert outcome.morning.is_found
    assert 0.15 * PEOPLE < outcome.morning.planted < 0.25 * PEOPLE
    assert {len(each) for arm in outcome.arms.values() for each in (arm.net, arm.left, arm.sent)} == {4}
    assert outcome.arms["agent"].leavers < outcome.arms["rule"].leavers
    assert sum(outcome.arms["agent"].net) > sum(outcome.arms["rule"].net)


def test_somebody_who_got_nothing_can_be_explained() -> None:
    """Nothing that was open to them on the last day is worth what it costs, and the sums of it hold."""
    case = practised(seed=1).waiting
    assert case is not None
    open_to = np.flatnonzero(case.allowed)
    assert len(open_to)
    assert best_option(case) == case.not_now
    for option in open_to:
        line = money_line(case, int(option))
        assert line.value <= 0 < min(line.brings, line.leaving, line.tiredness)
        score = sum(part.value for part in waterfall(case, int(option)))
        assert abs(score - float(case.rows[option] @ case.mean)) < 1e-12


def test_most_of_what_it_says_that_it_knows_is_so() -> None:
    """A term that it knows has the sign that is true, of several seeds."""
    right = wrong = 0
    for seed in range(3):
        outcome = practised(seed=seed)
        signs = [(each.value, outcome.truth.get(each.term, 0.0)) for each in outcome.terms if each.is_known]
        right += sum(value * truth > 0 for value, truth in signs)
        wrong += sum(value * truth < 0 for value, truth in signs)
    assert (wrong, right >= 9) == (0, True)


def test_morning_people_are_found_where_most_of_theirs_leave_then_and_far_more_than_of_others() -> None:
    assert MorningPeople(planted=9, theirs=0.6, others=0.3).is_found
    assert not MorningPeople(planted=9, theirs=0.4, others=0.1).is_found
    assert not MorningPeople(planted=9, theirs=0.6, others=0.5).is_found


def test_numbers_of_a_shop_are_cut_to_what_a_day_can_be() -> None:
    log_rate = np.log(np.array([1e-6, 0.1, 30.0]))
    traits = traits_of(log_rate, np.array([[-9.0, 0.0, 9.0]] * 3), worth=np.ones(3), hours=np.full((3, 3), 1 / 3))
    assert np.allclose(traits.buys, [0.003, 0.1, 0.5])
    assert traits.traits[0].tolist() == [-3.0, 0.0, 3.0]
