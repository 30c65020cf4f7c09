"""Experiments: published versions side by side, each served to a share of the people, and what came of it."""

import secrets
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations import terms
from recommendations.models.blending import Placement
from recommendations.models.customers import Customer
from recommendations.models.staff import Staff
from recommendations.wording import experiment_labels

BUCKETS = 10_000
"""Parts of the traffic, of which an experiment holds a range."""
MOST_ARMS = 6
SALT = 16  # bytes


def new_salt() -> bytes:
    return secrets.token_bytes(SALT)


class ExperimentQuerySet(models.QuerySet["Experiment"]):
    def running(self) -> Self:
        """Experiments that people are assigned to; of a paused bandit by the shares that it had."""
        frozen = models.Q(status=terms.ExperimentStatus.PAUSED, kind=terms.ExperimentKind.BANDIT)
        return self.filter(models.Q(status=terms.ExperimentStatus.RUNNING) | frozen, simulated=False)


class Experiment(models.Model):
    """A comparison of arms, the first of which is the control: what was served when it started."""

    name = models.CharField(_("name"), max_length=120)
    hypothesis = models.TextField(_("hypothesis"), blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=experiment_labels.EXPERIMENT_KINDS)
    status = models.CharField(
        _("status"), max_length=8, choices=experiment_labels.EXPERIMENT_STATUSES, default=terms.ExperimentStatus.DRAFT
    )
    placements = models.ManyToManyField(Placement, related_name="experiments", verbose_name=_("placements"))
    segments = ArrayField(
        models.IntegerField(), default=list, blank=True, verbose_name=pgettext_lazy("model", "segments"),
        help_text=_("Numbers of segments; empty: everybody."),
    )  # fmt: skip
    signed_in = models.BooleanField(_("signed in"), null=True, blank=True, help_text=_("Empty: signed in or not."))
    range_from = models.PositiveSmallIntegerField(_("traffic from"), default=0)
    range_to = models.PositiveSmallIntegerField(
        _("traffic to"), default=BUCKETS, help_text=_("Of 10,000 parts of the traffic; the last is not included.")
    )
    salt = models.BinaryField(_("salt"), max_length=SALT, default=new_salt)
    primary = models.CharField(_("primary metric"), max_length=20, choices=experiment_labels.METRICS)
    guardrails = models.JSONField(
        _("guardrails"), default=dict, blank=True, help_text=_("Metric → how much worse it may become, as a share.")
    )
    smallest_lift = models.FloatField(
        _("smallest lift worth having"), default=0.02, validators=[MinValueValidator(0.001), MaxValueValidator(1)]
    )
    planned_days = models.PositiveSmallIntegerField(
        _("planned days"), default=28, validators=[MinValueValidator(7), MaxValueValidator(56)]
    )
    half_life = models.FloatField(
        _("half-life, days"), null=True, blank=True, default=14, validators=[MinValueValidator(1)],
        help_text=_("Of a bandit's days; empty: the shop does not change."),
    )  # fmt: skip
    by_segment = models.BooleanField(_("by segment"), default=False)
    scales = models.JSONField(_("scales"), default=dict, help_text=_("Metric → τ² of its interval, set at the start."))
    caps = models.JSONField(_("caps"), default=dict, help_text=_("Metric → the most that a person counts."))
    decision = models.JSONField(_("decision"), default=dict)
    simulated = models.BooleanField(_("simulated"), default=False)
    settled_until = models.DateTimeField(_("people settled until"), null=True)
    author = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    revision = models.PositiveIntegerField(
        _("revision"),
        default=1,
        help_text=_("Goes up with every change, so that nobody overwrites what they have not seen."),
    )
    beginning = models.JSONField(
        _("beginning"), default=dict, blank=True, help_text=_("While it starts: what the worker is at.")
    )
    started_at = models.DateTimeField(_("started"), null=True)
    started_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("started by"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    ended_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("ended by"))

    objects: ClassVar[models.Manager["Experiment"]] = models.Manager.from_queryset(ExperimentQuerySet)()

    class Meta:
        verbose_name = _("experiment")
        verbose_name_plural = _("experiments")
        ordering: ClassVar[list[str]] = ["-pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(kind__in=list(terms.ExperimentKind)), name="experiment_kind_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=list(terms.ExperimentStatus)), name="experiment_status_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(range_from__gte=0, range_to__lte=BUCKETS, range_from__lt=models.F("range_to")),
                name="experiment_range_is_of_the_traffic",
            ),
            models.CheckConstraint(
                condition=models.Q(started_at__isnull=False)
                | models.Q(status__in=[terms.ExperimentStatus.DRAFT, terms.ExperimentStatus.STARTING]),
                name="experiment_is_a_draft_until_it_starts",
            ),
            models.UniqueConstraint(
                Lower("name"),
                condition=models.Q(
                    status__in=[terms.ExperimentStatus.RUNNING, terms.ExperimentStatus.STARTING], simulated=False
                ),
                name="one_running_of_a_name",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def code(self) -> str:
        """How answers and addresses call it."""
        return f"e{self.pk}"

    @property
    def traffic(self) -> float:
        """Share of the traffic."""
        return (self.range_to - self.range_from) / BUCKETS


class Arm(models.Model):
    """What a share of the people is served; it refers to frozen versions only.

    ``changes``: ``weights`` {blend: key of a version}, ``rules`` key of a book, ``placements`` {name: {field: value}},
    ``pages`` {name: [names of placements, in order]}.
    """

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="arms", verbose_name=_("experiment"))
    position = models.PositiveSmallIntegerField(_("order"))
    name = models.CharField(_("name"), max_length=120, blank=True)
    changes = models.JSONField(_("changes"), default=dict)
    share = models.FloatField(_("share"), validators=[MinValueValidator(0), MaxValueValidator(1)])
    floor = models.FloatField(_("least share"), null=True, validators=[MinValueValidator(0), MaxValueValidator(1)])
    pinned = models.FloatField(_("pinned share"), null=True, validators=[MinValueValidator(0), MaxValueValidator(1)])
    out_at = models.DateTimeField(_("taken out"), null=True)

    class Meta:
        verbose_name = _("arm")
        verbose_name_plural = _("arms")
        ordering: ClassVar[list[str]] = ["experiment", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["experiment", "position"], name="one_arm_at_a_position"),
            models.CheckConstraint(condition=models.Q(position__lt=MOST_ARMS), name="experiment_has_six_arms_at_most"),
            models.CheckConstraint(condition=models.Q(share__gte=0, share__lte=1), name="arm_share_is_a_share"),
        ]

    def __str__(self) -> str:
        return self.letter

    @property
    def letter(self) -> str:
        return chr(ord("A") + self.position)

    @property
    def is_control(self) -> bool:
        return self.position == 0


