"""How long things are kept, what went when it was over, and events that have to stay all the same."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.staff import Staff
from recommendations.privacy_terms import RetentionKind
from recommendations.wording.privacy import labels as privacy_labels


class RetentionRule(models.Model):
    """Days for which a kind is kept, since a moment; the newest rule counts, and a trigger keeps each as it is."""

    kind = models.CharField(_("kind"), max_length=20, choices=privacy_labels.RETENTION_KINDS)
    days = models.PositiveIntegerField(_("days"))
    note = models.TextField(_("note"))
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("set"), default=timezone.now)

    class Meta:
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention rules")
        ordering: ClassVar[list[str]] = ["-at", "-pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(kind__in=list(RetentionKind)), name="retention_kind_is_known"),
            models.CheckConstraint(condition=models.Q(days__gte=1), name="retention_is_a_day_at_least"),
        ]

    def __str__(self) -> str:
        return self.kind


class RetentionDrop(models.Model):
    """What went in one night: a month of a table, which is not made again, or rows of a kind that has no months."""

    kind = models.CharField(_("kind"), max_length=20, choices=privacy_labels.RETENTION_KINDS)
    partition = models.CharField(_("month's table"), max_length=63, blank=True)
    rows = models.BigIntegerField(_("rows"))
    size = models.BigIntegerField(_("bytes"), default=0)
    held = models.PositiveIntegerField(_("rows of people who are held"), default=0)
    customers = models.PositiveIntegerField(
        pgettext_lazy("model", "customers"), null=True,
        help_text=_("Of whom nothing was left; none: they are still looked for."),
    )  # fmt: skip
    at = models.DateTimeField(_("dropped"), default=timezone.now)

    class Meta:
        verbose_name = _("dropped data")
        verbose_name_plural = _("dropped data")
        ordering: ClassVar[list[str]] = ["-at", "-pk"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["partition"], name="dropped_month")]

    def __str__(self) -> str:
        return self.partition or self.kind

    @property
    def month(self) -> str:
        """The month, as 2026-09; "" where rows of no whole month went."""
        return self.partition.rpartition("_y")[2].replace("m", "-")


class HeldEvent(models.Model):
    """An event that went with its month but for a legal hold on somebody, until that ends.

    ``event`` is the row without keys of ours, its item by the shop's id.
    """

    held_for = models.BigIntegerField(_("customer"))
    occurred_at = models.DateTimeField(_("occurred"))
    event_id = models.UUIDField(_("event id"))
    line = models.SmallIntegerField(_("line"))
    event = models.JSONField(pgettext_lazy("model", "event"))

    class Meta:
        verbose_name = _("event that is held")
        verbose_name_plural = _("events that are held")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["event_id", "occurred_at", "line"], name="a_line_is_held_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["held_for"], name="held_for_customer")]

    def __str__(self) -> str:
        return f"{self.event_id} {self.line}"
