"""Promotion facts of the items: the past, the plan, and what was promoted when something was bought."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommendations.engine.frames import FloatArray, IdArray, Interactions, Promotions, TrainingSet
from recommendations.engine.preprocess.promotions import WEEK, lift

PAST_WEEKS = 8
PLAN_WEEKS = 4
MEDIA = ("display", "mailer")


@dataclass(frozen=True, kw_only=True)
class PromotionFacts:
    """Promotion columns by item, and shares of the past by (item, week)."""

    columns: Mapping[str, FloatArray]  # [items] each; what speaks of the plan is NaN where there is none
    origin: float  # days from the cut to the start of the first week told of, ≤ 0
    n_weeks: int
    keys: IdArray  # item · n_weeks + week since the first, ascending
    shares: Mapping[str, FloatArray]  # by medium, one per key

    def when_bought(self, acts: Interactions) -> dict[str, FloatArray]:
        """Share of the stores that promoted the item of each row, in the week of the row, by medium."""
        week = np.floor((-acts.age - self.origin) / WEEK).astype(np.int64)
        covered = (week >= 0) & (week < self.n_weeks)
        wanted = acts.item.astype(np.int64) * self.n_weeks + np.where(covered, week, 0)
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        promoted = covered & (self.keys[at] == wanted)
        return {medium: np.where(promoted, shares[at], np.float32(0)) for medium, shares in self.shares.items()}


def promotion_facts(training: TrainingSet) -> PromotionFacts | None:
    promotions = training.promotions
    if promotions is None or not len(promotions):
        return None
    origin = float(promotions.start.min())
    n_weeks = round((float(promotions.start.max()) - origin) / WEEK) + 1
    keys = promotions.item.astype(np.int64) * n_weeks + np.round((promotions.start - origin) / WEEK).astype(np.int64)
    order = np.argsort(keys, kind="stable")
    return PromotionFacts(
        columns=_columns(promotions, n_items=training.n_items) | {"lift": _lift(training, promotions)},
        origin=origin,
        n_weeks=n_weeks,
        keys=keys[order],
        shares={medium: getattr(promotions, medium)[order] for medium in MEDIA},
    )


def _lift(training: TrainingSet, told: Promotions) -> FloatArray:
    planned = bool((told.start > -WEEK).any())
    return lift(training) if planned else np.full(training.n_items, np.nan, np.float32)


def _columns(told: Promotions, *, n_items: int) -> dict[str, FloatArray]:
    ahead = told.start > -WEEK
    plan, history = np.unique(told.start[ahead]), np.unique(told.start[~ahead])[-PAST_WEEKS:]
    columns: dict[str, FloatArray] = {}
    for medium in MEDIA:
        weeks = {"past": history, "last_week": history[-1:], "plan": plan}
        weeks |= {f"plan_{number + 1}": plan[number : number + 1] for number in range(PLAN_WEEKS)}
        for name, starts in weeks.items():
            columns[f"{medium}_{name}"] = _mean(told, medium, starts, n_items=n_items)
        columns[f"{medium}_more"] = columns[f"{medium}_plan"] - columns[f"{medium}_past"]
    return columns


def _mean(told: Promotions, medium: str, starts: FloatArray, *, n_items: int) -> FloatArray:
    """Mean share of each item over the weeks that start so; NaN where there is no such week."""
    if not len(starts):
        return np.full(n_items, np.nan, np.float32)
    rows = np.isin(told.start, starts)
    shares = np.bincount(told.item[rows], getattr(told, medium)[rows], minlength=n_items)
    return (shares / len(starts)).astype(np.float32)
