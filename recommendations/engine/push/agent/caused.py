"""How many of the answers messages cause, by how often people buy: the rest would have bought without them.

Purchases of the agent's people beside those held out, adjusted by the 28 days before, divided by answers. A band is
shrunk to the whole, and the whole to a half.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.push.agent.terms import Values

BANDS = 3
HALF, SPREAD = 0.5, 0.25  # of the whole, before anything is known; the spread is also that of bands around the whole
LEAST, MOST = 0.05, 1.0
FEWEST_HELD = 50  # people held out of a band
WIDEST = 0.25  # half of an interval by which a figure may be used
Z = 1.959964


@dataclass(frozen=True, kw_only=True, eq=False)
class CausedRecord:
    """What people of the agent, and held out, bought in days that are over; answers are of the same days."""

    bought: Values  # [people]: purchases
    before: Values  # [people]: purchases of the 28 days before
    answers: Values  # [people]
    band: NDArray[np.integer]  # [people]: 0 … 2
    held: NDArray[np.bool_]  # [people]: held out; all others are the agent's


@dataclass(frozen=True, kw_only=True, eq=False)
class CausedShares:
    """Shares of answers that messages cause: of each band and of all, with half of their intervals at 95 %.

    ``held`` counts people held out by band. A figure that nothing is known of is infinitely wide.
    """

    bands: Values
    halves: Values
    whole: float
    whole_half: float
    held: NDArray[np.int64]

    @property
    def is_told(self) -> NDArray[np.bool_]:
        """Whether a band's own figure [bands] may be told: enough are held out, and it is narrow enough."""
        return (self.held >= FEWEST_HELD) & (self.halves <= WIDEST)


NOTHING_KNOWN = CausedShares(
    bands=np.full(BANDS, HALF), halves=np.full(BANDS, math.inf), whole=HALF, whole_half=math.inf,
    held=np.zeros(BANDS, np.int64),
)  # fmt: skip


def caused_shares(record: CausedRecord) -> CausedShares:
    """The shares, cut to .05 … 1; a band with fewer than 50 held out has the whole's, which has a half without any."""
    parts = [_band(record, band) for band in range(BANDS)]
    held = np.array([int((record.held & (record.band == band)).sum()) for band in range(BANDS)])
    share, variance, answers = (np.array(column) for column in zip(*parts, strict=True))
    usable = (held >= FEWEST_HELD) & np.isfinite(variance) & (answers > 0)
    if not usable.any():
        return CausedShares(
            bands=np.full(BANDS, HALF), halves=np.full(BANDS, math.inf), whole=HALF, whole_half=math.inf, held=held
        )
    weight = np.where(usable, answers, 0.0) / answers[usable].sum()
    noise = float(weight[usable] ** 2 @ variance[usable])
    whole, whole_variance = _joined(float(weight[usable] @ share[usable]), noise, HALF)
    bands = [
        _joined(float(share[band]), float(variance[band]), whole) if usable[band] else (whole, math.inf)
        for band in range(BANDS)
    ]
    middles, variances = (np.array(column) for column in zip(*bands, strict=True))
    return CausedShares(
        bands=np.clip(middles, LEAST, MOST), halves=Z * np.sqrt(variances), whole=float(np.clip(whole, LEAST, MOST)),
        whole_half=Z * math.sqrt(whole_variance), held=held,
    )  # fmt: skip


def _band(record: CausedRecord, band: int) -> tuple[float, float, float]:
    """A band's share, its variance, infinite where nothing is known, and answers a person of the agent's."""
    sides = [(record.band == band) & (record.held == held) for held in (False, True)]
    sent, held = sides
    if min(int(side.sum()) for side in sides) < 2:
        return HALF, math.inf, 0.0
    scatter = float(record.before[sent].var())
    slope = float(np.cov(record.bought[sent], record.before[sent], bias=True)[0, 1]) / scatter if scatter > 0 else 0.0
    adjusted = record.bought - slope * record.before
    answers = float(record.answers[sent].mean())
    if not answers > 0:
        return HALF, math.inf, 0.0
    difference = float(adjusted[sent].mean() - adjusted[held].mean())
    noise = sum(float(adjusted[side].var()) / int(side.sum()) for side in sides)
    return difference / answers, max(noise, 1e-12) / answers**2, answers


def _joined(value: float, variance: float, middle: float) -> tuple[float, float]:
    """Mean and variance of a figure shrunk to a middle."""
    precision = 1 / variance + 1 / SPREAD**2
    return (value / variance + middle / SPREAD**2) / precision, 1 / precision
