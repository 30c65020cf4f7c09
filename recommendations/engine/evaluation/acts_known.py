"""How good lists are by how much is known of a person: histories cut to few acts, of people whom the fit never saw.

A model that learned from the acts that are cut away would know the person all the same: one who is like nobody else is
their own nearest neighbour. So a part of the people is taken out of training, everything is fitted again without them,
and their cut histories are folded in, as those of somebody new are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.evaluation.intervals import Measure, differences, measures, resamples
from recommendations.engine.frames import BoolArray, IntArray, Interactions, Queries, Sparse, TrainingSet
from recommendations.engine.ranking.confidence import BlendLeaning
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates

LEFT_OUT = 0.25  # of the people, of training
MOST_LEFT_OUT = 2_000
FEWEST = 20
"""People without whom a band is left out: its interval would say nothing."""

K = 10
BANDS: Mapping[str, tuple[int, int | None]] = {
    "0": (0, 0), "1": (1, 1), "2-5": (2, 5), "6-20": (6, 20), "more": (21, None)
}  # fmt: skip
"""How many acts are known, from … to, drawn evenly; None: all that there are."""


class BandFigures(NamedTuple):
    """NDCG@10 where so many acts are known: of the blend, of what everybody buys, and the paired difference."""

    band: str
    people: int
    blend: Measure
    popular: Measure
    ahead: Measure


def left_out(training: TrainingSet, draw: Generator) -> BoolArray:
    """Mask of the people who are taken out of training."""
    out = np.zeros(training.n_users, np.bool_)
    n = min(int(LEFT_OUT * training.n_users), MOST_LEFT_OUT)
    out[draw.permutation(training.n_users)[:n]] = True
    return out


def without(training: TrainingSet, out: BoolArray) -> TrainingSet:
    """The training set without what these people did, and without a net, as that learned from everybody."""
    stays = ~out[training.interactions.user]
    teaches = None if training.teaches is None else training.teaches[stays]
    return replace(training, interactions=training.interactions.where(stays), teaches=teaches, net=None)


def cut_down(acts: Interactions, draw: Generator, *, least: int, most: int | None) -> Interactions:
    """Leave the newest acts of each history, as of somebody who came lately; of equals some are drawn."""
    if most is None:
        return acts
    order = np.lexsort((draw.random(len(acts)), acts.age, acts.user))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order)) - acts.offsets[acts.user[order]]
    wanted = draw.integers(least, most + 1, size=acts.n_users)
    return acts.where(place < wanted[acts.user])


def by_acts_known(
    fitted: Sequence[FittedInstance],
    histories: Interactions,
    truth: Sparse,
    *,
    weights: Mapping[str, float],
    leaning: BlendLeaning,
    seed: int,
) -> Iterator[BandFigures]:
    """Yield the figures of each band of people who have so many acts, the first ones first.

    ``fitted`` never saw these people; ``histories`` are all they did before the cut, and ``truth`` [people, items] is
    what they bought after it.
    """
    acts = np.diff(histories.offsets)
    for band, (least, most) in BANDS.items():
        people = np.flatnonzero(acts >= max(least, 1))
        if len(people) < FEWEST:
            continue
        draw = np.random.default_rng([seed, least])
        own = cut_down(histories.of_users(people), draw, least=least, most=most)
        blend, popular = _ranked(fitted, own, weights=weights, leaning=leaning)
        tables = [ndcg(judge(ranked, truth[people]), K)[:, None] for ranked in (blend, popular)]
        drawn = resamples(len(people), seed=seed)
        [of_blend], [of_popular] = (measures(table, drawn) for table in tables)
        [ahead] = differences(tables[0], tables[1], drawn)
        yield BandFigures(band=band, people=len(people), blend=of_blend, popular=of_popular, ahead=ahead)


def _ranked(
    fitted: Sequence[FittedInstance], histories: Interactions, *, weights: Mapping[str, float], leaning: BlendLeaning
) -> tuple[IntArray, IntArray]:
    """Lists by the blend, and by popularity alone, [people, 10]; who did nothing gets the latter, as when served."""
    queries = Queries(histories=histories, training_rows=np.full(histories.n_users, -1, np.int32))
    names = tuple(one.name for one in fitted)
    plan = BlendPlan(weights=weights, instances=names, leaning=leaning)
    record = candidates(fitted, queries, plans={"": plan})[""]
    popular = record.own[:, names.index(leaning.popular), :K]
    known = np.diff(histories.offsets) > 0
    return np.where(known[:, None], record.ranked(weights, K), popular), popular
