"""Choose the subject that somebody gets, and compare subjects by their answers: intervals that hold at all looks."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.experiments.effects import mean_difference
from recommendations.engine.experiments.moments import Moments, joined
from recommendations.engine.experiments.sequences import anytime_interval, mixture_scale

ALPHA = 0.05
PLANNED = 0.01 / 2.8  # standard error at which a difference of one point shows; there the intervals are narrowest


class SubjectEffect(NamedTuple):
    """How much larger the share of answers of a subject is than that of all the others, with its interval."""

    value: float
    low: float
    high: float

    @property
    def wins(self) -> bool:
        return self.low > 0

    @property
    def has_ends(self) -> bool:
        """Whether there were answers enough for an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


def subject_of(campaign: int, customer: int, number: int) -> int:
    """The subject that somebody gets of so many, at random and always the same."""
    return int(share_of(f"subject:{campaign}".encode(), customer) * number)


def subject_effects(people: Sequence[tuple[int, int]]) -> list[SubjectEffect]:
    """The effect of each subject, from how many people got it and how many of them answered; empty for a single one.

    Everybody has one subject, drawn at random. α is shared by the subjects, so that no winner is named by mistake in
    more than one of twenty campaigns.
    """
    if len(people) < 2:
        return []
    arms = [Moments(n=float(n), y=float(answered), yy=float(answered)) for n, answered in people]
    share, effects = ALPHA / len(arms), []
    for place, arm in enumerate(arms):
        others = joined(*(other for at, other in enumerate(arms) if at != place))
        interval = anytime_interval(mean_difference(arm, others), mixture_scale(PLANNED, share), share)
        effects.append(SubjectEffect(interval.value, interval.low, interval.high))
    return effects
