"""Attention: how much more an item is looked at in one slot than in another, from items that chance put into several.

An item at place i of the ranking that stands in slot j is clicked with chance q_j r_i: attention times relevance (the
position-based model, Richardson, Dominowska and Ragno 2007). Clicks of row i in slot j are Poisson(n_ij q_j r_i), and
the r_i are maximised out. Only answers as ranked and shuffled may be counted: there the chance to move is a matter of
places alone. Items that cards bring in differ from those they replace, so they cannot tell attention from relevance.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

type Values = NDArray[np.float64]

ASSUMED, ASSUMED_SE = 0.6, 0.15
FEWEST = 5_000
"""Answers below which the steepness is assumed."""

FEWEST_OF_FREE = 50_000
"""Answers below which attention is taken to fall as a power of the slot."""

LEVEL = 0.01
LOWEST, STEEPEST = -1.0, 4.0
ROUNDS = 500
CLOSE = 1e-10


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Attention of each slot, that of the first being 1, and how unsure it is.

    ``shifts`` [directions, slots] are changes of log q by one standard error each, of directions that are independent:
    what depends on q has as variance the sum of the squares of its changes by them.
    """

    q: Values  # [slots]
    shifts: Values
    eta: float
    se: float  # of eta
    assumed: bool = False
    free: bool = False  # by slot, and no power of it


@dataclass(frozen=True, kw_only=True)
class SlotCounts:
    """Counts by row and slot [rows, slots]: a row is a place in the rankings of one weights version."""

    shown: Values
    clicked: Values
    answers: int = field(default=0)

    @classmethod
    def of(cls, places: NDArray[np.integer], clicks: Values, *, versions: NDArray[np.integer]) -> "SlotCounts":
        """Count answers: ``places`` and ``clicks`` [answers, slots], −1 for a slot without a ranked item."""
        _, version = np.unique(versions, return_inverse=True)
        there = places >= 0
        width = int(places.max(initial=0)) + 1
        rows = (version[:, None] * width + places)[there]
        slots = np.broadcast_to(np.arange(places.shape[1]), places.shape)[there]
        shape = ((int(version.max(initial=0)) + 1) * width, places.shape[1])
        cells = rows * shape[1] + slots
        shown = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
        clicked = np.bincount(cells, clicks[there], minlength=shape[0] * shape[1]).reshape(shape)
        return cls(shown=shown.astype(np.float64), clicked=clicked, answers=len(places))


def attention_of(counts: SlotCounts, *, assumed: float = ASSUMED) -> Attention:
    """Fit attention: a power of the slot, or the free form where it is clearly better and there is much to tell it.

    ``assumed`` is η where there is too little to tell it.
    """
    slots = counts.shown.shape[1]
    if counts.answers < FEWEST:
        return _power(slots, assumed, ASSUMED_SE, assumed=True)
    eta, se = steepness(counts)
    if not np.isfinite(se) or se > ASSUMED_SE:
        return _power(slots, assumed, ASSUMED_SE, assumed=True)
    if counts.answers < FEWEST_OF_FREE or power_p_value(counts, eta) >= LEVEL:
        return _power(slots, eta, se)
    q = free_attention(counts)
    return Attention(q=q, shifts=_free_shifts(counts, q), eta=eta, se=se, free=True)


def steepness(counts: SlotCounts) -> tuple[float, float]:
    """η of q_k = k^−η by maximum likelihood, and its standard error by the curvature; infinite where nothing moved.

    The profile likelihood Σ c_ij ln q_j − Σ_i c_i ln Σ_j n_ij q_j is concave in η, so that Newton's steps find it.
    """
    logs = np.log(np.arange(1, counts.shown.shape[1] + 1))
    clicks = counts.clicked.sum(axis=1)
    eta, bend = 0.0, 0.0
    for _ in range(ROUNDS):
        looked = _looked(counts, -eta * logs)
        mean = looked @ logs
        slope = float((clicks * mean).sum() - (counts.clicked @ logs).sum())
        bend = float((clicks * (looked @ logs**2 - mean**2)).sum())
        if bend <= CLOSE:
            return eta, np.inf
        step = float(np.clip(eta + slope / bend, LOWEST, STEEPEST)) - eta
        eta += step
        if abs(step) < CLOSE:
            break
    return eta, bend**-0.5


def free_attention(counts: SlotCounts) -> Values:
    """Attention of each slot by itself [slots], the first 1: q and r are set in turn to what the other implies."""
    q = np.ones(counts.shown.shape[1])
    by_row, by_slot = counts.clicked.sum(axis=1), counts.clicked.sum(axis=0)
    for _ in range(ROUNDS):
        before = q
        relevance = _ratio(by_row, counts.shown @ q)
        q = _ratio(by_slot, relevance @ counts.shown)
        q = _ratio(q, np.full_like(q, q[0]))
        if np.abs(q - before).max(initial=0) < CLOSE:
            break
    return q


def power_p_value(counts: SlotCounts, eta: float) -> float:
    """How often a power of the slot would fit so much worse than the free form by chance (likelihood ratio)."""
    slots = counts.shown.shape[1]
    if slots < 3:
        return 1.0
    power = -eta * np.log(np.arange(1, slots + 1))
    free = np.log(np.maximum(free_attention(counts), np.finfo(np.float64).tiny))
    return float(chdtrc(slots - 2, max(2 * (_log_likelihood(counts, free) - _log_likelihood(counts, power)), 0.0)))


def _power(slots: int, eta: float, se: float, *, assumed: bool = False) -> Attention:
    logs = np.log(np.arange(1, slots + 1))
    return Attention(q=np.exp(-eta * logs), shifts=-se * logs[None, :], eta=eta, se=se, assumed=assumed)


def _free_shifts(counts: SlotCounts, q: Values) -> Values:
    """Shifts of the free form: a root of the inverse of the information about log q_2 …, the first being fixed."""
    looked = _looked(counts, np.log(np.maximum(q, np.finfo(np.float64).tiny)))
    clicks = counts.clicked.sum(axis=1)
    information = np.diag(clicks @ looked) - (looked * clicks[:, None]).T @ looked
    values, vectors = np.linalg.eigh(information[1:, 1:])
    roots = vectors / np.sqrt(np.maximum(values, CLOSE))
    return np.concatenate([np.zeros((len(values), 1)), roots.T], axis=1)


def _looked(counts: SlotCounts, log_q: Values) -> Values:
    """Shares of each row's attention that fall to each slot [rows, slots]."""
    looked = counts.shown * np.exp(log_q)
    return _ratio(looked, np.broadcast_to(looked.sum(axis=1, keepdims=True), looked.shape))


def _log_likelihood(counts: SlotCounts, log_q: Values) -> float:
    """Profile log-likelihood of log q, but for what does not depend on it."""
    total = counts.shown @ np.exp(log_q)
    clicks = counts.clicked.sum(axis=1)
    there = clicks > 0
    return float((counts.clicked.sum(axis=0) * log_q).sum() - (clicks[there] * np.log(total[there])).sum())


def _ratio(above: Values, below: Values) -> Values:
    """Quotients, 0 where there is nothing to divide by."""
    return np.divide(above, below, out=np.zeros(np.shape(above)), where=below > 0)
