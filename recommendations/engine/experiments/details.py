"""Details of an off-policy estimate: what simpler estimators make of the same log, to be held against it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.attention import Attention
from recommendations.engine.experiments.estimators import iips
from recommendations.engine.experiments.off_policy import (
    MOST,
    LoggedAnswers,
    Rankings,
    at_slots,
    attention_wanted,
    clustered_variance,
    own_order,
    quotient,
)
from recommendations.engine.experiments.relevance import relevance

type Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Detail:
    """Difference of the draft to what is live, in clicks an answer, by one estimator."""

    value: float
    se: float  # by customer
    never_shown: float  # share of the draft's attention without support


def details(logged: LoggedAnswers, rankings: Rankings, attention: Attention) -> Mapping[str, Detail]:
    """Estimate by slot and item (``iips``; ``snips``: weights of mean 1; ``dr``: with a model), by item (``pbm``,
    without a model), and by the model alone (``dm``).
    """
    live = own_order(logged) if rankings.live is None else rankings.live
    q = attention.q
    own, wanted = attention_wanted(logged, own_order(logged), q), attention_wanted(logged, rankings.draft, q)
    held = attention_wanted(logged, live, q)
    r = relevance(logged.features, places=logged.places, outcomes=logged.clicks, q=q, customers=logged.customers)
    lost = float((wanted * (wanted > MOST * own)).sum()) / float(wanted.sum() or 1.0)
    lost_by_slot = _lost_by_slot(logged, rankings.draft, q)
    of_draft, of_live = _slot_weights(logged, rankings.draft), _slot_weights(logged, live)
    by_item = at_slots(_capped_ratio(wanted, own) - _capped_ratio(held, own), logged.places)
    model = ((wanted - held) * r).sum(axis=1)
    left = logged.clicks - q * at_slots(r, logged.places)
    normalised = _self_normalised(logged, of_draft) - _self_normalised(logged, of_live)
    return {
        "iips": _detail(logged, iips(logged.clicks, of_draft - of_live), lost_by_slot),
        "snips": _detail(logged, normalised, lost_by_slot),
        "dr": _detail(logged, iips(left, of_draft - of_live) + model, lost_by_slot),
        "pbm": _detail(logged, (by_item * logged.clicks).sum(axis=1), lost),
        "dm": _detail(logged, model, lost),
    }


def _detail(logged: LoggedAnswers, values: Values, never_shown: float) -> Detail:
    error = math.sqrt(clustered_variance(values, logged.customers))
    return Detail(value=float(values.mean()), se=error, never_shown=never_shown)


def _capped_ratio(wanted: Values, own: Values) -> Values:
    return quotient(np.where(wanted <= MOST * own, wanted, 0.0), own)


def _ranks(logged: LoggedAnswers, orders: NDArray[np.integer]) -> NDArray[np.int64]:
    """Rank of each item in the orders [answers, items], −1 for one that they do not rank."""
    ranks = np.full(logged.features.shape[:2], -1, np.int64)
    width = min(orders.shape[1], logged.chances.shape[1])
    there = orders[:, :width] >= 0
    rows, at = np.nonzero(there)
    ranks[rows, orders[:, :width][there]] = at
    return ranks


def _slot_weights(logged: LoggedAnswers, orders: NDArray[np.integer]) -> Values:
    """π_e(a at k) / π_0(a at k) of the item in each slot [answers, slots]."""
    slots = np.arange(logged.places.shape[1])
    rank = np.take_along_axis(_ranks(logged, orders), np.maximum(logged.places, 0), axis=1)
    there = (logged.places >= 0) & (rank >= 0)
    wanted = np.where(there, logged.chances[logged.form[:, None], np.maximum(rank, 0), slots], 0.0)
    own = logged.chances[logged.form[:, None], np.maximum(logged.places, 0), slots]
    return quotient(wanted, own)


def _self_normalised(logged: LoggedAnswers, w: Values) -> Values:
    """Each answer's part in the SNIPS of every slot [answers]: the mean is that of ``estimators.snips``, the scatter
    that of the quotient, by the delta method. A slot counts where it shows a ranked item.
    """
    there = (logged.places >= 0).astype(np.float64)
    totals = w.sum(axis=0)
    means = quotient((w * logged.clicks).sum(axis=0), totals)
    parts = quotient(w * (logged.clicks - means) * there.sum(axis=0), np.broadcast_to(totals, w.shape))
    normalised: Values = (parts + means * there).sum(axis=1)
    return normalised


def _lost_by_slot(logged: LoggedAnswers, orders: NDArray[np.integer], q: Values) -> float:
    """Share of the draft's attention at items in slots in which they never stood."""
    ranked = logged.chances.shape[1]
    at = np.where((orders >= 0) & (orders < ranked), orders, -1)[:, :ranked]
    lost = whole = 0.0
    for slot, attention in enumerate(q):
        wanted = logged.chances[logged.form, : at.shape[1], slot] * attention * (orders[:, :ranked] >= 0)
        own = logged.chances[logged.form[:, None], np.maximum(at, 0), slot] * (at >= 0)
        lost += float((wanted * (own == 0)).sum())
        whole += float(wanted.sum())
    return lost / whole if whole else 0.0
