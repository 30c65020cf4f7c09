"""Send plans: what a draft would do if it came at a moment, person by person."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from recommendations.models.jobs import Job, JobQuerySet
from recommendations.models.push.campaigns import Campaign, Occurrence
from recommendations.models.staff import Staff


class SendPlan(Job):
    """A plan of a campaign's draft as it was at a revision, for a moment; its verdicts are those of ``occurrence``."""

    TASK = "recommendations.tasks.plan_sending"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="plans", verbose_name=_("campaign"))
    revision = models.PositiveIntegerField(_("revision"))
    as_of = models.DateTimeField(_("as of"))
    occurrence = models.OneToOneField(
        Occurrence, models.CASCADE, null=True, related_name="plan", verbose_name=_("sending of a campaign")
    )
    started_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("started by"))

    objects: ClassVar[models.Manager["SendPlan"]] = models.Manager.from_queryset(JobQuerySet["SendPlan"])()

    class Meta(Job.Meta):
        verbose_name = _("send plan")
        verbose_name_plural = _("send plans")
        ordering: ClassVar[list[str]] = ["-created_at"]
