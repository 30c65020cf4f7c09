"""The gate: a new configuration goes live only where it is not worse than what it would replace.

Both are fitted on the same history and measured on the same test window. "Worse" is certain and not negligible: the
95 % interval of the difference, paired by user, lies below 0, and the loss is more than half a percent of what the
reference reaches. It is asked of accuracy, and of the money that the lists would have found: revenue, and margin where
costs are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.intervals import Measure, measures, resamples
from recommendations.terms import GateOutcome

NEGLIGIBLE = 0.005
"""Part of a figure whose loss stops nobody: a panel of thousands makes certain of far less than a shop can feel."""


type Pair = tuple[NDArray[np.floating], NDArray[np.floating]]


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """NDCG on the test window: the candidate's own, and candidate minus each reference; ``revenue``: revenue NDCG minus
    live's, ``margin``: money of margin a customer minus live's. ``reached`` has what the references have,
    ``revenue_reached`` and ``margin_reached`` what live has. All are of the first ``length`` items."""

    outcome: GateOutcome
    users: int
    candidate: Measure
    against: Mapping[str, Measure]
    reached: Mapping[str, float] = field(default_factory=dict)
    revenue: Measure | None = None
    revenue_reached: float = 0.0
    margin: Measure | None = None
    margin_reached: float = 0.0
    length: int = 10

    @property
    def passed(self) -> bool:
        return self.outcome is GateOutcome.PASSED

    @property
    def worse_than(self) -> tuple[str, ...]:
        """References that the candidate loses to in accuracy, the largest loss first."""
        lost = [name for name, difference in self.against.items() if is_loss(difference, self.reached[name])]
        return tuple(sorted(lost, key=lambda name: self.against[name].value))

    @property
    def earns_less(self) -> str:
        """What its lists would have found less of than live's, revenue or margin; empty where they do not."""
        if self.revenue is not None and is_loss(self.revenue, self.revenue_reached):
            return "revenue"
        return "margin" if self.margin is not None and is_loss(self.margin, self.margin_reached) else ""


def is_loss(difference: Measure, reached: float) -> bool:
    """Whether a difference to a reference that has ``reached`` is a loss: certain, and not negligible."""
    return difference.high < 0 and -difference.value > NEGLIGIBLE * reached


def gate_result(
    candidate: NDArray[np.floating],
    references: Mapping[str, NDArray[np.floating]],
    *,
    seed: int,
    revenue: Pair | None = None,
    margin: Pair | None = None,
    length: int = 10,
) -> GateResult:
    """Compare NDCG per user with references (what is live, the baselines): the same users in the same order.

    ``revenue`` is the revenue NDCG of the candidate and of what is live, ``margin`` the money of margin of both, where
    something is live; all are of the first ``length`` items.
    """
    drawn, names = resamples(len(candidate), seed=seed), list(references)
    money = {name: pair for name, pair in (("revenue", revenue), ("margin", margin)) if pair and len(candidate)}
    columns = [
        candidate,
        *(candidate - references[name] for name in names),
        *(own - live for own, live in money.values()),
    ]
    own, *differences = measures(np.stack(columns, axis=1).astype(np.float64), drawn)
    earned = dict(zip(money, differences[len(names) :], strict=True))
    reached = {name: float(live.mean()) for name, (_, live) in money.items()}
    result = GateResult(
        outcome=GateOutcome.PASSED if len(candidate) else GateOutcome.UNMEASURED,
        users=len(candidate),
        candidate=own,
        against=dict(zip(names, differences, strict=False)),
        reached={name: float(values.mean()) if len(values) else 0.0 for name, values in references.items()},
        revenue=earned.get("revenue"),
        revenue_reached=reached.get("revenue", 0.0),
        margin=earned.get("margin"),
        margin_reached=reached.get("margin", 0.0),
        length=length,
    )
    if result.passed and (result.worse_than or result.earns_less):
        return replace(result, outcome=GateOutcome.WORSE)
    return result
