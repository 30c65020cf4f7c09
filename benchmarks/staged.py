"""The second stage on the bench: it learns from the window before the one that is reported, and is weighed there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommendations.engine.evaluation.accuracy import labels
from recommendations.engine.evaluation.breadth import assortment
from recommendations.engine.evaluation.panel import panel
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.feedback.tuning import SearchConfig, Tuned, tuned
from recommendations.engine.frames import IntArray, Promotions, TrainingSet
from recommendations.engine.ranking.candidates import Candidates, with_plane
from recommendations.engine.ranking.diversity import Likeness
from recommendations.engine.ranking.features import Features, features
from recommendations.engine.ranking.item_facts import item_facts
from recommendations.engine.ranking.second_stage import NAME, Config, SecondStage, cross_fitted, lesson

SHIPPED = Config()


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """Records of the users who bought something in the window, and what that was."""

    training: TrainingSet
    records: Candidates  # one per user of the truth
    truth: Truth

    def features(self, told: Promotions) -> Features:
        """``told`` are the promotions of the past, and the plan as far as it is known."""
        training = replace(self.training, promotions=told)
        return features(self.records, training.queries(self.truth.users), item_facts(training))


@dataclass(frozen=True, kw_only=True, eq=False)
class Staged:
    ranked: IntArray  # [users of the reported window's truth, k]
    tuned: Tuned


def staged(
    before: Window,
    reported: Window,
    told: tuple[Promotions, Promotions],
    *,
    weights: Mapping[str, float],
    seed: int,
    k: int,
    search: SearchConfig,
    config: Config = SHIPPED,
) -> Staged:
    """Lists of the blend with one more plane. ``told``: what is known of promotions at the cut of either window.

    The weight of the plane is tuned on the earlier window with trees that never saw the user whom they score.
    """
    known, found = before.truth.per_user, before.features(told[0])
    relevant, _ = labels(before.records.items, known)
    lessons = lesson(found, before.records, relevant, weights=weights)
    learners = np.arange(len(before.records))
    crossed = cross_fitted(config, lessons, found, before.records, learners=learners, seed=seed)
    board = panel(
        with_plane(before.records, NAME, crossed.z),
        Truth(spent=known),
        shop=assortment(before.training),
        likeness=Likeness(traits=np.empty((0, 0), np.int32)),
    )
    half = {name: weight / 2 for name, weight in weights.items()} | {NAME: 0.5}
    best = tuned(board, seed=seed, starts=[weights, half], search=search)
    stage = SecondStage(config).fit([lessons], seed=seed)
    plane = stage.plane(reported.features(told[1]), reported.records)
    return Staged(ranked=with_plane(reported.records, NAME, plane.z).ranked(best.weights, k), tuned=best)
