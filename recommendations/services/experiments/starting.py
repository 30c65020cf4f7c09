"""Starting an experiment: asked for in a request, begun by a worker, as comparing lists and measuring take a while.

Meanwhile it has hold of its levers and nobody is in it. Whatever becomes of the worker, the next one begins it; a start
that was cancelled, or cannot be, is a draft again, and what was measured for it is dropped.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from celery import current_app
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, InterfaceError, transaction
from django.db import OperationalError as DatabaseAwayError
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError
from redis import RedisError

from recommendations.experiment_terms import NoteCode, StartRefusal, StartStep
from recommendations.models import Arm, Experiment, Placement, ShopSetting, Staff
from recommendations.models.experiments import BUCKETS, SALT
from recommendations.services.access import audit
from recommendations.services.experiments.bandits import first_shares
from recommendations.services.experiments.drafts import StaleExperimentError, described
from recommendations.services.experiments.levers import (
    LeverHolder,
    all_levers,
    fields_of,
    free_ranges,
    holders,
    served_changes,
    touched_placements,
)
from recommendations.services.experiments.lifecycle import LeverHeldError
from recommendations.services.experiments.notes import note
from recommendations.services.experiments.previews import unchanged_arms
from recommendations.services.experiments.start_report import StartCancelledError, StartReport
from recommendations.services.experiments.states import changed, locked
from recommendations.simulation.arm_lists import NobodyToAskError
from recommendations.simulation.live_sample import NoModelError
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.experiments.caps import spending_caps, start_measures
from recommendations.store.live import writes
from recommendations.store.rules.conditions import shop_day
from recommendations.store.serving.served_experiments import TRAFFIC_SALT, UnservableArmError
from recommendations.store.serving.snapshot_holder import NotLoadedError, current_snapshot
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric

LOCK = 7_264_107
TASK = "recommendations.tasks.begin_experiments"
AWAY = (DatabaseAwayError, InterfaceError, OperationalError, RedisError, MemoryError)
"""Errors that the next worker may not meet."""


class StartRefusedError(Exception):
    """An experiment cannot begin as it is: ``why``, with the ``facts`` that its words need."""

    def __init__(self, why: StartRefusal, **facts: Any) -> None:
        super().__init__(f"{why}: {facts}")
        self.why, self.facts = why, facts


@transaction.atomic
def start(*, experiment: Experiment, revision: int, by: Staff | None, now: datetime) -> Experiment:
    """Give a draft a range of the traffic, and ask a worker to begin it.

    Raises StaleExperimentError, LeverHeldError, and ValidationError where another of its name runs, or nothing differs.
    """
    stored = Experiment.objects.select_for_update().get(pk=experiment.pk)
    if stored.status != ExperimentStatus.DRAFT or revision != stored.revision:
        raise StaleExperimentError(stored)
    arms = list(stored.arms.order_by("position"))
    levers = all_levers(arm.changes for arm in arms)
    own = _range(stored, holders(levers, but=stored))
    _check_differences(stored, arms, levers)
    stored.range_from, stored.range_to = own.start, own.stop
    stored.status, stored.started_by, stored.beginning = ExperimentStatus.STARTING, by, {}
    try:
        with transaction.atomic():
            stored.save()
    except IntegrityError as error:
        raise ValidationError({"name": [_("Another experiment of this name is running.")]}) from error
    if stored.kind != ExperimentKind.BANDIT:  # of which staff chose one
        stored.placements.set(Placement.objects.filter(name__in=touched_placements(levers)))
    audit.record(by=by, verb="start", subject=stored, after=described(stored))
    note(stored, NoteCode.STARTING, by=by, at=now)
    transaction.on_commit(_ask_a_worker)
    return stored


@transaction.atomic
def cancel_start(*, experiment: Experiment, by: Staff | None, now: datetime) -> Experiment:
    """Make a draft again of what has not begun yet. Raises NotInStateError."""
    stored = locked(experiment, (ExperimentStatus.STARTING,))
    stored.status, stored.started_by, stored.revision = ExperimentStatus.DRAFT, None, stored.revision + 1
    stored.beginning = {}
    stored.save(update_fields=["status", "started_by", "revision", "beginning"])
    return changed(stored, "cancel start", NoteCode.START_CANCELLED, by=by, now=now)


def begin_experiments(now: datetime) -> int:
    """Begin all experiments that are to start; how many. Of two workers one does nothing."""
    with advisory_lock(LOCK) as alone:
        waiting = Experiment.objects.filter(status=ExperimentStatus.STARTING, simulated=False)
        return sum(_begin_or_refuse(experiment, now=now) for experiment in waiting.order_by("pk")) if alone else 0


def _begin_or_refuse(experiment: Experiment, *, now: datetime) -> bool:
    """Begin an experiment; one that cannot be, or fails by a bug, is a draft again, which says why. Bugs are raised."""
    try:
        return begin(experiment, now=now)
    except StartRefusedError as error:
        refuse_start(experiment, error, now=now)
    except AWAY:
        raise
    except Exception as error:  # the outermost boundary: the draft must say what happened, then it is everybody's
        refuse_start(experiment, StartRefusedError(StartRefusal.ERROR, error=type(error).__name__), now=now)
        raise
    return False


@transaction.atomic
def refuse_start(experiment: Experiment, error: StartRefusedError, *, now: datetime) -> None:
    """Make a draft again of what cannot begin; its log and the trail have why. Nothing where it was cancelled."""
    stored = Experiment.objects.select_for_update().get(pk=experiment.pk)
    if stored.status != ExperimentStatus.STARTING or stored.revision != experiment.revision:
        return
    stored.status, stored.started_by, stored.revision = ExperimentStatus.DRAFT, None, stored.revision + 1
    stored.beginning = {}
    stored.save(update_fields=["status", "started_by", "revision", "beginning"])
    facts = {"why": error.why, **error.facts, "revision": stored.revision}
    verdict = {"code": NoteCode.START_FAILED, "facts": facts, "primary": stored.primary}
    audit.record(by=None, verb="refuse start", subject=stored, after={"verdict": verdict})
    note(stored, NoteCode.START_FAILED, by=None, at=now, facts=facts)


def begin(experiment: Experiment, *, now: datetime) -> bool:
    """Compare lists, measure the four weeks before and let people in: the control is frozen as what is served now, and
    what a person counts at most, and the scales of the intervals, are set. False where the start was cancelled
    meanwhile.

    Raises StartRefusedError where an arm changes nobody's list, or refers to what is gone.
    """
    report = StartReport(experiment)
    try:
        _check_lists(experiment, report, now=now)
        report.step(StartStep.PAST)
        caps, scales = _measured(experiment, now=now)
        return _let_in(experiment, caps, scales, now=now)
    except StartCancelledError:
        return False
    except (UnservableArmError, ObjectDoesNotExist) as error:
        raise StartRefusedError(StartRefusal.GONE) from error


def _let_in(experiment: Experiment, caps: dict[str, float], scales: dict[str, float], *, now: datetime) -> bool:
    with transaction.atomic():
        stored = Experiment.objects.select_for_update().get(pk=experiment.pk)
        if stored.status != ExperimentStatus.STARTING or stored.revision != experiment.revision:
            return False
        arms = list(stored.arms.order_by("position"))
        freeze_arms(stored, arms, all_levers(arm.changes for arm in arms))
        if not Experiment.objects.running().exists():  # not always the same people are tested
            salt = secrets.token_hex(SALT)
            ShopSetting.objects.update_or_create(key=TRAFFIC_SALT, defaults={"value": salt})
        stored.status, stored.started_at, stored.settled_until = ExperimentStatus.RUNNING, now, now
        stored.caps, stored.scales, stored.beginning = caps, scales, {}
        stored.save()
        if any(values.get("fatigue") for arm in arms for values in arm.changes.get("placements", {}).values()):
            transaction.on_commit(writes.mark_incomplete)  # what was shown is not remembered where nothing asks for it
        if stored.kind == ExperimentKind.BANDIT:
            first_shares(stored, day=shop_day(now))
        facts = {"traffic": stored.traffic, "days": stored.planned_days}
        changed(stored, "begin", NoteCode.STARTED, by=stored.started_by, now=now, facts=facts)
    return True


def _check_lists(experiment: Experiment, report: StartReport, *, now: datetime) -> None:
    """Check that every arm changes somebody's list, where there is a model to ask. Raises StartRefusedError."""
    if experiment.kind == ExperimentKind.AA:
        return
    arms = list(experiment.arms.order_by("position"))
    bandit = experiment.kind == ExperimentKind.BANDIT
    placement = experiment.placements.values_list("name", flat=True).first() if bandit else None
    try:
        same, asked = unchanged_arms(
            current_snapshot(), arms, placement=placement or "", segments=experiment.segments, now=now,
            progress=lambda done, of: report.step(StartStep.LISTS, done=done, of=of),
        )  # fmt: skip
    except (NotLoadedError, NoModelError, NobodyToAskError):
        return
    if same:
        raise StartRefusedError(StartRefusal.SAME_LISTS, arms=[arm.position for arm in same], asked=asked)


