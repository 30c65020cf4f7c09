"""Daily shares of a bandit's arms, from what each day gave: a posterior, chances to be the best, floors and a ceiling.

Nothing is drawn, so that the shares of a past day can be made again.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

HALF_LIFE = 14.0  # days
PRIOR = 0.2
"""Standard deviation of versions around their mean, as a share of it: they rarely differ by more than a fifth."""
CONTROL_FLOOR, FLOOR, CEILING = 0.10, 0.05, 0.90
EVEN_DAYS = 3  # the first shares are even: there is next to nothing to go by
FEWEST = 100  # successes of an arm before its mean is near enough to normal
GRID = np.linspace(-8.0, 8.0, 4001)
DENSITY = np.exp(-0.5 * GRID**2) / math.sqrt(2 * math.pi) * (GRID[1] - GRID[0])

type Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class DailyArms:
    """Units, sums and sums of squares of their outcomes, and successes (units with any), each [days, arms].

    The last row is the newest day. A unit is a person on a day; what is still to come is missing from all arms alike.
    """

    n: Array
    y: Array
    yy: Array
    successes: Array

    @property
    def means(self) -> Array:
        """Mean of each day and arm; 0 where nobody had the arm."""
        return self.y / np.maximum(self.n, 1)

    @property
    def variances(self) -> Array:
        """Variance of a unit within its day, of each arm over all of its days; of all arms where one has too few."""
        within = np.maximum(self.yy - self.n * self.means**2, 0).sum(axis=0)
        spare = np.maximum(self.n - 1, 0).sum(axis=0)
        overall = within.sum() / spare.sum() if spare.sum() else 0.0
        return np.where((within > 0) & (spare > 0), within / np.maximum(spare, 1), overall)


@dataclass(frozen=True)
class Posterior:
    """Mean and standard deviation of what an arm is worth, [arms] or [segments, arms]."""

    mean: Array
    sd: Array


def posterior(days: DailyArms, *, half_life: float = HALF_LIFE, prior: float = PRIOR) -> Posterior:
    """Normal posterior of each arm's mean: mean_a = Σ_p W_p m_pa / Σ W_p with W_p = n_p 2^(−age/half-life).

    n_p are the units of all arms: a day weighs the same for every arm, so that a good day with a large share flatters
    nobody; days on which nobody had an arm are left out for it. var_a = v_a Σ W_p²/n_pa / (Σ W_p)² with v_a the
    variance within days. The prior is N(pooled, (prior · pooled)²); an arm of which nothing is known has it alone.
    ``half_life``, in days, may be infinite.
    """
    mean, units, pooled = _faded(days, half_life=half_life)
    spread = prior * abs(pooled)
    precision = np.where(days.variances > 0, units / np.maximum(days.variances, 1e-300), 0.0)
    return _combined(mean, precision, centre=pooled, prior_precision=1 / spread**2 if spread > 0 else 0.0)


def rate_posterior(days: DailyArms, *, half_life: float = HALF_LIFE, prior: float = PRIOR) -> Posterior:
    """Mean and sd of the Beta–Binomial posterior of a rate, for arms with few successes: outcomes are 0 or 1.

    Days weigh as in ``posterior``; an arm has as many units as give its mean the same variance, (Σ W_p)²/Σ(W_p²/n_pa).
    The prior is the Beta with mean ``pooled`` and sd ``prior · pooled``.
    """
    mean, units, pooled = _faded(days, half_life=half_life)
    pooled = min(max(pooled, 1e-9), 1 - 1e-9)
    strength = max((1 - pooled) / (pooled * prior**2) - 1, 0.0) if prior else 1e12
    one, other = pooled * strength + mean * units, (1 - pooled) * strength + (1 - mean) * units
    total = np.maximum(one + other, 1e-300)
    return Posterior(one / total, np.sqrt(one * other / (total + 1)) / total)


def best_chances(mean: ArrayLike, sd: ArrayLike) -> Array:
    """Chance of each arm to be the best, ∫ φ(t) Π_{j≠a} Φ((m_a + t s_a − m_j)/s_j) dt on 4,001 points in ±8 sd.

    ``mean`` and ``sd`` > 0 are [arms]. Within .002 of a million draws also where the spreads are unlike, which
    Gauss–Hermite quadrature is not.
    """
    centre, spread = np.asarray(mean, np.float64), np.asarray(sd, np.float64)
    chances = np.empty(len(centre))
    for arm in range(len(centre)):
        others = np.arange(len(centre)) != arm
        at = (centre[arm] + GRID * spread[arm] - centre[others, None]) / spread[others, None]
        chances[arm] = DENSITY @ ndtr(at).prod(axis=0)
    return chances / chances.sum()


def floors_of(arms: int) -> Array:
    """Least share of each arm: the control, the first, .10, the others .05."""
    return np.array([CONTROL_FLOOR] + [FLOOR] * (arms - 1))


def shares(chances: ArrayLike, floors: ArrayLike, ceiling: float = CEILING) -> Array:
    """Shares f_a + (1 − Σ f) P(best)_a: floors are added, as clipping would bend the other shares.

    What is above the ceiling goes to the other arms in proportion. Floors sum to at most 1; raises ValueError.
    """
    chance, least = np.asarray(chances, np.float64), np.asarray(floors, np.float64)
    if least.sum() > 1 or (least < 0).any():
        raise ValueError("floors are ≥ 0 and sum to at most 1")
    share = least + (1 - least.sum()) * chance
    top = int(share.argmax())
    if len(share) > 1 and share[top] > ceiling:
        others = np.arange(len(share)) != top
        rest = share[others].sum()
        share[others] = share[others] * (1 - ceiling) / rest if rest > 0 else (1 - ceiling) / others.sum()
        share[top] = ceiling
    return share


def borrowed(mean: Array, variance: Array) -> Posterior:
    """Posterior per segment, each arm shrunk to its overall effect; ``mean`` and ``variance`` are [segments, arms].

    The variance between segments is that of DerSimonian and Laird (1986), by moments, averaged over the arms. Where
    segments do not differ beyond chance each has the overall effect; a segment of which nothing is known (infinite
    variance) has it, too, with the spread between segments.
    """
    weight = 1 / variance
    total = weight.sum(axis=0)
    centre = (weight * np.where(weight > 0, mean, 0)).sum(axis=0) / total
    spread = (weight * np.where(weight > 0, mean - centre, 0) ** 2).sum(axis=0)
    scale = total - (weight**2).sum(axis=0) / total
    excess = (spread - ((weight > 0).sum(axis=0) - 1))[scale > 0] / scale[scale > 0]
    between = max(float(excess.mean()), 0.0) if len(excess) else 0.0
    if not between:
        return Posterior(np.broadcast_to(centre, mean.shape).copy(), np.broadcast_to(total**-0.5, mean.shape).copy())
    apart = 1 / (variance + between)
    overall = (apart * np.where(weight > 0, mean, 0)).sum(axis=0) / apart.sum(axis=0)
    shrinkage = 1 / (1 + between * weight)  # var / (var + between)
    own = np.where(weight > 0, mean, 0)
    narrow = between * shrinkage  # 1 / (1/var + 1/between)
    return Posterior(shrinkage * overall + (1 - shrinkage) * own, np.sqrt(narrow + shrinkage**2 / apart.sum(axis=0)))


def daily_belief(days: DailyArms, *, half_life: float = HALF_LIFE, prior: float = PRIOR) -> Posterior | None:
    """Posterior of each arm by all days so far, in the unit of the outcomes; None as long as nothing came.

    As long as an arm has under 100 successes, the number of successes decides by its Beta–Binomial: of money, what the
    mean success is worth is taken for the same under all arms, as so few say nothing of it.
    """
    if not days.successes.any():
        return None
    if (days.successes.sum(axis=0) >= FEWEST).all():
        return posterior(days, half_life=half_life, prior=prior)
    counts = DailyArms(n=days.n, y=days.successes, yy=days.successes, successes=days.successes)
    rate, worth = rate_posterior(counts, half_life=half_life, prior=prior), days.y.sum() / days.successes.sum()
    return Posterior(rate.mean * worth, rate.sd * worth)


def daily_chances(days: DailyArms, *, half_life: float = HALF_LIFE, prior: float = PRIOR) -> Array:
    """Chance of each arm to be the best by all days so far: even in the first three, and as long as nothing came."""
    belief = daily_belief(days, half_life=half_life, prior=prior) if len(days.n) >= EVEN_DAYS else None
    return chances_of(belief, arms=days.n.shape[1])


def segment_beliefs(
    segments: Sequence[DailyArms], *, half_life: float = HALF_LIFE
) -> tuple[Sequence[Posterior], Posterior]:
    """What each segment says of the arms by itself, and what it believes after borrowing from the others.

    Effects are borrowed as shares of what a segment's arms have together, as segments buy more or less whatever they
    are shown. The second is [segments, arms].
    """
    own, levels = [], []
    for days in segments:
        mean, units, pooled = _faded(days, half_life=half_life)
        variance = np.where(units > 0, days.variances / np.maximum(units, 1e-300), np.inf)
        variance = np.where(variance > 0, variance, np.inf)  # nothing scattered, so nothing is known
        own.append(Posterior(mean, np.sqrt(variance)))
        levels.append(pooled)
    level = np.array(levels)[:, None]
    base = np.where(level > 0, level, 1.0)
    relative = np.where(level > 0, np.stack([each.mean for each in own]) / base, 1.0)
    spread = np.where(level > 0, np.stack([each.sd for each in own]) / base, np.inf)
    if not np.isfinite(spread).any(axis=0).all():  # an arm that nobody had, or that nothing came of
        return own, Posterior(relative * base, spread * base)
    belief = borrowed(relative, spread**2)
    return own, Posterior(belief.mean * base, belief.sd * base)


def among(chances: ArrayLike, arms: Sequence[int], floors: ArrayLike, ceiling: float = CEILING) -> Array:
    """Shares of the arms that still run, by their chances among themselves; 0 for those that were taken out."""
    chance, least = np.asarray(chances, np.float64), np.asarray(floors, np.float64)
    running = list(arms)
    whole = chance[running].sum()
    inside = chance[running] / whole if whole > 0 else np.full(len(running), 1 / len(running))
    share = np.zeros(len(chance))
    share[running] = shares(inside, least[running], ceiling) if len(running) > 1 else 1.0
    return share


def daily_shares(
    chances: ArrayLike, *, running: Sequence[int], floors: ArrayLike, pinned: Mapping[int, float],
    ceiling: float = CEILING,
) -> Array:  # fmt: skip
    """Shares of all arms: the pinned ones have theirs, the others share what is left by their chances and floors.

    Where all that run are pinned, their shares are scaled to 1. Raises ValueError where floors and pins exceed it.
    """
    share, least = np.zeros(len(np.asarray(chances))), np.asarray(floors, np.float64)
    fixed = [arm for arm in running if arm in pinned]
    free = [arm for arm in running if arm not in pinned]
    share[fixed] = [pinned[arm] for arm in fixed]
    rest = 1 - share.sum()
    if not free:
        return share / share.sum()
    if rest <= 0:
        raise ValueError("pinned shares leave nothing to the other arms")
    return share + rest * among(chances, free, least / rest, min(ceiling / rest, 1.0))


def chances_of(belief: Posterior | None, *, arms: int) -> Array:
    """Chance of each arm to be the best by a belief; even where that is none, or has no spread."""
    if belief is None or not ((belief.sd > 0) & np.isfinite(belief.sd)).all():
        return np.full(arms, 1 / arms)
    return best_chances(belief.mean, belief.sd)


def _faded(days: DailyArms, *, half_life: float) -> tuple[Array, Array, float]:
    """Faded mean and number of equivalent units of each arm, and the mean of all arms.

    The units are (Σ W_p)² / Σ(W_p²/n_pa): as many as give a plain mean the same variance.
    """
    age = np.arange(len(days.n))[::-1]
    weight = days.n.sum(axis=1) * 2.0 ** (-age / half_life)
    weights = weight[:, None] * (days.n > 0)
    total = weights.sum(axis=0)
    mean = (weights * days.means).sum(axis=0) / np.maximum(total, 1e-300)
    squares = (weights**2 / np.maximum(days.n, 1)).sum(axis=0)
    units = np.where(total > 0, total**2 / np.maximum(squares, 1e-300), 0.0)
    of_day = days.y.sum(axis=1) / np.maximum(days.n.sum(axis=1), 1)
    pooled = float((weight * of_day).sum() / weight.sum()) if weight.sum() else 0.0
    return mean, units, pooled


def _combined(mean: Array, precision: Array, *, centre: float, prior_precision: float) -> Posterior:
    total = precision + prior_precision
    safe = np.maximum(total, 1e-300)
    value = np.where(total > 0, (precision * mean + prior_precision * centre) / safe, centre)
    return Posterior(value, safe**-0.5)
