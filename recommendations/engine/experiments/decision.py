"""What to do about an experiment: the first verdict of a fixed order that holds, as a code with its facts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from recommendations.engine.experiments.effects import TreatmentEffect
from recommendations.engine.experiments.mismatch import ALARM, log_evidence
from recommendations.engine.experiments.sequences import AnytimeInterval, anytime_interval, half_width

ALPHA = 0.05
WHOLE_DAYS = 7  # of the shop, before an effect speaks: each day of the week once
FEWEST = 100  # units of each arm in which it happened, before its mean is near enough to normal

type Facts = Mapping[str, object]


class VerdictCode(StrEnum):
    """Verdicts in the order in which they are looked for."""

    BROKEN_SPLIT = "broken_split"
    HARM = "harm"
    TOO_EARLY = "too_early"
    SHIP = "ship"
    KEEP = "keep"
    ALIKE = "alike"
    ENDED = "ended"
    NOT_YET = "not_yet"


@dataclass(frozen=True)
class Verdict:
    """Code and the figures of its sentence; shares are of what the control has, NaN where that is not positive."""

    code: VerdictCode
    facts: Facts


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """An arm against the control in the primary metric, with the number of units of it that bought (or clicked)."""

    arm: int
    effect: TreatmentEffect
    tau2: float
    successes: int
    week_before: float = math.inf
    """Standard error seven days ago, by which the days to come are reckoned."""


@dataclass(frozen=True, kw_only=True)
class Guardrail:
    """An arm against the control in a metric that must not become worse by more than a share of the control's."""

    metric: str
    arm: int
    effect: TreatmentEffect
    tau2: float
    tolerance: float
    successes: int
    """Units in which it happened (a refund, a fallback), of the arm and the control together."""
    higher_is_worse: bool = True


@dataclass(frozen=True, kw_only=True)
class ExperimentStanding:
    """All that a verdict looks at. Arms are numbered as in ``counts``; the first is the control."""

    days: int
    planned_days: int
    counts: Sequence[int]
    shares: Sequence[float]
    control_successes: int
    contrasts: Sequence[Contrast]
    smallest: float
    """Smallest lift worth having, as a share of the control's."""
    guardrails: Sequence[Guardrail] = field(default_factory=tuple)
    replayed: bool = False
    """Whether most answers are the replay's; ``days`` are then those on which its customers bought."""


def decide(standing: ExperimentStanding) -> Verdict:
    """Verdict on an experiment. Only ``HARM`` acts by itself; all others are words for people.

    Each arm is held against the control at α/(arms − 1), each guardrail at α/their number, one-sided.
    """
    return (
        _broken_split(standing)
        or _harm(standing)
        or _too_early(standing)
        or _decided(standing, _intervals(standing))
        or _undecided(standing, _intervals(standing))
    )


def level(standing: ExperimentStanding) -> float:
    """α of one arm against the control."""
    return ALPHA / max(len(standing.contrasts), 1)


def days_to_go(standing: ExperimentStanding) -> int | None:
    """Days until every arm's half-width is the smallest lift, by the growth of 1/s² over the last seven; None: never.

    0 where it is already.
    """
    waits = [
        _days_to_go(contrast, smallest=standing.smallest, alpha=level(standing)) for contrast in standing.contrasts
    ]
    certain = [wait for wait in waits if wait is not None]
    return max(certain, default=0) if len(certain) == len(waits) else None


def _broken_split(standing: ExperimentStanding) -> Verdict | None:
    evidence = log_evidence(standing.counts, standing.shares)
    if evidence < math.log(ALARM):
        return None
    total = sum(standing.counts)
    facts = {
        "seen": [count / total for count in standing.counts], "planned": list(standing.shares),
        "counts": list(standing.counts), "log_evidence": evidence,
    }  # fmt: skip
    return Verdict(VerdictCode.BROKEN_SPLIT, facts)


def _harm(standing: ExperimentStanding) -> Verdict | None:
    """Verdict on the guardrail that is furthest beyond its tolerance, in halves of its interval."""
    worst, distance = None, 0.0
    for guardrail in standing.guardrails:
        beyond = _distance_beyond(guardrail, count=len(standing.guardrails))
        if beyond > distance:
            worst, distance = guardrail, beyond
    if worst is None:
        return None
    low, high = _one_sided(worst, count=len(standing.guardrails))
    facts = {
        "metric": worst.metric, "arm": worst.arm, "low": worst.effect.share(low), "high": worst.effect.share(high),
        "tolerance": worst.tolerance, "difference": worst.effect.value, "base": worst.effect.base,
    }  # fmt: skip
    return Verdict(VerdictCode.HARM, facts)


