"""Item neighbours: items that the same people buy as the items of this user, or as the item in view."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, Queries, Sparse, TrainingSet
from recommendations.engine.preprocess.blocks import STORED_AT_ONCE, strips, strongest
from recommendations.engine.preprocess.sizes import MOST_PAIRS, longest_affordable
from recommendations.engine.preprocess.weighting import (
    Transform,
    act_weights,
    context_weights,
    learned_statistics,
    transformed,
)
from recommendations.engine.recommenders.protocol import Evidence, Sparing, from_context, from_history
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    profile: Literal["history", "context"] = "history"
    transform: Transform = "bm25"
    half_life: float | None = None  # days
    neighbours: int = 50  # kept for each item that is scored
    target_power: float = 0.4  # α
    source_power: float = 0.2  # β; α + β = 1 with both ½ is the cosine
    shrinkage: float = 0.0
    longest_history: int = 2000  # a user's most bought items teach likeness; the work grows with their square
    most_pairs: int = MOST_PAIRS  # of items of one history, counted for it; where there are more, histories are cut
    profile_transform: Literal["binary", "count", "log", "sqrt"] = "log"
    profile_half_life: float | None = None  # days
    threads: int = 2  # of the fit
    stored: int = STORED_AT_ONCE  # entries of a strip of the product that a thread of the fit works on


class ItemKnn(Sparing[Config]):
    """score_j = Σ_k p_k sim(j, k), sim(j, k) = x_j · x_k / (n_j^α n_k^β + shrinkage), n = squared length of x."""

    similarities_: Sparse  # source × target
    known_: BoolArray

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        every = act_weights(training.teaching, half_life=self.config.half_life)
        affordable = longest_affordable(np.diff(every.indptr), self.config.most_pairs)
        raw = strongest(every, min(self.config.longest_history, affordable))
        weights = transformed(raw, self.config.transform, learned_statistics(every, self.config.transform))
        lengths = np.bincount(weights.indices, weights.data.astype(np.float64) ** 2, minlength=training.n_items)
        of_target = (lengths**self.config.target_power).astype(np.float32)
        of_source = (lengths**self.config.source_power).astype(np.float32)
        by_item = weights.T.tocsr()

        def nearest(targets: slice) -> Sparse:
            return self._neighbours(by_item[targets] @ weights, of_target[targets], of_source, first=targets.start)

        with ThreadPoolExecutor(self.config.threads) as pool:
            neighbours = list(pool.map(nearest, strips(by_item, weights, stored=self.config.stored)))
        shape = (training.n_items, training.n_items)
        by_target = sparse.vstack(neighbours) if neighbours else sparse.csr_matrix(shape, dtype=np.float32)
        self.similarities_ = sparse.csr_matrix(by_target.T, dtype=np.float32)
        self.known_ = lengths > 0
        return self

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        sources, terms = self._profile_of(query).indices, self._terms(query).of(item)
        if self.config.profile == "context":
            return from_context(item, sources=sources, terms=terms, reason=Reason.SIMILAR_ITEM)
        reason = Reason.BECAUSE_YOU_BOUGHT
        return from_history(query.histories, item, sources=sources, terms=terms, reason=reason)

    @property
    def _matrix(self) -> Sparse:
        return self.similarities_

    def _profile(self, queries: Queries) -> Sparse:
        if self.config.profile == "context":
            return context_weights(queries)
        weights = act_weights(queries.histories, half_life=self.config.profile_half_life)
        return transformed(weights, self.config.profile_transform)

    def _neighbours(self, common: Sparse, of_target: FloatArray, of_source: FloatArray, *, first: int) -> Sparse:
        """The nearest sources of the targets ``first``, ``first + 1`` …; ``common`` holds their dot products."""
        row = np.repeat(np.arange(common.shape[0], dtype=np.int32), np.diff(common.indptr))
        values = of_target[row]
        values *= of_source[common.indices]
        values += np.float32(self.config.shrinkage)
        np.divide(common.data, values, out=values)
        values[row + first == common.indices] = 0  # an item is no neighbour of itself
        alike = sparse.csr_matrix((values, common.indices, common.indptr), shape=common.shape)
        return strongest(alike, self.config.neighbours)
