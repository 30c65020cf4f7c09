"""Items that the shop sells, the tree of categories in which they stand, their prices, and vectors from outside."""

import re
from datetime import datetime
from functools import reduce
from operator import and_
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations import terms, vector_terms
from recommendations.wording import item_labels

WORD = re.compile(r"\w+")
SMALLEST_SPACE, LARGEST_SPACE = 1, 3_072
"""Dimensions that a space may have."""


class Category(models.Model):
    """A node of the shop's tree of categories, known by its whole path: ``GROCERY > SOFT DRINKS``."""

    path = models.CharField(_("path"), max_length=500, unique=True)
    name = models.CharField(_("name"), max_length=200)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent")
    )

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering: ClassVar[list[str]] = ["path"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~models.Q(parent=models.F("id")), name="category_is_not_its_own_parent"),
        ]

    def __str__(self) -> str:
        return self.path


class ItemQuerySet(models.QuerySet["Item"]):
    def changed_since(self, moment: datetime) -> Self:
        return self.filter(updated_at__gte=moment)

    def called(self, text: str) -> Self:
        """Items with this id, and those whose title has every word of the text, in any order (by the trigram index)."""
        titled = [models.Q(title__icontains=word) for word in dict.fromkeys(WORD.findall(text))]
        return self.filter(models.Q(shop_id=text) | reduce(and_, titled) if titled else models.Q(shop_id=text))


