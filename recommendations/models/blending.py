"""Blends (how much each recommender counts), their immutable weight versions, and the placements that use them."""

from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations import terms
from recommendations.models.audiences import Audience
from recommendations.models.interests import Segment
from recommendations.models.staff import Staff
from recommendations.wording import labels

type Group = Audience | Segment | None
"""Customers that weights are for: an audience, a segment, or (None) everybody; of these the first acts."""


class Blend(models.Model):
    name = models.CharField(_("name"), max_length=20, choices=labels.BLENDS, unique=True)
    automatic = models.BooleanField(
        _("automatic"), default=False, help_text=_("A run makes its own result the default without asking.")
    )
    second_stage = models.BooleanField(
        _("second stage"),
        default=False,
        help_text=_("Runs train and measure a second stage; it gets weight only where it proves better."),
    )
    last_number = models.PositiveIntegerField(_("last version"), default=0, editable=False)  # given out, kept or not

    class Meta:
        verbose_name = _("blend")
        verbose_name_plural = _("blends")

    def __str__(self) -> str:
        return self.get_name_display()


class BlendWeightsQuerySet(models.QuerySet["BlendWeights"]):
    def defaults(self) -> Self:
        """Weights that are served where nothing more special applies."""
        return self.filter(is_default=True)

    def in_use(self) -> Self:
        """Weights that serve, and drafts."""
        return self.filter(models.Q(is_default=True) | models.Q(status=terms.WeightsStatus.DRAFT))

    def of_group(self, group: Group) -> Self:
        """Weights that are for this group, and for no other."""
        return self.filter(**group_fields(group))


def group_fields(group: Group) -> dict[str, Audience | Segment | None]:
    """The fields of weights, and of searches for some, that say whom they are for."""
    return {
        "audience": group if isinstance(group, Audience) else None,
        "segment": group if isinstance(group, Segment) else None,
    }


