"""Association rules as a recommender: significant pair rules from the items in view (``maths.md`` §2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, Queries, Sparse, TrainingSet
from recommendations.engine.interests.association import (
    Pairs,
    affordable,
    baskets,
    many_carry,
    pairs,
    significant,
)
from recommendations.engine.preprocess.blocks import strongest
from recommendations.engine.preprocess.carriers import Together, own
from recommendations.engine.preprocess.row_terms import RowTerms, row_terms
from recommendations.engine.preprocess.weighting import act_weights, context_weights, transformed
from recommendations.engine.privacy.smallest import PEOPLE
from recommendations.engine.recommenders.protocol import Evidence, Sparing, largest
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    profile: Literal["history", "context"] = "context"
    half_life: float | None = 90.0  # days, of a history as profile
    min_together: int = 3  # baskets
    people: int = PEOPLE
    false_discovery_rate: float = 0.05
    rules: int = 200  # kept for each item


class AlsoBought(Sparing[Config]):
    """score_j = Σ_k p_k · log(lift_kj) · confidence_kj over the items k in view.

    A pair that few people carry would lend a stranger somebody's habits, and tell of them.
    """

    rules_: Sparse  # from × to: log-lift × confidence
    own_rules_: Sparse | None = None  # the same of pairs that few carry; None = not told apart (models of before)
    lift_: Sparse  # from × to, all significant pairs
    known_: BoolArray

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        held = affordable(baskets(training.teaching))
        frequent = pairs(held.content, min_together=self.config.min_together)
        believed = significant(frequent, rate=self.config.false_discovery_rate)
        shared = many_carry(held, believed, people=self.config.people)
        self.lift_ = _square(believed, believed.lift)
        self.rules_, self.own_rules_ = (self._strongest(believed.where(part)) for part in (shared, ~shared))
        self.known_ = frequent.baskets_of > 0
        return self

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        profile, terms, own = self._profile_of(query), self._terms(query).of(item), self._terms_of_own(query)
        lifts, yours = self._lifts(query).of(item), np.zeros_like(terms) if own is None else own.of(item)
        evidence = []
        for at, share in largest(terms):
            lift = float(lifts[at])
            facts = {"lift": lift, "confidence": float(terms[at] / profile.data[at] / np.log(lift))}
            reason = Reason.YOU_BUY_TOGETHER if yours[at] else Reason.BOUGHT_TOGETHER
            evidence.append(Evidence(reason=reason, share=share, item=int(profile.indices[at]), facts=facts))
        return evidence

    def _lifts(self, query: Queries) -> RowTerms:
        rows = self._profile_of(query).indices
        return query.once((self, "lifts"), lambda: row_terms(self.lift_, rows, np.ones(len(rows), np.float32)))

    def _strongest(self, believed: Pairs) -> Sparse:
        return strongest(_square(believed, np.log(believed.lift) * believed.confidence), self.config.rules)

    @property
    def _matrix(self) -> Sparse:
        return self.rules_

    def _own_terms(self, queries: Queries, profile: Sparse) -> Sparse | None:
        """Rules of pairs that few carry for each item in view, where who asks has both in a basket; entries × items."""
        if self.own_rules_ is None or not profile.nnz or not queries.histories.bought.any():
            return None
        row = np.repeat(np.arange(len(queries)), np.diff(profile.indptr))
        held = baskets(queries.histories)
        theirs = own(Together(held.content, held.content, held.owner), users=row, items=profile.indices)
        return sparse.csr_matrix(theirs.multiply(self.own_rules_[profile.indices]))

    def _profile(self, queries: Queries) -> Sparse:
        if self.config.profile == "context":
            return context_weights(queries)
        return transformed(act_weights(queries.histories, half_life=self.config.half_life), "binary")


def _square(found: Pairs, values: FloatArray) -> Sparse:
    n_items = len(found.baskets_of)
    return sparse.csr_matrix((values, (found.first, found.second)), shape=(n_items, n_items), dtype=np.float32)
