"""Event weights that a run proposes: kept with the version, accepted or declined by staff, used by the next run."""

from dataclasses import replace

import numpy as np
import pytest
from django.utils import timezone

from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.feedback.event_weights import LearnedPoints
from recommendations.engine.preprocess.matrix import DEFAULT_POINTS, TrainingSnapshot
from recommendations.event_types import EventName
from recommendations.loop import event_points as loop_event_points
from recommendations.loop import preprocess
from recommendations.loop.collect import close_window
from recommendations.loop.context import RunContext
from recommendations.loop.event_points import PointsTrial, TrainedOn, compared, lesson, propose, proposed_points
from recommendations.models import AuditEntry, BlendWeights, ModelVersion, RunLogLine
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.operations.event_points import NoProposalError, accept_points, decline_points
from recommendations.services.operations.runs import start_run
from recommendations.store import jobs
from recommendations.store.models.event_points import event_points
from recommendations.store.models.model import load_snapshot, load_truths
from recommendations.store.models.runs import StageReport
from recommendations.terms import Cut, GateOutcome, Stage, Task

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

VIEW = LearnedPoints(points=Measure(1.8, 1.5, 2.1), pairs=900, bought=0.05, expected=0.02)


def version() -> ModelVersion:
    return ModelVersion.objects.select_related("run").get()


def trained(cut: Cut, *, noise: float = 0.0) -> TrainedOn:
    """The shop's training set of a cut; with noise its acts count as chance has it."""
    made, _ = load_snapshot(version().pk, cut)
    truth = load_truths(version().pk, cut)[Task.HOME]
    return TrainedOn(_shaken(made) if noise else made, truth)


def _shaken(made: TrainingSnapshot) -> TrainingSnapshot:
    acts = made.training.interactions
    item = np.random.default_rng(1).permutation(acts.item)
    return replace(made, training=replace(made.training, interactions=replace(acts, item=item)))


def proposed(*, noise: float = 0.0) -> ModelVersion:
    context = RunContext.of(version().run, cut=None, report=lambda *_a, **_k: None)  # type: ignore[arg-type]
    reached = {
        cut: compared(context, PointsTrial(trained(cut), trained(cut, noise=noise))) for cut in (Cut.TUNING, Cut.TEST)
    }
    propose(context, {"view_item": VIEW}, reached)
    return version()


def test_the_same_training_set_gains_nothing_and_one_of_noise_is_worse() -> None:
    told = proposed().points_proposal
    assert told["points"]["view_item"]["points"] == {"value": 1.8, "low": 1.5, "high": 2.1}
    assert (told["gain"]["value"], told["gain"]["low"], told["gain"]["high"]) == pytest.approx((0, 0, 0))
    assert told["users"] > 20
    assert told["gate"]["outcome"] == GateOutcome.PASSED
    assert event_points() == DEFAULT_POINTS
    worse = proposed(noise=1.0).points_proposal
    assert worse["gain"]["high"] < 0
    assert worse["gate"]["outcome"] == GateOutcome.WORSE


def test_nothing_is_learned_before_there_are_weights_and_nobody_is_drawn_for_it() -> None:
    BlendWeights.objects.update(is_default=False)
    said: list[object] = []
    context = RunContext.of(version().run, cut=None, report=lambda *_a, **told: said.append(told))  # type: ignore[arg-type]
    assert lesson(context, [], np.arange(3), DEFAULT_POINTS, kept=10**9) == ({}, None)
    assert said == []


@pytest.mark.parametrize("few", [False, True])
def test_points_are_tried_on_all_that_is_known_of_items_and_on_some_customers_of_very_many(
    monkeypatch: pytest.MonkeyPatch, *, few: bool
) -> None:
    tried: list[PointsTrial] = []
    monkeypatch.setattr(loop_event_points, "learned_points", lambda *_: {"view_item": VIEW})
    monkeypatch.setattr(
        preprocess, "compared", lambda context, trial: (tried.append(trial), compared(context, trial))[1]
    )
    if few:
        monkeypatch.setattr(loop_event_points, "MOST_EVENTS", 300)
    run = start_run(by=None, now=timezone.now(), in_worker=False)
    row = run.stages.get(stage=Stage.PREPROCESS)
    context = RunContext.of(run, cut=None, report=StageReport(run=run, row=row, n_stages=8, report=jobs.Reporter(run)))
    close_window(context)
    counts = preprocess.make_snapshots(context)
    customers = {cut: load_snapshot(context.version.pk, cut)[0].users.ids for cut in (Cut.TUNING, Cut.TEST)}
    for cut, trial in zip(customers, tried, strict=True):
        whole, _ = load_snapshot(context.version.pk, cut)
        for one in (trial.now.made, trial.proposed.made):
            assert set(one.users.ids) <= set(whole.users.ids)
            assert (len(one.users) < len(whole.users)) == few
            at, vectors = whole.items.rows(one.items.ids), one.training.catalogue.vectors
            assert vectors is not None
            np.testing.assert_array_equal(vectors, np.asarray(whole.training.catalogue.vectors)[at])
    assert counts["proposed_points"] == 1
    told = ModelVersion.objects.get(pk=context.version.pk).points_proposal
    assert 0 < told["users"] <= len(customers[Cut.TUNING])


def test_what_staff_accept_the_next_run_counts_with() -> None:
    made = accept_points(version=proposed(), by=None, now=timezone.now())
    assert made.points_proposal["decided"] == "accepted"
    assert event_points() == pytest.approx({**DEFAULT_POINTS, EventName.VIEW_ITEM: 1.8})
    (entry,) = AuditEntry.objects.filter(verb="accept event weights")
    assert entry.after == {"points": event_points()}
    assert RunLogLine.objects.order_by("-pk")[0].text == "the proposed event weights were accepted"
    for again in (accept_points, decline_points):
        with pytest.raises(NoProposalError):
            again(version=made, by=None, now=timezone.now())


def test_what_staff_decline_changes_nothing() -> None:
    made = decline_points(version=proposed(), by=None, now=timezone.now())
    assert made.points_proposal["decided"] == "declined"
    assert event_points() == DEFAULT_POINTS


def test_what_tested_worse_needs_a_note() -> None:
    made = proposed(noise=1.0)
    with pytest.raises(NoteNeededError):
        accept_points(version=made, by=None, now=timezone.now(), note=" ")
    assert event_points() == DEFAULT_POINTS
    accept_points(version=made, by=None, now=timezone.now(), note="The test window was a holiday.")
    assert event_points()["view_item"] == 1.8


def test_an_act_keeps_some_points() -> None:
    none = LearnedPoints(points=Measure(0, 0, 0.2), pairs=900, bought=0.02, expected=0.02)
    assert proposed_points(DEFAULT_POINTS, {"view_item": none})["view_item"] == 0.05
