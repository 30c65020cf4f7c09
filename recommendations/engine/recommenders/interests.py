"""Interest recommender: items of the categories that the user likes, the popular ones first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommendations.engine.frames import FloatArray, Queries, Sparse
from recommendations.engine.interests.profile import interest_shares, interest_weights, overall_interest, shares_of
from recommendations.engine.preprocess.blocks import dense_product, silenced
from recommendations.engine.preprocess.popularity import recent_demand
from recommendations.engine.preprocess.weighting import act_weights
from recommendations.engine.recommenders.protocol import Configured, Evidence, largest
from recommendations.engine.steps import Arrays, Over, Part, Step, added, arrays_of
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    half_life: float | None = 90.0  # days, of the interest
    shrinkage: float = 100.0  # τ: acts that the global share counts for
    popularity_half_life: float | None = 7.0  # days
    popularity_power: float = 1.0  # p: above 1 the head of a category gets more than its share


def _sums(config: Config, before: Arrays, part: Part) -> Arrays:
    weights = act_weights(part.own, half_life=config.half_life)
    return {
        "interest": overall_interest(weights, part.catalogue.categories),
        "demand": recent_demand(part.own, half_life=config.popularity_half_life),
    }


def _shares(config: Config, before: Arrays, part: Part) -> Arrays:
    categories, popularity = part.catalogue.categories, before["demand"].astype(np.float32)
    pull = sparse.csr_matrix(sparse.diags_array(popularity**config.popularity_power) @ categories)
    totals = np.bincount(pull.indices, pull.data, minlength=categories.shape[1]).astype(np.float64)
    per_category = np.divide(1, totals, out=np.zeros_like(totals), where=totals > 0)
    within = sparse.csr_matrix(pull @ sparse.diags_array(per_category), dtype=np.float32)
    return {
        **arrays_of("categories_", categories),
        **arrays_of("within_", within),
        "overall_": shares_of(before["interest"]),
    }


class Interests(Configured[Config]):
    """score_ij = Σ_c θ_ic d_cj, where d_cj is item j's part of Σ pop^p in category c, by membership.

    Of somebody who does something, what they follow counts beside what they do.
    """

    STEPS: ClassVar[tuple[Step, ...]] = (
        Step(name="sums", over=Over.CUSTOMERS, work=_sums, join=added),
        Step(name="shares", over=Over.ONCE, work=_shares),
    )

    categories_: Sparse  # items × categories
    within_: Sparse  # items × categories: d
    overall_: FloatArray  # g, [categories]

    def score(self, queries: Queries) -> FloatArray:
        weights = act_weights(queries.histories, half_life=self.config.half_life)
        scores = dense_product(self._shares(weights, queries.followed), self.within_)
        return silenced(scores, profile=weights, known=np.diff(self.categories_.indptr) > 0)

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        shares = query.once((self, "shares"), lambda: self._shares_of(query))
        if shares is None:
            return []
        row = self.within_[item]
        speaking = row.data * query.once((self, "done"), lambda: self._done(query))[row.indices]
        return [
            Evidence(
                reason=Reason.INTEREST,
                share=share,
                category=int(row.indices[at]),
                facts={"share": float(shares[row.indices[at]])},
            )
            for at, share in largest(shares[row.indices] * speaking)
        ]

    def _shares_of(self, query: Queries) -> FloatArray | None:
        """Interest shares of a block of one query, shape [categories]; None without a history that counts."""
        weights = act_weights(query.histories, half_life=self.config.half_life)
        return self._shares(weights, query.followed)[0] if weights.nnz else None

    def _done(self, query: Queries) -> FloatArray:
        """1 of the categories that are an interest by acts, 0 of those that are followed alone, shape [categories]."""
        if query.followed is None:
            return np.ones(len(self.overall_), np.float32)
        acts = interest_weights(act_weights(query.histories, half_life=self.config.half_life), self.categories_)
        return np.asarray((acts[0] > 0) | (query.followed.toarray()[0] == 0), np.float32)

    def _shares(self, weights: Sparse, followed: Sparse | None) -> FloatArray:
        interests = interest_weights(weights, self.categories_)
        if followed is not None:
            interests += followed.toarray()
        return interest_shares(interests, prior=self.overall_, strength=self.config.shrinkage)
