"""People who were written to beside those held out: what they spent, as far as it can tell."""

import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from recommendations.engine.experiments.moments import Moments, joined
from recommendations.engine.push.lift import PushLift, lift_of
from recommendations.models import Occurrence
from recommendations.push_terms import SENDING, OccurrenceState, Verdict
from recommendations.services.campaigns.form import Goal, GoalKind
from recommendations.store.push.funnel import spending, typical_spending

LEAST_HELD = 50  # people; below, no figure
Z_UNLIKE = 3.29  # standard errors between two shares that chance parts so far once in a thousand times
AFTER_HOLDOUT = frozenset({
    Verdict.CAPPED, Verdict.DONE_ALREADY, Verdict.TOO_LITTLE, Verdict.NOT_WORTH, Verdict.OUTRANKED, Verdict.WAITS,
    Verdict.OVER_BUDGET, *SENDING,
})  # fmt: skip
"""Verdicts of those who were not held out, and had passed all gates before."""


@dataclass(frozen=True, kw_only=True)
class HoldoutComparison:
    """People whose time is over, by side, and how many are still in it.

    ``lift`` None: too few were held out, or written to, nobody spent anything, or the sides are not ``alike``.
    """

    sent: Moments
    held: Moments
    waiting: int
    days: int
    alike: bool
    lift: PushLift | None

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
    """What people spent for the goal, sent against held out, adjusted by what they spent on the same before."""
    days = timedelta(days=goal.days)
    parts = spending(
        campaign, anything=goal.kind is GoalKind.ANYTHING, shown=goal.kind is GoalKind.SHOWN,
        paths=goal.categories if goal.kind is GoalKind.CATEGORIES else [], days=days, now=now,
    )  # fmt: skip
    sent, held = (
        joined(*(part.moments for part in parts if part.over and part.held is side)) for side in (False, True)
    )
    alike = _are_alike(campaign)
    enough = alike and min(sent.n, held.n) >= LEAST_HELD
    return HoldoutComparison(
        sent=sent, held=held, waiting=round(sum(part.moments.n for part in parts if not part.over)), days=goal.days,
        alike=alike, lift=lift_of(sent, held, typical=typical_spending(campaign, days=days)) if enough else None,
    )  # fmt: skip


def _are_alike(campaign: int) -> bool:
    """Whether as large a share of those held out would have been sent it as was of the others, but for chance.

    Where it was not, other people are compared than those who were sent it: that would look like an effect.
    """
    counts = Counter[str]()
    for each in Occurrence.objects.filter(campaign=campaign).exclude(state=OccurrenceState.PLANNED):
        counts.update({name: count for name, count in each.counts.items() if isinstance(count, int)})
    held, others = counts[Verdict.HELD_OUT], sum(counts[verdict] for verdict in AFTER_HOLDOUT)
    would, sent = counts["would_send"], sum(counts[verdict] for verdict in SENDING)
    if not held or not others:
        return True
    share = (would + sent) / (held + others)
    se = math.sqrt(share * (1 - share) * (1 / held + 1 / others))
    return abs(would / held - sent / others) <= Z_UNLIKE * se
