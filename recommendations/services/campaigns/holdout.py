"""People who were written to beside those held out: a plain comparison of what they spent, as far as it can tell."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from recommendations.engine.experiments.effects import TreatmentEffect, mean_difference
from recommendations.engine.experiments.moments import Moments, joined
from recommendations.services.campaigns.form import Goal, GoalKind
from recommendations.store.push.funnel import spending

LEAST_HELD = 50  # people; below, no figure
Z = 1.96  # of an interval at 95 %
Z_VISIBLE = 2.8  # standard errors of the smallest effect that is seen four times of five


@dataclass(frozen=True, kw_only=True)
class HoldoutComparison:
    """People whose time is over, by side, and how many are still in it.

    ``effect`` None: too few were held out, or written to, or nobody spent anything.
    """

    sent: Moments
    held: Moments
    waiting: int
    days: int
    effect: TreatmentEffect | None

    @property
    def low(self) -> float:
        return self.effect.value - Z * self.effect.se if self.effect else 0.0

    @property
    def high(self) -> float:
        return self.effect.value + Z * self.effect.se if self.effect else 0.0

    @property
    def smallest(self) -> float:
        """The smallest effect that would have been seen."""
        return Z_VISIBLE * self.effect.se if self.effect else 0.0

    @property
    def people(self) -> int:
        return round(self.sent.n)

    @property
    def held_people(self) -> int:
        return round(self.held.n)

    @property
    def too_few(self) -> bool:
        return min(self.sent.n, self.held.n) < LEAST_HELD


def compare(campaign: int, goal: Goal, *, now: datetime) -> HoldoutComparison:
    """Means of what people spent for the goal, sent against held out, without any adjustment."""
    days = timedelta(days=goal.days)
    parts = spending(
        campaign, anything=goal.kind is GoalKind.ANYTHING, shown=goal.kind is GoalKind.SHOWN,
        paths=goal.categories if goal.kind is GoalKind.CATEGORIES else [], days=days, now=now,
    )  # fmt: skip
    sent, held = (
        joined(*(part.moments for part in parts if part.over and part.held is side)) for side in (False, True)
    )
    effect = mean_difference(sent, held) if min(sent.n, held.n) >= LEAST_HELD else None
    return HoldoutComparison(
        sent=sent, held=held, waiting=round(sum(part.moments.n for part in parts if not part.over)), days=goal.days,
        effect=effect if effect and math.isfinite(effect.se) else None,
    )  # fmt: skip
