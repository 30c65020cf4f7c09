"""Audiences: customers whom staff have described by what they did or are, and who of them is in each by now."""

from typing import ClassVar, Self

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.customers import Customer
from recommendations.models.staff import Staff


class AudienceQuerySet(models.QuerySet["Audience"]):
    def unarchived(self) -> Self:
        return self.filter(archived_at=None)

    def in_use(self) -> Self:
        """Audiences for which there are rules, or weights that serve."""
        has_rules = models.Q(rules__isnull=False, rules__archived_at=None)
        return self.filter(has_rules | models.Q(weights__is_default=True)).distinct()


class Audience(models.Model):
    """A description of customers; ``store/audiences`` says who meets it, and keeps its members fresh."""

    name = models.CharField(_("name"), max_length=120)
    conditions = models.JSONField(
        _("conditions"),
        default=dict,
        help_text=_("“all”: what holds for every customer; “none”: what holds for none of them."),
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
    size = models.PositiveIntegerField(pgettext_lazy("model", "customers"), default=0)
    size_before = models.PositiveIntegerField(_("customers the day before"), null=True)
    counted_at = models.DateTimeField(_("counted"), null=True)
    generation = models.PositiveIntegerField(
        _("generation"), default=0, help_text=_("Goes up whenever someone joins or leaves.")
    )

    objects: ClassVar[models.Manager["Audience"]] = models.Manager.from_queryset(AudienceQuerySet)()

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")
        ordering: ClassVar[list[str]] = ["position", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("name"), name="audience_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class AudienceMember(models.Model):
    audience = models.ForeignKey(Audience, models.CASCADE, related_name="members", verbose_name=_("audience"))
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="audiences", verbose_name=_("customer"))

    class Meta:
        verbose_name = _("member of an audience")
        verbose_name_plural = _("members of audiences")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["audience", "customer"], name="member_once_per_audience"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} ∈ {self.audience_id}"
