"""Days of a practice: simulated visitors come under a clock that ends today, and the real judge and tick look at them.

All is drawn by the seed of the run, so that one whose worker died begins anew and comes to the same.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db import transaction

from recommendations.engine.experiments.bandit import DailyArms
from recommendations.engine.experiments.planning import units_after
from recommendations.engine.rng import generator
from recommendations.engine.simulation.list_clicks import ListClicks, attention_of, list_clicks, true_lifts
from recommendations.engine.simulation.list_visitors import (
    UNITS,
    ListDays,
    ListVisitors,
    list_visitors,
    past_visitors,
)
from recommendations.engine.simulation.visitors import VisitorModel
from recommendations.experiment_terms import NoteCode
from recommendations.models import Arm, ArmShare, Experiment, PracticeRun, Reading
from recommendations.practice_terms import LIFTS, PracticeEffect
from recommendations.services.experiments.bandits import first_shares, tick
from recommendations.services.experiments.notes import note
from recommendations.services.experiments.readings import judge
from recommendations.simulation.arm_lists import ArmLists, arm_lists
from recommendations.store import jobs
from recommendations.store.experiments.caps import LARGEST, scales
from recommendations.store.experiments.daily import BanditDays
from recommendations.store.rules.conditions import shop_day
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric

PEOPLE = 24_000
WEALTH = 0.5
NIGHT = time(0, 10)  # at which people are counted
BETWEEN_REPORTS = timedelta(milliseconds=300)
ASKING = 0.6  # of the work, in which the lists are asked for


def live_through(run: PracticeRun) -> None:
    """Ask for the lists, draw what is true of them, and live through the planned days."""
    experiment = run.experiment
    report = jobs.Reporter(run, between=BETWEEN_REPORTS)
    arms = list(experiment.arms.order_by("position"))
    lists = arm_lists(
        current_snapshot(), arms, placement=_placement(experiment), page=_page(arms), segments=experiment.segments,
        seed=run.seed, now=run.created_at, progress=lambda share: report(ASKING * share) if report.is_due else None,
    )  # fmt: skip
    clicks = list_clicks(
        lists.items,
        lists.fallback,
        lifts=_lifts(experiment, run, lists),
        primary=Metric(experiment.primary),
        draw=generator(run.seed, "relevance"),
        attention=attention_of(lists.levels, lists.places),
    )
    _begin(experiment, at=_night(run, 0))
    report(ASKING)
    if experiment.kind == ExperimentKind.BANDIT:
        _live_bandit(run, arms, clicks, lists, report)
    else:
        _live_test(run, arms, clicks, lists, report)
    if experiment.status == ExperimentStatus.RUNNING:
        experiment.status, experiment.ended_at = ExperimentStatus.STOPPED, _night(run, experiment.planned_days)
        experiment.save(update_fields=["status", "ended_at"])


def _live_test(run: PracticeRun, arms: list[Arm], clicks: ListClicks, lists: ArmLists, report: jobs.Reporter) -> None:
    experiment = run.experiment
    model = VisitorModel(people=PEOPLE, days=experiment.planned_days, wealth=WEALTH)
    shares = tuple(arm.share / sum(each.share for each in arms) for arm in arms)
    came = list_visitors(clicks, model, shares=shares, draw=generator(run.seed, "visitors"))
    _measure_past(experiment, past_visitors(clicks, model, draw=generator(run.seed, "past")))
    lifts = true_lifts(clicks, rows=came.rows, visits=came.visits, purse=came.purse)
    _tell(run, lists, lifts, people=len(came.rows))
    for day in range(1, experiment.planned_days + 1):
        at = _night(run, day)
        Reading.objects.bulk_create(_readings(experiment, arms, came, lists, days=day, at=at))
        judge(experiment, now=at)
        if experiment.status != ExperimentStatus.RUNNING:
            return
        report(ASKING + (1 - ASKING) * day / experiment.planned_days)


def _live_bandit(run: PracticeRun, arms: list[Arm], clicks: ListClicks, lists: ArmLists, report: jobs.Reporter) -> None:
    experiment, days = run.experiment, ListDays(clicks=clicks, model=VisitorModel())
    everybody = np.arange(clicks.chances.shape[1])
    ones = np.ones(len(everybody))
    _tell(run, lists, true_lifts(clicks, rows=everybody, visits=ones, purse=ones), people=UNITS)
    first = shop_day(_night(run, 0))
    first_shares(experiment, day=first)
    for day in range(experiment.planned_days):
        dealt = dict(
            ArmShare.objects.filter(arm__experiment=experiment, day=first + timedelta(days=day), segment=None)
            .values_list("arm__position", "share")
        )  # fmt: skip
        shares = np.array([dealt[arm.position] for arm in arms])
        days.add(shares, draw=generator(run.seed, "visitors", str(day)))
        tick(experiment, now=_night(run, day + 1), days_of=lambda until: _until(days, first=first, until=until))
        report(ASKING + (1 - ASKING) * (day + 1) / experiment.planned_days)


def _until(days: ListDays, *, first: date, until: date) -> BanditDays:
    """Days of a bandit up to one, as they have come in by then."""
    number = (until - first).days + 1
    sums: dict[tuple[int | None, Metric], DailyArms] = {
        (None, metric): own for metric, own in days.record(number).items()
    }
    return BanditDays(days=[first + timedelta(days=each) for each in range(number)], sums=sums, mixed=0)


@transaction.atomic
def _begin(experiment: Experiment, *, at: datetime) -> None:
    """Let an experiment run from a moment on, without what came of it before."""
    Reading.objects.filter(arm__experiment=experiment).delete()
    ArmShare.objects.filter(arm__experiment=experiment).delete()
    experiment.notes.exclude(code=NoteCode.COPIED).delete()
    experiment.arms.update(out_at=None)
    experiment.status, experiment.started_at, experiment.ended_at = ExperimentStatus.RUNNING, at, None
    experiment.decision, experiment.scales, experiment.caps = {}, {}, {}
    experiment.save()
    facts = {"traffic": experiment.traffic, "days": experiment.planned_days}
    note(experiment, NoteCode.STARTED, by=experiment.started_by, at=at, facts=facts)


def _measure_past(experiment: Experiment, past: ListVisitors) -> None:
    """Set caps and scales by the simulated four weeks before, as those of a real experiment are by the real ones."""
    cap = past.spent(LARGEST)
    experiment.caps = (
        {} if cap is None else {Metric.REVENUE.value: round(cap, 2), Metric.ATTRIBUTED.value: round(cap, 2)}
    )
    window = past.lists.shape[1]
    curve = [float((past.first < day).sum()) for day in range(1, window + 1)]
    sums = past.sums(arm=0, days=window, cap=_cap(experiment))
    units = units_after(curve, experiment.planned_days)
    experiment.scales = scales(experiment, {metric: own for metric, (own, _n) in sums.items()}, units=units)
    experiment.save(update_fields=["caps", "scales"])


def _readings(
    experiment: Experiment, arms: list[Arm], came: ListVisitors, lists: ArmLists, *, days: int, at: datetime
) -> list[Reading]:
    readings = []
    for arm in arms:
        for metric, (own, successes) in came.sums(arm=arm.position, days=days, cap=_cap(experiment)).items():
            facts = {"successes": successes} | ({"listed": 1} if metric == experiment.primary else {})
            if metric is Metric.REVENUE:
                facts["above_cap"] = came.above(arm=arm.position, days=days, cap=_cap(experiment))
            readings.append(
                Reading(
                    arm=arm, metric=metric, at=at, n=int(own.n), y=own.y, yy=own.yy, x=own.x, xx=own.xx, xy=own.xy,
                    facts=facts,
                )
            )  # fmt: skip
        shown = lists.items[arm.position]
        readings.append(
            Reading(
                arm=arm, metric=Metric.COVERAGE, at=at, n=0, y=len(np.unique(shown[shown >= 0])), yy=0,
                x=1, xx=0, xy=0, facts={"lists": len(shown)},
            )
        )  # fmt: skip
    return readings


def _tell(run: PracticeRun, lists: ArmLists, lifts: dict[str, list[float]], *, people: int) -> None:
    """Store what is true; ``same`` are the arms that give all customers the control's lists."""
    run.truth = {"lifts": lifts, "customers": lists.items.shape[1], "people": people, "same": lists.same}
    run.save(update_fields=["truth"])


