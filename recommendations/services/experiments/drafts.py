"""Experiments as staff draft them: what is compared, for whom, by which metric, and for how long."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from recommendations.experiment_terms import NoteCode
from recommendations.models import Arm, Experiment, Placement, Staff
from recommendations.models.experiments import BUCKETS
from recommendations.services.access import audit
from recommendations.services.experiments.checks import check
from recommendations.services.experiments.forms import ArmForm, ExperimentForm, shares_of
from recommendations.services.experiments.levers import all_levers, live_changes, touched_placements
from recommendations.services.experiments.notes import note
from recommendations.terms import ExperimentKind, ExperimentStatus

AS_IN_THE_FORM = ("signed_in", "primary", "smallest_lift", "planned_days", "half_life", "by_segment")
"""Fields of an experiment that are what its form says."""


class StaleExperimentError(Exception):
    """Somebody changed the draft, or started it, since it was read; ``current`` is what it is now."""

    def __init__(self, current: Experiment) -> None:
        super().__init__(f"{current} was changed by somebody else")
        self.current = current


@transaction.atomic
def save_draft(
    *, experiment: Experiment | None, form: ExperimentForm, revision: int | None, by: Staff | None, now: datetime
) -> Experiment:
    """Create (``experiment`` None) or change a draft; ``revision`` is the one that the writer saw.

    Raises ValidationError with ``message_dict`` by field, and StaleExperimentError; then nothing is saved.
    """
    form = _of_what_is_live(form) if form.kind == ExperimentKind.AA else form
    check(form)
    if experiment is None:
        stored = Experiment(author=by, created_at=now, revision=0)
    else:
        stored = Experiment.objects.select_for_update().get(pk=experiment.pk)
        if stored.status != ExperimentStatus.DRAFT or revision != stored.revision:
            raise StaleExperimentError(stored)
    before = described(stored) if stored.pk else None
    for name, value in _fields(form).items():
        setattr(stored, name, value)
    stored.revision += 1
    stored.save()
    levers = all_levers(arm.changes for arm in form.arms)
    touched = [form.placement] if form.kind == ExperimentKind.BANDIT else touched_placements(levers)
    stored.placements.set(Placement.objects.filter(name__in=touched))
    stored.arms.all().delete()
    Arm.objects.bulk_create(_arms(stored, form))
    verb = "change" if before else "create"
    audit.record(by=by, verb=verb, subject=stored, before=before, after=described(stored))
    note(stored, NoteCode.CHANGED if before else NoteCode.CREATED, by=by, at=now)
    return stored


@transaction.atomic
def delete_draft(*, experiment: Experiment, by: Staff | None) -> None:
    """Delete a draft. Raises StaleExperimentError where it was started meanwhile."""
    stored = Experiment.objects.select_for_update().get(pk=experiment.pk)
    if stored.status != ExperimentStatus.DRAFT:
        raise StaleExperimentError(stored)
    audit.record(by=by, verb="delete", subject=stored, before=described(stored))
    stored.delete()


def form_of(experiment: Experiment) -> ExperimentForm:
    """The form that would draft an experiment like this one, without its control."""
    arms = [arm for arm in experiment.arms.order_by("position") if not arm.is_control]
    bandit = experiment.kind == ExperimentKind.BANDIT
    placement = experiment.placements.values_list("name", flat=True).first() if bandit else None
    return ExperimentForm(
        name=experiment.name,
        kind=ExperimentKind(experiment.kind),
        hypothesis=experiment.hypothesis,
        arms=[ArmForm(changes=arm.changes, name=arm.name, share=arm.share) for arm in arms],
        segments=tuple(experiment.segments),
        traffic=experiment.traffic,
        guardrails=experiment.guardrails,
        placement=placement or "",
        **{name: getattr(experiment, name) for name in AS_IN_THE_FORM},
    )


def described(experiment: Experiment) -> dict[str, Any]:
    """What the trail says of an experiment."""
    arms = {arm.letter: {"share": arm.share, **arm.changes} for arm in experiment.arms.order_by("position")}
    return {
        "name": experiment.name, "kind": experiment.kind, "status": experiment.status, "primary": experiment.primary,
        "days": experiment.planned_days, "traffic": experiment.traffic, "arms": arms,
    }  # fmt: skip


def _of_what_is_live(form: ExperimentForm) -> ExperimentForm:
    """An A/A with what is live in every arm, whatever it names; what is not there is left to the check."""
    try:
        return replace(form, arms=[replace(arm, changes=live_changes([arm.changes])) for arm in form.arms])
    except ObjectDoesNotExist:
        return form


def _fields(form: ExperimentForm) -> dict[str, Any]:
    return {
        "name": form.name.strip(),
        "kind": form.kind,
        "hypothesis": form.hypothesis.strip(),
        "segments": sorted(form.segments),
        "range_from": 0,
        "range_to": round(form.traffic * BUCKETS),
        "guardrails": dict(form.guardrails),
        **{name: getattr(form, name) for name in AS_IN_THE_FORM},
    }


def _arms(experiment: Experiment, form: ExperimentForm) -> list[Arm]:
    """The arms, the control first; its changes are set when the experiment starts."""
    shares = shares_of(form)
    rows = [Arm(experiment=experiment, position=0, changes={}, share=shares[0])]
    for position, (own, share) in enumerate(zip(form.arms, shares[1:], strict=True), 1):
        rows.append(
            Arm(experiment=experiment, position=position, name=own.name.strip(), changes=dict(own.changes), share=share)
        )
    return rows
