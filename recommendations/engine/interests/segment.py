"""Segments of customers with alike interests: k-means on reduced tf-idf interest vectors (``maths.md`` §2)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommendations.engine.frames import FloatArray, IntArray, Sparse
from recommendations.engine.interests.profile import interest_weights, unit_length, unit_sum

STARTS = 4  # k-means is run from so many starts; the tightest result stays
NOBODY = -1
LEARNERS = 50_000


@dataclass(frozen=True, kw_only=True)
class Segmentation:
    """A fitted segmentation for any customer. Segments are numbered from the largest to the smallest."""

    idf: FloatArray  # [categories]
    directions: FloatArray  # [categories, dimensions]: interest vector → reduced vector
    centres: FloatArray  # [segments, dimensions], unit length
    interests: FloatArray  # [segments, categories]: mean share of interest of the members
    sizes: IntArray  # [segments]


def find_segments(
    weights: Sparse, categories: Sparse, *, n_segments: int, dimensions: int, seed: int, learners: int = LEARNERS
) -> tuple[Segmentation, IntArray]:
    """Fit the segmentation, and each user's segment (−1 without interest). Fewer users than segments: fewer segments.

    Of more users than ``learners``, so many make the segments, evenly spread over their rows; all are put into them.
    """
    from sklearn.cluster import KMeans  # noqa: PLC0415 - slow to load

    interests = interest_weights(_spread(weights, learners), categories)
    idf = _idf(interests)
    active = interests.sum(axis=1) > 0
    vectors = _vectors(interests[active], idf)
    n_segments = min(n_segments, len(np.unique(np.round(vectors, 5), axis=0)))
    if not n_segments:
        return _nothing(len(idf)), np.full(weights.shape[0], NOBODY, np.int32)
    directions = _directions(vectors, dimensions, seed=seed)
    with threadpool_limits(limits=1, user_api="openmp"):  # sums in one order: the same seed gives the same segments
        fitted = KMeans(n_segments, n_init=STARTS, random_state=seed).fit(unit_length(vectors @ directions))
    order = np.argsort(-np.bincount(fitted.labels_, minlength=n_segments), kind="stable")
    centres = unit_length(fitted.cluster_centers_[order]).astype(np.float32)
    membership = np.full(weights.shape[0], NOBODY, np.int32)
    sums = np.zeros((n_segments, len(idf)), np.float64)
    for start in range(0, len(membership), learners):
        block = interest_weights(weights[start : start + learners], categories)
        there = np.flatnonzero(block.sum(axis=1) > 0)
        membership[start + there] = _nearest(_vectors(block[there], idf) @ directions, centres)
        np.add.at(sums, membership[start + there], unit_sum(block[there]))
    segmentation = Segmentation(
        idf=idf,
        directions=directions,
        centres=centres,
        interests=np.asarray(unit_sum(sums), np.float32),
        sizes=np.bincount(membership[membership != NOBODY], minlength=n_segments).astype(np.int32),
    )
    return segmentation, membership


def members(segmentation: Segmentation, interests: FloatArray) -> IntArray:
    """The nearest centre of each interest vector (users × categories), −1 where there is no interest."""
    if not len(segmentation.centres):
        return np.full(len(interests), NOBODY, np.int32)
    nearest = _nearest(reduced(segmentation, interests), segmentation.centres)
    return np.where(interests.sum(axis=1) > 0, nearest, NOBODY).astype(np.int32)


def reduced(segmentation: Segmentation, interests: FloatArray) -> FloatArray:
    """Interest vectors (users × categories) in the space of the centres, shape [users, dimensions]; no unit length."""
    return np.asarray(_vectors(interests, segmentation.idf) @ segmentation.directions, np.float32)


def matched(now: FloatArray, previous: FloatArray) -> IntArray:
    """The lasting number of each current segment, shape [segments]: a segment keeps the number that it had.

    Both are interest shares [segments, categories] over the same categories; pairs are chosen for the greatest total
    cosine (Hungarian method). A segment without a counterpart gets the next unused number.
    """
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - slow to load

    numbers = np.full(len(now), NOBODY, np.int32)
    if len(now) and len(previous):
        alike = unit_length(now) @ unit_length(previous).T
        mine, theirs = linear_sum_assignment(alike, maximize=True)
        numbers[mine] = theirs
    fresh = np.flatnonzero(numbers == NOBODY)
    numbers[fresh] = len(previous) + np.arange(len(fresh))
    return numbers


def agreement(now: NDArray[np.integer], previous: NDArray[np.integer]) -> float:
    """Adjusted Rand index of two divisions of the same users: 1 the same, 0 no more alike than by chance."""
    from sklearn.metrics import adjusted_rand_score  # noqa: PLC0415 - slow to load

    return float(adjusted_rand_score(previous, now))


def mean_interests(segmentation: Segmentation) -> FloatArray:
    """Mean share of interest of all members of all segments, [categories]: what a segment's own is compared with.

    A customer counts once here as there. Against shares of all acts, a segment would seem to be made for whatever a
    single member with two purchases bought.
    """
    total = segmentation.sizes.sum(dtype=np.float64)
    sums = segmentation.sizes.astype(np.float64) @ segmentation.interests
    return np.asarray(sums / max(total, 1), np.float32)


def top_categories(shares: FloatArray, overall: FloatArray, n: int = 5) -> IntArray:
    """The categories that set each segment apart: largest share · log(share / overall share). Shape [segments, n]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        distinction = np.where((shares > 0) & (overall > 0), shares * np.log(shares / overall), 0)
    return np.argsort(-distinction, axis=1, kind="stable")[:, :n].astype(np.int32)


def _spread(weights: Sparse, n: int) -> Sparse:
    """The rows of ``n`` users with a history, evenly spread; all rows if there are no more."""
    if weights.shape[0] <= n:
        return weights
    active = np.flatnonzero(np.diff(weights.indptr))
    return weights[active[np.linspace(0, len(active) - 1, min(n, len(active))).astype(np.int64)]]


def _idf(interests: FloatArray) -> FloatArray:
    users = (interests > 0).sum(axis=0)
    return np.log1p(len(interests) / (users + 1)).astype(np.float32)


def _vectors(interests: FloatArray, idf: FloatArray) -> FloatArray:
    """tf-idf vectors of square-root counts, unit length."""
    if not interests.size:
        return np.zeros(interests.shape, np.float32)
    return np.asarray(unit_length(np.sqrt(interests) * idf), np.float32)


def _directions(vectors: FloatArray, dimensions: int, *, seed: int) -> FloatArray:
    """Right singular vectors, [categories, dimensions]."""
    from sklearn.utils.extmath import randomized_svd  # noqa: PLC0415 - slow to load

    rank = min(dimensions, *vectors.shape)
    _, _, right = randomized_svd(vectors, rank, random_state=seed)
    return np.ascontiguousarray(right.T, np.float32)


def _nearest(reduced: FloatArray, centres: FloatArray) -> IntArray:
    return np.asarray(np.argmax(reduced @ centres.T, axis=1), np.int32)


def _nothing(n_categories: int) -> Segmentation:
    return Segmentation(
        idf=np.zeros(n_categories, np.float32),
        directions=np.zeros((n_categories, 0), np.float32),
        centres=np.zeros((0, 0), np.float32),
        interests=np.zeros((0, n_categories), np.float32),
        sizes=np.zeros(0, np.int32),
    )
