"""Second stage on the bench: it learns from the windows before the reported one, and is weighed on the last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.ranking.contest import tuning_panel
from recommendations.engine.evaluation.accuracy import labels
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.feedback.tuning import SearchConfig, Tuned, tuned
from recommendations.engine.frames import IntArray, Promotions, TrainingSet
from recommendations.engine.ranking.candidates import Candidates, with_plane
from recommendations.engine.ranking.features import Features, features
from recommendations.engine.ranking.item_facts import item_facts
from recommendations.engine.ranking.second_stage import NAME, Config, Lesson, SecondStage, cross_fitted, lesson

SHIPPED = Config()


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """Records of the users who bought something in the window, and what that was."""

    training: TrainingSet
    records: Candidates  # one per user of the truth
    truth: Truth

    def features(self, told: Promotions) -> Features:
        """Features of the records; ``told`` are promotions of the past, and the plan as far as it is known."""
        training = replace(self.training, promotions=told)
        return features(self.records, training.queries(self.truth.users), item_facts(training))


@dataclass(frozen=True, kw_only=True, eq=False)
class Staged:
    ranked: IntArray  # [users of the reported window's truth, k]
    tuned: Tuned


def staged(
    reported: Window,
    earlier: Sequence[Window],
    told: Sequence[Promotions],
    *,
    weights: Mapping[str, float],
    seed: int,
    k: int,
    search: SearchConfig,
    config: Config = SHIPPED,
) -> Staged:
    """Rank by the blend with one more plane. ``earlier`` windows are newest first; ``told``: what is known of
    promotions at the cut of the reported window and at each earlier one.

    The weight of the plane is tuned on the newest of them, with trees that learned from those before it; where there
    is none, with trees that never saw the user whom they score.
    """
    lessons = [_lesson(one, plan, weights) for one, plan in zip(earlier, told[1:], strict=True)]
    newest = earlier[0]
    seen = newest.features(told[1])
    if len(lessons) > 1:
        plane = SecondStage(config).fit(lessons[1:], seed=seed).plane(seen, newest.records)
    else:
        learners = np.arange(len(newest.records))
        plane = cross_fitted(config, lessons[0], seen, newest.records, learners=learners, seed=seed)
    board = tuning_panel(with_plane(newest.records, NAME, plane.z), Truth(spent=newest.truth.per_user))
    half = {name: weight / 2 for name, weight in weights.items()} | {NAME: 0.5}
    best = tuned(board, seed=seed, starts=[weights, half], search=search)
    plane = SecondStage(config).fit(lessons, seed=seed).plane(reported.features(told[0]), reported.records)
    return Staged(ranked=with_plane(reported.records, NAME, plane.z).ranked(best.weights, k), tuned=best)


def _lesson(window: Window, told: Promotions, weights: Mapping[str, float]) -> Lesson:
    relevant, _ = labels(window.records.items, window.truth.per_user)
    return lesson(window.features(told), window.records, relevant, weights=weights)
