"""The effect of all messages together: who is held out of everything this season beside everybody else."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.experiments.mismatch import is_mismatch
from recommendations.engine.experiments.moments import Moments
from recommendations.engine.push.lift import PushLift, lift_of
from recommendations.models import PressureRules
from recommendations.services.campaigns.holdout import LEAST_HELD
from recommendations.services.campaigns.pressure import season_salt
from recommendations.store.push.season import season_spending

DAYS = 28


@dataclass(frozen=True, kw_only=True)
class SeasonEffect:
    """People by side whose 28 days are over, and how many are still in them.

    ``lift`` None: too few people, nobody spent anything, or the sides are not split as they were meant to be.
    """

    people: int
    held: int
    waiting: int
    lift: PushLift | None
    mismatch: bool = False


def season_effect(rules: PressureRules, *, now: datetime) -> SeasonEffect | None:
    """The effect in the season of these rules; None where nobody is held out.

    Where the share was changed in the season, people between the smallest and the largest were on both sides and count
    on none.
    """
    of_season = PressureRules.objects.filter(season=rules.season)
    shares = list(of_season.values_list("holdout", flat=True))
    if not min(shares):
        return None
    since = of_season.order_by("created_at").values_list("created_at", flat=True)[0]
    customers, over, y, x = season_spending(since=since, days=timedelta(days=DAYS), now=now)
    season = season_salt(rules)
    share = np.array([share_of(season, int(customer)) for customer in customers], np.float64)
    held, sent = share < min(shares), share >= max(shares)
    sides = [side & over for side in (sent, held)]
    counts = [int(side.sum()) for side in sides]
    odd = min(counts) > 0 and is_mismatch(
        counts, [(1 - max(shares)) / _on_a_side(shares), min(shares) / _on_a_side(shares)]
    )
    lift = None
    if min(counts) >= LEAST_HELD and not odd:
        after, before = (Moments.of(y[side], x[side]) for side in sides)
        lift = lift_of(after, before, typical=float(x[sent | held].mean()) / 3)
    return SeasonEffect(people=counts[0], held=counts[1], waiting=int((~over).sum()), lift=lift, mismatch=odd)


def _on_a_side(shares: list[float]) -> float:
    """Part of everybody who is on a side."""
    return 1 - max(shares) + min(shares)
