"""Watches: what happened at each placement hour by hour, what is out of the ordinary, and how lists change."""

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.staff import Staff
from recommendations.models.training import ModelVersion
from recommendations.watch_terms import AlarmDirection, WatchedRate
from recommendations.wording import watch_labels


class PlacementHour(models.Model):
    """Sums of an hour at a placement, without the replay; those of placement "" are of the whole shop.

    They are counted once, soon after the hour: what arrives later counts in none. ``times`` are answers by the buckets
    of ``store/live/counters.py``.
    """

    hour = models.DateTimeField(_("hour"))
    placement = models.CharField(_("placement"), max_length=40, blank=True)
    slates = models.IntegerField(_("lists served"), default=0)
    fallback = models.IntegerField(_("not from the model"), default=0)
    times = ArrayField(models.IntegerField(), default=list, verbose_name=_("answers by the time they took"))
    clicked = models.IntegerField(_("lists clicked"), default=0)
    bought = models.IntegerField(_("lists bought from"), default=0)
    revenue = models.FloatField(_("revenue"), default=0)
    squares = models.FloatField(_("squares of the revenue"), default=0)
    events = models.IntegerField(pgettext_lazy("model", "events"), default=0)

    class Meta:
        verbose_name = _("hour of a placement")
        verbose_name_plural = _("hours of placements")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["placement", "hour"], name="placement_hour_once")
        ]

    def __str__(self) -> str:
        return f"{self.placement} {self.hour:%Y-%m-%d %H}"


class RateWatch(models.Model):
    """How far a rate of a placement was watched, and the evidence for a change either way as it stands."""

    rate = models.CharField(_("rate"), max_length=10, choices=watch_labels.RATES)
    placement = models.CharField(_("placement"), max_length=40, blank=True)
    watched_until = models.DateTimeField(_("watched until"))
    by_day = models.BooleanField(_("by day"), default=False)
    silent = models.BooleanField(_("too little data"), default=True)
    rise = models.FloatField(_("evidence for a rise"), default=0)  # ln e
    rise_steps = models.IntegerField(default=0)
    fall = models.FloatField(_("evidence for a fall"), default=0)
    fall_steps = models.IntegerField(default=0)

    class Meta:
        verbose_name = _("watch of a rate")
        verbose_name_plural = _("watches of rates")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["placement", "rate"], name="one_watch_of_a_rate")
        ]

    def __str__(self) -> str:
        return f"{self.rate} {self.placement}".strip()


class AlarmQuerySet(models.QuerySet["Alarm"]):
    def lasting(self) -> Self:
        """Alarms whose rate is not as usual again, whether somebody has seen them or not."""
        return self.filter(ended_at=None)

    def unseen(self) -> Self:
        return self.lasting().filter(seen_at=None)


class Alarm(models.Model):
    """A rate that is out of the ordinary, from its onset until it is as usual again, or somebody has seen it."""

    rate = models.CharField(_("rate"), max_length=10, choices=watch_labels.RATES)
    placement = models.CharField(_("placement"), max_length=40, blank=True)
    direction = models.CharField(_("direction"), max_length=4, choices=watch_labels.DIRECTIONS)
    by_day = models.BooleanField(_("by day"), default=False)
    onset = models.DateTimeField(_("since"))
    raised_at = models.DateTimeField(_("raised"))
    last_at = models.DateTimeField(_("last seen again"))
    times = models.PositiveIntegerField(_("times"), default=1)
    change = models.FloatField(_("change"), help_text=_("As a share of what is usual; of a distribution its shift."))
    ended_at = models.DateTimeField(_("as usual again"), null=True)
    seen_at = models.DateTimeField(_("seen"), null=True)
    seen_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("seen by"))

    objects: ClassVar[models.Manager["Alarm"]] = models.Manager.from_queryset(AlarmQuerySet)()

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        ordering: ClassVar[list[str]] = ["-onset", "-pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(rate__in=list(WatchedRate)), name="alarm_rate_is_known"),
            models.CheckConstraint(
                condition=models.Q(direction__in=list(AlarmDirection)), name="alarm_direction_is_known"
            ),
            models.UniqueConstraint(
                fields=["placement", "rate"], condition=models.Q(ended_at=None), name="one_lasting_alarm_of_a_rate"
            ),
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.rate, self.placement, self.direction) if part)


class StabilityReading(models.Model):
    """How far interests, popularity and lists moved with a run, and what they were made of, for the next reading.

    ``shifts``: {rate: {psi, js, noise}}; ``churn``: {customers, whole, noise, parts: {part: share of the lists}}, empty
    for the first run, where ``noise`` is what another seed would have changed, null where that is not known;
    ``basis``: keys of the weights, number of the book and mark of the catalogue.
    """

    version = models.OneToOneField(ModelVersion, models.CASCADE, related_name="stability", verbose_name=_("version"))
    before = models.ForeignKey(
        ModelVersion, models.SET_NULL, null=True, related_name="+", verbose_name=_("version before")
    )
    at = models.DateTimeField(_("read"))
    shifts = models.JSONField(_("shifts"), default=dict)
    churn = models.JSONField(_("churn"), default=dict)
    basis = models.JSONField(_("basis"), default=dict)
    seconds = models.FloatField(_("seconds"), default=0)

    class Meta:
        verbose_name = _("reading of stability")
        verbose_name_plural = _("readings of stability")
        ordering: ClassVar[list[str]] = ["-at"]

    def __str__(self) -> str:
        return f"{self.version} {self.at:%Y-%m-%d}"
