"""Spectral filter of the graph of people and items (GF-CF, Shen et al. 2021): no training, one truncated SVD."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, Queries, Sparse
from recommendations.engine.preprocess.blocks import dense_product, silenced
from recommendations.engine.preprocess.weighting import Transform, act_weights, context_weights, transformed
from recommendations.engine.recommenders.protocol import WEIGHTS, Configured, Evidence, from_context, from_history
from recommendations.engine.steps import Arrays, Over, Part, Step, arrays_of, matrix_of
from recommendations.terms import Reason

ITERATIONS = 4  # of the randomised SVD
OVERSAMPLES = 16


@dataclass(frozen=True, kw_only=True)
class Config:
    profile: Literal["history", "context"] = "history"
    transform: Transform = "binary"
    half_life: float | None = None  # days
    profile_half_life: float | None = None  # days
    factors: int = 128  # k: so many of the slowest waves over the graph count as a whole
    smooth: float = 0.3  # α: what they count beside the nearest neighbours
    power: float = 0.5  # of the degrees: ½ is the cosine


def _waves(normal: Sparse, factors: int) -> FloatArray:
    """The first right singular vectors, items × k; always from the same start, so that no seed is needed."""
    from sklearn.utils.extmath import randomized_svd  # noqa: PLC0415 - slow to load

    k = min(factors, *normal.shape)
    if not k or not normal.nnz:
        return np.zeros((normal.shape[1], 0), np.float32)
    _, _, right = randomized_svd(normal, k, n_oversamples=OVERSAMPLES, n_iter=ITERATIONS, random_state=0)
    return np.ascontiguousarray(right.T, np.float32)


def _filter(config: Config, before: Arrays, part: Part) -> Arrays:
    """The filter of all weights: a singular vector is of all people."""
    taught = transformed(matrix_of(before, "weights"), config.transform)
    people, items = (np.asarray(taught.sum(axis=axis)).ravel() for axis in (1, 0))
    degree = np.where(items > 0, items, 1).astype(np.float32) ** np.float32(config.power)
    row = np.repeat(np.arange(taught.shape[0]), np.diff(taught.indptr))
    data = taught.data / (np.where(people > 0, people, 1)[row] ** config.power * degree[taught.indices])
    normal = sparse.csr_matrix((data.astype(np.float32), taught.indices, taught.indptr), shape=taught.shape)
    return {
        **arrays_of("by_item_", normal.T.tocsr()),
        "vectors_": _waves(normal, config.factors),
        "degree_": degree,
        "known_": np.bincount(taught.indices, minlength=taught.shape[1]) > 0,
    }


class Spectral(Configured[Config]):
    """score = p (R̃'R̃ + α D^−½ V V' D^½), R̃ = D_u^−½ R D^−½, for a profile p.

    R are the weights of people × items, D_u and D its row and column sums, V the first k right singular vectors of R̃.
    No matrix of items × items is made: p R̃' says who is alike, and their items follow.
    """

    STEPS: ClassVar[tuple[Step, ...]] = (
        WEIGHTS,
        Step(name="filter", over=Over.ONCE, work=_filter),
    )
    PEOPLE: ClassVar = {"by_item_": (1,)}

    known_: BoolArray  # [items]
    by_item_: Sparse  # R̃', items × users
    vectors_: FloatArray  # V, items × k
    degree_: FloatArray  # the diagonal of D^½, 1 where nobody took the item

    def score(self, queries: Queries) -> FloatArray:
        profile = self._profile(queries)
        scores = dense_product((profile @ self.by_item_).toarray(), self.by_item_)
        scores += (profile @ self._entering) @ self._leaving.T
        return silenced(scores, profile=profile, known=self.known_)

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        profile = query.once((self, "profile"), lambda: self._profile(query))
        if not self.known_[item]:
            return []
        near = (self.by_item_[profile.indices] @ self.by_item_[item].T).toarray().ravel()
        terms = profile.data * (near + self._entering[profile.indices] @ self._leaving[item])
        if self.config.profile == "context":
            return from_context(item, sources=profile.indices, terms=terms, reason=Reason.BECAUSE_YOU_VIEWED)
        reason = Reason.BECAUSE_YOU_BOUGHT
        return from_history(query.histories, item, sources=profile.indices, terms=terms, reason=reason)

    @cached_property
    def _entering(self) -> FloatArray:
        """√α D^−½ V, items × k."""
        entering: FloatArray = np.float32(self.config.smooth**0.5) * self.vectors_ / self.degree_[:, None]
        return entering

    @cached_property
    def _leaving(self) -> FloatArray:
        """√α D^½ V, items × k."""
        leaving: FloatArray = np.float32(self.config.smooth**0.5) * self.vectors_ * self.degree_[:, None]
        return leaving

    def _profile(self, queries: Queries) -> Sparse:
        if self.config.profile == "context":
            return context_weights(queries)
        weights = act_weights(queries.histories, half_life=self.config.profile_half_life)
        return transformed(weights, self.config.transform)
