"""Lift of the demand for items by the promotion plan, learned from past promotions (``maths.md`` §4).

Weeks have a number: 0 is the week that the cut falls into, −1 the last one that ended before. All start on one weekday.
"""

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IntArray, Interactions, Promotions, TrainingSet

WEEK = 7.0  # days
TAUGHT = 16
"""Weeks before the cut that teach what a promotion does."""

HORIZON = 4
"""Weeks from the cut on that the lift speaks of; one without a plan counts as usual."""

USUAL, USUAL_HALF_LIFE = 8, 3.0
"""Weeks before the cut that are the usual of an item, the newest counting most."""

SHRINKAGE = 30.0  # purchases that a level must have before it is believed by half
ROUNDS = 3  # of: what items sell without promotion, given the levels; then the levels, given that
DISPLAY_EDGES = np.array([0, 0.02, 0.1, 0.25, 0.5, 0.8], np.float32)
MAILER_EDGES = np.array([0, 0.02, 0.25, 0.5, 0.9], np.float32)
N_LEVELS = (len(DISPLAY_EDGES) + 1) * (len(MAILER_EDGES) + 1)


def lift(training: TrainingSet) -> FloatArray:
    """D_j: the mean lift of the coming four weeks over that of the past eight, shape [items].

    1 = as usual, 2 = twice as much promoted demand as usual. 1 everywhere where the shop has told of no plan.
    """
    promotions = training.promotions
    if promotions is None or not len(promotions):
        return np.ones(training.n_items, np.float32)
    week = _week(promotions)
    extra = level_lifts(training.teaching, promotions)[levels(promotions)] - 1
    planned_weeks = np.unique(week[(week >= 0) & (week < HORIZON)])
    planned = np.isin(week, planned_weeks)
    past = (week < 0) & (week >= -USUAL)
    fading = np.exp2(-np.arange(USUAL) / USUAL_HALF_LIFE)
    shares = (fading / fading.sum())[-week[past] - 1]
    usual = 1 + np.bincount(promotions.item[past], extra[past] * shares, minlength=training.n_items)
    coming = len(planned_weeks) + np.bincount(promotions.item[planned], extra[planned], minlength=training.n_items)
    lifts: FloatArray = ((coming + (HORIZON - len(planned_weeks)) * usual) / (HORIZON * usual)).astype(np.float32)
    return lifts


def level_lifts(interactions: Interactions, told: Promotions) -> NDArray[np.float64]:
    """Purchases at each level over those expected there without promotion, [levels]; level 0 is no promotion, 1.

    An item is expected to sell in proportion to what the whole shop sells in a week.
    """
    week = _week(told)
    past = (week < 0) & (week >= -TAUGHT)
    items, row = np.unique(told.item[past], return_inverse=True)
    level = np.zeros((len(items), TAUGHT), np.int64)
    level[row, -week[past] - 1] = levels(told)[past]
    sold, traffic = _sold(interactions, items, phase=_phase(told))
    lifts = np.ones(N_LEVELS)
    observed = np.bincount(level.ravel(), sold.ravel(), minlength=N_LEVELS)
    for _ in range(ROUNDS):
        promoted = (traffic * lifts[level]).sum(axis=1)
        base = np.divide(sold.sum(axis=1), promoted, out=np.zeros(len(items)), where=promoted > 0)
        expected = np.bincount(level.ravel(), (base[:, None] * traffic).ravel(), minlength=N_LEVELS)
        lifts = (observed + SHRINKAGE) / (expected + SHRINKAGE)
        lifts /= lifts[0]
    return lifts


def levels(told: Promotions) -> NDArray[np.int64]:
    """Level of each row: a number for how widely the row's item is displayed and shown in the mailer; 0 for neither."""
    display = np.searchsorted(DISPLAY_EDGES, told.display)
    return np.asarray(display * (len(MAILER_EDGES) + 1) + np.searchsorted(MAILER_EDGES, told.mailer), np.int64)


def _sold(
    interactions: Interactions, items: IntArray, *, phase: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Purchases of these items in each past week, newest first, [items, weeks], and the shop's, mean 1, [weeks]."""
    before = -np.floor((-interactions.age - np.float32(phase)) / WEEK).astype(np.int64)  # 1 = week −1
    recent = interactions.bought & (before >= 1) & (before <= TAUGHT)
    weeks = before[recent] - 1
    traffic = np.bincount(weeks, minlength=TAUGHT).astype(np.float64)
    place = np.full(interactions.n_items, -1)
    place[items] = np.arange(len(items))
    row = place[interactions.item[recent]]
    cell = (row * TAUGHT + weeks)[row >= 0]
    sold = np.bincount(cell, minlength=len(items) * TAUGHT).reshape(len(items), TAUGHT).astype(np.float64)
    return sold, traffic / max(traffic.mean(), 1e-9)


def _week(told: Promotions) -> NDArray[np.int64]:
    return np.ceil(told.start / WEEK).astype(np.int64)


def _phase(told: Promotions) -> float:
    """Days from the cut to the start of the week that it falls into: above −7, at most 0."""
    return float(np.median(told.start - WEEK * _week(told)))
