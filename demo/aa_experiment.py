"""The A/A of the replay: its customers are parted into two arms that get the same, so it has to find nothing.

It takes hold of the blend of the home page, which nobody changes there, and not of its weights: whoever publishes
weights meanwhile, or tests a draft of them, does so for everybody, and both arms get them alike.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from demo.models import Replay
from recommendations.models.attribution import DueLine
from recommendations.services.experiments import readings
from recommendations.services.experiments.drafts import save_draft
from recommendations.services.experiments.forms import ArmForm, ExperimentForm
from recommendations.services.experiments.levers import HELD_IN
from recommendations.services.experiments.lifecycle import LeverHeldError, stop
from recommendations.services.experiments.standings import last_read
from recommendations.services.experiments.starting import begin_experiments, start
from recommendations.services.experiments.states import NotInStateError
from recommendations.services.operations import housekeeping
from recommendations.terms import BlendName, ExperimentKind, Metric, RunStatus

PLACEMENT = "home"
FORM = ExperimentForm(
    name="A/A of the replay",
    kind=ExperimentKind.AA,
    hypothesis="Both get what is live, so there is nothing to be found. Runs while the last days come in, then stops.",
    arms=[ArmForm(changes={"placements": {PLACEMENT: {"blend": BlendName.HOME}}})],
    primary=Metric.CTR,
    smallest_lift=0.1,
    planned_days=14,
)
OVER = (RunStatus.SUCCEEDED, RunStatus.CANCELLED)
BETWEEN_LOOKS = timedelta(minutes=1)
PATIENCE = timedelta(minutes=2)  # after the end of the replay, for what of it is still to be settled


def start_aa(replay: Replay, *, now: datetime) -> None:
    """Start the A/A of a replay that has none yet, as staff would; not where somebody's experiment is in its way."""
    if replay.experiment is not None:
        return
    with suppress(LeverHeldError, ValidationError), transaction.atomic():
        draft = save_draft(experiment=None, form=FORM, revision=None, by=None, now=now)
        replay.experiment = start(experiment=draft, revision=draft.revision, by=None, now=now)
        replay.save(update_fields=["experiment"])
    begin_experiments(now)


def watch_aa(*, now: datetime) -> bool:
    """Look at the A/A every minute while its replay goes on, and stop it at the end; whether it was looked at."""
    replay = Replay.objects.select_related("experiment").first()
    experiment = replay.experiment if replay else None
    if replay is None or experiment is None or experiment.status not in HELD_IN:
        return False
    over = replay.status in OVER
    if over and _is_unsettled() and now - (replay.finished_at or now) < PATIENCE:
        return False
    read_at = last_read(experiment, until=now)
    if not over and read_at is not None and now - read_at < BETWEEN_LOOKS:
        return False
    readings.settle_units(now)
    readings.read_experiment(experiment, now=now)
    readings.judge(experiment, now=now)
    if over:
        with suppress(NotInStateError):  # somebody stopped it meanwhile
            stop(experiment=experiment, by=None, now=now)
    return True


def _is_unsettled() -> bool:
    """Whether something of what came in still waits for its answer to be in the record."""
    while housekeeping.write_slates():
        pass
    return DueLine.objects.filter(fault="").exists()
