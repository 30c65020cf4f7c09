"""Segment recommender: what users with alike interests buy; for a stranger, what everybody buys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommendations.engine.frames import FloatArray, IntArray, Queries, Sparse
from recommendations.engine.interests.profile import interest_weights
from recommendations.engine.interests.segment import NOBODY, Kinds, Segmentation, kinds_of_users, members
from recommendations.engine.preprocess.weighting import act_weights, transformed
from recommendations.engine.recommenders.protocol import WEIGHTS, Configured, Evidence
from recommendations.engine.steps import Arrays, Over, Part, Step, added, arrays_of, matrix_of
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    segments: int = 16
    dimensions: int = 20
    half_life: float | None = 90.0  # days, of the interests that make the segments
    affinity_half_life: float | None = 7.0  # days, of the purchases counted in a segment
    shrinkage: float = 10.0  # members that the whole clientele counts for


def _kinds(config: Config, before: Arrays, part: Part) -> Arrays:
    """The kinds of users, which a part of all users show."""
    kinds = kinds_of_users(
        matrix_of(before, "weights"),
        part.catalogue.categories,
        n_segments=config.segments,
        dimensions=config.dimensions,
        seed=part.seed,
    )
    return {f"{name}_": array for name, array in kinds._asdict().items()}


def _kinds_before(before: Arrays) -> Kinds:
    return Kinds(before["idf_"], before["directions_"], before["centres_"])


def _members(config: Config, before: Arrays, part: Part) -> Arrays:
    """Sums over the members of each segment, and over everybody."""
    kinds = _kinds_before(before)
    membership, shares = kinds.nearest(part.cut(matrix_of(before, "weights")), part.catalogue.categories)
    taken = transformed(act_weights(part.own, half_life=config.affinity_half_life), "binary")
    there = np.flatnonzero(membership != NOBODY)
    shape = (len(kinds.centres), len(membership))
    selection = sparse.csr_matrix((np.ones(len(there), np.float32), (membership[there], there)), shape=shape)
    return {
        "shares": shares,
        "sizes": np.bincount(membership[there], minlength=len(kinds.centres)),
        "taken": (selection @ taken).toarray(),
        "everybody": np.asarray(taken.sum(axis=0)).ravel(),
        "people": np.asarray([len(membership)]),
    }


def _affinity(config: Config, before: Arrays, part: Part) -> Arrays:
    segmentation = _kinds_before(before).segmentation(before["shares"], before["sizes"])
    overall = before["everybody"] / max(int(before["people"][0]), 1)
    sums, sizes = before["taken"], before["sizes"][:, None]
    shrunk = (sums + config.shrinkage * overall) / np.maximum(sizes + config.shrinkage, 1e-9)
    return {
        **arrays_of("categories_", part.catalogue.categories),
        "interests_": segmentation.interests,
        "sizes_": segmentation.sizes,
        "affinity_": np.concatenate([shrunk, overall[None, :]]).astype(np.float32),
    }


class Segments(Configured[Config]):
    """score_ij = (Σ over members of segment of i min(1, w_vj) + s · share_j) / (members + s)."""

    STEPS: ClassVar[tuple[Step, ...]] = (
        WEIGHTS,
        Step(name="kinds", over=Over.ONCE, work=_kinds),
        Step(name="members", over=Over.CUSTOMERS, work=_members, join=added, spent=("weights",)),
        Step(name="affinity", over=Over.ONCE, work=_affinity),
    )

    categories_: Sparse
    idf_: FloatArray
    directions_: FloatArray
    centres_: FloatArray
    interests_: FloatArray
    sizes_: IntArray
    affinity_: FloatArray  # [segments + 1, items]; the last row is the whole clientele

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
