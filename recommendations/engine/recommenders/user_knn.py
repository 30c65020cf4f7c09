"""User neighbours: what the users who buy most alike bought lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Queries, Sparse
from recommendations.engine.preprocess.blocks import rows_of, silenced, unit_rows
from recommendations.engine.preprocess.sizes import BASE, BASE_USERS, base_of_all, base_of_part, new_numbers, places
from recommendations.engine.preprocess.weighting import act_weights, transformed
from recommendations.engine.ranking.scores import kth_largest
from recommendations.engine.recommenders.protocol import Configured, Evidence
from recommendations.engine.steps import Arrays, Over, Part, Step, arrays_of, matrix_of
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    transform: Literal["binary", "count", "log", "sqrt"] = "log"
    half_life: float | None = None  # days, of the likeness
    neighbours: int = 100
    power: float = 1.5  # above 1 the nearest count more
    taste_half_life: float | None = 14.0  # days, of what the neighbours bought
    base_users: int = BASE_USERS  # so many can be neighbours: of more, the most recently active


def _tastes(config: Config, before: Arrays, part: Part) -> Arrays:
    """What those of the part like who can be neighbours."""
    acts, base = base_of_part(part, config.base_users)
    alike = transformed(act_weights(acts, half_life=config.half_life), config.transform)
    tastes = transformed(act_weights(acts, half_life=config.taste_half_life), "binary")
    return {**base, **arrays_of("alike", unit_rows(alike)), **arrays_of("tastes", tastes)}


def _neighbours(config: Config, before: Arrays, part: Part) -> Arrays:
    """The possible neighbours are chosen among those of all parts."""
    base = base_of_all(before, config.base_users)
    by_item = rows_of(matrix_of(before, "alike"), base).T.tocsr()
    return {
        "base_": before["base"][base],
        **arrays_of("by_item_", by_item),
        **arrays_of("tastes_", rows_of(matrix_of(before, "tastes"), base)),
        "known_": np.diff(by_item.indptr) > 0,
    }


class UserKnn(Configured[Config]):
    """score_ij = Σ over the nearest users k of cos(i, k)^q · min(1, w_kj); nobody is a neighbour of themselves."""

    STEPS: ClassVar[tuple[Step, ...]] = (
        Step(name="tastes", over=Over.CUSTOMERS, work=_tastes, join=BASE),
        Step(name="neighbours", over=Over.ONCE, work=_neighbours),
    )
    PEOPLE: ClassVar = {"base_": (0,), "by_item_": (1,), "tastes_": (0,)}
    EXACT_WITHOUT: ClassVar = True

    base_: IntArray | None = None  # training rows of possible neighbours, ascending; None = all (models of before)
    by_item_: Sparse  # items × base users, columns of unit length
    tastes_: Sparse  # base users × items
    known_: BoolArray

    def without(self, users: IntArray) -> Self:
        other = self._without_places(places(users, self.base_)[1])
        if other.base_ is not None:
            other.base_ = new_numbers(other.base_, users)
        other.known_ = np.diff(other.by_item_.indptr) > 0
        return other

    def score(self, queries: Queries) -> FloatArray:
        profile = self._profile(queries)
        scores = (self._nearest(profile, queries) @ self.tastes_).toarray().astype(np.float32, copy=False)
        return silenced(scores, profile=profile, known=self.known_)

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        nearest = query.once((self, "nearest"), lambda: self._nearest(self._profile(query), query))
        buyers = int((self.tastes_[nearest.indices, item].toarray() > 0).sum())
        if not buyers:
            return []
        facts = {"neighbours": float(buyers), "of": float(nearest.nnz)}
        return [Evidence(reason=Reason.SIMILAR_CUSTOMERS, share=1.0, facts=facts)]

    def _profile(self, queries: Queries) -> Sparse:
        weights = act_weights(queries.histories, half_life=self.config.half_life)
        return transformed(weights, self.config.transform)

    def _nearest(self, profile: Sparse, queries: Queries) -> Sparse:
        """cos^q of the nearest users, queries × users; users as near as the last one kept are kept too."""
        cosines = (unit_rows(profile) @ self.by_item_).toarray().astype(np.float32, copy=False)
        cosines[places(queries.training_rows, self.base_)] = 0
        kept, n = cosines != 0, self.config.neighbours
        if n < kept.shape[1]:
            kept &= cosines >= kth_largest(cosines, n)[:, None]
        flat = np.flatnonzero(kept)
        starts = np.searchsorted(flat, np.arange(len(kept) + 1) * kept.shape[1])
        nearness = cosines.ravel()[flat] ** np.float32(self.config.power)
        return sparse.csr_matrix((nearness, flat % max(kept.shape[1], 1), starts), shape=kept.shape)
