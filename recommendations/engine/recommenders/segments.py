"""Segment recommender: what users with alike interests buy; for a stranger, what everybody buys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from recommendations.engine.frames import FloatArray, IntArray, Queries, Sparse, TrainingSet
from recommendations.engine.interests.profile import interest_weights
from recommendations.engine.interests.segment import NOBODY, Segmentation, find_segments, members
from recommendations.engine.preprocess.weighting import act_weights, transformed
from recommendations.engine.recommenders.protocol import Configured, Evidence
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    segments: int = 16
    dimensions: int = 20
    half_life: float | None = 90.0  # days, of the interests that make the segments
    affinity_half_life: float | None = 7.0  # days, of the purchases counted in a segment
    shrinkage: float = 10.0  # members that the whole clientele counts for


class Segments(Configured[Config]):
    """score_ij = (Σ over members of segment of i min(1, w_vj) + s · share_j) / (members + s)."""

    categories_: Sparse
    idf_: FloatArray
    directions_: FloatArray
    centres_: FloatArray
    interests_: FloatArray
    sizes_: IntArray
    affinity_: FloatArray  # [segments + 1, items]; the last row is the whole clientele

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        config = self.config
        self.categories_ = training.catalogue.categories
        weights = act_weights(training.teaching, half_life=config.half_life)
        segmentation, membership = find_segments(
            weights, self.categories_, n_segments=config.segments, dimensions=config.dimensions, seed=seed
        )
        self.idf_, self.directions_, self.centres_ = segmentation.idf, segmentation.directions, segmentation.centres
        self.interests_, self.sizes_ = segmentation.interests, segmentation.sizes
        taken = transformed(act_weights(training.teaching, half_life=config.affinity_half_life), "binary")
        self.affinity_ = _affinity(taken, membership, n_segments=len(segmentation.sizes), shrinkage=config.shrinkage)
        return self

    def score(self, queries: Queries) -> FloatArray:
        scores = self.affinity_[self._members(queries)]
        if not self.affinity_[-1].any():
            scores[:] = np.nan
        return scores

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        segment = query.once((self, "segment"), lambda: int(self._members(query)[0]))
        share = float(self.affinity_[segment, item])
        if segment == NOBODY or share <= 0:
            return []
        return [Evidence(reason=Reason.SEGMENT, share=1.0, facts={"segment": float(segment), "share": share})]

    def _members(self, queries: Queries) -> IntArray:
        """Segment of each query; −1 points to the last row of the affinity."""
        segmentation = Segmentation(
            idf=self.idf_,
            directions=self.directions_,
            centres=self.centres_,
            interests=self.interests_,
            sizes=self.sizes_,
        )
        weights = act_weights(queries.histories, half_life=self.config.half_life)
        return members(segmentation, interest_weights(weights, self.categories_))


def _affinity(taken: Sparse, membership: IntArray, *, n_segments: int, shrinkage: float) -> FloatArray:
    there = np.flatnonzero(membership != NOBODY)
    shape = (n_segments, len(membership))
    selection = sparse.csr_matrix((np.ones(len(there), np.float32), (membership[there], there)), shape=shape)
    sums = (selection @ taken).toarray()
    overall = np.asarray(taken.sum(axis=0)).ravel() / max(len(membership), 1)
    sizes = np.bincount(membership[there], minlength=n_segments)[:, None]
    shrunk = (sums + shrinkage * overall) / np.maximum(sizes + shrinkage, 1e-9)
    return np.concatenate([shrunk, overall[None, :]]).astype(np.float32)
