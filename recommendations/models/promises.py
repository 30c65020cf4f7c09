"""New items: what a placement promises them, which have a promise, and how much room there is for it now."""

from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations.models.blending import Placement
from recommendations.models.catalogue import Item
from recommendations.models.staff import Staff
from recommendations.promise_terms import NewItemState
from recommendations.wording import promise_labels as labels

MOST_IMPRESSIONS, MOST_DAYS, MOST_SHARE = 10_000, 60, 0.5


class NewItemPromise(models.Model):
    """What a placement promises to each new item, in versions that are never changed."""

    placement = models.ForeignKey(Placement, models.CASCADE, related_name="promises", verbose_name=_("placement"))
    number = models.PositiveIntegerField(_("version"))
    impressions = models.PositiveIntegerField(
        _("impressions"), validators=[MinValueValidator(1), MaxValueValidator(MOST_IMPRESSIONS)]
    )
    days = models.PositiveSmallIntegerField(_("days"), validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)])
    highest_share = models.FloatField(
        _("answers at most"), validators=[MinValueValidator(0.01), MaxValueValidator(MOST_SHARE)],
        help_text=_("Share of the answers that may give their last open slot to a new item."),
    )  # fmt: skip
    new_days = models.PositiveSmallIntegerField(
        _("days for which an item is new"), validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    needs_price = models.BooleanField(_("only with a price"), default=True)
    needs_picture = models.BooleanField(_("only with a picture"), default=False)
    gives = models.BooleanField(
        _("gives promises"), default=True, help_text=_("Without, promises that were given are kept and none is new.")
    )
    is_default = models.BooleanField(_("live"), default=False)
    price = models.JSONField(_("price"), default=dict, help_text=_("What it could cost at most when it was published."))
    note = models.TextField(_("note"))
    author = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    created_at = models.DateTimeField(_("published"), default=timezone.now)

    class Meta:
        verbose_name = _("promise to new items")
        verbose_name_plural = _("promises to new items")
        ordering: ClassVar[list[str]] = ["placement", "-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["placement", "number"], name="promise_number_once_per_placement"),
            models.UniqueConstraint(
                fields=["placement"], condition=models.Q(is_default=True), name="one_default_promise_per_placement"
            ),
            models.CheckConstraint(
                condition=models.Q(impressions__gte=1, days__gte=1, new_days__gte=1), name="promise_is_of_something"
            ),
            models.CheckConstraint(
                condition=models.Q(highest_share__gt=0, highest_share__lte=MOST_SHARE), name="promise_leaves_half"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.placement} n{self.number}"


class NewItemQuerySet(models.QuerySet["NewItem"]):
    def open(self) -> Self:
        """Items whose promise is still to be kept."""
        return self.filter(state=NewItemState.PROMISED)


class NewItem(models.Model):
    """An item that was new to a placement: it waits for a promise, has one, or had its time."""

    placement = models.ForeignKey(Placement, models.CASCADE, related_name="new_items", verbose_name=_("placement"))
    item = models.ForeignKey(Item, models.CASCADE, related_name="new_at", verbose_name=_("item"))
    state = models.CharField(_("state"), max_length=10, choices=labels.STATES)
    first = models.BooleanField(_("put first"), default=False)
    fit = models.FloatField(_("fit"), null=True, help_text=_("How well it fits customers on average, by its texts."))
    promise = models.ForeignKey(
        NewItemPromise, models.RESTRICT, null=True, related_name="items", verbose_name=_("promise")
    )
    noted_at = models.DateTimeField(_("noted"))
    promised_at = models.DateTimeField(_("promised"), null=True)
    shown = models.PositiveIntegerField(_("shown"), default=0)
    clicks = models.PositiveIntegerField(_("clicks"), default=0)
    expected = models.FloatField(
        _("expected clicks"), default=0, help_text=_("As many as other items got in the same slots.")
    )
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects: ClassVar[models.Manager["NewItem"]] = models.Manager.from_queryset(NewItemQuerySet)()

    class Meta:
        verbose_name = _("new item")
        verbose_name_plural = _("new items")
        ordering: ClassVar[list[str]] = ["placement", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["placement", "item"], name="item_is_new_once_per_placement"),
            models.CheckConstraint(condition=models.Q(state__in=list(NewItemState)), name="state_of_new_item_is_known"),
            models.CheckConstraint(
                condition=~models.Q(state=NewItemState.PROMISED)
                | models.Q(promise__isnull=False, promised_at__isnull=False),
                name="promised_item_has_a_promise",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} · {self.get_state_display()}"


class NewItemBudget(models.Model):
    """How much of a placement goes to new items at present, and up to when their showings are counted."""

    placement = models.OneToOneField(
        Placement, models.CASCADE, primary_key=True, related_name="new_item_budget", verbose_name=_("placement")
    )
    share = models.FloatField(_("share of the answers"))
    load = models.FloatField(_("load"), help_text=_("0: empty; 1: as full as it may be."))
    requests_a_day = models.FloatField(_("answers a day"))
    counted_until = models.DateTimeField(_("counted until"))

    class Meta:
        verbose_name = _("room for new items")
        verbose_name_plural = _("room for new items")

    def __str__(self) -> str:
        return f"{self.placement}: {self.share:.0%}"
