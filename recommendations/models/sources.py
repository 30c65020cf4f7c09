"""Where events came from: what each API key sent, hour by hour."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from recommendations.models.access import ApiKey


class SourceHour(models.Model):
    """What came with one key in one hour, by the time of its arrival. Counts only: it leads to nobody."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="hours", verbose_name=_("API key"))
    hour = models.DateTimeField(_("hour"))
    lines = models.PositiveIntegerField(_("lines"), default=0)
    people = models.PositiveIntegerField(_("people"), default=0, help_text=_("About 1% too many or too few."))
    new_people = models.PositiveIntegerField(_("new people"), default=0)
    purchases = models.PositiveIntegerField(_("purchases"), default=0)
    not_kept = models.PositiveIntegerField(
        _("taken without a name"), default=0, help_text=_("Events of new people beyond the quota.")
    )
    refused = models.PositiveIntegerField(_("refused"), default=0, help_text=_("Requests of events beyond a quota."))

    class Meta:
        verbose_name = _("hour of a source")
        verbose_name_plural = _("hours of sources")
        ordering: ClassVar[list[str]] = ["-hour"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["key", "hour"], name="one_hour_of_a_source"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["hour"], name="source_hour_by_hour")]

    def __str__(self) -> str:
        return f"{self.key} {self.hour:%Y-%m-%d %H}:00"
