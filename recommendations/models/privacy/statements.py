"""Statements of main parameters: what customers are told that recommendations go by, in versions."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class RecommendationStatement(models.Model):
    """A statement as it was made, with the change that led to it; a trigger keeps it as it is.

    ``text``: language → sections (``StatedSection``). ``because``: what changed → its key.
    """

    number = models.PositiveIntegerField(_("version"), unique=True)
    text = models.JSONField(_("text"))
    parameters = models.JSONField(_("main parameters"))
    digest = models.BinaryField(
        _("digest"), max_length=32, unique=True, help_text=_("Of number, text, parameters and the digest before.")
    )
    because = models.JSONField(_("because"), default=dict)
    at = models.DateTimeField(_("published"), default=timezone.now)

    class Meta:
        verbose_name = _("statement of main parameters")
        verbose_name_plural = _("statements of main parameters")
        ordering: ClassVar[list[str]] = ["-number"]

    def __str__(self) -> str:
        return f"s{self.number}"
