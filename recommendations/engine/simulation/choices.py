"""Choices of made customers: what they are shown, what they look at and what they click, by a truth that is known.

Recommenders score the candidates of each customer; the served weights rank them. An item that is looked at is clicked
by its relevance, which the recommenders know in part. Customers look at slot k with chance q_k whatever they clicked
(position-based model), or read on from the top and may stop after a click (cascade, Craswell et al. 2008).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.attention import SlotCounts
from recommendations.engine.experiments.off_policy import LoggedAnswers
from recommendations.engine.experiments.relevance import relevance_features
from recommendations.engine.frames import FloatArray
from recommendations.engine.ranking.exploration import EXPLORED_FROM, chances, explored
from recommendations.terms import Way

type Values = NDArray[np.float64]
type Rows = NDArray[np.int64]

POOL, INSTANCES, TASTES = 60, 8, 3
CONTINUES, SATISFIED = 0.85, 0.7
"""Of the cascade: chance to read on, and to stop after a click."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ChoiceWorld:
    """Customers, their candidates in the order of the served weights, and the truth about their clicks."""

    z: FloatArray  # [customers, candidates, instances]
    relevance: Values  # [customers, candidates]: chance of a click if looked at
    served: Values  # [instances]
    others: Values  # [drafts, instances]: weights that drafts are mixed with
    attention: Values  # [slots] of the position-based model
    cascade: bool = False

    @property
    def slots(self) -> int:
        return len(self.attention)

    @property
    def ranked(self) -> int:
        """Length of a ranking that exploration draws from."""
        return min(self.slots + EXPLORED_FROM, POOL)


@dataclass(frozen=True, kw_only=True, eq=False)
class GivenAnswers:
    """Answers to customers that come by, each explored as the product does."""

    customers: Rows  # [answers]
    places: Rows  # [answers, slots]: place in the ranking of what each slot shows
    ways: Rows  # [answers]
    shuffled: float
    cards: float


def choice_world(
    draw: np.random.Generator,
    *,
    customers: int,
    slots: int = 10,
    eta: float = 0.6,
    rarity: float = 4.2,
    cascade: bool = False,
) -> ChoiceWorld:
    """Make a world; ``rarity`` is by how much the mean relevance lies below one half, in logits."""
    taste = draw.normal(size=(customers, POOL, TASTES))
    views = [taste @ draw.normal(size=TASTES) * 0.6 + draw.normal(size=(customers, POOL)) for _ in range(INSTANCES)]
    z = np.stack(views, axis=2)
    affinity = z @ draw.dirichlet(np.full(INSTANCES, 1.0))
    logit = 1.6 * affinity / affinity.std() + 0.6 * draw.normal(size=(customers, POOL)) - rarity
    served = draw.dirichlet(np.full(INSTANCES, 2.0))
    others = draw.dirichlet(np.full(INSTANCES, 1.0), 3)
    order = np.argsort(-(z @ served), axis=1)
    return ChoiceWorld(
        z=np.take_along_axis(z, order[:, :, None], axis=1).astype(np.float32),
        relevance=np.take_along_axis(1 / (1 + np.exp(-logit)), order, axis=1),
        served=served,
        others=others,
        attention=np.exp(-eta * np.log(np.arange(1, slots + 1))),
        cascade=cascade,
    )


def draft_ranking(world: ChoiceWorld, *, part: float, which: int = 0) -> Rows:
    """Ranking of each customer's candidates [customers, ranked] under (1 − part) · served + part · other weights."""
    weights = (1 - part) * world.served + part * world.others[which]
    return np.argsort(-(world.z @ weights), axis=1)[:, : world.ranked]


def give_answers(
    world: ChoiceWorld, answers: int, *, shuffled: float, cards: float, draw: np.random.Generator
) -> GivenAnswers:
    """Answer customers that come by evenly."""
    free = np.zeros(world.ranked, np.bool_)
    drawn = [explored(free, n=world.slots, shuffled=shuffled, cards=cards, draw=draw) for _ in range(answers)]
    return GivenAnswers(
        customers=draw.integers(0, len(world.z), answers),
        places=np.array([one.chosen for one in drawn], np.int64).reshape(answers, world.slots),
        ways=np.array([one.way for one in drawn], np.int64),
        shuffled=shuffled,
        cards=cards,
    )


def click(world: ChoiceWorld, customers: Rows, lists: Rows, *, draw: np.random.Generator) -> Values:
    """Draw the clicks [answers, slots] on lists of candidates."""
    relevance = world.relevance[customers[:, None], lists]
    if not world.cascade:
        return (draw.random(relevance.shape) < world.attention * relevance).astype(np.float64)
    clicks, reading = np.zeros(relevance.shape), np.ones(len(relevance), np.bool_)
    for slot in range(world.slots):
        clicks[:, slot] = reading & (draw.random(len(relevance)) < relevance[:, slot])
        stops = (clicks[:, slot] > 0) & (draw.random(len(relevance)) < SATISFIED)
        reading &= ~stops & (draw.random(len(relevance)) < CONTINUES)
    return clicks


def expected_clicks(world: ChoiceWorld, customers: Rows, lists: Rows) -> Values:
    """Expected clicks of each list [answers], exactly."""
    relevance = world.relevance[customers[:, None], lists]
    if not world.cascade:
        return relevance @ world.attention
    total, reading = np.zeros(len(relevance)), np.ones(len(relevance))
    for slot in range(world.slots):
        total += reading * relevance[:, slot]
        reading = reading * CONTINUES * (1 - SATISFIED * relevance[:, slot])
    return total


def true_difference(world: ChoiceWorld, ranking: Rows, given: GivenAnswers) -> tuple[float, float]:
    """Expected clicks an answer of a draft's ranking less the live ones, and the live ones, both explored as given."""
    live = expected_clicks(world, given.customers, given.places)
    lists = np.take_along_axis(ranking[given.customers], given.places, axis=1)
    return float((expected_clicks(world, given.customers, lists) - live).mean()), float(live.mean())


def log_answers(world: ChoiceWorld, given: GivenAnswers, clicks: Values) -> LoggedAnswers:
    """The log of the answers, as the product hands it to an estimate."""
    table = chances(world.slots, shuffled=given.shuffled, cards=given.cards, ranked=world.ranked)
    ranks = np.broadcast_to(np.arange(world.z.shape[1]), world.z.shape[:2])
    return LoggedAnswers(
        places=given.places,
        clicks=clicks,
        customers=given.customers,
        chances=table[None],
        form=np.zeros(len(given.customers), np.int64),
        features=relevance_features(world.z, ranks)[given.customers],
    )


def slot_counts(given: GivenAnswers, clicks: Values) -> SlotCounts:
    """Counts by place and slot of the answers that tell attention: as ranked and shuffled, without cards."""
    plain = given.ways != Way.CARDS
    return SlotCounts.of(given.places[plain], clicks[plain], versions=np.zeros(int(plain.sum()), np.int64))
