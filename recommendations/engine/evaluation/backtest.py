"""Backtest of the hybrid, of every recommender alone and of the baselines, on one truth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import LENGTH, judge
from recommendations.engine.evaluation.breadth import Assortment
from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.evaluation.measures import covered_share, per_user_table, summary
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import FloatArray, IntArray, Interactions, Sparse, TrainingSet
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.scores import Exponents, Lifts, gathered, largest, top
from recommendations.terms import MeasuredKind

RECENT_DAYS = 7.0
USERS_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One line of the quality table."""

    name: str
    kind: MeasuredKind
    metrics: Mapping[str, Measure]
    per_user: NDArray[np.float64]  # [users, PER_USER]: for paired comparisons with other lines
    ranked: IntArray  # [users, 20] item rows, best first


def backtest(
    candidates: Candidates,
    truth: Truth,
    *,
    hybrids: Mapping[str, Mapping[str, float]],
    baselines: Mapping[str, IntArray],
    shop: Assortment,
    drawn: FloatArray,
    lifts: Lifts | None = None,
    exponents: Mapping[str, Exponents] | None = None,
) -> list[TableRow]:
    """Measure hybrids (name → weights), instances, then baselines (name → ranked item rows per user of the truth).

    ``candidates`` has a record per user of the training set; ``drawn`` are resamples of the truth's users. ``lifts``
    are of every item, ``exponents`` say how much they count, by name of the hybrid.
    """
    chosen, counting = candidates.of(truth.users), exponents or {}
    lists = [
        (name, MeasuredKind.HYBRID, chosen.ranked(weights, LENGTH, lifts=lifts, exponents=counting.get(name)))
        for name, weights in hybrids.items()
    ]
    lists += [(name, MeasuredKind.RECOMMENDER, chosen.own[:, m]) for m, name in enumerate(chosen.instances)]
    lists += [(name, MeasuredKind.BASELINE, ranked) for name, ranked in baselines.items()]
    return [_row(name, kind, ranked, truth=truth, shop=shop, drawn=drawn) for name, kind, ranked in lists]


def _row(
    name: str, kind: MeasuredKind, ranked: IntArray, *, truth: Truth, shop: Assortment, drawn: FloatArray
) -> TableRow:
    table = per_user_table(ranked, judge(ranked, truth.per_user), shop)
    return TableRow(
        name=name, kind=kind, metrics=summary(table, covered_share(ranked, shop), drawn), per_user=table, ranked=ranked
    )


def baselines(training: TrainingSet, users: NDArray[np.int64], *, excluded: Sparse | None) -> dict[str, IntArray]:
    """Rank without a model: item rows [users, 20] by baseline; ``excluded`` has a row per training user.

    ``popular``: most buyers; ``recent``: most buyers in the last 7 days; ``personal_frequency``: what the person bought
    in the most baskets, then what is popular.
    """
    acts = training.interactions
    purchases = acts.where(acts.bought)
    share = _buyers(purchases) / np.float32(training.n_users + 1)  # below 1: it orders what is equal otherwise
    recent = _buyers(purchases.where(purchases.age < RECENT_DAYS)) + share
    return {
        "popular": _ranked(share, None, users, excluded=excluded),
        "recent": _ranked(recent, None, users, excluded=excluded),
        "personal_frequency": _ranked(share, purchases.matrix(), users, excluded=excluded),
    }


def _buyers(purchases: Interactions) -> FloatArray:
    return np.bincount(purchases.matrix().indices, minlength=purchases.n_items).astype(np.float32)


def _ranked(shared: FloatArray, own: Sparse | None, users: NDArray[np.int64], *, excluded: Sparse | None) -> IntArray:
    def scores(block: NDArray[np.int64]) -> FloatArray:
        everybody = np.repeat(shared[None, :], len(block), axis=0)
        return everybody if own is None else np.asarray(everybody + own[block].toarray(), np.float32)

    return ranked_in_blocks(scores, users, excluded=excluded)


def ranked_in_blocks(
    scores: Callable[[NDArray[np.int64]], FloatArray], users: NDArray[np.int64], *, excluded: Sparse | None
) -> IntArray:
    """Rank by what ``scores`` gives a block of users (a new array [block, items]): item rows [users, 20], best first.

    ``excluded`` has a row per training user.
    """
    ranked = np.full((len(users), LENGTH), -1, np.int32)
    for start in range(0, len(users), USERS_AT_ONCE):
        block = users[start : start + USERS_AT_ONCE]
        values = scores(block)
        if excluded is not None:
            out = excluded[block]
            values[np.repeat(np.arange(len(block)), np.diff(out.indptr)), out.indices] = np.nan
        columns = largest(values, LENGTH)
        order = top(gathered(values, columns, missing=-np.inf), LENGTH)
        ranked[start : start + len(block)] = gathered(columns, order, missing=-1)
    return ranked