class Item(models.Model):
    shop_id = models.CharField(_("item id"), max_length=128, unique=True, help_text=_("The shop's own id."))
    kind = models.CharField(_("kind"), max_length=20, choices=item_labels.ITEM_KINDS, default=terms.ItemKind.PRODUCT)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="variants", verbose_name=_("variant of")
    )
    title = models.CharField(_("title"), max_length=300)
    description = models.TextField(_("description"), blank=True)
    brand = models.CharField(_("brand"), max_length=200, blank=True)
    categories = models.ManyToManyField(Category, related_name="items", verbose_name=_("categories"), blank=True)
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, null=True, blank=True)
    original_price = models.DecimalField(_("original price"), max_digits=12, decimal_places=2, null=True, blank=True)
    cost = models.DecimalField(_("cost"), max_digits=12, decimal_places=2, null=True, blank=True)
    availability = models.CharField(
        _("availability"), max_length=20, choices=item_labels.AVAILABILITIES, default=terms.Availability.IN_STOCK
    )
    available_quantity = models.PositiveIntegerField(
        _("quantity in stock"), null=True, blank=True, help_text=_("Empty: unknown, treated as for sale.")
    )
    available_at = models.DateTimeField(_("for sale from"), null=True, blank=True)
    expires_at = models.DateTimeField(_("for sale until"), null=True, blank=True)
    image_url = models.CharField(_("picture"), max_length=1000, blank=True)
    url = models.CharField(_("page"), max_length=1000, blank=True)
    creator = models.CharField(
        _("creator"), max_length=200, blank=True, default="", db_default="",
        help_text=_("Who made it: the author, artist or director."),
    )  # fmt: skip
    collection = models.CharField(
        _("collection"), max_length=200, blank=True, default="", db_default="",
        help_text=_("What it is a part of: the album, series or column."),
    )  # fmt: skip
    number = models.PositiveIntegerField(
        _("number in it"), null=True, blank=True, help_text=_("Its place in the collection, the first is 1.")
    )
    duration = models.PositiveIntegerField(_("seconds long"), null=True, blank=True)
    published_at = models.DateTimeField(
        _("published"), null=True, blank=True, help_text=_("When it came out, wherever that was.")
    )
    language = models.CharField(
        _("language"), max_length=35, blank=True, default="", db_default="", help_text=_("A tag such as en or zh-Hans.")
    )
    tags = ArrayField(models.CharField(max_length=100), verbose_name=_("tags"), default=list, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    rating_average = models.FloatField(_("average rating"), null=True, blank=True)
    rating_count = models.PositiveIntegerField(_("ratings"), null=True, blank=True)
    listed_at = models.DateTimeField(_("listed"), default=timezone.now, help_text=_("When the shop began to sell it."))
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects: ClassVar[models.Manager["Item"]] = models.Manager.from_queryset(ItemQuerySet)()

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = pgettext_lazy("model", "items")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(availability__in=list(terms.Availability)), name="item_availability_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(price=None) | models.Q(price__gte=0), name="item_price_is_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(available_at=None)
                | models.Q(expires_at=None)
                | models.Q(available_at__lt=models.F("expires_at")),
                name="item_sale_starts_before_it_ends",
            ),
            models.CheckConstraint(condition=~models.Q(shop_id=""), name="item_has_a_shop_id"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # ItemQuerySet.changed_since: what a serving process reads again after an edit
            models.Index(fields=["updated_at"], name="item_updated_at"),
            # search box of the dashboard and the admin: title contains
            GinIndex(OpClass(Upper("title"), name="gin_trgm_ops"), name="item_title_trigrams"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_sold_out(self) -> bool:
        """Whether it is known that there is none left."""
        if self.availability == terms.Availability.OUT_OF_STOCK:
            return True
        return self.availability == terms.Availability.IN_STOCK and self.available_quantity == 0


class ItemPrice(models.Model):
    """Catalogue price of an item from a moment on, so that prices can be taken as of a date."""

    item = models.ForeignKey(Item, models.CASCADE, related_name="prices", verbose_name=_("item"))
    valid_from = models.DateTimeField(_("valid from"))
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2)

    class Meta:
        verbose_name = _("price change")
        verbose_name_plural = _("price changes")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["item", "valid_from"], name="item_has_one_price_at_a_time"),
            models.CheckConstraint(condition=models.Q(price__gte=0), name="price_change_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.price}"


class EmbeddingSpace(models.Model):
    """A space of vectors of one provider and one model: those of another model never stand in it."""

    name = models.CharField(_("name"), max_length=40, unique=True)
    provider = models.CharField(_("provider"), max_length=20)
    model = models.CharField(_("model"), max_length=200, blank=True)
    dimensions = models.PositiveSmallIntegerField(
        _("dimensions"), null=True, blank=True, help_text=_("Empty until the first vector is there.")
    )
    asked_at = models.DateTimeField(_("last asked"), null=True, blank=True)
    outcome = models.JSONField(_("outcome"), default=dict, blank=True, help_text=_("What the provider gave then."))

    class Meta:
        verbose_name = _("space of vectors")
        verbose_name_plural = _("spaces of vectors")
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(provider__in=list(vector_terms.VectorProvider)), name="provider_of_vectors_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(dimensions=None)
                | models.Q(dimensions__gte=SMALLEST_SPACE, dimensions__lte=LARGEST_SPACE),
                name="space_has_few_dimensions",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ItemVector(models.Model):
    """The unit vector of an item in a space, as float16. ``digest`` is of the text that it was made of, or with."""

    item = models.ForeignKey(
        Item, models.CASCADE, related_name="vectors", db_index=False, verbose_name=_("item")
    )  # found by the constraint, as the space is by its index
    space = models.ForeignKey(
        EmbeddingSpace, models.CASCADE, related_name="vectors", db_index=False, verbose_name=_("space")
    )
    digest = models.BinaryField(_("digest"), max_length=32)
    dimensions = models.PositiveSmallIntegerField(_("dimensions"))
    values = models.BinaryField(_("values"))
    made_at = models.DateTimeField(_("made"))

    class Meta:
        verbose_name = _("vector of an item")
        verbose_name_plural = _("vectors of items")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["item", "space"], name="item_has_one_vector_in_a_space"),
            models.CheckConstraint(
                condition=Exact(
                    models.Func("values", function="octet_length", output_field=models.IntegerField()),
                    models.F("dimensions") * 2,
                ),
                name="vector_is_as_long_as_it_says",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # how many were made since a run began
            models.Index(fields=["space", "made_at"], name="item_vector_made"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} in {self.space_id}"


class ItemPicture(models.Model):
    """What the picture of an item looks like, as far as it could be looked at, and whether another item has it, too."""

    item = models.OneToOneField(Item, models.CASCADE, related_name="seen_picture", verbose_name=_("item"))
    url = models.CharField(_("address"), max_length=1000)
    etag = models.CharField(_("ETag"), max_length=200, blank=True)
    fault = models.CharField(_("fault"), max_length=20, choices=item_labels.PICTURE_FAULTS, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    hash = models.BigIntegerField(_("hash"), null=True, blank=True, help_text=_("Its 64 bits, as a signed number."))
    is_shared = models.BooleanField(_("shared"), default=False, help_text=_("Another item has the same picture."))
    compared_hash = models.BigIntegerField(
        _("compared hash"), null=True, editable=False, help_text=_("With which it was compared with the others.")
    )
    compared_family = models.BigIntegerField(
        _("compared family"), null=True, editable=False, help_text=_("The item whose variant it was then, or its own.")
    )
    looked_at = models.DateTimeField(_("looked at"))

    class Meta:
        verbose_name = _("picture of an item")
        verbose_name_plural = _("pictures of items")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(fault__in=["", *vector_terms.PictureFault]), name="fault_of_picture_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.url
