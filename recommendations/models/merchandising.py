"""Rules of merchandising: what staff have written, and the frozen books of rules that are served."""

from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations import terms
from recommendations.models.audiences import Audience
from recommendations.models.blending import Placement
from recommendations.models.customers import Customer
from recommendations.models.interests import Segment
from recommendations.models.staff import Staff
from recommendations.wording import labels


class RuleQuerySet(models.QuerySet["Rule"]):
    def unarchived(self) -> Self:
        return self.filter(archived_at=None)


class Rule(models.Model):
    """A rule as staff last wrote it: when · which items · do. What is served is its copy in the default book."""

    name = models.CharField(_("name"), max_length=120)
    placement = models.ForeignKey(
        Placement, models.CASCADE, null=True, blank=True, related_name="rules", verbose_name=_("placement"),
        help_text=_("Empty: every placement."),
    )  # fmt: skip
    segment = models.ForeignKey(
        Segment, models.PROTECT, null=True, blank=True, related_name="rules", verbose_name=_("segment"),
        help_text=_("Empty: every segment."),
    )  # fmt: skip
    audience = models.ForeignKey(
        Audience, models.PROTECT, null=True, blank=True, related_name="rules", verbose_name=_("audience"),
        help_text=_("Empty: every audience."),
    )  # fmt: skip
    customer = models.ForeignKey(
        Customer, models.CASCADE, null=True, blank=True, related_name="rules", verbose_name=_("customer"),
        help_text=_("Empty: every customer."),
    )  # fmt: skip
    context = models.JSONField(
        _("context"), default=list, blank=True, help_text=_("Conditions on an item in view; empty: any context.")
    )
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    items = models.JSONField(
        pgettext_lazy("model", "items"),
        default=list,
        blank=True,
        help_text=_("Conditions that an item has to meet; empty: every item."),
    )
    action = models.CharField(_("does"), max_length=20, choices=labels.RULE_ACTIONS)
    slot = models.PositiveSmallIntegerField(_("slot"), null=True, blank=True, validators=[MinValueValidator(1)])
    strength = models.SmallIntegerField(
        _("strength"), null=True, blank=True, validators=[MinValueValidator(-100), MaxValueValidator(100)],
        help_text=_("Above 0 boosts, below 0 buries."),
    )  # fmt: skip
    most = models.PositiveSmallIntegerField(_("at most"), null=True, blank=True)
    per = models.CharField(_("of each"), max_length=10, choices=labels.CAPS_PER, blank=True)
    share = models.FloatField(
        _("least share"), null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    position = models.PositiveIntegerField(_("order"), default=0)
    revision = models.PositiveIntegerField(
        _("revision"),
        default=1,
        help_text=_("Goes up with every change, so that nobody overwrites what they have not seen."),
    )
    author = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)

    objects: ClassVar[models.Manager["Rule"]] = models.Manager.from_queryset(RuleQuerySet)()

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering: ClassVar[list[str]] = ["position", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(action__in=list(terms.RuleAction)), name="rule_action_is_known"),
            models.CheckConstraint(
                condition=models.Q(starts_at=None)
                | models.Q(ends_at=None)
                | models.Q(starts_at__lt=models.F("ends_at")),
                name="rule_starts_before_it_ends",
            ),
            models.CheckConstraint(
                condition=models.Q(strength=None) | models.Q(strength__gte=-100, strength__lte=100),
                name="rule_strength_is_from_minus_100_to_100",
            ),
            models.CheckConstraint(
                condition=models.Q(share=None) | models.Q(share__gte=0, share__lte=1), name="rule_share_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RuleBook(models.Model):
    """A frozen, ordered list of rules. It is never edited: a change is a new book with this one as parent."""

    number = models.PositiveIntegerField(_("version"), unique=True)
    rules = models.JSONField(_("rules"), default=list)
    is_default = models.BooleanField(_("default"), default=False)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("made from")
    )
    note = models.TextField(_("note"))
    expected = models.JSONField(_("expected effect"), default=dict)
    author = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    published_at = models.DateTimeField(_("published"), default=timezone.now)

    class Meta:
        verbose_name = _("rule version")
        verbose_name_plural = _("rule versions")
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_book_of_rules"
            ),
        ]

    def __str__(self) -> str:
        return f"r{self.number}"