class BlendWeights(models.Model):
    """A frozen weight vector. It is never edited: a change is a new version with this one as parent.

    A draft, one at most per blend and group, is the exception: it is edited until it is published.
    """

    blend = models.ForeignKey(Blend, models.PROTECT, related_name="versions", verbose_name=_("blend"))
    segment = models.ForeignKey(
        Segment, models.PROTECT, null=True, blank=True, related_name="weights", verbose_name=_("segment")
    )
    audience = models.ForeignKey(
        Audience, models.PROTECT, null=True, blank=True, related_name="weights", verbose_name=_("audience")
    )
    number = models.PositiveIntegerField(_("version"))
    weights = models.JSONField(_("weights"), help_text=_("Instance of a recommender → weight; they add up to 1."))
    diversity = models.FloatField(_("diversity"), default=0, validators=[MinValueValidator(0), MaxValueValidator(1)])
    exploration = models.FloatField(
        _("shuffled answers"), default=0, validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("Share of the answers in which neighbouring positions change places."),
    )  # fmt: skip
    cards = models.FloatField(
        _("items from further down"), default=0, validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("How often each of the last two positions shows an item from further down."),
    )  # fmt: skip
    promotion = models.FloatField(
        _("promotions"), default=0, validators=[MinValueValidator(0)],
        help_text=_("How much the promotion plan counts: the exponent of an item's lift; 0: not at all."),
    )  # fmt: skip
    revenue = models.FloatField(
        _("revenue"), default=0, validators=[MinValueValidator(0)],
        help_text=_("How much an item's price counts: the exponent of its lift; 0: not at all."),
    )  # fmt: skip
    margin = models.FloatField(
        _("margin"), default=0, validators=[MinValueValidator(0)],
        help_text=_("How much an item's margin counts: the exponent of its lift; 0: not at all."),
    )  # fmt: skip
    clearance = models.FloatField(
        _("stock to clear"), default=0, validators=[MinValueValidator(0)],
        help_text=_("How much it counts that there is too much of an item: the exponent of its lift; 0: not at all."),
    )  # fmt: skip
    status = models.CharField(_("status"), max_length=10, choices=labels.WEIGHTS_STATUSES)
    is_default = models.BooleanField(_("default"), default=False)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("made from")
    )
    revision = models.PositiveIntegerField(
        _("revision"), default=1, help_text=_("Of a draft: goes up with every change of it.")
    )
    reason = models.TextField(_("reason"))
    note = models.TextField(_("note"), blank=True, help_text=_("Why it was published."))
    expected = models.JSONField(_("expected effect"), default=dict)
    gate = models.JSONField(
        _("gate"), default=dict, help_text=_("How it did on the test window compared with what it would replace.")
    )
    author = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)

    objects: ClassVar[models.Manager["BlendWeights"]] = models.Manager.from_queryset(BlendWeightsQuerySet)()

    class Meta:
        verbose_name = _("weights")
        verbose_name_plural = _("weights")
        ordering: ClassVar[list[str]] = ["blend", "-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["blend", "number"], name="weights_number_once_per_blend"),
            models.UniqueConstraint(
                fields=["blend", "segment", "audience"], condition=models.Q(is_default=True), nulls_distinct=False,
                name="one_default_per_blend_and_group",
            ),
            models.UniqueConstraint(
                fields=["blend", "segment", "audience"], condition=models.Q(status=terms.WeightsStatus.DRAFT),
                nulls_distinct=False, name="one_draft_per_blend_and_group",
            ),
            models.CheckConstraint(
                condition=models.Q(segment=None) | models.Q(audience=None), name="weights_are_for_one_group"
            ),
            models.CheckConstraint(
                condition=models.Q(is_default=False) | models.Q(status=terms.WeightsStatus.PUBLISHED),
                name="only_published_weights_are_default",
            ),
            models.CheckConstraint(
                condition=models.Q(diversity__gte=0, diversity__lte=1, exploration__gte=0, exploration__lte=1),
                name="diversity_and_exploration_are_shares",
            ),
            models.CheckConstraint(condition=models.Q(cards__gte=0, cards__lte=1), name="cards_are_a_share"),
            models.CheckConstraint(condition=models.Q(promotion__gte=0), name="promotion_exponent_is_not_negative"),
            models.CheckConstraint(
                condition=models.Q(revenue__gte=0, margin__gte=0, clearance__gte=0), name="goals_are_not_negative"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.blend} v{self.number}"

    @property
    def group(self) -> Group:
        return self.audience or self.segment

    @property
    def exponents(self) -> dict[terms.Lift, float]:
        """How much each lift counts."""
        return {name: getattr(self, name) for name in terms.Lift}


class Placement(models.Model):
    """A place in the shop that asks for recommendations."""

    name = models.SlugField(_("name"), max_length=40, unique=True)
    blend = models.ForeignKey(
        Blend,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="placements",
        verbose_name=_("blend"),
        help_text=_("Empty: the same list for everybody."),
    )
    repeat = models.CharField(_("bought before"), max_length=8, choices=labels.REPEATS, default=terms.Repeat.ALLOW)
    needs_context = models.BooleanField(_("needs an item"), default=False)
    scope = models.CharField(
        _("part of the shop"), max_length=8, choices=labels.CATALOGUE_SCOPES, default=terms.CatalogueScope.WHOLE
    )
    n = models.PositiveSmallIntegerField(_("items shown"), default=20, validators=[MaxValueValidator(100)])
    cool_down = models.FloatField(
        _("cool-down"), default=0, validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("A repurchased item is held back for this share of its usual interval."),
    )  # fmt: skip
    fatigue = models.FloatField(
        _("fatigue"), default=0, validators=[MinValueValidator(0), MaxValueValidator(2)],
        help_text=_(
            "How far an item goes down that was shown and not clicked. 0: not at all; 0.25: after about twenty looks a "
            "quarter of the way from the best to the middle."
        ),
    )  # fmt: skip
    diversity = models.FloatField(
        _("diversity"), null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("Empty: as the weights of the blend have it."),
    )  # fmt: skip
    explores = models.BooleanField(
        _("explores"), default=True,
        help_text=_("Answers may be shown otherwise than ranked, as often as the weights say."),
    )  # fmt: skip
    variants = models.CharField(
        _("variants"), max_length=4, choices=labels.VARIANTS,
        default=terms.Variants.ONE, db_default=terms.Variants.ONE,
        help_text=_(
            "Items with the same parent are one product; its tile is the variant that ranks best, or is pinned."
        ),
    )  # fmt: skip
    attribution_window = models.PositiveSmallIntegerField(
        _("attribution window, hours"), default=24, validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text=_("A purchase this long after a click on the item counts for the list that was clicked."),
    )  # fmt: skip
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(repeat__in=list(terms.Repeat)), name="placement_repeat_is_known"),
            models.CheckConstraint(
                condition=models.Q(scope__in=list(terms.CatalogueScope)), name="placement_scope_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(variants__in=list(terms.Variants)), name="placement_variants_is_known"
            ),
            models.CheckConstraint(condition=models.Q(n__gte=1, n__lte=100), name="placement_shows_1_to_100"),
            models.CheckConstraint(
                condition=models.Q(diversity__gte=0, diversity__lte=1), name="placement_diversity_is_a_share"
            ),
            models.CheckConstraint(
                condition=models.Q(fatigue__gte=0, fatigue__lte=2), name="placement_fatigue_is_0_to_2"
            ),
            models.CheckConstraint(
                condition=models.Q(attribution_window__gte=1, attribution_window__lte=720),
                name="attribution_window_is_1_hour_to_30_days",
            ),
        ]

    def __str__(self) -> str:
        return self.name
