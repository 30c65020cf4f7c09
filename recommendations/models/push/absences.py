"""What calls for a message and stands nowhere else: when items could not be bought, and what the shop says happened."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations.models.catalogue import Item
from recommendations.models.customers import Customer
from recommendations.models.push.campaigns import Campaign


class ItemAbsence(models.Model):
    """A time in which an item was not for sale, as the looks at the stock saw it."""

    item = models.ForeignKey(Item, models.CASCADE, related_name="absences", db_index=False, verbose_name=_("item"))
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True, help_text=_("Empty: it is away still."))

    class Meta:
        verbose_name = _("absence of an item")
        verbose_name_plural = _("absences of items")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["item"], condition=models.Q(until=None), name="one_open_absence_per_item"),
            models.CheckConstraint(
                condition=models.Q(until=None) | models.Q(until__gte=models.F("since")),
                name="absence_ends_after_it_began",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # what came back lately
            models.Index(fields=["until"], name="absence_until", condition=~models.Q(until=None)),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.since}"


class ShopOccasion(models.Model):
    """What the shop says happened to a customer, for one campaign; ``data`` are values that its texts may name."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="occasions", db_index=False, verbose_name=_("campaign")
    )
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", verbose_name=_("customer"))
    key = models.CharField(_("occasion"), max_length=64)
    item = models.ForeignKey(Item, models.CASCADE, null=True, related_name="+", db_index=False, verbose_name=_("item"))
    data = models.JSONField(_("data"), default=dict)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("occasion of the shop")
        verbose_name_plural = _("occasions of the shop")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["campaign", "customer", "key"], name="one_occasion_per_key"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["campaign", "at"], name="occasion_of_campaign"),  # what is not too old yet
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.customer_id}/{self.key}"
