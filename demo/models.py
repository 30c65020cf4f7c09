"""The replay of the demo: the last days of its data, which come in through the API like a shop's own."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from recommendations.models.training import Run
from recommendations.terms import RunStatus
from recommendations.wording import labels


class Replay(models.Model):
    """The replay, one per installation. It goes on where it was left: the ids of its events are always the same."""

    starts_at = models.DateTimeField(_("from"), help_text=_("Purchases from here on were held back by the import."))
    shift_weeks = models.IntegerField(_("moved by weeks"))
    households = models.PositiveIntegerField(_("households"), null=True)
    status = models.CharField(_("status"), max_length=12, choices=labels.RUN_STATUSES, default=RunStatus.QUEUED)
    baskets = models.PositiveIntegerField(_("baskets"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    already = models.PositiveIntegerField(_("done before this start"), default=0)
    events = models.PositiveIntegerField(_("events"), default=0)
    refused = models.PositiveIntegerField(_("lines refused"), default=0)
    started_at = models.DateTimeField(_("started"), null=True)
    resumed_at = models.DateTimeField(_("started again"), null=True)
    heartbeat_at = models.DateTimeField(_("heard of"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    cancel_requested_at = models.DateTimeField(_("cancel asked for"), null=True)
    message = models.TextField(_("message"), blank=True)
    run = models.ForeignKey(
        Run, models.SET_NULL, null=True, related_name="+", verbose_name=_("the run that learned from it")
    )

    class Meta:
        verbose_name = _("replay")
        verbose_name_plural = _("replays")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(models.Value(1), name="one_replay")
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.done}/{self.baskets}"
