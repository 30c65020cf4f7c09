"""EASE: the linear item-item model with a zero diagonal, exact on the full catalogue (Steck 2019; ``maths.md`` §3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from recommendations.engine.frames import Queries
from recommendations.engine.recommenders.item_regression import ItemRegression, RegressionConfig
from recommendations.engine.recommenders.protocol import Evidence, from_history
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config(RegressionConfig):
    pass


class Ease(ItemRegression[Config]):
    """The regression asked of what a person did."""

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        profile = query.once((self, "profile"), lambda: self.profile(query))
        if not self.known_[item]:
            return []
        terms = profile.data * self.column(query, profile.indices, item)
        reason = Reason.BECAUSE_YOU_BOUGHT
        return from_history(query.histories, item, sources=profile.indices, terms=terms, reason=reason)
