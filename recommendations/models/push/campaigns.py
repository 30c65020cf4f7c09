"""Campaigns: drafts that staff edit, versions that are frozen, each sending of one, and the rules of pressure."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.audiences import Audience
from recommendations.models.staff import Staff
from recommendations.push_terms import CampaignKind, CampaignStatus, OccurrenceState, Purpose, Trigger
from recommendations.wording import push_labels


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def ours(self) -> Self:
        """Campaigns that were made here; another system sent the others, and nothing can be done with them."""
        return self.exclude(kind=CampaignKind.IMPORTED)

    def unarchived(self) -> Self:
        return self.filter(archived_at=None)

    def in_review(self) -> Self:
        """Campaigns whose draft somebody has handed over, and nobody has approved yet."""
        return self.filter(review_asked_at__isnull=False, archived_at=None, ended_at=None)

    def live(self) -> Self:
        """Campaigns that send, or will, unless they are paused."""
        return self.filter(versions__is_live=True, archived_at=None, ended_at=None)


class Campaign(models.Model):
    """Messages of one kind with one purpose; ``draft`` is what staff work at, the live version is what is sent."""

    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=push_labels.CAMPAIGN_KINDS)
    trigger = models.CharField(_("trigger"), max_length=15, choices=push_labels.TRIGGERS, blank=True)
    purpose = models.CharField(_("purpose"), max_length=10, choices=push_labels.PURPOSES)
    audiences = models.ManyToManyField(
        Audience, related_name="campaigns", blank=True, verbose_name=_("audiences"), help_text=_("Empty: everybody.")
    )
    draft = models.JSONField(_("draft"), default=dict)
    revision = models.PositiveIntegerField(
        _("revision"),
        default=1,
        help_text=_("Goes up with every change, so that nobody overwrites what they have not seen."),
    )
    author = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    review_asked_at = models.DateTimeField(_("review asked for"), null=True)
    review_asked_by = models.ForeignKey(
        Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("review asked by")
    )
    review_note = models.TextField(_("note for the review"), blank=True)
    paused_at = models.DateTimeField(_("paused"), null=True)
    pause_reason = models.TextField(_("why it is paused"), blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    archived_at = models.DateTimeField(_("archived"), null=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    objects: ClassVar[models.Manager["Campaign"]] = models.Manager.from_queryset(CampaignQuerySet)()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering: ClassVar[list[str]] = ["-updated_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("name"), name="campaign_name_once"),
            models.CheckConstraint(condition=models.Q(kind__in=list(CampaignKind)), name="campaign_kind_is_known"),
            models.CheckConstraint(condition=models.Q(purpose__in=list(Purpose)), name="campaign_purpose_is_known"),
            models.CheckConstraint(
                condition=models.Q(kind=CampaignKind.TRIGGERED, trigger__in=list(Trigger))
                | (~models.Q(kind=CampaignKind.TRIGGERED) & models.Q(trigger="")),
                name="campaign_has_a_trigger_if_triggered",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def status(self, *, live: "CampaignVersion | None", now: datetime) -> CampaignStatus:
        """Where the campaign stands; ``live`` is its live version."""
        if self.archived_at is not None:
            return CampaignStatus.ARCHIVED
        if self.ended_at is not None:
            return CampaignStatus.ENDED
        if live is None:
            return CampaignStatus.IN_REVIEW if self.review_asked_at else CampaignStatus.DRAFT
        if self.paused_at is not None:
            return CampaignStatus.PAUSED
        return CampaignStatus.SCHEDULED if live.starts_at > now else CampaignStatus.LIVE


class CampaignVersion(models.Model):
    """A frozen form of a campaign that somebody approved, with the counts of the plan that they saw."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="versions", verbose_name=_("campaign"))
    number = models.PositiveIntegerField(_("number"))
    frozen = models.JSONField(_("frozen form"))
    note = models.TextField(_("note"))
    expected = models.JSONField(_("planned"), default=dict)
    author = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("author"))
    approved_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("approved by"))
    approved_at = models.DateTimeField(_("approved"), default=timezone.now)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"), null=True)
    is_live = models.BooleanField(_("live"), default=True)

    class Meta:
        verbose_name = _("version of a campaign")
        verbose_name_plural = _("versions of campaigns")
        ordering: ClassVar[list[str]] = ["campaign", "-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["campaign", "number"], name="campaign_version_once"),
            models.UniqueConstraint(
                fields=["campaign"], condition=models.Q(is_live=True), name="one_live_version_per_campaign"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} v{self.number}"


class PressureRules(models.Model):
    """How much a customer bears: caps over rolling windows, quiet hours, holdout, budgets; frozen like weights.

    ``caps``: [{channel or null, most, hours}]; ``per_day``: messages of all campaigns.
    """

    number = models.PositiveIntegerField(_("version"), unique=True)
    caps = models.JSONField(_("caps"), default=list)
    quiet_from = models.TimeField(_("quiet from"))
    quiet_until = models.TimeField(_("quiet until"))
    holdout = models.FloatField(_("held out"))
    season = models.CharField(_("season of the holdout"), max_length=20)
    per_day = models.PositiveIntegerField(_("messages a day"), null=True)
    prices = models.JSONField(
        _("price of a message"), default=dict, blank=True, help_text=_("By channel, in the shop's currency.")
    )
    lost_contact = models.FloatField(
        _("worth of a contact that leaves"), null=True, help_text=_("Empty: 5% of what one spends in 90 days.")
    )
    note = models.TextField(_("note"), blank=True)
    author = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("author"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    is_default = models.BooleanField(_("live"), default=False)

    class Meta:
        verbose_name = _("pressure rules")
        verbose_name_plural = _("pressure rules")
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_pressure"
            ),
            models.CheckConstraint(
                condition=models.Q(holdout__gte=0, holdout__lte=0.5), name="holdout_is_half_at_most"
            ),
        ]

    def __str__(self) -> str:
        return f"p{self.number}"


class Occurrence(models.Model):
    """One sending of a campaign: once, of a week, of a day of triggers; what it was decided under."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="occurrences", verbose_name=_("campaign"))
    version = models.ForeignKey(
        CampaignVersion, models.CASCADE, null=True, related_name="occurrences", verbose_name=_("version")
    )
    key = models.CharField(_("which"), max_length=20)
    due_at = models.DateTimeField(_("due"))
    state = models.CharField(
        _("state"), max_length=10, choices=push_labels.OCCURRENCE_STATES, default=OccurrenceState.DUE
    )
    counts = models.JSONField(_("people by verdict"), default=dict)
    seed = models.PositiveIntegerField(_("seed"), default=0)
    model_version = models.BigIntegerField(_("model version"), null=True)
    rules_version = models.BigIntegerField(_("rules version"), default=0)
    pressure = models.ForeignKey(
        PressureRules,
        models.PROTECT,
        null=True,
        related_name="occurrences",
        verbose_name=pgettext_lazy("push", "pressure"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("sending of a campaign")
        verbose_name_plural = _("sendings of campaigns")
        ordering: ClassVar[list[str]] = ["-due_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["campaign", "key"], name="one_sending_per_key"),
            models.CheckConstraint(
                condition=models.Q(state__in=list(OccurrenceState)), name="occurrence_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} {self.key}"
