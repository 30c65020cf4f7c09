"""Segments of customers with alike interests: k-means on reduced tf-idf interest vectors (``maths.md`` §2)."""

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommendations.engine.frames import FloatArray, IdArray, IntArray, Sparse
from recommendations.engine.interests.profile import interest_weights, unit_length, unit_sum

STARTS = 4  # k-means is run from so many starts; the tightest result stays
TIGHTER = 0.95  # of the spread that the former segments have: only then new ones take their place
STAYS = 0.5  # share of its members by which a segment goes on as the one that it was
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
    weights: Sparse,
    categories: Sparse,
    *,
    n_segments: int,
    dimensions: int,
    seed: int,
    before: IntArray | None = None,
    learners: int = LEARNERS,
) -> tuple[Segmentation, IntArray]:
    """Fit the segmentation, and each user's segment (−1 without interest). Fewer users than segments: fewer segments.

    ``before`` is each user's former segment, as a row from 0 on (−1: none). The segments go on from there, so that
    people stay together, unless others are clearly tighter. Of more users than ``learners``, so many make the segments,
    evenly spread over their rows; all are put into them.
    """
    kinds = kinds_of_users(
        weights, categories, n_segments=n_segments, dimensions=dimensions, seed=seed, before=before, learners=learners
    )
    membership, sums = kinds.nearest(weights, categories, at_once=learners)
    sizes = np.bincount(membership[membership != NOBODY], minlength=len(kinds.centres))
    return kinds.segmentation(sums, sizes), membership


class Kinds(NamedTuple):
    """Kinds of users that are set apart; arrays as in ``Segmentation``."""

    idf: FloatArray
    directions: FloatArray
    centres: FloatArray

    def nearest(
        self, weights: Sparse, categories: Sparse, *, at_once: int = LEARNERS
    ) -> tuple[IntArray, NDArray[np.float64]]:
        """Each user's segment (−1 without interest), and the sum of their shares of interest, segments × categories."""
        membership = np.full(weights.shape[0], NOBODY, np.int32)
        sums = np.zeros((len(self.centres), len(self.idf)), np.float64)
        for start in range(0, len(membership) if len(self.centres) else 0, at_once):
            block = interest_weights(weights[start : start + at_once], categories)
            there = np.flatnonzero(block.sum(axis=1) > 0)
            membership[start + there] = _nearest(_vectors(block[there], self.idf) @ self.directions, self.centres)
            np.add.at(sums, membership[start + there], unit_sum(block[there]))
        return membership, sums

    def segmentation(self, sums: NDArray[np.float64], sizes: NDArray[np.integer]) -> Segmentation:
        """The segmentation, where the shares of the members of each kind have these sums, and they are so many."""
        interests = np.asarray(unit_sum(sums), np.float32)
        return Segmentation(**self._asdict(), interests=interests, sizes=sizes.astype(np.int32))


def kinds_of_users(
    weights: Sparse,
    categories: Sparse,
    *,
    n_segments: int,
    dimensions: int,
    seed: int,
    before: IntArray | None = None,
    learners: int = LEARNERS,
) -> Kinds:
    """Find the kinds of users that ``find_segments`` puts everybody into."""
    rows = _spread(weights, learners)
    interests = interest_weights(weights[rows], categories)
    idf = _idf(interests)
    active = interests.sum(axis=1) > 0
    vectors = _vectors(interests[active], idf)
    n_segments = min(n_segments, len(np.unique(np.round(vectors, 5), axis=0)))
    if not n_segments:
        nobody = np.zeros((len(idf), 0), np.float32)
        return Kinds(np.zeros(len(idf), np.float32), nobody, np.zeros((0, 0), np.float32))
    directions = _directions(vectors, dimensions, seed=seed)
    former = None if before is None else before[rows][active]
    return Kinds(idf, directions, _centres(unit_length(vectors @ directions), former, n_segments=n_segments, seed=seed))


def members(segmentation: Segmentation, interests: FloatArray) -> IntArray:
    """The nearest centre of each interest vector (users × categories), −1 where there is no interest."""
    if not len(segmentation.centres):
        return np.full(len(interests), NOBODY, np.int32)
    nearest = _nearest(reduced(segmentation, interests), segmentation.centres)
    return np.where(interests.sum(axis=1) > 0, nearest, NOBODY).astype(np.int32)


def reduced(segmentation: Segmentation, interests: FloatArray) -> FloatArray:
    """Interest vectors (users × categories) in the space of the centres, shape [users, dimensions]; no unit length."""
    return np.asarray(_vectors(interests, segmentation.idf) @ segmentation.directions, np.float32)


def forerunners(now: IntArray, before: IntArray, *, n_now: int, n_before: int) -> IntArray:
    """The former segment that each current one goes on as, shape [``n_now``]; −1 for a new one.

    Both give the same users' segments as rows from 0 on, −1 = none. A segment goes on in the one that has at least half
    of its members; where two do so in the same one, the one that gives it more.
    """
    common = np.zeros((n_now, n_before), np.int64)
    both = (now >= 0) & (before >= 0)
    np.add.at(common, (now[both], before[both]), 1)
    left = np.bincount(before[before >= 0], minlength=n_before)
    stays = (common >= STAYS * left) & (common > 0)
    forerunner = np.full(n_now, NOBODY, np.int32)
    taken: set[int] = set()
    for mine, theirs in sorted(np.argwhere(stays).tolist(), key=lambda pair: -common[tuple(pair)]):
        if forerunner[mine] == NOBODY and theirs not in taken:
            forerunner[mine] = theirs
            taken.add(theirs)
    return forerunner


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


def _spread(weights: Sparse, n: int) -> IdArray:
    """The rows of ``n`` users with a history, evenly spread; all rows if there are no more."""
    if weights.shape[0] <= n:
        return np.arange(weights.shape[0])
    active = np.flatnonzero(np.diff(weights.indptr))
    return active[np.linspace(0, len(active) - 1, min(n, len(active))).astype(np.int64)]


def _centres(places: FloatArray, former: IntArray | None, *, n_segments: int, seed: int) -> FloatArray:
    """Centres of unit length, shape [segments, dimensions], that of most users first; none that nobody is nearest to.

    ``former``: each user's segment before, −1 = none; its means are a start, unless their number is another.
    """
    from sklearn.cluster import KMeans  # noqa: PLC0415 - slow to load
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - slow to load

    with (
        threadpool_limits(limits=1, user_api="openmp"),  # sums in one order: the same seed gives the same segments
        warnings.catch_warnings(action="ignore", category=ConvergenceWarning),  # fewer kinds of users than segments
    ):
        fitted = KMeans(n_segments, n_init=STARTS, random_state=seed).fit(places)
        start = _means(places, former)
        if len(start) == n_segments:
            going_on = KMeans(n_segments, init=start, n_init=1).fit(places)
            if fitted.inertia_ > TIGHTER * going_on.inertia_:
                fitted = going_on
    sizes = np.bincount(fitted.labels_, minlength=n_segments)
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    return np.asarray(unit_length(fitted.cluster_centers_[order]), np.float32)


def _means(places: FloatArray, former: IntArray | None) -> FloatArray:
    """Mean place of those who were in each former segment, as far as anybody of it is left."""
    known = np.empty(0, np.int32) if former is None else former
    means = [places[known == row].mean(axis=0) for row in np.unique(known[known >= 0])]
    return np.asarray(means, places.dtype).reshape(-1, places.shape[1])


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
