"""What came of campaigns: receipts of those that another system sent, and looks at the rates that pause one."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from recommendations.models.customers import Customer
from recommendations.models.push.campaigns import Campaign
from recommendations.push_terms import PushRate
from recommendations.wording import push_labels


class ImportedReceipt(models.Model):
    """Somebody got an imported campaign, and answered it or not."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="receipts", db_index=False, verbose_name=_("campaign")
    )
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", verbose_name=_("customer"))
    received_at = models.DateTimeField(_("received"))
    answers = models.PositiveIntegerField(_("answers"), default=0)
    answered_at = models.DateTimeField(_("first answered"), null=True)

    class Meta:
        verbose_name = _("receipt of an imported campaign")
        verbose_name_plural = _("receipts of imported campaigns")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["campaign", "customer"], name="one_receipt_per_customer"),
            models.CheckConstraint(
                condition=models.Q(answers=0, answered_at=None) | models.Q(answers__gt=0, answered_at__isnull=False),
                name="an_answered_receipt_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.customer_id}"


class GuardrailLook(models.Model):
    """A look at a rate of a campaign, when so many messages had been taken."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="looks", db_index=False, verbose_name=_("campaign")
    )
    guardrail = models.CharField(_("rate"), max_length=12, choices=push_labels.PUSH_RATES)
    messages = models.PositiveIntegerField(_("messages"))
    count = models.PositiveIntegerField(_("of them"))
    limit = models.FloatField(_("limit"))
    at = models.DateTimeField(_("when"))
    fired = models.BooleanField(_("paused the campaign"), default=False)

    class Meta:
        verbose_name = _("look at a guardrail")
        verbose_name_plural = _("looks at guardrails")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["campaign", "guardrail", "messages"], name="one_look_per_step"),
            models.CheckConstraint(condition=models.Q(guardrail__in=list(PushRate)), name="guardrail_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.guardrail}"
