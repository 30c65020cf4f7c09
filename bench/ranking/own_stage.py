"""Second stage on anyone's data: trees that learn from the validation part, and are used only where they win on it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.files.parts import Part
from bench.files.past_baskets import PastBaskets
from bench.ranking.contest import Field, entered, prior, tuning_panel
from bench.ranking.judging import Entry, Judge
from bench.ranking.lists import drawn
from recommendations.engine.evaluation.accuracy import labels
from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.feedback.tuning import mean_ndcg
from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.candidates import Candidates, weight_vector, with_plane
from recommendations.engine.ranking.features import features
from recommendations.engine.ranking.item_facts import ItemFacts, item_facts
from recommendations.engine.ranking.second_stage import (
    NAME,
    Config,
    Lesson,
    SecondStage,
    cross_fitted,
    joined,
    lesson,
    load_lightgbm,
)
from recommendations.engine.recommenders.hybrid import Limits
from recommendations.engine.rng import generator

K = 10
SHIPPED = Config()
SHARES = (0.25, 0.4, 0.55, 0.7, 0.85)
"""Shares of the plane that are tried."""

MOST_LEARNERS = 3_000
"""People whose lists teach: their features are a few hundred megabytes."""

AT_ONCE = 1_000
"""Other lists whose features are made together: until they are halves they take three times the room, 200 MB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnStage:
    """Trees, the weights of the blend with their plane, and what that gained on the validation part."""

    trees: SecondStage
    weights: Mapping[str, float]
    gain: Measure  # NDCG@10, paired by user; of each by trees and weights of others
    lessons: int  # lists that the trees learned from

    @property
    def wins(self) -> bool:
        return self.gain.low > 0

    def described(self) -> dict[str, Any]:
        gain = {"value": self.gain.value, "low": self.gain.low, "high": self.gain.high}
        return {"gain_on_validation": gain, "used": self.wins, "lists": self.lessons, "weights": dict(self.weights)}

    def ranked(self, part: Part, facts: ItemFacts, records: Candidates, rows: NDArray[np.int64], *, k: int) -> IntArray:
        """Rank the records of these questions of a part."""
        ranked = np.full((len(rows), k), -1, np.int32)
        for start in range(0, len(rows), AT_ONCE):
            block = np.arange(start, min(start + AT_ONCE, len(rows)))
            some = records.of(block)
            plane = self.trees.plane(features(some, part.queries.of(rows[block]), facts), some)
            ranked[block] = with_plane(some, NAME, plane.z).ranked(self.weights, k)
        return ranked


def own_stage(
    field: Field,
    records: Candidates,
    *,
    past: PastBaskets | None = None,
    weights: Mapping[str, float],
    seed: int,
) -> OwnStage:
    """Learn from a validation part. Raises NothingToLearnError, and at once SecondStageUnavailableError.

    The plane is weighed, and held against the blend alone, with trees that never saw the person whom they score. From
    ``past`` they learn the more: the same people's baskets before.
    """
    load_lightgbm()  # before another fit of everyone
    part, truths = field.part, field.part.truths[field.task]
    users = drawn(truths.users, MOST_LEARNERS, seed=seed)
    truth, known = Truth(spent=truths.spent[users]), records.of(users)
    table = features(known, part.queries.of(users), item_facts(part.training))
    lessons = [lesson(table, known, labels(known.items, truth.spent)[0], weights=weights)]
    learners = [np.arange(len(users))]
    if past is not None:
        more, asked = _past_lessons(field, past, users, weights=weights, seed=seed)
        lessons += more
        learners.append(np.searchsorted(users, asked))
    taught = joined(lessons)
    plane = cross_fitted(SHIPPED, taught, table, known, learners=np.concatenate(learners), seed=seed)
    trees = SecondStage(SHIPPED).fit([taught], seed=seed)
    both = with_plane(known, NAME, plane.z)
    judge = Judge(truth=truth, ks=(K,), n_items=part.training.n_items, seed=seed)
    blend, staged = (
        judge.line(Entry(name=NAME, kind="hybrid", ranked=ranked))
        for ranked in (known.ranked(weights, K), _ranked_apart(both, truth, weights, seed=seed))
    )
    return OwnStage(
        trees=trees,
        weights=_weights(both, truth, weights),
        gain=judge.difference(staged, blend)[f"ndcg@{K}"],
        lessons=len(taught.features.counts),
    )


def _past_lessons(
    field: Field, past: PastBaskets, users: NDArray[np.integer], *, weights: Mapping[str, float], seed: int
) -> tuple[list[Lesson], NDArray[np.int64]]:
    """Lessons of the past baskets of these users of the validation part, and whose each list is."""
    entrants = entered(past.part, [one.chosen for one in field.entrants], seed=seed, tell=lambda _: None)
    before = replace(field, part=past.part, entrants=entrants)
    facts, truth = item_facts(past.part.training), past.part.truths[field.task]
    wanted = truth.users[np.isin(past.asked[truth.users], users)]
    lessons = []
    for start in range(0, len(wanted), AT_ONCE):
        rows = wanted[start : start + AT_ONCE]
        records = before.records(prior(entrants), rows, limits=Limits())
        table = features(records, past.part.queries.of(rows), facts)
        lessons.append(lesson(table, records, labels(records.items, truth.spent[rows])[0], weights=weights))
    return lessons, past.asked[wanted]


def _weights(records: Candidates, truth: Truth, blend: Mapping[str, float]) -> Mapping[str, float]:
    """Weigh the plane against the whole blend: one share is found on few people, a weight of each is not."""
    board = tuning_panel(records, truth)
    mixed = [{name: weight * (1 - share) for name, weight in blend.items()} | {NAME: share} for share in SHARES]
    return max(mixed, key=lambda weights: mean_ndcg(board, weight_vector(records.instances, weights)))


def _ranked_apart(records: Candidates, truth: Truth, blend: Mapping[str, float], *, seed: int) -> IntArray:
    """Lists of everybody by a share found on the other half: what is weighed on itself always seems to win."""
    half = generator(seed, "halves of the validation part").permutation(len(records)) % 2
    ranked = np.full((len(records), K), -1, np.int32)
    for number in range(2):
        others, own = np.flatnonzero(half != number), np.flatnonzero(half == number)
        weights = _weights(records.of(others), Truth(spent=truth.spent[others]), blend)
        ranked[own] = records.of(own).ranked(weights, K)
    return ranked
