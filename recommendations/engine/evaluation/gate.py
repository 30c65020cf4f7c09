"""The gate: a new configuration goes live only where it is not worse than what it would replace.

Both are fitted on the same history and measured on the same test window; "worse" is worse beyond chance, so a
difference whose 95 % interval, paired by user, holds 0 lets it pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.intervals import Measure, measures, resamples
from recommendations.terms import GateOutcome


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """NDCG@10 on the test window: the candidate's own, and candidate minus each reference."""

    outcome: GateOutcome
    users: int
    candidate: Measure
    against: Mapping[str, Measure]

    @property
    def passed(self) -> bool:
        return self.outcome is GateOutcome.PASSED

    @property
    def worse_than(self) -> tuple[str, ...]:
        """References that the candidate loses to beyond chance, the largest loss first."""
        lost = [name for name, difference in self.against.items() if difference.high < 0]
        return tuple(sorted(lost, key=lambda name: self.against[name].value))


def gate_result(
    candidate: NDArray[np.floating], references: Mapping[str, NDArray[np.floating]], *, seed: int
) -> GateResult:
    """Compare NDCG@10 per user with references (what is live, the baselines): the same users in the same order."""
    drawn = resamples(len(candidate), seed=seed)
    names = list(references)
    columns = [candidate, *(candidate - references[name] for name in names)]
    own, *differences = measures(np.stack(columns, axis=1).astype(np.float64), drawn)
    against = dict(zip(names, differences, strict=True))
    if not len(candidate):
        outcome = GateOutcome.UNMEASURED
    elif any(difference.high < 0 for difference in differences):
        outcome = GateOutcome.WORSE
    else:
        outcome = GateOutcome.PASSED
    return GateResult(outcome=outcome, users=len(candidate), candidate=own, against=against)
