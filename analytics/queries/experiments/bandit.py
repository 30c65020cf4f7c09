"""How a bandit stands: the shares of the day and of all days, what it believes of its arms, and by segment."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics.charts.arms import ArmBelief, ArmShares
from recommendations.models import Arm, ArmShare, Experiment
from recommendations.services.experiments.bandit_verdicts import version_with
from recommendations.services.experiments.bandits import floors
from recommendations.terms import ExperimentStatus, Metric
from recommendations.wording.bandits import bandit_advice, bandit_sentence
from recommendations.wording.metrics import UNITS, MetricUnit, metric_text

SILENT = 2  # days without new shares, from which the page warns


@dataclass(frozen=True, kw_only=True)
class BanditArm:
    """An arm with its share of today, what is believed of it, and what staff set; texts are empty where unknown."""

    arm: Arm
    share: float
    floor: float
    chance: float | None
    mean: str
    spread: str


@dataclass(frozen=True, kw_only=True)
class ArmInSegment:
    """An arm in a segment: what the segment alone would say, what it believes after borrowing, and the share."""

    segment: str
    letter: str
    own: str
    borrowed: str
    share: float


@dataclass(frozen=True, kw_only=True)
class BanditStanding:
    """A bandit at its last shares; ``warning`` is empty unless no night came for some days."""

    day: date
    sentence: str
    advice: str
    warning: str
    arms: Sequence[BanditArm]
    shares: Sequence[ArmShares]
    beliefs: Sequence[ArmBelief]
    segments: Sequence[ArmInSegment]
    in_percent: bool

    @property
    def compares(self) -> bool:
        """Whether two arms or more are left."""
        return sum(each.arm.out_at is None for each in self.arms) > 1

    @property
    def rows(self) -> list[tuple[date, list[float]]]:
        """Shares of the arms by day, the newest first."""
        by_day: dict[date, list[float]] = defaultdict(list)
        for arm in self.shares:
            for day, share in arm.days:
                by_day[day].append(share)
        return sorted(by_day.items(), reverse=True)


def bandit_standing(
    experiment: Experiment, arms: Sequence[Arm], segment_name: Callable[[int], str], *, today: date
) -> BanditStanding | None:
    """How a bandit stands on a day; None before its first shares. ``arms`` are in their order."""
    rows = list(ArmShare.objects.filter(arm__in=arms).order_by("day", "segment", "arm__position"))
    overall = [row for row in rows if row.segment is None]
    if not overall:
        return None
    last = overall[-1].day
    least = floors(arms)
    now = {row.arm_id: row for row in overall if row.day == last}
    versions = [version_with(arm, now[arm.pk]) for arm in arms]
    metric = experiment.primary
    standing = [_arm(arm, now[arm.pk], floor, metric=metric) for arm, floor in zip(arms, least, strict=True)]
    until = today if experiment.ended_at is None else min(today, timezone.localdate(experiment.ended_at))
    percent = UNITS[Metric(metric)] == MetricUnit.SHARE
    return BanditStanding(
        day=last,
        sentence=bandit_sentence(experiment.status, versions),
        advice=bandit_advice(experiment.status, versions, simulated=experiment.simulated),
        warning=_warning(experiment, last, today=today),
        arms=standing,
        shares=_stack(arms, overall, least, until=until),
        beliefs=_beliefs(arms, now, percent=percent),
        segments=_segments(arms, [row for row in rows if row.day == last], segment_name, metric=metric),
        in_percent=percent,
    )


def _arm(arm: Arm, row: ArmShare, floor: float, *, metric: str) -> BanditArm:
    mean = "" if row.mean is None else metric_text(metric, row.mean)
    spread = "" if row.sd is None else f"± {metric_text(metric, row.sd)}"
    share = version_with(arm, row).share
    return BanditArm(arm=arm, share=share, floor=floor, chance=row.chance_best, mean=mean, spread=spread)


def _warning(experiment: Experiment, last: date, *, today: date) -> str:
    if experiment.status != ExperimentStatus.RUNNING or (today - last).days < SILENT:
        return ""
    text = _("No new shares since %(day)s: those of that day go on. Please look whether the worker runs.")
    return text % {"day": date_format(last)}


def _stack(arms: Sequence[Arm], rows: Sequence[ArmShare], least: Sequence[float], *, until: date) -> list[ArmShares]:
    """Shares by day; on a day without new ones those of the day before went on."""
    by_arm: dict[int, dict[date, float]] = defaultdict(dict)
    for row in rows:
        by_arm[row.arm_id][row.day] = row.share
    first, length = rows[0].day, max((until - rows[0].day).days + 1, 1)
    series = []
    for arm, floor in zip(arms, least, strict=True):
        share, days = 0.0, []
        for day in (first + timedelta(days=each) for each in range(length)):
            share = by_arm[arm.pk].get(day, share)
            days.append((day, share))
        series.append(ArmShares(arm=arm.position, words=arm.letter, days=days, floor=floor))
    return series


def _beliefs(arms: Sequence[Arm], rows: Mapping[int, ArmShare], *, percent: bool) -> list[ArmBelief]:
    scale = 100.0 if percent else 1.0
    return [
        ArmBelief(arm=arm.position, words=arm.letter, mean=row.mean * scale, sd=row.sd * scale, chance=row.chance_best)
        for arm, row in ((arm, rows[arm.pk]) for arm in arms)
        if arm.out_at is None and row.mean is not None and row.sd and row.chance_best is not None
    ]


def _segments(
    arms: Sequence[Arm], rows: Sequence[ArmShare], name: Callable[[int], str], *, metric: str
) -> list[ArmInSegment]:
    letters = {arm.pk: arm.letter for arm in arms}
    return [
        ArmInSegment(
            segment=name(row.segment),
            letter=letters[row.arm_id],
            own="–" if row.own_mean is None else metric_text(metric, row.own_mean),
            borrowed="–" if row.mean is None else metric_text(metric, row.mean),
            share=row.share,
        )
        for row in rows
        if row.segment is not None
    ]