class Unit(models.Model):
    """A person in an experiment, from their first answer under an arm of it."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="units", verbose_name=_("experiment"))
    unit = models.BigIntegerField(_("unit"))
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, verbose_name=_("customer")
    )
    arm = models.ForeignKey(Arm, models.CASCADE, related_name="units", verbose_name=_("arm"))
    first_at = models.DateTimeField(_("first answer"))
    mixed = models.BooleanField(_("saw two arms"), default=False, db_default=False)
    stays_in = models.ForeignKey(
        Arm, models.CASCADE, null=True, related_name="+", verbose_name=_("stays in arm"),
        help_text=_("After a merger: the arm of the earlier exposure."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("person in an experiment")
        verbose_name_plural = _("people in experiments")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["experiment", "unit"], name="unit_once_per_experiment")
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id}:{self.unit}"


class ArmShare(models.Model):
    """The share of the traffic that a bandit gave an arm on a day of the shop, and why."""

    arm = models.ForeignKey(Arm, models.CASCADE, related_name="shares", verbose_name=_("arm"))
    segment = models.IntegerField(_("segment"), null=True)
    day = models.DateField(_("day"))
    share = models.FloatField(_("share"), validators=[MinValueValidator(0), MaxValueValidator(1)])
    chance_best = models.FloatField(_("chance to be the best"), null=True)
    mean = models.FloatField(_("mean"), null=True)
    sd = models.FloatField(_("standard deviation"), null=True)
    own_mean = models.FloatField(_("mean of the segment alone"), null=True)

    class Meta:
        verbose_name = _("share of an arm")
        verbose_name_plural = _("shares of arms")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["arm", "segment", "day"], nulls_distinct=False, name="share_of_an_arm_once_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.arm_id} {self.day}: {self.share:.3f}"


class Reading(models.Model):
    """Sums over the people of an arm at a time: of y, of the covariate or denominator x, and of their products."""

    arm = models.ForeignKey(Arm, models.CASCADE, related_name="readings", verbose_name=_("arm"))
    segment = models.IntegerField(_("segment"), null=True)
    metric = models.CharField(_("metric"), max_length=20, choices=experiment_labels.METRICS)
    at = models.DateTimeField(_("read"))
    n = models.PositiveIntegerField(_("people"))
    y = models.FloatField()
    yy = models.FloatField()
    x = models.FloatField()
    xx = models.FloatField()
    xy = models.FloatField()
    facts = models.JSONField(_("facts"), default=dict)

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["arm", "metric", "segment", "at"], nulls_distinct=False, name="reading_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.arm_id} {self.metric} {self.at:%Y-%m-%d %H:%M}"


class ExperimentNote(models.Model):
    """A line of an experiment's log: what staff did, or what it did itself; ``facts`` fill the words of the code."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="notes", verbose_name=_("experiment"))
    at = models.DateTimeField(_("time"))
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    code = models.CharField(_("code"), max_length=24)
    facts = models.JSONField(_("facts"), default=dict)

    class Meta:
        verbose_name = _("line of an experiment's log")
        verbose_name_plural = _("lines of experiments' logs")
        ordering: ClassVar[list[str]] = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.experiment_id} {self.code}"
