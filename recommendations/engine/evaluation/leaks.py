"""Leak checks: an honest evaluation knows nothing of the window that it is measured on.

Three ways in are watched: acts of the future in the history, the same basket in history and truth, and scores that
know the answer. The first two are exact. The third is a judgement: scores are suspected where all three hold that never
hold of an honest recommender on a shop's data: relevant items stand above the others nearly without exception (mean AUC
over users ≥ .995), the list is nearly perfect (NDCG@10 ≥ .9), and it stands apart (what it lacks to 1 is less than a
tenth of what the upper quartile of all rows lacks: in a shop of regular habits several honest ones are good).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import labels
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import BoolArray, FloatArray, Interactions
from recommendations.engine.ranking.candidates import Candidates
from recommendations.event_types import EventName

SHARED_BASKETS = 0.005
"""A basket that was under way at the cut lies on both sides; more of the window's baskets than this share do not."""

IMPLAUSIBLE_AUC = 0.995
IMPLAUSIBLE_NDCG = 0.9
APART = 0.1
UPPER = 0.75
FEWEST_USERS = 20
SAMPLE = 2000  # users whose AUC is enough


class LeakKind(StrEnum):
    FUTURE_ACTS = "future_acts"
    SHARED_BASKETS = "shared_baskets"
    TARGET_IN_FEATURES = "target_in_features"


@dataclass(frozen=True, kw_only=True)
class Leak:
    kind: LeakKind
    where: str
    size: float  # acts, share of baskets, AUC

    def __str__(self) -> str:
        return {
            LeakKind.FUTURE_ACTS: f"{self.where}: {self.size:,.0f} acts after the end of the history",
            LeakKind.SHARED_BASKETS: f"{self.where}: {self.size:.1%} of the window's baskets are in the history, too",
            LeakKind.TARGET_IN_FEATURES: f"{self.where}: knows what was bought in the window (AUC {self.size:.4f})",
        }[self.kind]


class LeakError(Exception):
    """The evaluation would measure what it was told beforehand."""

    def __init__(self, leaks: Sequence[Leak]) -> None:
        super().__init__("The evaluation leaks, so its figures mean nothing. " + "; ".join(str(leak) for leak in leaks))
        self.leaks = tuple(leaks)


def refuse(leaks: Sequence[Leak]) -> None:
    """Raise LeakError where there is any leak."""
    if leaks:
        raise LeakError(leaks)


def future_acts(acts: Interactions, *, where: str) -> list[Leak]:
    """Acts of a training set that happened after its cut: their age is negative (or is none at all)."""
    count = int(np.count_nonzero(~(acts.age >= 0)))
    return [Leak(kind=LeakKind.FUTURE_ACTS, where=where, size=count)] if count else []


def shared_baskets(parts: Iterable[pd.DataFrame], *, cut: float, until: float, where: str) -> list[Leak]:
    """Baskets with purchases both before the cut and in the window [cut, until): rows that stand on both sides.

    The parts of the events are as in ``preprocess/clean.py``: columns user, basket, name, at.
    """
    shared, baskets = np.sum([_shared(part, cut=cut, until=until) for part in parts], axis=0)
    share = shared / max(baskets, 1)
    return [Leak(kind=LeakKind.SHARED_BASKETS, where=where, size=share)] if share > SHARED_BASKETS else []


def _shared(events: pd.DataFrame, *, cut: float, until: float) -> tuple[int, int]:
    """Baskets on both sides, and those of the window."""
    bought = events[(events["name"] == EventName.PURCHASE).to_numpy() & (events["basket"].to_numpy() >= 0)]
    at = bought["at"].to_numpy()
    key = ["user", "basket"]
    window = bought.loc[(at >= cut) & (at < until), key].drop_duplicates()
    return len(window.merge(bought.loc[at < cut, key].drop_duplicates(), on=key)), len(window)


def target_in_features(records: Candidates, truth: Truth, *, ndcg: Mapping[str, float]) -> list[Leak]:
    """Instances of the records that know the truth; ``ndcg`` is NDCG@10 of every instance and baseline alone."""
    if len(truth.users) < FEWEST_USERS:
        return []
    good = float(np.quantile(list(ndcg.values()), UPPER))
    bound = max(IMPLAUSIBLE_NDCG, 1 - APART * (1 - good))
    suspects = [m for m, name in enumerate(records.instances) if ndcg.get(name, 0) >= bound]
    if not suspects:
        return []
    chosen = records.of(truth.users[:SAMPLE])
    relevant, _ = labels(chosen.items, truth.per_user[:SAMPLE])
    aucs = {m: mean_auc(chosen.z[:, m].astype(np.float32), relevant, known=chosen.items >= 0) for m in suspects}
    return [
        Leak(kind=LeakKind.TARGET_IN_FEATURES, where=records.instances[m], size=auc)
        for m, auc in aucs.items()
        if auc >= IMPLAUSIBLE_AUC
    ]


def mean_auc(scores: FloatArray, relevant: BoolArray, *, known: BoolArray) -> float:
    """Mean over users of the chance that a relevant item scores above another one, ties count half.

    All are [users, candidates]; silence (NaN) is the lowest score. Users with only one of both are left out; .5 without
    users. By the rank-sum form of Mann and Whitney (1947).
    """
    from scipy.stats import rankdata  # noqa: PLC0415 - slow to load

    lowest = np.where(np.isnan(scores), -np.inf, scores).astype(np.float64)
    ranks = rankdata(np.where(known, lowest, np.inf), axis=1)  # what is no candidate stands above all, and is not used
    hits, misses = known & relevant, known & ~relevant
    n_hits, n_misses = hits.sum(axis=1), misses.sum(axis=1)
    both = (n_hits > 0) & (n_misses > 0)
    if not both.any():
        return 0.5
    above: NDArray[np.float64] = (ranks * hits).sum(axis=1) - n_hits * (n_hits + 1) / 2
    return float((above[both] / (n_hits * n_misses)[both]).mean())
