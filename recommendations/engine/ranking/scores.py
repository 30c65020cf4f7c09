"""The kernels that panel, batch evaluation and serving share, so that all three rank alike to the last bit.

Scores are float32, added up instance by instance in a fixed order; equal scores are ordered by position, and candidate
rows ascend within a record, so a tie goes to the lower item row.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray
from recommendations.terms import Lift

type Positions = NDArray[np.int64]
type Standardised = NDArray[np.float16] | FloatArray

GROUPS = 1024
"""Columns are dealt into this many groups to bound the k-th largest value from below; 1,024 bounds a top 200 well."""

SLOTS, WIDE, MANY_ROWS = 3, 8, 64
"""Groups for the top k of many rows: 3 k, where each has 8 columns or more. They halve the time of 20 of 800."""

type Lifts = Mapping[Lift, FloatArray]
"""By what lifts: the factor of each item or candidate, 1 = as it is."""

type Exponents = Mapping[Lift, float]
"""By what lifts: how much it counts; 0, or left out: not at all."""

CONSTANT = 1e-6
"""A standard deviation below this share of the largest value is rounding noise: the values are one constant."""


def spoken(z: Standardised) -> FloatArray:
    """z as float32 with 0 for silence (NaN)."""
    values = np.asarray(z, np.float32)
    return np.where(np.isnan(values), np.float32(0), values)


def blend(z: Standardised, weights: FloatArray) -> FloatArray:
    """r = Σ_m α_m z_m: z of shape [..., instances, candidates] and weights [instances] give [..., candidates]."""
    heard = np.flatnonzero(weights)
    planes = np.moveaxis(spoken(z[..., heard, :]), -2, 0)
    return blend_planes(planes, np.asarray(weights, np.float32)[heard])


def blend_planes(planes: FloatArray, weights: FloatArray) -> FloatArray:
    """The blend of planes [instances, ...] without NaN. A zero weight is skipped, which changes no score."""
    score = np.zeros(planes.shape[1:], np.float32)
    term = np.empty_like(score)
    for m in np.flatnonzero(weights):
        np.multiply(planes[m], np.float32(weights[m]), out=term)
        np.add(score, term, out=score)
    return score


def contributions(z: Standardised, weights: FloatArray) -> NDArray[np.float64]:
    """The terms α_m z_m in double precision, shape of ``z``; their sum over instances is the score that is shown."""
    return spoken(z).astype(np.float64) * np.asarray(weights, np.float64)[:, None]


def lifted[F: np.floating](scores: NDArray[F], lifts: Lifts, exponents: Exponents) -> dict[Lift, NDArray[F]]:
    """What each lift that counts adds to each score, after those before it: max(score, 0) · (L^h − 1).

    ``lifts`` are the factors L of each candidate. 0 is the average of a customer's pool: who does not like an item is
    not won by its promotion or its price. Together they multiply a score above 0, in whatever order.
    """
    added = {}
    for name in Lift:
        if name in lifts and exponents.get(name):
            factor = np.power(lifts[name], np.float32(exponents[name]), dtype=np.float32) - np.float32(1)
            added[name] = np.asarray(np.maximum(scores, 0) * factor, scores.dtype)
            scores = scores + added[name]
    return added


def standardised(values: FloatArray, starts: NDArray[np.int64]) -> FloatArray:
    """(x − mean) / sd over the known values of each segment, shape [instances, values]; constants become 0, NaN stays.

    ``starts`` are the first positions of the segments (one per query), none of them empty.
    """
    silent = np.isnan(values)
    some_silent = silent.any()
    lengths = np.diff(np.append(starts, values.shape[1]))

    def each(of_segment: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.repeat(of_segment, lengths, axis=1) if len(starts) > 1 else of_segment

    count = np.maximum(np.add.reduceat(~silent, starts, axis=1, dtype=np.float64), 1)
    filled = values.astype(np.float64)
    if some_silent:
        filled[silent] = 0
    largest = np.maximum.reduceat(np.abs(filled), starts, axis=1)
    filled -= each(np.add.reduceat(filled, starts, axis=1) / count)
    if some_silent:
        filled[silent] = 0
    sd = np.sqrt(np.add.reduceat(filled * filled, starts, axis=1) / count)
    filled *= each(np.where(sd > CONSTANT * largest, 1 / np.where(sd > 0, sd, 1), 0))
    if some_silent:
        filled[silent] = np.nan
    return filled.astype(np.float32)


def best(scores: FloatArray, k: int) -> BoolArray:
    """Marks the k largest of each row, ties to the lower position; −inf is never marked. No NaN."""
    if k >= scores.shape[1]:
        return scores > -np.inf
    if k <= 0:
        return np.zeros(scores.shape, np.bool_)
    least = kth_largest(scores, k)[:, None]
    marked = scores >= least
    if np.count_nonzero(marked) > k * len(marked):  # some row has more: its last place is a tie, or −inf
        crowded = np.flatnonzero(np.count_nonzero(marked, axis=1) > k)
        above = scores[crowded] > least[crowded]
        tied = scores[crowded] == least[crowded]
        room = k - np.count_nonzero(above, axis=1)[:, None]
        marked[crowded] = above | (tied & (np.cumsum(tied, axis=1) <= room) & (least[crowded] > -np.inf))
    return marked


def kth_largest(scores: FloatArray, k: int) -> FloatArray:
    """The k-th largest of each row, which has that many. No NaN.

    The k-th largest of the maxima of groups bounds it from below: few values of a wide row are looked at twice.
    """
    width = scores.shape[1] // GROUPS
    if width < 2 or k >= GROUPS:
        return np.asarray(np.partition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k])
    maxima = scores[:, : width * GROUPS].reshape(len(scores), width, GROUPS).max(axis=1)
    bound: FloatArray = np.partition(maxima, GROUPS - k, axis=1)[:, GROUPS - k]
    above = gathered(scores, marked_positions(scores > bound[:, None]), missing=-np.inf)
    if above.shape[1] < k:
        return bound
    return np.asarray(np.maximum(np.partition(above, above.shape[1] - k, axis=1)[:, above.shape[1] - k], bound))


def marked_positions(marked: BoolArray, k: int | None = None) -> Positions:
    """The marked columns of each row in ascending order, −1 where a row has fewer: [rows, k], or as wide as needed."""
    flat = np.flatnonzero(marked)
    bounds = np.searchsorted(flat, np.arange(len(marked) + 1) * marked.shape[1])
    counts = np.diff(bounds)
    rows = np.repeat(np.arange(len(marked)), counts)
    positions = np.full((len(marked), counts.max(initial=0) if k is None else k), -1, np.int64)
    positions[rows, np.arange(len(flat)) - bounds[rows]] = flat - rows * marked.shape[1]
    return positions


def gathered(values: NDArray[Any], positions: Positions, *, missing: float | int) -> NDArray[Any]:
    """values[row, position] with ``missing`` at position −1."""
    if not values.shape[1]:
        return np.full(positions.shape, missing, values.dtype)
    return np.where(
        positions >= 0, np.take_along_axis(values, np.maximum(positions, 0), axis=1), values.dtype.type(missing)
    )


def top(scores: FloatArray, k: int) -> Positions:
    """Positions of the k largest of each row, best first, ties to the lower position; −1 after the last one. No NaN."""
    wide = len(scores) >= MANY_ROWS and k > 0 and scores.shape[1] >= WIDE * SLOTS * k
    positions = marked_positions(_above_bound(scores, k)) if wide else marked_positions(best(scores, k), k)
    order = np.argsort(-gathered(scores, positions, missing=-np.inf), axis=1, kind="stable")[:, :k]
    ordered = np.full((len(scores), k), -1, np.int64)
    ordered[:, : order.shape[1]] = np.take_along_axis(positions, order, axis=1)
    return ordered


def _above_bound(scores: FloatArray, k: int) -> BoolArray:
    """Marks the k largest of each row and few others: what reaches the k-th largest of the maxima of its groups."""
    slots = SLOTS * k
    width = scores.shape[1] // slots
    maxima = scores[:, : width * slots].reshape(len(scores), width, slots).max(axis=1)
    bound = np.partition(maxima, slots - k, axis=1)[:, slots - k, None]
    return np.asarray((scores >= bound) & (scores > -np.inf))


def largest(scores: FloatArray, k: int) -> Positions:
    """Like ``top`` for wide rows with NaN, in ascending order of column: the k best known columns, −1 after the last.

    The k-th largest of the group maxima bounds the k-th largest value from below, so that little more than k values of
    a row of 65,000 are looked at twice. Where fewer are above the bound, it is the k-th largest value itself.
    """
    width = scores.shape[1] // GROUPS
    if width < 2 or not 0 < k < GROUPS:
        return marked_positions(best(np.where(np.isnan(scores), -np.inf, scores).astype(np.float32), k), k)
    grouped = scores[:, : width * GROUPS].reshape(len(scores), width, GROUPS)
    maxima = np.fmax.reduce(grouped, axis=1)
    maxima[np.isnan(maxima)] = -np.inf
    bound = np.partition(maxima, GROUPS - k, axis=1)[:, GROUPS - k, None]
    columns = marked_positions(scores > bound)
    values = gathered(scores, columns, missing=-np.inf)
    chosen = gathered(columns, marked_positions(best(values, k), k), missing=-1)
    counts = np.count_nonzero(chosen >= 0, axis=1)
    for row in np.flatnonzero((counts < k) & (bound[:, 0] > -np.inf)):
        tied = np.flatnonzero(scores[row] == bound[row])[: k - counts[row]]
        chosen[row] = np.sort(np.concatenate([chosen[row, : counts[row]], tied]))
    return chosen