def _lifts(experiment: Experiment, run: PracticeRun, lists: ArmLists) -> list[float]:
    """Lift of each arm: only what B shows is moved, and nothing where both get the same or the lists are those of A."""
    moved = 0.0 if experiment.kind == ExperimentKind.AA or 1 in lists.same else LIFTS[PracticeEffect(run.effect)]
    return [moved if arm == 1 else 0.0 for arm in range(len(lists.items))]


def _placement(experiment: Experiment) -> str:
    """The placement whose lists are asked for: home where it is among them, else one that needs no item in view."""
    rows = list(experiment.placements.order_by("needs_context", "name"))
    return next((row.name for row in rows if row.name == "home"), rows[0].name if rows else "")


def _page(arms: list[Arm]) -> str:
    """The page whose order the arms set, so that all of its lists are asked for; empty where they set none."""
    return min((name for arm in arms for name in arm.changes.get("pages", {})), default="")


def _night(run: PracticeRun, day: int) -> datetime:
    """The night after so many days, of which the last is before the day on which the practice was asked for."""
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    asked = run.created_at.astimezone(zone).date()
    return datetime.combine(asked + timedelta(days=day - run.experiment.planned_days), NIGHT, zone)


def _cap(experiment: Experiment) -> float:
    return float(experiment.caps.get(Metric.REVENUE, "inf"))
