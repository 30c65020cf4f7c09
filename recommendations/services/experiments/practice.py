"""Practice with simulated visitors, in the demo: a copy of a draft runs in the worker, and nobody real is in it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from recommendations.experiment_terms import NoteCode
from recommendations.models import Arm, Experiment, Placement, PracticeRun, Staff
from recommendations.practice_terms import PracticeEffect
from recommendations.services.access import audit
from recommendations.services.experiments.bandits import guards
from recommendations.services.experiments.drafts import StaleExperimentError, described
from recommendations.services.experiments.levers import all_levers, touched_placements
from recommendations.services.experiments.notes import note
from recommendations.services.experiments.practice_days import live_through
from recommendations.services.experiments.starting import freeze_arms
from recommendations.services.experiments.states import NotInStateError
from recommendations.serving.page import UnknownPageError
from recommendations.serving.pipeline import UnknownPlacementError
from recommendations.simulation.arm_lists import NobodyToAskError
from recommendations.simulation.live_sample import NoModelError
from recommendations.store import jobs
from recommendations.store.serving.served_experiments import UnservableArmError
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric, RunStatus

FIRST_SEED = 1
TOLERANCE = 0.05  # of the guardrail that sees harm, where the draft has none on who buys
NOT_SIMULATED = frozenset({Metric.LATENCY, Metric.DISLIKES})
"""Metrics that simulated visitors do not move: a guardrail on one judges nothing in a practice."""
REFUSALS = (NoModelError, NobodyToAskError, UnknownPageError, UnknownPlacementError, UnservableArmError)


class PracticeIsOffError(Exception):
    """Practice is for the demo: a shop of one's own has real visitors."""


class PracticeRunsError(Exception):
    """The practice is still running: it has to be cancelled first."""


def is_offered(experiment: Experiment) -> bool:
    """Whether simulated visitors can try this draft."""
    return settings.DEMO and experiment.status == ExperimentStatus.DRAFT and not experiment.simulated


def judging_guardrails(experiment: Experiment) -> dict[str, float]:
    """Guardrails that really judge an experiment, with what each tolerates: who buys always guards a bandit."""
    given = {Metric(name): float(tolerance) for name, tolerance in experiment.guardrails.items()}
    if experiment.kind == ExperimentKind.BANDIT:
        given = guards(experiment)
    left_out = NOT_SIMULATED if experiment.simulated else frozenset()
    return {name.value: tolerance for name, tolerance in given.items() if name not in left_out}


@transaction.atomic
def practise(
    *, draft: Experiment, effect: PracticeEffect, seed: int = FIRST_SEED, by: Staff | None, now: datetime
) -> PracticeRun:
    """Copy a draft, and ask a worker to let simulated visitors through the copy; the draft stays as it is.

    Raises PracticeIsOffError, and StaleExperimentError where the draft was started meanwhile.
    """
    if not settings.DEMO:
        raise PracticeIsOffError
    stored = Experiment.objects.select_for_update().get(pk=draft.pk)
    if not is_offered(stored):
        raise StaleExperimentError(stored)
    own = _copy(stored, effect, by=by, now=now)
    audit.record(by=by, verb="practise", subject=own, after=described(own))
    note(own, NoteCode.COPIED, by=by, at=now, facts={"name": stored.name})
    return _ask(own, effect, seed=seed, by=by)


@transaction.atomic
def repeat(*, experiment: Experiment, seed: int, by: Staff | None) -> PracticeRun:
    """Let other simulated visitors through a practice, in place of those before.

    Raises PracticeIsOffError, PracticeRunsError, and NotInStateError where it is no practice.
    """
    if not settings.DEMO:
        raise PracticeIsOffError
    last = _idle(experiment)
    audit.record(by=by, verb="practise", subject=last.experiment, after={"seed": seed})
    return _ask(last.experiment, PracticeEffect(last.effect), seed=seed, by=by)


@transaction.atomic
def delete_practice(*, experiment: Experiment, by: Staff | None) -> None:
    """Delete a practice with all that came of it. Raises PracticeRunsError, and NotInStateError where it is none."""
    stored = _idle(experiment).experiment
    audit.record(by=by, verb="delete practice", subject=stored, before=described(stored))
    stored.delete()


@transaction.atomic
def cancel_practice(*, experiment: Experiment, by: Staff | None, now: datetime) -> bool:
    """Ask the run of a practice to stop; False where it is over."""
    run = last_run(experiment)
    if run is None or not jobs.request_cancel(run, now=now):
        return False
    audit.record(by=by, verb="cancel practice", subject=experiment, after={"seed": run.seed})
    return True


def last_run(experiment: Experiment) -> PracticeRun | None:
    """The newest run of a practice; None where the experiment is none."""
    return PracticeRun.objects.filter(experiment=experiment).first()


def work(key: UUID) -> RunStatus | None:
    """Run a practice in the worker, from its beginning; None where it is gone, over or somebody else is at it."""
    run = PracticeRun.objects.select_related("experiment").filter(pk=key).first()
    return jobs.run_job(run, live_through, clock=timezone.now, refusals=REFUSALS)


def _idle(experiment: Experiment) -> PracticeRun:
    """The newest run of a practice, which is over."""
    stored = Experiment.objects.select_for_update().get(pk=experiment.pk)
    run = last_run(stored)
    if not stored.simulated or run is None:
        raise NotInStateError(stored)
    if run.unfinished:
        raise PracticeRunsError
    return run


def _ask(experiment: Experiment, effect: PracticeEffect, *, seed: int, by: Staff | None) -> PracticeRun:
    run = PracticeRun.objects.create(experiment=experiment, seed=seed, effect=effect, started_by=by)
    transaction.on_commit(lambda: jobs.enqueue(run))
    return run


def _copy(draft: Experiment, effect: PracticeEffect, *, by: Staff | None, now: datetime) -> Experiment:
    """Store the copy: its control is what is served now, and everybody may be in it."""
    fields: dict[str, Any] = {
        name: getattr(draft, name)
        for name in (
            "name", "hypothesis", "kind", "segments", "signed_in", "primary", "guardrails", "smallest_lift",
            "planned_days", "half_life",
        )
    }  # fmt: skip
    if effect is PracticeEffect.HARMFUL and draft.kind == ExperimentKind.AB:
        fields["guardrails"] = {Metric.CONVERTED.value: TOLERANCE} | draft.guardrails
    own = Experiment.objects.create(
        **fields, simulated=True, status=ExperimentStatus.STARTING, author=by, started_by=by, created_at=now
    )
    arms = [
        Arm(experiment=own, position=arm.position, name=arm.name, changes=arm.changes, share=arm.share, floor=arm.floor)
        for arm in draft.arms.order_by("position")
    ]
    Arm.objects.bulk_create(arms)
    levers = all_levers(arm.changes for arm in arms)
    freeze_arms(own, arms, levers)
    placements = draft.placements.all() if draft.kind == ExperimentKind.BANDIT else Placement.objects.filter(
        name__in=touched_placements(levers)
    )  # fmt: skip
    own.placements.set(placements)
    return own
