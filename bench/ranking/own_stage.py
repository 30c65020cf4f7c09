"""Second stage on anyone's data: trees that learn from the validation part, and are used only where they win on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.files.parts import Part
from bench.ranking.contest import tuning_panel
from bench.ranking.judging import Entry, Judge
from recommendations.engine.evaluation.accuracy import labels
from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.feedback.tuning import SearchConfig, tuned
from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.candidates import Candidates, with_plane
from recommendations.engine.ranking.features import features
from recommendations.engine.ranking.item_facts import ItemFacts, item_facts
from recommendations.engine.ranking.second_stage import (
    NAME,
    Config,
    NothingToLearnError,
    SecondStage,
    SecondStageUnavailableError,
    cross_fitted,
    lesson,
)
from recommendations.terms import Task

K = 10
SHIPPED = Config()
MOST_LEARNERS = 3_000
"""People whose lists teach: their features are a few hundred megabytes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnStage:
    """Trees, the weights of the blend with their plane, and what that gained on the validation part."""

    trees: SecondStage
    weights: Mapping[str, float]
    gain: Measure  # NDCG@10, paired by user

    @property
    def wins(self) -> bool:
        return self.gain.low > 0

    def described(self) -> dict[str, Any]:
        gain = {"value": self.gain.value, "low": self.gain.low, "high": self.gain.high}
        return {"gain_on_validation": gain, "used": self.wins, "weights": dict(self.weights)}

    def ranked(self, part: Part, facts: ItemFacts, records: Candidates, rows: NDArray[np.int64], *, k: int) -> IntArray:
        """Rank the records of these questions of a part."""
        plane = self.trees.plane(features(records, part.queries.of(rows), facts), records)
        return with_plane(records, NAME, plane.z).ranked(self.weights, k)


def own_stage(
    part: Part, task: Task, records: Candidates, *, weights: Mapping[str, float], seed: int, search: SearchConfig
) -> OwnStage | None:
    """Learn from a validation part; None where there is nothing to learn, or LightGBM is not installed.

    The plane is weighed, and held against the blend alone, with trees that never saw the person whom they score.
    """
    everyone = part.truths[task]
    users = everyone.users[:: max(-(-len(everyone.users) // MOST_LEARNERS), 1)]
    truth = Truth(spent=everyone.spent[users])
    known = records.of(users)
    table = features(known, part.queries.of(users), item_facts(part.training))
    taught = lesson(table, known, labels(known.items, truth.spent)[0], weights=weights)
    try:
        plane = cross_fitted(SHIPPED, taught, table, known, learners=np.arange(len(users)), seed=seed)
        trees = SecondStage(SHIPPED).fit([taught], seed=seed)
    except (NothingToLearnError, SecondStageUnavailableError):
        return None
    both = with_plane(known, NAME, plane.z)
    half = {name: weight / 2 for name, weight in weights.items()} | {NAME: 0.5}
    best = tuned(tuning_panel(both, truth), seed=seed, starts=[weights, half], search=search)
    judge = Judge(truth=truth, ks=(K,), n_items=part.training.n_items, seed=seed)
    blend, staged = (
        judge.line(Entry(name=NAME, kind="hybrid", ranked=both.ranked(chosen, K))) for chosen in (weights, best.weights)
    )
    return OwnStage(trees=trees, weights=best.weights, gain=judge.difference(staged, blend)[f"ndcg@{K}"])
