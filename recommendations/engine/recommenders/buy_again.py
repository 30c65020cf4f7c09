"""Buy again: the user's own decayed purchases, with popularity as a prior."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recommendations.engine.frames import FloatArray, Queries, Sparse
from recommendations.engine.preprocess.blocks import entry, silenced
from recommendations.engine.preprocess.popularity import recent_buyers, recent_demand, relative
from recommendations.engine.preprocess.rhythm import rhythm
from recommendations.engine.preprocess.weighting import act_weights
from recommendations.engine.recommenders.protocol import Configured, Evidence, largest
from recommendations.engine.steps import Arrays, Over, Part, Step, added
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    half_life: float | None = 75.0  # days
    prior: float = 1.0  # g: what the most popular item is worth against one purchase of today
    prior_half_life: float | None = 7.0  # days
    window: float = 28.0  # days that the explanation speaks of


def _demand(config: Config, before: Arrays, part: Part) -> Arrays:
    return {
        "demand": recent_demand(part.own, half_life=config.prior_half_life),
        "buyers_": recent_buyers(part.own, days=config.window),
    }


def _prior(config: Config, before: Arrays, part: Part) -> Arrays:
    return {"prior_": relative(before["demand"].astype(np.float32)) * np.float32(config.prior)}


class BuyAgain(Configured[Config]):
    """score_ij = w_ij^h + g · pop_j, with pop relative to the most popular item; silent for who never bought."""

    STEPS: ClassVar[tuple[Step, ...]] = (
        Step(name="demand", over=Over.CUSTOMERS, work=_demand, join=added),
        Step(name="prior", over=Over.ONCE, work=_prior),
    )

    prior_: FloatArray
    buyers_: FloatArray

    def score(self, queries: Queries) -> FloatArray:
        own = self._own(queries)
        scores = np.repeat(self.prior_[None, :], len(queries), axis=0)
        rows = np.repeat(np.arange(len(queries)), np.diff(own.indptr))
        scores[rows, own.indices] += own.data
        return silenced(scores, profile=own)

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        own = query.once((self, "own"), lambda: self._own(query))
        if not own.nnz:
            return []
        evidence = []
        for term, share in largest(np.asarray([entry(own, item), self.prior_[item]])):
            if term == 0:
                facts = rhythm(query.histories, item)
                evidence.append(Evidence(reason=Reason.BOUGHT_BEFORE, share=share, item=item, facts=facts))
            else:
                facts = {"buyers": float(self.buyers_[item]), "days": self.config.window}
                evidence.append(Evidence(reason=Reason.POPULAR, share=share, facts=facts))
        return evidence

    def _own(self, queries: Queries) -> Sparse:
        """Weights of purchases, less what was taken back."""
        acts = queries.histories
        return act_weights(acts.where(acts.bought | (acts.strength < 0)), half_life=self.config.half_life)
