"""Contacts: addresses of customers, sealed; what they have said yes and no to; addresses that stay silent."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations.models.customers import Customer
from recommendations.push_terms import (
    AddressState,
    Channel,
    ConsentSource,
    ConsentState,
    Purpose,
    SuppressionReason,
)
from recommendations.wording import push_labels

DIGEST = 32  # bytes


class Contact(models.Model):
    """How a customer may be reached; it belongs to the key under which the address was given, merged or not."""

    customer = models.OneToOneField(
        Customer, models.CASCADE, primary_key=True, related_name="contact", verbose_name=_("customer")
    )
    language = models.CharField(_("language"), max_length=10)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("Empty: that of the shop."))
    link_generation = models.PositiveSmallIntegerField(
        _("generation of links"), default=0, help_text=_("Goes up when links that were sent must not open any more.")
    )
    paused_until = models.DateTimeField(_("paused until"), null=True)
    most_a_week = models.PositiveSmallIntegerField(
        _("most messages a week"), null=True, validators=[MinValueValidator(1), MaxValueValidator(7)]
    )
    quiet_from = models.TimeField(_("quiet from"), null=True)
    quiet_until = models.TimeField(_("quiet until"), null=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(most_a_week=None) | models.Q(most_a_week__gte=1, most_a_week__lte=7),
                name="contact_bears_1_to_7_a_week",
            ),
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="contact_has_both_quiet_hours_or_none",
            ),
        ]

    def __str__(self) -> str:
        return self.customer.code


class Address(models.Model):
    """Where a channel reaches a contact. ``sealed`` opens just before it is used; ``digest`` finds it without.

    Sealed is JSON: {email}; of a browser {endpoint, p256dh, auth}; of a webhook {user_id}, the customer in the shop's
    own words. ``proven``: the shop said that the browser is this customer's.
    """

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="addresses", verbose_name=_("contact"))
    channel = models.CharField(_("channel"), max_length=10, choices=push_labels.CHANNELS)
    sealed = models.BinaryField(_("address, sealed"))
    digest = models.BinaryField(_("keyed hash of the address"), max_length=DIGEST)
    state = models.CharField(
        _("state"), max_length=12, choices=push_labels.ADDRESS_STATES, default=AddressState.UNCONFIRMED
    )
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    confirmations = models.PositiveSmallIntegerField(_("confirmation mails"), default=0)
    asked_at = models.DateTimeField(_("last asked to confirm"), null=True)
    proven = models.BooleanField(_("the shop vouches for it"), default=False, db_default=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(channel__in=list(Channel)), name="address_channel_is_known"),
            models.CheckConstraint(condition=models.Q(state__in=list(AddressState)), name="address_state_is_known"),
            models.UniqueConstraint(
                fields=["channel", "digest"], condition=models.Q(state=AddressState.ACTIVE),
                name="address_belongs_to_one",
            ),
            models.UniqueConstraint(
                fields=["contact"], condition=models.Q(channel=Channel.EMAIL) & ~models.Q(state=AddressState.GONE),
                name="one_email_per_contact",
            ),
            models.UniqueConstraint(
                fields=["contact"], condition=models.Q(channel=Channel.WEBHOOK) & ~models.Q(state=AddressState.GONE),
                name="one_webhook_per_contact",
            ),
        ]  # fmt: skip
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["digest"], name="address_by_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"


class ConsentStatement(models.Model):
    """A statement of the ledger: what somebody said, when, where, and what proves it. Statements are only added."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="consents", verbose_name=_("contact"))
    channel = models.CharField(_("channel"), max_length=10, choices=push_labels.CHANNELS)
    purpose = models.CharField(_("purpose"), max_length=10, choices=push_labels.PURPOSES)
    state = models.CharField(_("said"), max_length=10, choices=push_labels.CONSENT_STATES)
    at = models.DateTimeField(_("when"))
    source = models.CharField(_("where"), max_length=12, choices=push_labels.CONSENT_SOURCES)
    proof = models.JSONField(
        _("proof"), default=dict, blank=True, help_text=_("Version and language of the text, the form, a reference.")
    )
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now())

    class Meta:
        verbose_name = _("statement of consent")
        verbose_name_plural = _("statements of consent")
        ordering: ClassVar[list[str]] = ["-at", "-pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["contact", "channel", "purpose", "state", "at"], name="statement_of_consent_once"
            ),
            models.CheckConstraint(condition=models.Q(channel__in=list(Channel)), name="consent_channel_is_known"),
            models.CheckConstraint(condition=models.Q(purpose__in=list(Purpose)), name="consent_purpose_is_known"),
            models.CheckConstraint(condition=models.Q(state__in=list(ConsentState)), name="consent_state_is_known"),
            models.CheckConstraint(condition=models.Q(source__in=list(ConsentSource)), name="consent_source_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.purpose}: {self.state}"


class Permission(models.Model):
    """What holds now for a channel and a purpose: the latest statement, a closing one first at the same instant."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="permissions", verbose_name=_("contact"))
    channel = models.CharField(_("channel"), max_length=10, choices=push_labels.CHANNELS)
    purpose = models.CharField(_("purpose"), max_length=10, choices=push_labels.PURPOSES)
    state = models.CharField(_("state"), max_length=10, choices=push_labels.CONSENT_STATES)
    since = models.DateTimeField(_("since"))
    source = models.CharField(_("where"), max_length=12, choices=push_labels.CONSENT_SOURCES)

    class Meta:
        verbose_name = _("permission to write")
        verbose_name_plural = _("permissions to write")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["contact", "channel", "purpose"], name="one_permission_per_purpose"),
            models.CheckConstraint(condition=models.Q(state__in=list(ConsentState)), name="permission_state_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.purpose}: {self.state}"


class Suppression(models.Model):
    """An address that stays silent whoever it belongs to; linked to nobody, so that it outlives an erasure."""

    channel = models.CharField(_("channel"), max_length=10, choices=push_labels.CHANNELS)
    digest = models.BinaryField(_("keyed hash of the address"), max_length=DIGEST)
    reason = models.CharField(_("why"), max_length=20, choices=push_labels.SUPPRESSION_REASONS)
    at = models.DateTimeField(_("since"), default=timezone.now)
    until = models.DateTimeField(_("until"), null=True, help_text=_("Empty: for good."))

    class Meta:
        verbose_name = _("silent address")
        verbose_name_plural = _("silent addresses")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["channel", "digest"], name="one_suppression_per_address"),
            models.CheckConstraint(
                condition=models.Q(reason__in=list(SuppressionReason)), name="suppression_reason_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.reason}"
