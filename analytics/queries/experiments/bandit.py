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
from recommendations.services.experiments.bandits import floors
from recommendations.terms import ExperimentStatus, Metric
from recommendations.wording.experiment_advice import advice_on_bandit, advice_on_last, with_advice
from recommendations.wording.linter import listed
from recommendations.wording.metrics import UNITS, MetricUnit, metric_text, percent_text

SILENT = 2  # days without new shares, from which the page warns
EVEN = 0.0005  # of the visitors, below which two shares are the same


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
    metric = experiment.primary
    standing = [_arm(arm, now[arm.pk], floor, metric=metric) for arm, floor in zip(arms, least, strict=True)]
    until = today if experiment.ended_at is None else min(today, timezone.localdate(experiment.ended_at))
    percent = UNITS[Metric(metric)] == MetricUnit.SHARE
    return BanditStanding(
        day=last,
        sentence=_sentence(experiment, standing),
        advice=_advice(experiment, standing),
        warning=_warning(experiment, last, today=today),
        arms=standing,
        shares=_stack(arms, overall, least, until=until),
        beliefs=_beliefs(arms, now, percent=percent),
        segments=_segments(arms, [row for row in rows if row.day == last], segment_name, metric=metric),
        in_percent=percent,
    )


def leading_sentences(experiments: Sequence[Experiment]) -> dict[int, str]:
    """The sentence of each bandit of a list with what to do, by its key; those without shares are left out."""
    rows = ArmShare.objects.filter(arm__experiment__in=experiments, segment=None).select_related("arm")
    by_bandit: dict[int, dict[int, ArmShare]] = defaultdict(dict)
    for row in rows.order_by("day"):
        by_bandit[row.arm.experiment_id][row.arm_id] = row
    own = {experiment.pk: experiment for experiment in experiments}
    sentences = {}
    for key, last in by_bandit.items():
        arms = [_arm(row.arm, row, 0.0, metric=own[key].primary) for row in last.values()]
        sentences[key] = with_advice(_sentence(own[key], arms), _advice(own[key], arms))
    return sentences


def _arm(arm: Arm, row: ArmShare, floor: float, *, metric: str) -> BanditArm:
    mean = "" if row.mean is None else metric_text(metric, row.mean)
    spread = "" if row.sd is None else f"± {metric_text(metric, row.sd)}"
    share = 0.0 if arm.out_at else row.share
    return BanditArm(arm=arm, share=share, floor=floor, chance=row.chance_best, mean=mean, spread=spread)


def _sentence(experiment: Experiment, arms: Sequence[BanditArm]) -> str:
    """What the arm with the largest share gets, and what staff set: "B gets 46% today"."""
    first = max(arms, key=lambda each: each.share)
    words = {"arm": first.arm.letter, "share": percent_text(first.share)}
    if experiment.status not in {ExperimentStatus.RUNNING, ExperimentStatus.PAUSED}:
        return _("%(arm)s got %(share)s at the end") % words
    running = [each for each in arms if each.arm.out_at is None]
    if len(running) == 1:
        return _("Only %(arm)s is left: it gets all who take part") % {"arm": running[0].arm.letter}
    staff = _set_by_staff(experiment, running)
    if all(each.chance is None for each in running):
        return _("; ").join(_on_first_days(arms, running, words, staff))
    paused = experiment.status == ExperimentStatus.PAUSED
    text = _("%(arm)s gets %(share)s; the shares stay as they are") if paused else _("%(arm)s gets %(share)s today")
    return _("; ").join([text % words, *staff])


def _on_first_days(
    arms: Sequence[BanditArm], running: Sequence[BanditArm], first: Mapping[str, str], staff: Sequence[str]
) -> list[str]:
    """What is true before anything is believed: the shares are even but for what staff set."""
    even = all(abs(each.share - running[0].share) < EVEN for each in running)
    letters = {"arms": listed([each.arm.letter for each in running])}
    if even and not staff:
        some = _("%(arms)s get the same until the fourth day") % letters
        return [_("All versions get the same until the fourth day") if len(running) == len(arms) else some]
    today = _("%(arms)s get the same today") % letters if even else _("%(arm)s gets %(share)s today") % first
    return [today, *staff, _("the rest is even until the fourth day")]


def _set_by_staff(experiment: Experiment, running: Sequence[BanditArm]) -> list[str]:
    """Pins and floors that staff gave the arms that run, and from when they hold where they do not yet."""
    paused, parts = experiment.status == ExperimentStatus.PAUSED, []
    later = _("%(what)s once it goes on") if paused else _("%(what)s from tonight on")
    for each in running:
        pinned, floor = each.arm.pinned, each.arm.floor
        if pinned is not None:
            text, share, holds = _("%(arm)s is pinned to %(share)s"), pinned, abs(each.share - pinned) < EVEN
        elif floor is not None:
            text, share, holds = _("%(arm)s gets at least %(share)s"), floor, each.share > floor - EVEN
        else:
            continue
        words = text % {"arm": each.arm.letter, "share": percent_text(share)}
        parts.append(words if holds else later % {"what": words})
    return parts


def _advice(experiment: Experiment, arms: Sequence[BanditArm]) -> str:
    """What to do, by the chances of the arms that run; empty before there are any, unless one arm is left."""
    running = [each for each in arms if each.arm.out_at is None]
    if len(running) == 1 and experiment.status in {ExperimentStatus.RUNNING, ExperimentStatus.PAUSED}:
        return advice_on_last(running[0].arm.letter)
    chances = {each.arm.letter: each.chance for each in running if each.chance is not None}
    if not chances:
        return ""
    best, chance = max(chances.items(), key=lambda pair: pair[1])
    return advice_on_bandit(experiment.status, simulated=experiment.simulated, best=best, chance=chance)


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
