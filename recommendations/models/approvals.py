"""Drafts that are handed to those who publish."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations import terms
from recommendations.models.blending import BlendWeights
from recommendations.models.merchandising import Rule
from recommendations.models.staff import Staff
from recommendations.wording import labels


class ApprovalRequestQuerySet(models.QuerySet["ApprovalRequest"]):
    def waiting(self) -> "ApprovalRequestQuerySet":
        """Requests that nobody has answered; those of a rule that was archived since do not wait."""
        return self.filter(state=terms.ApprovalState.WAITING, rule__archived_at=None)


class ApprovalRequest(models.Model):
    """A request to publish a draft of a rule or of weights, with a note for whoever looks; one waits per draft."""

    rule = models.ForeignKey(Rule, models.CASCADE, null=True, related_name="approvals", verbose_name=_("rule"))
    weights = models.ForeignKey(
        BlendWeights, models.CASCADE, null=True, related_name="approvals", verbose_name=_("weights")
    )
    note = models.TextField(_("note"))
    asked_by = models.ForeignKey(
        Staff, models.SET_NULL, null=True, related_name="approvals_asked", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    state = models.CharField(
        _("status"), max_length=10, choices=labels.APPROVAL_STATES, default=terms.ApprovalState.WAITING
    )
    answer = models.TextField(_("answer"), blank=True)
    decided_by = models.ForeignKey(
        Staff, models.SET_NULL, null=True, related_name="approvals_decided", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True)

    objects: ClassVar[models.Manager["ApprovalRequest"]] = models.Manager.from_queryset(ApprovalRequestQuerySet)()

    class Meta:
        verbose_name = _("approval request")
        verbose_name_plural = _("approval requests")
        ordering: ClassVar[list[str]] = ["-asked_at", "-pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(rule=None, weights__isnull=False) | models.Q(rule__isnull=False, weights=None),
                name="approval_is_of_one_draft",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=list(terms.ApprovalState)), name="approval_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["rule", "weights"], nulls_distinct=False, condition=models.Q(state=terms.ApprovalState.WAITING),
                name="one_approval_waits_per_draft",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.rule or self.weights)
