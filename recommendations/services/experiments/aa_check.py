"""The A/A check of a plan: past visitors are split by hundreds of other salts, and none of these may be "different"."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from recommendations.engine.experiments.decision import FEWEST, WHOLE_DAYS
from recommendations.engine.experiments.planning import MOST_FALSE, SALTS, false_alarms, planned_error
from recommendations.services.experiments.plan import figures, outcomes
from recommendations.store.experiments.past import PastVisitors, past_visitors
from recommendations.terms import Metric


@dataclass(frozen=True, kw_only=True)
class AaCheck:
    """Share of the splits that said "different" at some look; None where too little happened for any look."""

    share: float | None
    splits: int
    visitors: int

    @property
    def is_even(self) -> bool:
        """Whether the shop's numbers behave; otherwise spending is too uneven, and the cap has to be lower."""
        return self.share is not None and self.share <= MOST_FALSE


def aa_check_of(
    placements: Sequence[str], *, segments: Sequence[int], signed_in: bool | None, metric: Metric, now: datetime
) -> AaCheck:
    """The A/A check on those who came to these placements in the four weeks before."""
    return aa_check(past_visitors(placements, segments=segments, signed_in=signed_in, now=now), metric)


def aa_check(past: PastVisitors, metric: Metric, *, splits: int = SALTS) -> AaCheck:
    """An A/A test on past visitors, looked at each day on which a verdict could be given.

    That is from the seventh day on, with a hundred buyers (or people who clicked) in each half.
    """
    empty = AaCheck(share=None, splits=splits, visitors=len(past))
    if not len(past):
        return empty
    came = outcomes(past, metric)
    successes = (came.succeeded & came.present).sum(axis=0)
    looks = np.flatnonzero((np.arange(1, len(successes) + 1) >= WHOLE_DAYS) & (successes >= 2 * FEWEST))
    if not len(looks):
        return empty
    last = figures(came, int(looks[-1]))
    if not last.sigma > 0:
        return empty
    share = false_alarms(
        came.values[:, looks], came.present[:, looks], past.keys.view(np.uint64),
        salts=np.arange(splits, dtype=np.uint64), se=planned_error(last.sigma, len(past) / 2),
        per=None if came.per is None else came.per[:, looks],
    )  # fmt: skip
    return AaCheck(share=share, splits=splits, visitors=len(past))
