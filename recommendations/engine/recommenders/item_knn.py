"""Item neighbours: items that the same people buy as the items of this user, or as the item in view."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, Queries, Sparse
from recommendations.engine.preprocess.blocks import STORED_AT_ONCE, strips, strongest
from recommendations.engine.preprocess.sizes import MOST_PAIRS, longest_affordable
from recommendations.engine.preprocess.weighting import (
    Transform,
    act_weights,
    context_weights,
    transformed,
)
from recommendations.engine.recommenders.protocol import (
    WEIGHTS,
    Evidence,
    Sparing,
    from_context,
    from_history,
    statistics_of,
)
from recommendations.engine.steps import Arrays, Over, Part, Step, arrays_of, matrix_of
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


def _taught(config: Config, before: Arrays, part: Part) -> Arrays:
    """What likeness is taught by: the weights, transformed, both ways round."""
    every = matrix_of(before, "weights")
    affordable = longest_affordable(np.diff(every.indptr), config.most_pairs)
    raw = strongest(every, min(config.longest_history, affordable))
    statistics = statistics_of(before, config.transform)
    weights = transformed(raw, config.transform, statistics)
    return {
        **arrays_of("weights", weights),
        **arrays_of("by_item", weights.T.tocsr()),
        "squares": np.bincount(weights.indices, weights.data.astype(np.float64) ** 2, minlength=weights.shape[1]),
    }


def _likeness(config: Config, before: Arrays, part: Part) -> Arrays:
    """The nearest sources of a range of targets."""
    weights, by_item, lengths = matrix_of(before, "weights"), matrix_of(before, "by_item"), before["squares"]
    of_target = (lengths**config.target_power).astype(np.float32)
    of_source = (lengths**config.source_power).astype(np.float32)
    own = part.cut(by_item)

    def nearest(strip: slice) -> Sparse:
        targets = slice(part.start + strip.start, part.start + strip.stop)
        return _neighbours(config, own[strip] @ weights, of_target[targets], of_source, first=targets.start)

    with ThreadPoolExecutor(config.threads) as pool:
        neighbours = list(pool.map(nearest, strips(own, weights, stored=config.stored)))
    shape = (part.stop - part.start, len(lengths))
    by_target = sparse.vstack(neighbours) if neighbours else sparse.csr_matrix(shape, dtype=np.float32)
    return arrays_of("by_target", sparse.csr_matrix(by_target))


def _neighbours(config: Config, common: Sparse, of_target: FloatArray, of_source: FloatArray, *, first: int) -> Sparse:
    """The nearest sources of the targets ``first``, ``first + 1`` …; ``common`` holds their dot products."""
    row = np.repeat(np.arange(common.shape[0], dtype=np.int32), np.diff(common.indptr))
    values = of_target[row]
    values *= of_source[common.indices]
    values += np.float32(config.shrinkage)
    np.divide(common.data, values, out=values)
    values[row + first == common.indices] = 0  # an item is no neighbour of itself
    alike = sparse.csr_matrix((values, common.indices, common.indptr), shape=common.shape)
    return strongest(alike, config.neighbours)


def _turned(config: Config, before: Arrays, part: Part) -> Arrays:
    similarities = sparse.csr_matrix(matrix_of(before, "by_target").T, dtype=np.float32)
    return {**arrays_of("similarities_", similarities), "known_": before["squares"] > 0}


class ItemKnn(Sparing[Config]):
    """score_j = Σ_k p_k sim(j, k), sim(j, k) = x_j · x_k / (n_j^α n_k^β + shrinkage), n = squared length of x."""

    STEPS: ClassVar[tuple[Step, ...]] = (
        WEIGHTS,
        Step(name="taught", over=Over.ONCE, work=_taught),
        Step(
            name="likeness",
            over=Over.ITEMS,
            work=_likeness,
            product=("by_item", "weights"),
            spent=("weights", "by_item"),
        ),
        Step(name="turned", over=Over.ONCE, work=_turned),
    )

    similarities_: Sparse  # source × target
    known_: BoolArray

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
