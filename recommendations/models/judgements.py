"""Judgements of staff on single recommendations: a test set written by people, beside the one of the purchases."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations import terms
from recommendations.models.blending import BlendWeights
from recommendations.models.catalogue import Item
from recommendations.models.customers import Customer
from recommendations.models.staff import Staff
from recommendations.models.training import ModelVersion
from recommendations.wording import labels


class Judgement(models.Model):
    """One staff member's view of an item for a customer in a placement; a second view replaces the first."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="judgements", verbose_name=_("customer"))
    item = models.ForeignKey(Item, models.CASCADE, related_name="judgements", verbose_name=_("item"))
    placement = models.CharField(_("placement"), max_length=40)
    kind = models.CharField(_("judgement"), max_length=10, choices=labels.JUDGEMENTS)
    note = models.TextField(_("note"), blank=True)
    rank = models.PositiveSmallIntegerField(_("rank"), null=True, help_text=_("The rank at which it was seen."))
    model = models.ForeignKey(
        ModelVersion, models.SET_NULL, null=True, related_name="+", verbose_name=_("model version")
    )
    weights = models.ForeignKey(
        BlendWeights, models.SET_NULL, null=True, related_name="+", verbose_name=_("weights version")
    )
    staff = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="judgements", verbose_name=_("by"))
    judged_at = models.DateTimeField(_("judged"), default=timezone.now)

    class Meta:
        verbose_name = _("verdict")
        verbose_name_plural = _("verdicts")
        ordering: ClassVar[list[str]] = ["-judged_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["customer", "item", "placement", "staff"], nulls_distinct=False, name="one_judgement_of_each"
            ),
            models.CheckConstraint(condition=models.Q(kind__in=list(terms.JudgementKind)), name="judgement_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.item_id} for {self.customer_id}"
