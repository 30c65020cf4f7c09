"""Popularity recommender: what everybody buys at present."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from recommendations.engine.frames import FloatArray, Queries, TrainingSet
from recommendations.engine.preprocess.popularity import recent_buyers, recent_popularity
from recommendations.engine.ranking.score_rows import SameForAll, ScoreRow, SilentRow
from recommendations.engine.recommenders.protocol import Configured, Evidence
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    half_life: float | None = 7.0  # days
    window: float = 28.0  # days that the explanation speaks of


class Popularity(Configured[Config]):
    """score_j = Σ over buyers of min(1, Σ strength · λ_h(age)): the same for every query."""

    popularity_: FloatArray
    buyers_: FloatArray

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        acts = training.teaching
        self.popularity_ = recent_popularity(acts, half_life=self.config.half_life)
        self.buyers_ = recent_buyers(acts, days=self.config.window)
        return self

    def score(self, queries: Queries) -> FloatArray:
        if not self.popularity_.any():
            return np.full((len(queries), len(self.popularity_)), np.nan, np.float32)
        return np.repeat(self.popularity_[None, :], len(queries), axis=0)

    def row(self, query: Queries) -> ScoreRow:
        return self._ranked if self.popularity_.any() else SilentRow()

    @cached_property
    def _ranked(self) -> SameForAll:
        return SameForAll(np.asarray(self.popularity_))

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        if self.popularity_[item] <= 0:
            return []
        facts = {"buyers": float(self.buyers_[item]), "days": self.config.window}
        return [Evidence(reason=Reason.POPULAR, share=1.0, facts=facts)]
