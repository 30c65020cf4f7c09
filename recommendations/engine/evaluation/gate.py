"""The gate: a new configuration goes live only where it is not worse than what it would replace.

Both are fitted on the same history and measured on the same test window. "Worse" is certain and not negligible: the
95 % interval of the difference, paired by user, lies below 0, and the loss is more than half a percent of what the
reference reaches. It is asked of accuracy, and of the money that the lists would have found.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.intervals import Measure, measures, resamples
from recommendations.terms import GateOutcome

NEGLIGIBLE = 0.005
"""Part of a figure whose loss stops nobody: a panel of thousands makes certain of far less than a shop can feel."""


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """NDCG@10 on the test window: the candidate's own, and candidate minus each reference; ``revenue``: revenue
    NDCG@10 minus live's. ``reached`` has what the references have, ``revenue_reached`` what live has."""

    outcome: GateOutcome
    users: int
    candidate: Measure
    against: Mapping[str, Measure]
    reached: Mapping[str, float] = field(default_factory=dict)
    revenue: Measure | None = None
    revenue_reached: float = 0.0

    @property
    def passed(self) -> bool:
        return self.outcome is GateOutcome.PASSED

    @property
    def worse_than(self) -> tuple[str, ...]:
        """References that the candidate loses to in accuracy, the largest loss first."""
        lost = [name for name, difference in self.against.items() if is_loss(difference, self.reached[name])]
        return tuple(sorted(lost, key=lambda name: self.against[name].value))

    @property
    def earns_less(self) -> bool:
        """Whether its lists would have found less money than live's."""
        return self.revenue is not None and is_loss(self.revenue, self.revenue_reached)


def is_loss(difference: Measure, reached: float) -> bool:
    """Whether a difference to a reference that has ``reached`` is a loss: certain, and not negligible."""
    return difference.high < 0 and -difference.value > NEGLIGIBLE * reached


def gate_result(
    candidate: NDArray[np.floating],
    references: Mapping[str, NDArray[np.floating]],
    *,
    seed: int,
    revenue: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None,
) -> GateResult:
    """Compare NDCG@10 per user with references (what is live, the baselines): the same users in the same order.

    ``revenue`` is the revenue NDCG@10 of the candidate and of what is live, where something is.
    """
    drawn, names = resamples(len(candidate), seed=seed), list(references)
    money = revenue if revenue and len(candidate) else None
    columns = [candidate, *(candidate - references[name] for name in names), *([money[0] - money[1]] if money else [])]
    own, *differences = measures(np.stack(columns, axis=1).astype(np.float64), drawn)
    result = GateResult(
        outcome=GateOutcome.PASSED if len(candidate) else GateOutcome.UNMEASURED,
        users=len(candidate),
        candidate=own,
        against=dict(zip(names, differences, strict=False)),
        reached={name: float(values.mean()) if len(values) else 0.0 for name, values in references.items()},
        revenue=differences[-1] if money else None,
        revenue_reached=float(money[1].mean()) if money else 0.0,
    )
    if result.passed and (result.worse_than or result.earns_less):
        return replace(result, outcome=GateOutcome.WORSE)
    return result
