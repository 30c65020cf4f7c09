"""Requests for an export or an erasure, and the receipts of erasures."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.access import ApiKey
from recommendations.models.jobs import Job, JobQuerySet
from recommendations.models.staff import Staff
from recommendations.privacy_terms import EraseMode, ReceiptPart, RequestKind, RequestState
from recommendations.terms import RunStatus
from recommendations.wording.privacy import labels as privacy_labels

DIGEST = 32  # bytes of a keyed hash


class PrivacyRequest(Job):
    """A request for all that is held about one person, or for its erasure; ids are kept only while it is not over.

    ``counts`` has for each holder (``HolderCode``): found, deleted, changed, kept, why (a ``Kept``, "" for none) and
    left, what the scan found afterwards. ``sealed`` is the subject, sealed; none once the request is over.
    """

    TASK = "recommendations.tasks.do_privacy_request"
    MOST_TRIES = None  # an erasure is tried until it is done

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=privacy_labels.KINDS)
    mode = models.CharField(_("mode"), max_length=10, choices=privacy_labels.MODES, default=EraseMode.FORGET)
    reference = models.CharField(  # noqa: DJ001 - two without one are not the same
        _("reference"), max_length=128, null=True, help_text=_("The shop's own; the same one is the same request.")
    )
    asked_for = models.BinaryField(_("digest of the call"), max_length=DIGEST)  # of a reference that is used again
    subject = models.BinaryField(_("digest of the id"), max_length=DIGEST)
    sealed = models.BinaryField(_("subject, sealed"), null=True)
    options = models.JSONField(_("options"), default=dict)
    counts = models.JSONField(_("counts by holder"), default=dict)
    started_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("started by"))
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+", verbose_name=_("API key"))
    due_at = models.DateTimeField(_("due"))
    unknown_at = models.DateTimeField(_("unknown to answers since"), null=True)
    scanned_at = models.DateTimeField(_("first scan"), null=True)
    closed_at = models.DateTimeField(_("closed"), null=True)
    file = models.CharField(_("file"), max_length=100, blank=True)
    file_until = models.DateTimeField(_("file kept until"), null=True)

    objects: ClassVar[models.Manager["PrivacyRequest"]] = models.Manager.from_queryset(JobQuerySet["PrivacyRequest"])()

    class Meta(Job.Meta):
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        ordering: ClassVar[list[str]] = ["-created_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                fields=["reference"], condition=models.Q(reference__isnull=False), name="privacy_reference_once"
            ),
            models.CheckConstraint(condition=models.Q(kind__in=list(RequestKind)), name="privacy_kind_is_known"),
            models.CheckConstraint(condition=models.Q(mode__in=list(EraseMode)), name="privacy_mode_is_known"),
            models.CheckConstraint(
                condition=models.Q(sealed=None) | models.Q(closed_at=None), name="ids_only_while_running"
            ),
        ]

    @property
    def state(self) -> RequestState:
        """What is said of it; HELD only where ``options`` has the legal holds that it waits for."""
        if self.status in {RunStatus.FAILED, RunStatus.CANCELLED}:
            return RequestState.FAILED
        if self.closed_at is not None:
            return RequestState.DONE
        if self.status == RunStatus.SUCCEEDED:
            return RequestState.WAITING_FOR_RUN
        if self.options.get("holds"):
            return RequestState.HELD
        return RequestState.RECEIVED if self.started_at is None else RequestState.RUNNING


class Receipt(models.Model):
    """Proof of an erasure: a signed document that holds the hash of the one before. It is only added."""

    serial = models.BigAutoField(_("number"), primary_key=True)
    request = models.ForeignKey(
        PrivacyRequest, models.PROTECT, related_name="receipts", verbose_name=pgettext_lazy("privacy", "request")
    )
    part = models.CharField(_("part"), max_length=10, choices=privacy_labels.RECEIPT_PARTS)
    document = models.JSONField(_("document"))
    signature = models.BinaryField(_("signature"), max_length=64)  # Ed25519
    key_id = models.CharField(_("key"), max_length=16)
    previous = models.BinaryField(_("hash of the one before"), max_length=DIGEST)
    at = models.DateTimeField(_("signed"))

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        ordering: ClassVar[list[str]] = ["-serial"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["request", "part"], name="receipt_once_per_part"),
            models.CheckConstraint(condition=models.Q(part__in=list(ReceiptPart)), name="receipt_part_is_known"),
        ]

    def __str__(self) -> str:
        return f"r{self.serial}"
