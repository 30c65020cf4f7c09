"""Messages: the verdict on everybody of an audience, what was handed over, and what came of it."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.customers import Customer
from recommendations.models.push.campaigns import Campaign, CampaignVersion, Occurrence
from recommendations.models.push.contacts import Address
from recommendations.push_terms import WAITING, MessageEventKind, MessageState, Verdict
from recommendations.wording import push_labels


class Considered(models.Model):
    """The verdict on one person of a sending; of a held-out one ``otherwise`` says what it had been without that."""

    occurrence = models.ForeignKey(
        Occurrence, models.CASCADE, related_name="considered", verbose_name=_("sending of a campaign")
    )
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", db_index=False, verbose_name=_("customer"))
    key = models.CharField(_("occasion"), max_length=64)
    verdict = models.CharField(_("verdict"), max_length=12, choices=push_labels.VERDICTS)
    would_send = models.BooleanField(_("would have been sent"))
    otherwise = models.CharField(
        _("verdict without the holdout"), max_length=12, choices=push_labels.VERDICTS, blank=True
    )
    channel = models.CharField(_("channel"), max_length=10, choices=push_labels.CHANNELS, blank=True)
    wanted_at = models.DateTimeField(_("wanted"))
    item = models.BigIntegerField(_("item of the occasion"), null=True)
    due_at = models.DateTimeField(_("due"), null=True)
    decided_at = models.DateTimeField(_("decided"))
    items = ArrayField(models.BigIntegerField(), default=list, verbose_name=pgettext_lazy("model", "items"))
    chance = models.FloatField(_("chance"), default=0)
    value = models.FloatField(_("value"), default=0)
    lost_to = models.ForeignKey(
        Campaign, models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name=_("lost to")
    )

    class Meta:
        verbose_name = _("verdict on a person")
        verbose_name_plural = _("verdicts on people")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["occurrence", "customer", "key"], name="considered_once_per_occasion"),
            models.CheckConstraint(condition=models.Q(verdict__in=list(Verdict)), name="verdict_is_known"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["customer", "occurrence"], name="considered_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.verdict}"


class Message(models.Model):
    """A message, from its reservation to what is known in the end; one per campaign, person and occasion.

    ``customer`` is the merged person, ``contact`` whose address it goes to. ``holder`` and ``lease_until`` say which
    sender is at it.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="messages", verbose_name=_("campaign"))
    version = models.ForeignKey(CampaignVersion, models.CASCADE, related_name="+", verbose_name=_("version"))
    occurrence = models.ForeignKey(
        Occurrence, models.CASCADE, related_name="messages", verbose_name=_("sending of a campaign")
    )
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="messages", verbose_name=_("customer"))
    contact = models.BigIntegerField(_("contact"), null=True)
    key = models.CharField(_("occasion"), max_length=64)
    channel = models.CharField(_("channel"), max_length=10, choices=push_labels.CHANNELS)
    address = models.ForeignKey(Address, models.SET_NULL, null=True, related_name="messages", verbose_name=_("address"))
    state = models.CharField(_("state"), max_length=10, choices=push_labels.MESSAGE_STATES)
    due_at = models.DateTimeField(_("due"))
    expires_at = models.DateTimeField(_("too late from"))
    trigger_item = models.BigIntegerField(_("item of the occasion"), null=True)
    items = ArrayField(models.BigIntegerField(), default=list, verbose_name=pgettext_lazy("model", "items"))
    variant = models.PositiveSmallIntegerField(_("subject variant"), default=0)
    chance = models.FloatField(_("chance"), default=0)
    value = models.FloatField(_("value"), default=0)
    hour_propensity = models.FloatField(
        _("chance of its hour"), null=True, help_text=_("Empty: the hour was not drawn.")
    )
    recommendation_id = models.CharField(_("recommendation"), max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(_("attempts"), default=0)
    faults = models.PositiveSmallIntegerField(_("times it could not be written"), default=0)
    holder = models.CharField(_("sender"), max_length=64, blank=True)
    lease_until = models.DateTimeField(_("sender has it until"), null=True)
    handed_at = models.DateTimeField(_("handed over"), null=True)
    settled_at = models.DateTimeField(_("settled"), null=True)
    provider_id = models.CharField(_("the provider's id"), max_length=200, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering: ClassVar[list[str]] = ["-pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["campaign", "customer", "key"], name="one_message_per_customer_and_occasion"
            ),
            models.CheckConstraint(condition=models.Q(state__in=list(MessageState)), name="message_state_is_known"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at", "id"], name="message_due", condition=models.Q(state=MessageState.DUE)),
            models.Index(
                fields=["lease_until"], name="message_leased",
                condition=models.Q(state__in=[MessageState.LEASED, MessageState.HANDING]),
            ),
            models.Index(fields=["customer", "due_at"], name="message_of_customer"),
            models.Index(
                fields=["contact"], name="message_waits", condition=models.Q(state__in=sorted(WAITING)),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.customer_id}/{self.key}"


class MessageEvent(models.Model):
    """What came of a message; told twice it is there once."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="events", verbose_name=_("message"))
    kind = models.CharField(_("what"), max_length=16, choices=push_labels.MESSAGE_EVENTS)
    place = models.SmallIntegerField(_("link"), default=0)
    at = models.DateTimeField(_("when"))
    told_as = models.CharField(_("the teller's id"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("what came of a message")
        verbose_name_plural = _("what came of messages")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(kind__in=list(MessageEventKind)), name="message_event_is_known"),
            models.UniqueConstraint(fields=["message", "kind", "place", "told_as"], name="message_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.kind}"
