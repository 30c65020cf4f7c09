"""Practice: simulated visitors of an experiment that nobody real is in."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from recommendations.models.experiments import Experiment
from recommendations.models.jobs import Job, JobQuerySet
from recommendations.models.staff import Staff
from recommendations.wording import practice_labels


class PracticeRun(Job):
    """A run of simulated visitors through a simulated experiment; of several the newest is what its page shows.

    ``truth`` is what each arm but the control changes in truth, as shares of the control's, by metric, and on how many
    people and lists that rests.
    """

    TASK = "recommendations.tasks.practise"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    experiment = models.ForeignKey(
        Experiment, models.CASCADE, related_name="practice_runs", verbose_name=_("experiment")
    )
    seed = models.PositiveIntegerField(_("seed"))
    effect = models.CharField(_("effect"), max_length=8, choices=practice_labels.EFFECTS)
    started_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("started by"))
    truth = models.JSONField(_("true effect"), default=dict)

    objects: ClassVar[models.Manager["PracticeRun"]] = models.Manager.from_queryset(JobQuerySet["PracticeRun"])()

    class Meta(Job.Meta):
        verbose_name = _("run of a practice")
        verbose_name_plural = _("runs of practices")
        ordering: ClassVar[list[str]] = ["-created_at"]
