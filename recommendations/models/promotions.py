"""Promotions of the shop, week by week: the past, and the plan, which it knows in advance."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from recommendations.models.catalogue import Item

WEEK = timedelta(days=7)
SHARE = (MinValueValidator(0), MaxValueValidator(1))


class PromotionQuerySet(models.QuerySet["Promotion"]):
    def of_items(self, items: Collection[Item]) -> Self:
        return self.filter(item__in=items)

    def ending_after(self, day: date) -> Self:
        """Promotions of the plan as it stands at the start of this day: of weeks that are not over."""
        return self.filter(week__gt=day - WEEK)


class Promotion(models.Model):
    """Promotion of an item in one week. No row says the same as 0 and 0: not promoted."""

    # Without a key in the database, as for events: every insert joins the items, which are never deleted, and checking
    # a million rows one by one would cost a bulk load more than writing them.
    item = models.ForeignKey(
        Item, models.DO_NOTHING, related_name="promotions", db_constraint=False, db_index=False, verbose_name=_("item")
    )
    week = models.DateField(_("week"), help_text=_("Its first day; all weeks of the shop start on the same weekday."))
    display = models.FloatField(
        _("display"), default=0, validators=SHARE, help_text=_("Share of the stores that display the item.")
    )
    mailer = models.FloatField(
        _("leaflet"), default=0, validators=SHARE, help_text=_("Share of the stores whose leaflet shows the item.")
    )

    objects: ClassVar[models.Manager["Promotion"]] = models.Manager.from_queryset(PromotionQuerySet)()

    class Meta:
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["item", "week"], name="item_is_promoted_once_a_week"),
            models.CheckConstraint(
                condition=models.Q(display__gte=0, display__lte=1), name="promotion_display_is_a_share"
            ),
            models.CheckConstraint(
                condition=models.Q(mailer__gte=0, mailer__lte=1), name="promotion_mailer_is_a_share"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # the admin's list, newest week first, and its choice of weeks; training data: weeks before a day
            models.Index(fields=["-week", "item"], name="promotion_week_item"),
        ]

    def __str__(self) -> str:
        return f"{self.item}, {self.week}"
