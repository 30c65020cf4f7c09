"""People of experiments in the list and on their pages: how many count, and whether any but the replay's came."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import BigIntegerField, F, Func, Sum
from django.utils.translation import gettext as _

from recommendations.models import Experiment, Reading, Slate
from recommendations.terms import ExperimentKind, ExperimentStatus
from recommendations.wording.experiment_advice import with_advice

SETTLED = timedelta(minutes=2)
"""How old an answer is before it is clear whether the replay asked for it: its events come a little later."""


def people_who_count(experiments: Sequence[Experiment]) -> dict[int, int]:
    """People at the last reading of each experiment, by its key; those that were not read yet are left out."""
    own = Reading.objects.filter(
        arm__experiment__in=[each.pk for each in experiments], segment=None, metric=F("arm__experiment__primary")
    )
    rows = own.values_list("arm__experiment", "at").annotate(people=Sum("n")).order_by("at")
    return {key: people for key, _at, people in rows}


def with_replay_only(experiments: Sequence[Experiment], *, now: datetime) -> set[int]:
    """Keys of the experiments without a verdict to which only customers of the demo's replay came so far.

    Their arms have been fetched.
    """
    begun = [
        each for each in experiments
        if each.started_at and not each.decision and not each.simulated and each.kind != ExperimentKind.BANDIT
    ]  # fmt: skip
    if not (settings.DEMO and begun):
        return set()
    experiment_of = {arm.pk: each.pk for each in begun for arm in each.arms.all()}
    answers = Slate.objects.filter(
        arms__overlap=list(experiment_of), served_at__gte=min(each.started_at for each in begun if each.started_at),
        served_at__lte=now - SETTLED, unit__isnull=False,
    )  # fmt: skip
    came: dict[int, set[bool]] = defaultdict(set)
    under = Func(F("arms"), function="unnest", output_field=BigIntegerField())
    for arm, replay in answers.annotate(under=under).values_list("under", "replay").distinct():
        if arm in experiment_of:
            came[experiment_of[arm]].add(replay)
    return {key for key, kinds in came.items() if kinds == {True}}


def unjudged(experiment: Experiment, *, replay_only: bool, people: int) -> str:
    """What is to be said of an experiment that began and has no verdict; empty while it waits for its first reading.

    A bandit has its own sentence from its first day on.
    """
    if experiment.started_at is None or experiment.kind == ExperimentKind.BANDIT:
        return ""
    if replay_only:
        text = _("Only customers of the replay came so far: they bought anyway, so they do not show what sells more")
    elif people:
        text = _("There is no verdict: it ended before the first one") if experiment.ended_at else _("No verdict yet")
    else:
        text = _("Nothing was counted")
    if experiment.status == ExperimentStatus.PAUSED:
        return with_advice(
            _("Paused: until it is resumed, everybody gets what is live and nobody new takes part"), text
        )
    return text if replay_only or experiment.status != ExperimentStatus.RUNNING else ""
