"""Ids that were erased, and people who may not be erased yet, known by a keyed hash of the pseudonym."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from recommendations.models.privacy.requests import DIGEST
from recommendations.models.staff import Staff
from recommendations.privacy_terms import EraseMode
from recommendations.wording.privacy import labels as privacy_labels


class Tombstone(models.Model):
    """An id that was erased: acts from before ``at`` are not taken again. It names nobody without the key.

    ``generation`` is that of the pseudonym which was hashed; the newest erasure of an id counts.
    """

    digest = models.BinaryField(_("digest"), max_length=DIGEST, unique=True)
    generation = models.PositiveSmallIntegerField(_("generation"), default=1)
    at = models.DateTimeField(_("erased"))
    mode = models.CharField(_("mode"), max_length=10, choices=privacy_labels.MODES)
    lifted_at = models.DateTimeField(_("block lifted"), null=True)

    class Meta:
        verbose_name = _("erased id")
        verbose_name_plural = _("erased ids")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(mode__in=list(EraseMode)), name="tombstone_mode_is_known"),
        ]

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:8]


class LegalHold(models.Model):
    """A duty to keep what is held of somebody: while it lasts they are not erased, and their events do not expire.

    The ``digest`` is that of the ``pseudonym``, which gets a layer with all others as long as the hold lasts, so that
    who comes later is found, too; afterwards there is none.
    """

    digest = models.BinaryField(_("digest"), max_length=DIGEST)
    pseudonym = models.BinaryField(_("pseudonym"), max_length=32, null=True)
    reason = models.TextField(_("reason"))
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True)  # none: until somebody lifts it

    class Meta:
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        ordering: ClassVar[list[str]] = ["-since"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["digest"], name="hold_by_digest")]

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:8]
