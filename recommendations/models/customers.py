"""Customers, known by pseudonym only: the shop's own id is never stored."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations import terms
from recommendations.customer_codes import customer_code
from recommendations.fields import LONGEST_ID, LONGEST_PATH, LONGEST_TAG
from recommendations.wording import labels

UNIT = "('x' || encode(substring(pseudonym from 1 for 8), 'hex'))::bit(64)::bigint"
"""First 8 bytes of the pseudonym as a signed number, by which slates name a person before any event of theirs."""


class Customer(models.Model):
    pseudonym = models.BinaryField(
        _("pseudonym"), max_length=32, unique=True, help_text=_("Keyed hash (HMAC-SHA256) of the shop's id.")
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=labels.CUSTOMER_KINDS, default=terms.CustomerKind.SIGNED_IN
    )
    personalise = models.BooleanField(_("personalise"), default=True, help_text=_("Off after an objection."))
    consent_at = models.DateTimeField(
        _("consent given or refused"), null=True, help_text=_("When the customer last spoke about personalisation.")
    )
    resumed_at = models.DateTimeField(
        _("known again since"), null=True, help_text=_("They agreed again then: what was before is not learned from.")
    )
    measure = models.BooleanField(
        _("measure"), default=True, db_default=True, help_text=_("Off: what they do is tied to no answer.")
    )
    measure_at = models.DateTimeField(
        _("measuring allowed or refused"), null=True, help_text=_("When the customer last spoke about measuring.")
    )
    created_at = models.DateTimeField(_("first known"), default=timezone.now)
    properties = models.JSONField(
        _("properties"), default=dict, blank=True, help_text=_("What the shop says of the customer, for audiences.")
    )
    not_before = models.DateTimeField(
        _("acts taken since"), null=True, help_text=_("The id was erased then: what happened before is not taken.")
    )
    erased_at = models.DateTimeField(
        _("erased"), null=True, help_text=_("Nobody knows this customer any more; the row goes within minutes.")
    )

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = pgettext_lazy("model", "customers")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(kind__in=list(terms.CustomerKind)), name="customer_kind_is_known"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # the few who object, looked for with every event
            models.Index(fields=["id"], name="customer_objects", condition=models.Q(personalise=False)),
            # the few of whom not all may be used, as the views of events leave it out
            models.Index(fields=["id"], name="customer_resumed", condition=models.Q(resumed_at__isnull=False)),
            models.Index(fields=["id"], name="customer_unmeasured", condition=models.Q(measure=False)),
            # those who are being erased: every process forgets them
            models.Index(fields=["id"], name="customer_is_erased", condition=models.Q(erased_at__isnull=False)),
            models.Index(RawSQL(UNIT, ()), name="customer_by_unit"),  # noqa: S611 - a constant
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def code(self) -> str:
        """What people know the customer by."""
        return customer_code(self.pk)


class StatedTaste(models.Model):
    """What a customer said they like, as the shop asked who is new; it counts less with all that they do."""

    customer = models.OneToOneField(
        Customer, models.CASCADE, primary_key=True, related_name="stated_taste", verbose_name=_("customer")
    )
    categories = ArrayField(models.CharField(max_length=LONGEST_PATH), verbose_name=_("categories"), default=list)
    item_ids = ArrayField(
        models.CharField(max_length=LONGEST_ID), verbose_name=pgettext_lazy("of a taste", "items"), default=list
    )
    tags = ArrayField(models.CharField(max_length=LONGEST_TAG), verbose_name=_("tags"), default=list)
    stated_at = models.DateTimeField(_("stated"), default=timezone.now)

    class Meta:
        verbose_name = _("stated taste")
        verbose_name_plural = _("stated tastes")

    def __str__(self) -> str:
        return self.customer.code


class CustomerAlias(models.Model):
    """An anonymous key found to be a signed-in customer's. Events keep the key they came with; readers resolve it."""

    anonymous = models.ForeignKey(Customer, models.CASCADE, related_name="aliases", verbose_name=_("anonymous"))
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="merged", verbose_name=_("customer"))
    since = models.DateTimeField(_("since"), default=timezone.now)
    source = models.CharField(_("source"), max_length=50)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("merged customer")
        verbose_name_plural = _("merged customers")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["anonymous"], condition=models.Q(undone_at=None), name="anonymous_key_is_one_customer"
            ),
            models.CheckConstraint(condition=~models.Q(anonymous=models.F("customer")), name="alias_joins_two"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["changed_at"], name="alias_changed"),  # what processes have not heard of yet
        ]

    def __str__(self) -> str:
        return f"{self.anonymous_id} → {self.customer_id}"
