"""Association rules as a recommender: significant pair rules from the items in view (``maths.md`` §2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, Queries, Sparse, TrainingSet
from recommendations.engine.interests.association import Pairs, baskets, pairs, significant
from recommendations.engine.preprocess.blocks import silenced, strongest
from recommendations.engine.preprocess.weighting import act_weights, context_weights, transformed
from recommendations.engine.recommenders.protocol import Configured, Evidence, largest
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    profile: Literal["history", "context"] = "context"
    half_life: float | None = 90.0  # days, of a history as profile
    min_together: int = 3  # baskets
    false_discovery_rate: float = 0.05
    rules: int = 200  # kept for each item


class AlsoBought(Configured[Config]):
    """score_j = Σ_k p_k · log(lift_kj) · confidence_kj over the items k in view."""

    rules_: Sparse  # from × to: log-lift × confidence
    lift_: Sparse  # from × to, all significant pairs
    known_: BoolArray

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        frequent = pairs(baskets(training.interactions), min_together=self.config.min_together)
        believed = significant(frequent, rate=self.config.false_discovery_rate)
        self.lift_ = _square(believed, believed.lift)
        self.rules_ = strongest(_square(believed, np.log(believed.lift) * believed.confidence), self.config.rules)
        self.known_ = frequent.baskets_of > 0
        return self

    def score(self, queries: Queries) -> FloatArray:
        profile = self._profile(queries)
        scores = (profile @ self.rules_).toarray().astype(np.float32, copy=False)
        return silenced(scores, profile=profile, known=self.known_)

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        profile = query.once((self, "profile"), lambda: self._profile(query))
        rules = self.rules_[profile.indices, item].toarray().ravel()
        evidence = []
        for at, share in largest(profile.data * rules):
            lift = float(self.lift_[profile.indices[at], item])
            facts = {"lift": lift, "confidence": float(rules[at] / np.log(lift))}
            evidence.append(
                Evidence(reason=Reason.BOUGHT_TOGETHER, share=share, item=int(profile.indices[at]), facts=facts)
            )
        return evidence

    def _profile(self, queries: Queries) -> Sparse:
        if self.config.profile == "context":
            return context_weights(queries)
        return transformed(act_weights(queries.histories, half_life=self.config.half_life), "binary")


def _square(found: Pairs, values: FloatArray) -> Sparse:
    n_items = len(found.baskets_of)
    return sparse.csr_matrix((values, (found.first, found.second)), shape=(n_items, n_items), dtype=np.float32)
