"""Pages of the shop: which placements stand on one, in order, so that one request shares items out among them."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from recommendations.models.blending import Placement

MOST_SLOTS = 12


class ShopPage(models.Model):
    """A page that asks for all of its placements at once; no item stands on it twice."""

    name = models.SlugField(_("name"), max_length=40, unique=True)

    class Meta:
        verbose_name = _("page of the shop")
        verbose_name_plural = _("pages of the shop")
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return self.name


class PageSlot(models.Model):
    """A placement at its place on a page, the first at 1."""

    page = models.ForeignKey(ShopPage, models.CASCADE, related_name="slots", verbose_name=_("page"))
    placement = models.ForeignKey(Placement, models.PROTECT, related_name="page_slots", verbose_name=_("placement"))
    position = models.PositiveSmallIntegerField(
        _("position"), validators=[MinValueValidator(1), MaxValueValidator(MOST_SLOTS)]
    )
    n = models.PositiveSmallIntegerField(
        _("items shown"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Empty: as many as the placement has."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("placement on a page")
        verbose_name_plural = _("placements on pages")
        ordering: ClassVar[list[str]] = ["page", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["page", "position"], name="one_placement_at_a_position"),
            models.UniqueConstraint(fields=["page", "placement"], name="placement_once_per_page"),
            models.CheckConstraint(condition=models.Q(n__gte=1, n__lte=100), name="page_slot_shows_1_to_100"),
        ]

    def __str__(self) -> str:
        return f"{self.page} {self.position}: {self.placement}"
