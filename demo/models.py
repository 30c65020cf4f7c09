"""The replay of the demo: the last days of its data, which come in through the API like a shop's own."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.experiments import Experiment
from recommendations.models.jobs import Job, JobQuerySet
from recommendations.models.training import Run


class Replay(Job):
    """The replay, one per installation. It goes on where it was left: the ids of its events are always the same."""

    TASK = "demo.tasks.run_replay"
    QUEUE = "loop"
    MOST_TRIES = None  # every start of the demo is one
    LOCK = 7_264_103

    starts_at = models.DateTimeField(_("from"), help_text=_("Purchases from here on were held back by the import."))
    shift_weeks = models.IntegerField(_("moved by weeks"))
    households = models.PositiveIntegerField(_("households"), null=True)
    baskets = models.PositiveIntegerField(_("baskets"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    already = models.PositiveIntegerField(_("done before this start"), default=0)
    events = models.PositiveIntegerField(pgettext_lazy("model", "events"), default=0)
    refused = models.PositiveIntegerField(_("lines refused"), default=0)
    resumed_at = models.DateTimeField(_("started again"), null=True)
    run = models.ForeignKey(
        Run, models.SET_NULL, null=True, related_name="+", verbose_name=_("the run that learned from it")
    )

    experiment = models.ForeignKey(
        Experiment, models.SET_NULL, null=True, related_name="+", verbose_name=_("the A/A that ran with it")
    )

    objects: ClassVar[models.Manager["Replay"]] = models.Manager.from_queryset(JobQuerySet["Replay"])()

    class Meta(Job.Meta):
        verbose_name = _("replay")
        verbose_name_plural = _("replays")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *Job.Meta.constraints,
            models.UniqueConstraint(models.Value(1), name="one_replay"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.done}/{self.baskets}"

    @property
    def per_second(self) -> float | None:
        """Baskets a second since the last start; None before there is one."""
        if self.resumed_at is None or self.heartbeat_at is None or self.done == self.already:
            return None
        seconds = (self.heartbeat_at - self.resumed_at).total_seconds()
        return (self.done - self.already) / seconds if seconds > 0 else None

    @property
    def left(self) -> timedelta | None:
        speed = self.per_second
        return timedelta(seconds=(self.baskets - self.done) / speed) if speed else None
