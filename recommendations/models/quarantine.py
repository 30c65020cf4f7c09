"""What is set aside: events that stay in the record, and that nothing is learned from until somebody restores them."""

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.access import ApiKey
from recommendations.models.catalogue import Item
from recommendations.models.customers import Customer
from recommendations.models.staff import Staff
from recommendations.models.training import Run
from recommendations.terms import QuarantineState
from recommendations.wording import labels


class QuarantineQuerySet(models.QuerySet["Quarantine"]):
    def in_force(self) -> Self:
        """Quarantines that hold something back: nobody restored them, and their events are not deleted yet."""
        return self.exclude(state=QuarantineState.RESTORED).filter(emptied_at=None)


class Quarantine(models.Model):
    """A finding of a run, or a decision of staff; ``Aside`` says whom and what it covers."""

    rule = models.CharField(_("why"), max_length=10, choices=labels.SUSPICION_RULES)
    state = models.CharField(_("state"), max_length=10, choices=labels.QUARANTINE_STATES, default=QuarantineState.ASIDE)
    events = models.PositiveIntegerField(pgettext_lazy("model", "events"), default=0)
    people = models.PositiveIntegerField(pgettext_lazy("model", "customers"), default=0)
    items = ArrayField(models.BigIntegerField(), default=list, verbose_name=pgettext_lazy("model", "items"))
    run = models.ForeignKey(
        Run, models.SET_NULL, null=True, related_name="quarantines", verbose_name=_("run"),
        help_text=_("That found it; none where staff set it aside."),
    )  # fmt: skip
    created_at = models.DateTimeField(_("set aside"), auto_now_add=True)
    reason = models.TextField(_("reason"), blank=True, help_text=_("That staff gave for setting it aside."))
    set_aside_by = models.ForeignKey(
        Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("set aside by")
    )  # fmt: skip
    note = models.TextField(_("note"), blank=True, help_text=_("Of the decision to restore or delete it."))
    decided_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("decided by"))
    decided_at = models.DateTimeField(_("decided"), null=True)
    emptied_at = models.DateTimeField(
        _("emptied"), null=True, help_text=_("When its events were deleted; it covers nothing since.")
    )

    objects: ClassVar[models.Manager["Quarantine"]] = models.Manager.from_queryset(QuarantineQuerySet)()

    class Meta:
        verbose_name = _("quarantine")
        verbose_name_plural = _("quarantines")
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return f"q{self.pk}"


class Aside(models.Model):
    """One thing that a quarantine covers: a customer, an item for all who are not confirmed, or a key."""

    quarantine = models.ForeignKey(Quarantine, models.CASCADE, related_name="asides", verbose_name=_("quarantine"))
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, related_name="asides", verbose_name=_("customer"))
    item = models.ForeignKey(Item, models.CASCADE, null=True, related_name="asides", verbose_name=_("item"))
    key = models.ForeignKey(ApiKey, models.CASCADE, null=True, related_name="asides", verbose_name=_("API key"))
    since = models.DateTimeField(_("received since"), null=True)
    until = models.DateTimeField(_("received before"), null=True)

    class Meta:
        verbose_name = _("what is set aside")
        verbose_name_plural = _("what is set aside")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(customer__isnull=False, item=None, key=None)
                | Q(customer=None, item__isnull=False, key=None)
                | Q(customer=None, item=None, key__isnull=False),
                name="one_thing_is_set_aside",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quarantine}: {self.customer or self.item or self.key}"