def _measured(experiment: Experiment, *, now: datetime) -> tuple[dict[str, float], dict[str, float]]:
    """Caps and scales of an experiment; a bandit's scales come with its first days."""
    if experiment.kind != ExperimentKind.BANDIT:
        measures = start_measures(experiment, now=now)
        return dict(measures.caps), dict(measures.scales)
    return (spending_caps(experiment, now=now) if experiment.primary == Metric.ATTRIBUTED else {}), {}


def _ask_a_worker() -> None:
    """Send the task; where Valkey is away, the next that beat sends begins it."""
    try:
        current_app.send_task(TASK)
    except OperationalError:
        return


def _check_differences(experiment: Experiment, arms: Sequence[Arm], levers: frozenset[str]) -> None:
    """Check that some arm is not what everybody gets anyway, as that would be the same for all customers."""
    if experiment.kind == ExperimentKind.AA:
        return
    control = served_changes(levers, fields_of(arm.changes for arm in arms))
    if all(_merged(control, arm.changes) == control for arm in arms):
        raise ValidationError(
            {"arms": [_("Every version is what is live by now: it would be the same for all customers.")]}
        )


def _range(experiment: Experiment, held: Sequence[LeverHolder]) -> range:
    """The first free range of the traffic that is as wide as the draft asks for. Raises LeverHeldError."""
    wanted, free = experiment.range_to - experiment.range_from, free_ranges(held)
    for own in free:
        if len(own) >= wanted:
            return range(own.start, own.start + wanted)
    raise LeverHeldError(held, max(map(len, free), default=0) / BUCKETS)


def freeze_arms(experiment: Experiment, arms: Sequence[Arm], levers: frozenset[str]) -> None:
    """Set the control to what is served, and let every arm say all that the experiment takes hold of."""
    control = served_changes(levers, fields_of(arm.changes for arm in arms))
    for arm in arms:
        own = {} if arm.is_control or experiment.kind == ExperimentKind.AA else arm.changes
        arm.changes = _merged(control, own)
        arm.save(update_fields=["changes"])


def _merged(control: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The changes of an arm on top of what is served; a lever that it leaves alone is as the control has it."""
    merged = {**control, **own}
    for kind in ("weights", "pages"):
        if kind in control or kind in own:
            merged[kind] = {**control.get(kind, {}), **own.get(kind, {})}
    if "placements" in control or "placements" in own:
        names = {**control.get("placements", {}), **own.get("placements", {})}
        merged["placements"] = {
            name: {**control.get("placements", {}).get(name, {}), **own.get("placements", {}).get(name, {})}
            for name in names
        }
    return merged
