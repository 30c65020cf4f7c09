"""Evaluations and their measurements; every figure carries its cut, its window and its interval."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.training import ModelVersion
from recommendations.wording import labels


class Evaluation(models.Model):
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="evaluations", verbose_name=_("version"))
    cut = models.CharField(_("cut"), max_length=8, choices=labels.CUTS)
    task = models.CharField(_("task"), max_length=10, choices=labels.TASKS)
    window_start = models.DateTimeField(_("window from"))
    window_end = models.DateTimeField(_("window until"))
    users = models.PositiveIntegerField(pgettext_lazy("model", "customers"))
    seed = models.IntegerField(_("seed"))
    overlap = models.JSONField(
        _("overlap"),
        default=dict,
        help_text=_("Names of the rows, and for every two of them the mean share of the top 10 that both show."),
    )
    acts_known = models.JSONField(
        _("by acts known"),
        default=dict,
        help_text=_("NDCG@10 on histories cut to few acts, of customers left out of training: blend and popularity."),
    )
    generalisation = models.JSONField(
        _("on what was learned"), default=dict, db_default={},
        help_text=_("NDCG@10 by row: on a tenth of what it learned, on what came after, and the paired difference."),
    )  # fmt: skip
    luck = models.JSONField(
        _("under other seeds"), default=dict, db_default={},
        help_text=_("Seeds, and by row its NDCG@10 under each; the first is that of the run."),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        ordering: ClassVar[list[str]] = ["-created_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["version", "cut", "task"], name="one_evaluation_per_version_cut_and_task"),
            models.CheckConstraint(
                condition=models.Q(window_start__lt=models.F("window_end")), name="evaluation_window_has_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.task} ({self.cut})"


class Measurement(models.Model):
    """One row of an evaluation: a recommender, the hybrid or a baseline."""

    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="rows", verbose_name=_("evaluation"))
    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(_("kind"), max_length=12, choices=labels.MEASURED_KINDS)
    metrics = models.JSONField(_("metrics"), help_text=_("Metric → value, low, high of its interval."))
    against = models.JSONField(
        _("against the hybrid"),
        default=dict,
        help_text=_("Metric → difference from the hybrid that is served, paired by customer: value, low, high."),
    )
    slices = models.JSONField(
        _("slices"), default=list, help_text=_("Kind and key of a part of the customers, how many they are, metrics.")
    )
    fit_seconds = models.FloatField(_("fit, s"), null=True)
    score_seconds = models.FloatField(_("score, s"), null=True)
    peak_mb = models.PositiveIntegerField(_("peak memory, MB"), null=True)

    class Meta:
        verbose_name = _("measurement")
        verbose_name_plural = _("measurements")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["evaluation", "name"], name="measured_once_per_evaluation"),
        ]

    def __str__(self) -> str:
        return self.name
