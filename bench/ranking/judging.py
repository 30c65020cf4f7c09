"""Lines of a table of results: the metrics of ranked lists at each K, with intervals and paired differences."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import (
    Judged,
    PerUser,
    hit_rate,
    judge,
    mean_average_precision,
    ndcg,
    recall,
    reciprocal_rank,
)
from recommendations.engine.evaluation.intervals import Measure, measures, resamples
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import FloatArray, IntArray

METRICS: Mapping[str, Callable[[Judged, int], PerUser]] = {
    "ndcg": ndcg,
    "recall": recall,
    "hit_rate": hit_rate,
    "map": mean_average_precision,
    "mrr": reciprocal_rank,
}
MOST_RESAMPLED = 20_000
"""Users: with more the mean is normal, and 1.96 standard errors say what a thousand resamples would."""

NORMAL = 1.96


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of the table; ``kind`` is hybrid, recommender, baseline or peer."""

    name: str
    kind: str
    metrics: Mapping[str, Measure]
    per_user: NDArray[np.float64]  # [users, metrics without coverage]
    fit_s: float
    score_s: float
    peak_mb: float


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A ranked list per question, as someone has answered, and what that took."""

    name: str
    kind: str
    ranked: IntArray  # [questions, places]
    fit_s: float = 0.0
    score_s: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Judge:
    """Judge of one task: everybody is held against the same truth, and intervals are of the same resamples."""

    truth: Truth
    ks: Sequence[int]
    n_items: int  # that training knows: what coverage is a share of
    seed: int

    @property
    def names(self) -> list[str]:
        return [f"{metric}@{k}" for k in self.ks for metric in METRICS]

    @cached_property
    def drawn(self) -> FloatArray | None:
        """Resamples of the users; None where there are too many to need them."""
        n_users = len(self.truth.users)
        return resamples(n_users, seed=self.seed) if n_users <= MOST_RESAMPLED else None

    def line(self, entry: Entry) -> Line:
        """Measure the users with truth; coverage counts over all of them, so it has no interval."""
        ranked = entry.ranked[self.truth.users]
        lists = judge(ranked, self.truth.per_user)
        table = np.stack([metric(lists, k) for k in self.ks for metric in METRICS.values()], axis=1)
        metrics = dict(zip(self.names, self.intervals(table), strict=True))
        for k in self.ks:
            share = covered(ranked[:, :k], self.n_items)
            metrics[f"coverage@{k}"] = Measure(share, share, share)
        return Line(
            name=entry.name,
            kind=entry.kind,
            metrics=metrics,
            per_user=table,
            fit_s=entry.fit_s,
            score_s=entry.score_s,
            peak_mb=entry.peak_mb,
        )

    def intervals(self, table: NDArray[np.float64]) -> list[Measure]:
        """Mean and 95 % interval of each column of [users, columns]."""
        if self.drawn is not None:
            return measures(table, self.drawn)
        means = table.mean(axis=0)
        reach = NORMAL * table.std(axis=0, ddof=1) / np.sqrt(len(table))
        return [
            Measure(float(mean), float(mean - half), float(mean + half))
            for mean, half in zip(means, reach, strict=True)
        ]

    def difference(self, line: Line, reference: Line) -> dict[str, Measure]:
        """Line minus reference for each metric, paired by user."""
        return dict(zip(self.names, self.intervals(line.per_user - reference.per_user), strict=True))


def covered(ranked: IntArray, n_items: int) -> float:
    """Share of the items that are in anyone's list."""
    seen = np.bincount(ranked[ranked >= 0], minlength=n_items) > 0
    return float(seen.sum() / max(n_items, 1))
