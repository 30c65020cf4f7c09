"""Segments and association rules of each model version, and the interest profiles of the live one."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.catalogue import Item
from recommendations.models.customers import Customer
from recommendations.models.training import ModelVersion


class Segment(models.Model):
    """A group of customers with like interests; it keeps its number and name from run to run."""

    number = models.PositiveSmallIntegerField(_("number"), unique=True)
    name = models.CharField(
        _("name"), max_length=100, blank=True, help_text=_("Given by staff; empty: made from its categories.")
    )
    automatic_name = models.TextField(_("automatic name"), default="", editable=False)  # of when it began
    size = models.PositiveIntegerField(pgettext_lazy("model", "customers"), default=0)
    top_categories = models.JSONField(_("top categories"), default=list)
    version = models.ForeignKey(
        ModelVersion, models.SET_NULL, null=True, related_name="segments", verbose_name=_("last live in")
    )

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = pgettext_lazy("model", "segments")
        ordering: ClassVar[list[str]] = ["number"]

    def __str__(self) -> str:
        return self.name or self.automatic_name or str(self.number)


class SegmentState(models.Model):
    """A segment as one version has it; that of the live version stands in the segment itself."""

    version = models.ForeignKey(
        ModelVersion, models.CASCADE, related_name="segment_states", verbose_name=_("version")
    )  # fmt: skip
    segment = models.ForeignKey(Segment, models.CASCADE, related_name="states", verbose_name=_("segment"))
    size = models.PositiveIntegerField(pgettext_lazy("model", "customers"))
    top_categories = models.JSONField(_("top categories"))

    class Meta:
        verbose_name = _("segment of a version")
        verbose_name_plural = _("segments of versions")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["version", "segment"], name="one_state_of_a_segment_per_version"),
        ]

    def __str__(self) -> str:
        return f"{self.segment_id} in {self.version_id}"


class LiveProfile(models.Model):
    """What the live version inferred of a customer, as far as lists of many ask; its files have the rest."""

    customer = models.OneToOneField(
        Customer, models.CASCADE, primary_key=True, related_name="live_profile", verbose_name=_("customer")
    )
    segment = models.ForeignKey(
        Segment, models.PROTECT, null=True, related_name="members", verbose_name=_("segment")
    )  # fmt: skip
    weight = models.FloatField(_("weight of all activity"))
    shift = models.FloatField(_("shift of interests"), help_text=_("Share that what leads the last 7 days gained."))
    leads = models.BigIntegerField(_("leading category"), null=True, help_text=_("Its key; of the last 7 days."))

    class Meta:
        verbose_name = _("profile of the live version")
        verbose_name_plural = _("profiles of the live version")

    def __str__(self) -> str:
        return f"{self.customer_id} ∈ {self.segment_id}"


class AssociationRule(models.Model):
    """Association of items: baskets with the antecedents hold the consequent more often than chance."""

    version = models.ForeignKey(
        ModelVersion, models.CASCADE, related_name="association_rules", verbose_name=_("version")
    )
    antecedents = ArrayField(models.BigIntegerField(), verbose_name=_("if in the basket"))
    consequent = models.ForeignKey(Item, models.CASCADE, related_name="+", verbose_name=_("then also"))
    baskets = models.PositiveIntegerField(_("baskets with all"))
    support = models.FloatField(_("support"))
    confidence = models.FloatField(_("confidence"))
    lift = models.FloatField(_("lift"))
    p_value = models.FloatField(_("p-value"))

    class Meta:
        verbose_name = _("association rule")
        verbose_name_plural = pgettext_lazy("model", "association rules")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["version", "-lift"], name="association_rule_by_lift"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(confidence__gte=0, confidence__lte=1, support__gte=0, support__lte=1),
                name="association_shares_are_shares",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.antecedents} → {self.consequent_id}"
