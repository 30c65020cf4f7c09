"""Searches for weights, and estimates of drafts, that staff asked for."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from recommendations.models.audiences import Audience
from recommendations.models.blending import Blend, BlendWeights, Group
from recommendations.models.interests import Segment
from recommendations.models.jobs import Job, JobQuerySet
from recommendations.models.staff import Staff
from recommendations.terms import RunStatus


class WeightSearch(Job):
    """A search for weights of a blend, within limits; what it found is a suggestion, and changes nothing.

    ``result`` has the outcome, the ``values`` for the sliders, and their figures on the panel: value, low and high by
    measure, of themselves and ``against`` what is live, which has ``reached`` so much.
    """

    TASK = "recommendations.tasks.search_weights"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    blend = models.ForeignKey(Blend, models.CASCADE, related_name="+", verbose_name=_("blend"))
    segment = models.ForeignKey(Segment, models.CASCADE, null=True, related_name="+", verbose_name=_("segment"))
    audience = models.ForeignKey(Audience, models.CASCADE, null=True, related_name="+", verbose_name=_("audience"))
    started_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("started by"))
    request = models.JSONField(_("asked for"), help_text=_("Values to begin with, locks, and limits."))
    result = models.JSONField(_("found"), default=dict)

    objects: ClassVar[models.Manager["WeightSearch"]] = models.Manager.from_queryset(JobQuerySet["WeightSearch"])()

    class Meta(Job.Meta):
        verbose_name = _("search for weights")
        verbose_name_plural = _("searches for weights")
        ordering: ClassVar[list[str]] = ["-created_at"]

    @property
    def group(self) -> Group:
        return self.audience or self.segment

    @property
    def outcome(self) -> str | None:
        """How it ended (``services.weights.suggestions.Outcome``); None before that, and where it was cancelled."""
        return self.result["outcome"] if self.status == RunStatus.SUCCEEDED and not self.cancel_requested_at else None


class DraftEstimate(Job):
    """An estimate of a draft as it was at a revision, from the answers of a placement up to a watermark.

    It is about the same row once that is published, so that what came can be held against it. ``result`` has the
    figures, or the ``refusal`` with its facts.
    """

    TASK = "recommendations.tasks.estimate_draft"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.ForeignKey(BlendWeights, models.CASCADE, related_name="estimates", verbose_name=_("draft"))
    revision = models.PositiveIntegerField(_("revision"))
    live = models.ForeignKey(
        BlendWeights, models.SET_NULL, null=True, related_name="+", verbose_name=_("compared with"),
    )  # fmt: skip
    placement = models.CharField(_("placement"), max_length=40)
    watermark = models.CharField(_("watermark"), max_length=80)
    started_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("started by"))
    result = models.JSONField(_("figures"), default=dict)

    objects: ClassVar[models.Manager["DraftEstimate"]] = models.Manager.from_queryset(JobQuerySet["DraftEstimate"])()

    class Meta(Job.Meta):
        verbose_name = _("estimate of a draft")
        verbose_name_plural = _("estimates of drafts")
        ordering: ClassVar[list[str]] = ["-created_at"]

    @property
    def has_result(self) -> bool:
        return self.status == RunStatus.SUCCEEDED and bool(self.result)