def _distance_beyond(guardrail: Guardrail, *, count: int) -> float:
    """How far the whole interval lies beyond the tolerance, in half-widths; ≤ 0 where it does not.

    What happened to few says nothing: its mean is far from normal, and its scatter is underrated.
    """
    half = half_width(guardrail.effect.se, guardrail.tau2, 2 * ALPHA / count)
    if guardrail.successes < FEWEST or not math.isfinite(half):
        return 0.0
    worse = guardrail.effect.value if guardrail.higher_is_worse else -guardrail.effect.value
    return (worse - half - guardrail.tolerance * abs(guardrail.effect.base)) / half


def _one_sided(guardrail: Guardrail, *, count: int) -> tuple[float, float]:
    half = half_width(guardrail.effect.se, guardrail.tau2, 2 * ALPHA / count)
    return guardrail.effect.value - half, guardrail.effect.value + half


def _too_early(standing: ExperimentStanding) -> Verdict | None:
    fewest = min([standing.control_successes, *(contrast.successes for contrast in standing.contrasts)])
    if standing.days >= WHOLE_DAYS and fewest >= FEWEST:
        return None
    facts = {"day": standing.days, "days": WHOLE_DAYS, "successes": fewest, "needed": FEWEST}
    return Verdict(VerdictCode.TOO_EARLY, facts | ({"replayed": True} if standing.replayed else {}))


def _intervals(standing: ExperimentStanding) -> dict[int, AnytimeInterval]:
    """Interval of each arm, as shares of what the control has."""
    intervals = {}
    for contrast in standing.contrasts:
        own = contrast.effect
        value, low, high, p = anytime_interval(own, contrast.tau2, level(standing))
        intervals[contrast.arm] = AnytimeInterval(own.share(value), own.share(low), own.share(high), p)
    return intervals


def _decided(standing: ExperimentStanding, intervals: Mapping[int, AnytimeInterval]) -> Verdict | None:
    better = [arm for arm, interval in intervals.items() if interval.low > 0]
    if better:
        best = max(better, key=lambda arm: intervals[arm].value)
        others = [arm for arm in better if arm != best]
        return Verdict(VerdictCode.SHIP, _of_arm(best, intervals) | {"also_better": others})
    worse = [arm for arm, interval in intervals.items() if interval.high < 0]
    if worse and len(worse) == len(intervals):
        nearest = max(worse, key=lambda arm: intervals[arm].high)
        return Verdict(VerdictCode.KEEP, _of_arm(nearest, intervals) | {"at_least": -intervals[nearest].high})
    smallest = standing.smallest
    close = [arm for arm, each in intervals.items() if -smallest <= each.low and each.high <= smallest]
    if set(close) | set(worse) == set(intervals) and intervals:
        return Verdict(VerdictCode.ALIKE, {"smallest": smallest, "arms": close, "worse": worse})
    return None


def _undecided(standing: ExperimentStanding, intervals: Mapping[int, AnytimeInterval]) -> Verdict:
    best = max(intervals, key=lambda arm: intervals[arm].value)
    if standing.days >= standing.planned_days:
        return Verdict(VerdictCode.ENDED, _of_arm(best, intervals) | {"days": standing.days})
    facts = _of_arm(best, intervals) | {"days_to_go": days_to_go(standing), "smallest": standing.smallest}
    return Verdict(VerdictCode.NOT_YET, facts)


def _of_arm(arm: int, intervals: Mapping[int, AnytimeInterval]) -> dict[str, object]:
    interval = intervals[arm]
    return {"arm": arm, "value": interval.value, "low": interval.low, "high": interval.high}


def _days_to_go(contrast: Contrast, *, smallest: float, alpha: float) -> int | None:
    """Days until the half-width of one arm is the smallest lift: the s that gives it, by halving."""
    wanted, now = smallest * contrast.effect.base, contrast.effect.se
    if half_width(now, contrast.tau2, alpha) <= wanted:
        return 0
    if not (wanted > 0 and math.isfinite(now)):
        return None
    before = 0.0 if math.isinf(contrast.week_before) else 1 / contrast.week_before**2
    growth = (1 / now**2 - before) / WHOLE_DAYS
    if growth <= 0:
        return None
    low, high = 0.0, now
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if half_width(middle, contrast.tau2, alpha) <= wanted else (low, middle)
    return math.ceil((1 / low**2 - 1 / now**2) / growth) if low > 0 else None
