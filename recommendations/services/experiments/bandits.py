"""The tick of bandits: every night the shares of the day, from what all days before it gave, and why in the log.

Nothing is drawn and all is made anew from the record, so a night that was missed costs a day and nothing else: until
the next tick the last shares go on. A day is ticked once, whoever asks how often.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import inf, isclose, isfinite
from typing import Any

from django.db import transaction

from recommendations.engine.experiments.bandit import (
    EVEN_DAYS,
    FEWEST,
    DailyArms,
    Posterior,
    chances_of,
    daily_belief,
    daily_shares,
    floors_of,
    segment_beliefs,
)
from recommendations.engine.experiments.guardrail import ALPHA, daily_differences, harmed, planned_scale
from recommendations.engine.experiments.sequences import half_width
from recommendations.experiment_terms import NoteCode
from recommendations.models import Arm, ArmShare, Experiment
from recommendations.services.access import audit
from recommendations.services.experiments.checks import GUARDING_BANDITS
from recommendations.services.experiments.notes import note
from recommendations.services.experiments.standings import HIGHER_IS_WORSE
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.experiments.daily import BanditDays, bandit_days
from recommendations.store.live import fetch
from recommendations.store.rules.conditions import shop_day
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric

LOCK = 7_264_106
MOVED = 0.005  # share from which a move stands in the log
AT_FLOOR = 0.01  # over its floor
MUCH_LATE = 0.01  # of the mean, from which what came late stands in the log

type Row = Mapping[int | None, "SegmentBelief"]


@dataclass(frozen=True, kw_only=True)
class SegmentBelief:
    """What is believed of the arms for a segment, or for everybody, and the mean that the segment alone would have."""

    belief: Posterior | None
    own: Sequence[float] | None = None


def tick_bandits(now: datetime) -> int:
    """Set the shares of the day for every bandit that runs and has none yet; how many. Of two processes one does
    nothing.
    """
    with advisory_lock(LOCK) as alone:
        running = Experiment.objects.filter(
            kind=ExperimentKind.BANDIT, status=ExperimentStatus.RUNNING, simulated=False, started_at__lte=now
        )
        return sum(tick(experiment, now=now) for experiment in running.order_by("pk")) if alone else 0


def tick(experiment: Experiment, *, now: datetime, days_of: Callable[[date], BanditDays] | None = None) -> bool:
    """Set the shares of the day, and pause arms that do harm; False where the day has its shares, or it is paused.

    ``days_of`` gives the days up to one where that is not the shop's record.
    """
    today = shop_day(now)
    if _has_shares(experiment, today):
        return False
    yesterday = today - timedelta(days=1)
    days = days_of(yesterday) if days_of else bandit_days(experiment, until=yesterday)
    with transaction.atomic():
        stored = Experiment.objects.select_for_update().get(pk=experiment.pk)
        if stored.status != ExperimentStatus.RUNNING or _has_shares(stored, today):
            return False
        arms = list(stored.arms.order_by("position"))
        _guard(stored, arms, days, now=now)
        beliefs = _beliefs(stored, days)
        before = last_shares(stored, before=today)
        _note_late(stored, days, now=now)
        rows = [
            share
            for segment, own in beliefs.items()
            for share in _rows(arms, own, day=today, segment=segment, even=len(days.days) < EVEN_DAYS)
        ]
        ArmShare.objects.bulk_create(rows)
        whole = [row for row in rows if row.segment is None]
        _note_moves(stored, _moves(stored, arms, whole, before), now=now)
        if not stored.simulated:
            transaction.on_commit(lambda: fetch.announce(fetch.Changed.EXPERIMENTS))
    return True


def first_shares(experiment: Experiment, *, day: date) -> None:
    """Write the even shares of the day on which a bandit starts."""
    arms = list(experiment.arms.order_by("position"))
    ArmShare.objects.bulk_create(ArmShare(arm=arm, day=day, share=1 / len(arms)) for arm in arms)


def floors(arms: Sequence[Arm]) -> list[float]:
    """Least share of each arm: what staff set, else the usual one; 0 for one that was taken out."""
    usual = floors_of(len(arms)).tolist()
    least = [each if arm.floor is None else arm.floor for arm, each in zip(arms, usual, strict=True)]
    return [0.0 if arm.out_at else each for arm, each in zip(arms, least, strict=True)]


def take_out_today(arms: Sequence[Arm], *, day: date) -> None:
    """Give the shares of the day of arms that are out to the others, in proportion."""
    rows = ArmShare.objects.filter(arm__in=arms, day=day).select_related("arm")
    out = {arm.pk for arm in arms if arm.out_at}
    rest: dict[int | None, float] = {}
    for row in rows:
        rest[row.segment] = rest.get(row.segment, 0.0) + (0.0 if row.arm_id in out else row.share)
    for row in rows:
        row.share = 0.0 if row.arm_id in out or rest[row.segment] <= 0 else row.share / rest[row.segment]
    ArmShare.objects.bulk_update(rows, ["share"])


def last_shares(experiment: Experiment, *, before: date, segment: int | None = None) -> dict[int, float]:
    """Shares of the last day before one, by the position of the arm; those of the draft before the first."""
    rows = ArmShare.objects.filter(arm__experiment=experiment, segment=segment, day__lt=before)
    last = rows.order_by("-day").values_list("day", flat=True).first()
    if last is None:
        return dict(experiment.arms.values_list("position", "share"))
    return dict(rows.filter(day=last).values_list("arm__position", "share"))


def guards(experiment: Experiment) -> dict[Metric, float]:
    """Metrics that guard a bandit, with what each tolerates: who buys always does."""
    given = {Metric(name): float(tolerance) for name, tolerance in experiment.guardrails.items()}
    return {Metric.CONVERTED: 0.0} | {name: tolerance for name, tolerance in given.items() if name in GUARDING_BANDITS}


def _has_shares(experiment: Experiment, day: date) -> bool:
    return ArmShare.objects.filter(arm__experiment=experiment, day=day).exists()


def _half_life(experiment: Experiment) -> float:
    return inf if experiment.half_life is None else experiment.half_life


def _guard(experiment: Experiment, arms: Sequence[Arm], days: BanditDays, *, now: datetime) -> None:
    """Pause for good the arms that are worse than the control for certain, in any metric that guards."""
    if len(days.days) < EVEN_DAYS or len(arms) < 2:
        return
    guarding = guards(experiment)
    alpha = ALPHA / len(guarding)
    for metric, tolerance in guarding.items():
        own = days.of(metric)
        tau2 = experiment.scales.get(metric) or planned_scale(own, alpha=alpha)
        if not tau2:
            continue
        experiment.scales = {**experiment.scales, metric.value: tau2}
        sign = 1 if metric in HIGHER_IS_WORSE else -1
        for place in harmed(own, tau2, tolerance=tolerance, alpha=alpha, sign=sign):
            if arms[place].out_at is None:
                _pause_arm(experiment, arms[place], metric, _harm(own, place, tau2, alpha=alpha), now=now)
    experiment.save(update_fields=["scales"])


def _pause_arm(experiment: Experiment, arm: Arm, metric: Metric, harm: Mapping[str, float], *, now: datetime) -> None:
    arm.out_at = now
    arm.save(update_fields=["out_at"])
    facts = {"arm": arm.position, "metric": metric, **harm}
    note(experiment, NoteCode.ARM_HARMED, by=None, at=now, facts=facts)
    if not experiment.simulated:  # which nobody is in: the trail has nothing of it
        verdict = {"code": NoteCode.ARM_HARMED, "facts": facts, "primary": experiment.primary}
        audit.record(by=None, verb="take out", subject=experiment, after={"verdict": verdict})


def _harm(days: DailyArms, place: int, tau2: float, *, alpha: float) -> dict[str, Any]:
    """Interval of the harm, as shares of what the control has."""
    effect = daily_differences(days)[place - 1]
    half = half_width(effect.se, tau2, alpha / (days.n.shape[1] - 1))
    ends = {"low": effect.share(effect.value - half), "high": effect.share(effect.value + half)}
    return {name: end if isfinite(end) else None for name, end in ends.items()}


def _beliefs(experiment: Experiment, days: BanditDays) -> Row:
    """What is believed of the arms for everybody, and for each segment where it has shares of its own."""
    metric, half_life = Metric(experiment.primary), _half_life(experiment)
    whole = days.of(metric)
    belief = daily_belief(whole, half_life=half_life) if len(days.days) else None
    beliefs: dict[int | None, SegmentBelief] = {None: SegmentBelief(belief=belief)}
    enough = belief is not None and bool((whole.successes.sum(axis=0) >= FEWEST).all())
    if not (experiment.by_segment and enough):
        return beliefs
    segments = days.segments
    own, borrowed = segment_beliefs([days.of(metric, segment) for segment in segments], half_life=half_life)
    for at, segment in enumerate(segments):
        beliefs[segment] = SegmentBelief(
            belief=Posterior(borrowed.mean[at], borrowed.sd[at]), own=own[at].mean.tolist()
        )  # fmt: skip
    return beliefs


def _rows(arms: Sequence[Arm], own: SegmentBelief, *, day: date, segment: int | None, even: bool) -> list[ArmShare]:
    """Shares of the day with what they come from; on the first days they are even but for what staff set."""
    chances = chances_of(None if even else own.belief, arms=len(arms))
    least = [arm.floor or 0.0 for arm in arms] if even else floors(arms)
    shares = daily_shares(
        chances,
        running=[arm.position for arm in arms if arm.out_at is None],
        floors=least,
        pinned={arm.position: arm.pinned for arm in arms if arm.pinned is not None},
    )
    rows = []
    for arm, share, chance in zip(arms, shares.tolist(), chances.tolist(), strict=True):
        row = ArmShare(arm=arm, segment=segment, day=day, share=share, chance_best=None if even else chance)
        if own.belief is not None:
            row.mean, row.sd = own.belief.mean[arm.position].item(), own.belief.sd[arm.position].item()
        if own.own is not None:
            row.own_mean = own.own[arm.position]
        rows.append(row)
    return rows


def _moves(
    experiment: Experiment, arms: Sequence[Arm], rows: Sequence[ArmShare], before: Mapping[int, float]
) -> dict[str, Any]:
    """Facts of the line of the log: what moved, the leader with its chance and its mean, and who is at the floor."""
    running = [row for row in rows if row.arm.out_at is None]
    leader = max(running, key=lambda row: row.chance_best or 0.0)
    rivals = [row.mean for row in running if row is not leader and row.mean is not None]
    moves = []
    for row in rows:
        place = row.arm.position
        if abs(row.share - before.get(place, 0.0)) < MOVED:
            continue
        move: dict[str, Any] = {"arm": place, "before": before.get(place, 0.0), "after": row.share}
        if row is leader and row.chance_best is not None:
            move |= {"chance": row.chance_best, "mean": row.mean, "other": max(rivals, default=None)}
        moves.append(move)
    least = floors(arms)
    at_floor = [
        arm.position
        for arm, row in zip(arms, rows, strict=True)
        if arm.out_at is None and arm.pinned is None and row.share - least[arm.position] < AT_FLOOR
    ]
    return {"moves": moves, "metric": experiment.primary, "at_floor": at_floor}


def _note_moves(experiment: Experiment, facts: Mapping[str, Any], *, now: datetime) -> None:
    """Note the shares of the day, unless nothing moved and who is at the floor is what the log says already."""
    last = experiment.notes.filter(code=NoteCode.SHARES_SET).first()
    if facts["moves"] or last is None or last.facts["at_floor"] != facts["at_floor"]:
        note(experiment, NoteCode.SHARES_SET, by=None, at=now, facts=facts)


def _note_late(experiment: Experiment, days: BanditDays, *, now: datetime) -> None:
    """Note what came late of the days that the last tick knew, and moved an arm's mean by a hundredth or more."""
    rows = ArmShare.objects.filter(arm__experiment=experiment, segment=None, mean__isnull=False)
    last = rows.order_by("-day").values_list("day", flat=True).first()
    until = next((at for at, day in enumerate(days.days) if day == last), 0)
    if last is None or not until:
        return
    whole = days.of(Metric(experiment.primary))
    past = DailyArms(n=whole.n[:until], y=whole.y[:until], yy=whole.yy[:until], successes=whole.successes[:until])
    belief = daily_belief(past, half_life=_half_life(experiment))
    for place, mean in rows.filter(day=last).values_list("arm__position", "mean"):
        change = belief.mean[place].item() - mean if belief is not None else 0.0
        if mean and not isclose(change, 0.0) and abs(change) >= MUCH_LATE * abs(mean):
            facts = {"arm": place, "metric": experiment.primary, "change": change}
            note(experiment, NoteCode.LATE_CHANGE, by=None, at=now, facts=facts)
