"""Popularity recommender: what everybody buys at present."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from recommendations.engine.frames import FloatArray, Queries
from recommendations.engine.preprocess.popularity import recent_buyers, recent_demand
from recommendations.engine.ranking.score_rows import SameForAll, ScoreRow, SilentRow
from recommendations.engine.recommenders.protocol import Configured, Evidence
from recommendations.engine.steps import Arrays, Over, Part, Step, added
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    half_life: float | None = 7.0  # days
    window: float = 28.0  # days that the explanation speaks of


def _demand(config: Config, before: Arrays, part: Part) -> Arrays:
    return {
        "demand": recent_demand(part.own, half_life=config.half_life),
        "buyers_": recent_buyers(part.own, days=config.window),
    }


def _popularity(config: Config, before: Arrays, part: Part) -> Arrays:
    return {"popularity_": before["demand"].astype(np.float32)}


class Popularity(Configured[Config]):
    """score_j = Σ over buyers of min(1, Σ strength · λ_h(age)): the same for every query."""

    STEPS: ClassVar[tuple[Step, ...]] = (
        Step(name="demand", over=Over.CUSTOMERS, work=_demand, join=added),
        Step(name="popularity", over=Over.ONCE, work=_popularity),
    )

    popularity_: FloatArray
    buyers_: FloatArray

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
