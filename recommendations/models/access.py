"""API keys of the storefront and what each sent, and the audit trail of who changed what."""

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from recommendations import terms
from recommendations.models.staff import Staff
from recommendations.wording import labels


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def valid(self) -> Self:
        """Keys that are neither revoked nor expired."""
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=models.functions.Now()), revoked_at=None)


class ApiKey(models.Model):
    """Key of the storefront API. Only a hash of its secret is stored; the secret is shown once."""

    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=12, unique=True)
    digest = models.CharField(_("SHA-256 of the secret"), max_length=64)
    side = models.CharField(
        _("where it is used"), max_length=6, choices=labels.SIDES,
        default=terms.Side.SERVER, db_default=terms.Side.SERVER,
        help_text=_("Anyone who opens a page can read the key in it, so what it sends proves nothing."),
    )  # fmt: skip
    scopes = ArrayField(models.CharField(max_length=30, choices=labels.SCOPES), verbose_name=_("may"))
    origins = ArrayField(
        models.CharField(max_length=200), verbose_name=_("origins"), default=list, blank=True,
        help_text=_("Pages that may use the key from a browser, such as https://shop.example."),
    )  # fmt: skip
    requests_per_minute = models.PositiveIntegerField(_("requests a minute"), default=60_000)
    lines_per_minute = models.PositiveIntegerField(
        _("lines of events a minute"), null=True, blank=True,
        help_text=_("Empty: 60,000 of a key on a server, 6,000 of a key in a page."),
    )  # fmt: skip
    new_people_per_hour = models.PositiveIntegerField(
        _("new people an hour"), null=True, blank=True,
        help_text=_("Of a key in a page. Empty: 600, or ten times what is usual at this hour of the week."),
    )  # fmt: skip
    created_by = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("It was replaced by a new one."))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    seen_in_page_at = models.DateTimeField(
        _("sent by a browser"), null=True, blank=True, editable=False,
        help_text=_("A browser sent this server key. If it is in a page, replace it."),
    )  # fmt: skip

    objects: ClassVar[models.Manager["ApiKey"]] = models.Manager.from_queryset(ApiKeyQuerySet)()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering: ClassVar[list[str]] = ["-created_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(side=terms.Side.SERVER, origins=[])
                | models.Q(scopes=[terms.Scope.EVENTS_WRITE])
                | (
                    models.Q(scopes__contains=[terms.Scope.EVENTS_WRITE])
                    & models.Q(
                        scopes__contained_by=[
                            terms.Scope.EVENTS_WRITE,
                            terms.Scope.RECOMMENDATIONS_READ,
                            terms.Scope.PUSH_SUBSCRIBE,
                        ]
                    )
                    & ~models.Q(origins=[])
                ),
                name="a_key_in_a_page_does_little",
            ),
            models.CheckConstraint(
                condition=models.Q(side=terms.Side.PAGE) | models.Q(origins=[]), name="only_pages_have_origins"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class SourceHour(models.Model):
    """What came with one key in one hour, by the time of its arrival. Counts only: it leads to nobody."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="hours", verbose_name=_("API key"))
    hour = models.DateTimeField(_("hour"))
    lines = models.PositiveIntegerField(_("lines"), default=0)
    people = models.PositiveIntegerField(_("people"), default=0, help_text=_("About 1% too many or too few."))
    new_people = models.PositiveIntegerField(_("new people"), default=0)
    purchases = models.PositiveIntegerField(_("purchases"), default=0)
    not_kept = models.PositiveIntegerField(
        _("accepted without a name"), default=0, help_text=_("Events of new people beyond the quota.")
    )
    crawled = models.PositiveIntegerField(
        _("of crawlers"), default=0, help_text=_("Events of pages that crawlers opened.")
    )
    unproven = models.PositiveIntegerField(
        _("without proof"), default=0, help_text=_("Events that named a customer without a valid proof.")
    )
    ignored = models.PositiveIntegerField(
        _("ignored"), default=0, db_default=0, help_text=_("Events with names that nothing is learned from.")
    )
    waiting = models.PositiveIntegerField(
        _("waiting"), default=0, db_default=0, help_text=_("Lines of items that were not in the catalogue.")
    )
    refused = models.PositiveIntegerField(_("refused"), default=0, help_text=_("Requests of events beyond a quota."))

    class Meta:
        verbose_name = _("hour of a source")
        verbose_name_plural = _("hours of sources")
        ordering: ClassVar[list[str]] = ["-hour"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["key", "hour"], name="one_hour_of_a_source"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["hour"], name="source_hour_by_hour")]

    def __str__(self) -> str:
        return f"{self.key} {self.hour:%Y-%m-%d %H}:00"


class AuditEntry(models.Model):
    """Entry of the audit trail: who changed what, from what to what. Entries are only added."""

    at = models.DateTimeField(_("at"), auto_now_add=True)
    staff = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, related_name="audit", verbose_name=_("who")
    )
    api_key = models.ForeignKey(
        ApiKey, models.SET_NULL, null=True, blank=True, related_name="audit", verbose_name=_("API key")
    )
    verb = models.CharField(_("did"), max_length=40)
    object_type = models.CharField(_("to"), max_length=40)
    object_id = models.CharField(_("id"), max_length=64)
    label = models.CharField(_("called"), max_length=300, blank=True)
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)
    note = models.TextField(_("note"), blank=True)
    batch = models.UUIDField(
        _("batch"), null=True, editable=False, help_text=_("Changes made in one go, which can be undone in one go.")
    )

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        ordering: ClassVar[list[str]] = ["-at"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["object_type", "object_id", "-at"], name="audit_of_object"),
            # Activity: the newest of all; undo of an import: all of a batch
            models.Index(fields=["-at"], name="audit_newest"),
            models.Index(fields=["batch"], name="audit_of_batch", condition=models.Q(batch__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.label}"

    @property
    def author(self) -> Staff | ApiKey | None:
        """Staff member or API key that acted; None where a command or the schedule did."""
        return self.staff or self.api_key


class ShopSetting(models.Model):
    """A fact of the installation that is not in the environment: the demo clock, the pseudonym key's check value."""

    key = models.CharField(_("key"), max_length=60, primary_key=True)
    value = models.JSONField(_("value"))
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("setting")
        verbose_name_plural = _("settings")

    def __str__(self) -> str:
        return self.key
