"""Runs of the loop, and the model versions that they make."""

import uuid
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations import terms
from recommendations.models.jobs import Job, JobQuerySet
from recommendations.models.staff import Staff
from recommendations.wording import labels


class Run(Job):
    """A run of the loop: a function of the data, the moment and the seed."""

    TASK = "recommendations.tasks.run_loop"
    QUEUE = "loop"
    LOCK = 7_264_101

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    now = models.DateTimeField(_("as of"), help_text=_("The moment that the run treats as the present."))
    seed = models.IntegerField(_("seed"), default=0)
    started_by = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, related_name="runs", verbose_name=_("started by")
    )

    objects: ClassVar[models.Manager["Run"]] = models.Manager.from_queryset(JobQuerySet["Run"])()

    class Meta(Job.Meta):
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering: ClassVar[list[str]] = ["-created_at"]


class RunStage(models.Model):
    """A stage of a run; a finished one is not done again when the run resumes."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="stages", verbose_name=_("run"))
    stage = models.CharField(_("stage"), max_length=12, choices=labels.STAGES)
    cut = models.CharField(_("cut"), max_length=8, choices=labels.CUTS, blank=True)
    position = models.PositiveSmallIntegerField(_("position"))
    status = models.CharField(_("status"), max_length=12, choices=labels.RUN_STATUSES, default=terms.RunStatus.QUEUED)
    progress = models.FloatField(_("progress"), default=0)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    counts = models.JSONField(_("counts"), default=dict)

    class Meta:
        verbose_name = _("stage of a run")
        verbose_name_plural = _("stages of runs")
        ordering: ClassVar[list[str]] = ["run", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "stage", "cut"], name="stage_once_per_run_and_cut"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} {self.cut}".strip()


class RunLogLine(models.Model):
    run = models.ForeignKey(Run, models.CASCADE, related_name="log", verbose_name=_("run"))
    at = models.DateTimeField(_("at"), auto_now_add=True)
    text = models.TextField(_("text"))

    class Meta:
        verbose_name = _("log line")
        verbose_name_plural = _("log lines")
        ordering: ClassVar[list[str]] = ["run", "id"]

    def __str__(self) -> str:
        return self.text


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def live(self) -> Self:
        return self.filter(is_live=True)

    def ready(self) -> Self:
        return self.filter(status=terms.VersionStatus.READY)


class ModelVersion(models.Model):
    """All that one run learned. It goes live whole, by moving ``is_live``, and never half."""

    run = models.OneToOneField(Run, models.PROTECT, related_name="model_version", verbose_name=_("run"))
    status = models.CharField(
        _("status"), max_length=10, choices=labels.VERSION_STATUSES, default=terms.VersionStatus.BUILDING
    )
    is_live = models.BooleanField(_("live"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    live_since = models.DateTimeField(_("live since"), null=True)
    windows = models.JSONField(
        _("cuts"), default=dict, help_text=_("End of the history per cut, and the days after it.")
    )
    instances = models.JSONField(_("recommenders"), default=dict, help_text=_("Configuration of every instance."))
    event_weights = models.JSONField(_("event weights"), default=dict)
    feedback = models.JSONField(
        _("looking at lists"), default=dict, db_default={},
        help_text=_("Patience and attention, and what they were measured on."),
    )  # fmt: skip
    visit_shares = models.JSONField(
        _("shares of visits"), default=dict, db_default={},
        help_text=_("What a visit makes of a known customer's score, by blend, and what it was learned on."),
    )  # fmt: skip
    points_proposal = models.JSONField(
        _("proposed event weights"), default=dict, db_default={},
        help_text=_("Learned from outcomes, with how they did, and what staff decided."),
    )  # fmt: skip
    gate = models.JSONField(
        _("gate"),
        default=dict,
        help_text=_("Per task: how it did on the test window compared with what it would replace."),
    )
    guard = models.JSONField(
        _("guard"), default=list, help_text=_("What is so unusual about the version that it waits for a person.")
    )
    risers = models.JSONField(_("risers"), default=list, help_text=_("Items that rose most, and who asked for them."))
    users = models.PositiveIntegerField(pgettext_lazy("model", "customers"), default=0)
    items = models.PositiveIntegerField(pgettext_lazy("model", "items"), default=0)
    edition = models.PositiveIntegerField(
        _("edition"), default=0, db_default=0,
        help_text=_("How often people who were erased were taken out of its files."),
    )  # fmt: skip

    objects: ClassVar[models.Manager["ModelVersion"]] = models.Manager.from_queryset(ModelVersionQuerySet)()

    class Meta:
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["is_live"], condition=models.Q(is_live=True), name="one_model_version_is_live"
            ),
            models.CheckConstraint(
                condition=models.Q(is_live=False) | models.Q(status=terms.VersionStatus.READY),
                name="only_a_ready_version_is_live",
            ),
        ]

    def __str__(self) -> str:
        return f"m{self.pk}"


class Artefact(models.Model):
    """A named array of a model version; the file lies in the storage ``artefacts``, whole before this row exists."""

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="artefacts", verbose_name=_("version"))
    cut = models.CharField(_("cut"), max_length=8, choices=labels.CUTS)
    name = models.CharField(_("name"), max_length=120)
    path = models.CharField(_("file"), max_length=300)
    dtype = models.CharField(_("type"), max_length=20)
    shape = ArrayField(models.BigIntegerField(), verbose_name=_("shape"))
    size = models.BigIntegerField(_("bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)

    class Meta:
        verbose_name = _("artefact")
        verbose_name_plural = _("artefacts")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["version", "cut", "name"], name="artefact_once_per_version_and_cut"),
        ]

    def __str__(self) -> str:
        return f"{self.cut}/{self.name}"
