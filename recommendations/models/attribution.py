"""Outcomes of slates: which were seen, clicked and bought from, counted per day, placement and position.

All of it is made by ``store/attribution/settle.py`` from events and slates, and can be made again.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from recommendations.models.catalogue import Item
from recommendations.wording import labels


class DueLine(models.Model):
    """A new event line whose part in attribution is still to be settled; written in the statement that kept the event.

    It waits, ever longer, for a slate that is not in the record yet.
    """

    occurred_at = models.DateTimeField()
    event_id = models.UUIDField()
    line = models.SmallIntegerField()
    noted_at = models.DateTimeField(db_default=models.functions.Now())
    due_at = models.DateTimeField(db_default=models.functions.Now())
    fault = models.TextField(default="", db_default="")  # why it was put aside

    class Meta:
        verbose_name = _("event line to settle")
        verbose_name_plural = _("event lines to settle")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at", "id"], name="due_line_next", condition=models.Q(fault=""))
        ]

    def __str__(self) -> str:
        return f"{self.event_id}"


class SlateOutcome(models.Model):
    """Outcome of one slate, by the events. Positions count from 1; each is listed once."""

    recommendation_id = models.CharField(_("recommendation"), max_length=64, primary_key=True)
    placement = models.CharField(_("placement"), max_length=40)
    at = models.DateTimeField(_("shown"), help_text=_("The first event that carries its id."))
    replay = models.BooleanField(_("replay"))
    listed = models.BooleanField(_("listed"), help_text=_("The shop reported it with view_item_list."))
    seen = ArrayField(models.SmallIntegerField(), verbose_name=_("positions seen"))
    clicked = ArrayField(models.SmallIntegerField(), verbose_name=_("positions clicked"))
    carted = ArrayField(models.SmallIntegerField(), verbose_name=_("positions put into the cart"))
    bought = ArrayField(models.SmallIntegerField(), verbose_name=_("positions bought"))
    revenues = ArrayField(
        models.DecimalField(max_digits=24, decimal_places=2), verbose_name=_("revenue of each position bought")
    )
    purchases = models.PositiveIntegerField(_("purchases"), help_text=_("Lines bought and not taken back."))

    class Meta:
        verbose_name = _("result of a list")
        verbose_name_plural = _("results of lists")
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["at"], name="outcome_by_time")]

    def __str__(self) -> str:
        return self.recommendation_id


class AttributedLine(models.Model):
    """A cart or purchase line that counts for a slate; a line counts for one slate at most."""

    class Touch(models.TextChoices):
        EVENT = "event", _("Named by the event")
        CLICK = "click", _("Last click")

    pk = models.CompositePrimaryKey("occurred_at", "event_id", "line")
    occurred_at = models.DateTimeField(_("occurred"))
    event_id = models.UUIDField(_("event id"))
    line = models.SmallIntegerField(_("line"))
    name = models.CharField(_("event"), max_length=20, choices=labels.EVENT_NAMES)
    item = models.ForeignKey(
        Item, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False, verbose_name=_("item")
    )
    transaction_id = models.CharField(_("transaction"), max_length=128, null=True)  # noqa: DJ001 a cart has none
    quantity = models.DecimalField(_("quantity"), max_digits=10, decimal_places=3, null=True)
    amount = models.DecimalField(_("line total paid"), max_digits=12, decimal_places=2)
    refunded = models.DecimalField(_("taken back"), max_digits=12, decimal_places=2, default=0)
    kept = models.BooleanField(_("kept"), default=True, help_text=_("Not wholly taken back."))
    recommendation_id = models.CharField(_("recommendation"), max_length=64)
    placement = models.CharField(_("placement"), max_length=40)
    position = models.SmallIntegerField(_("position"))
    touch = models.CharField(_("tied by"), max_length=5, choices=Touch)
    touched_at = models.DateTimeField(_("clicked"), null=True)
    replay = models.BooleanField(_("replay"))

    class Meta:
        verbose_name = _("attributed line")
        verbose_name_plural = _("attributed lines")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["recommendation_id"], name="attributed_to_slate"),
            # refunds look for what they take back
            models.Index(
                fields=["transaction_id"], name="attributed_of_transaction", condition=~models.Q(transaction_id=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.event_id}"


class PlacementDay(models.Model):
    """Counts of a day's slates at a placement by their outcome; position 0 is the slate as a whole.

    The unit is the slate; of a position, the slate's item at it. ``squares`` is the sum of the squares of the slates'
    revenues, for intervals.
    """

    day = models.DateField(_("day"))
    placement = models.CharField(_("placement"), max_length=40)
    replay = models.BooleanField(_("replay"))
    position = models.SmallIntegerField(_("position"))
    listed = models.IntegerField(_("listed"))
    seen = models.IntegerField(_("seen"))
    clicked = models.IntegerField(_("clicked"))
    carted = models.IntegerField(_("put into the cart"))
    bought = models.IntegerField(_("bought from"))
    purchases = models.IntegerField(_("purchases"))
    revenue = models.DecimalField(_("revenue"), max_digits=30, decimal_places=2)
    squares = models.DecimalField(_("squares of the revenue"), max_digits=60, decimal_places=4)

    class Meta:
        verbose_name = _("day of a placement")
        verbose_name_plural = _("days of placements")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["day", "placement", "replay", "position"], name="placement_day_once_per_position"
            )
        ]

    def __str__(self) -> str:
        return f"{self.placement} {self.day}"
