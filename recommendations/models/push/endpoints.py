"""Endpoints: addresses of the shop's own systems that get messages as webhooks."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations.models.staff import Staff


class Endpoint(models.Model):
    """A webhook of the shop. Its secret is sealed like an address; during a rotation the one before signs as well."""

    name = models.CharField(_("name"), max_length=60)
    url = models.URLField(_("address"), max_length=500)
    sealed_secret = models.BinaryField(_("secret, sealed"))
    sealed_before = models.BinaryField(_("secret before, sealed"), null=True)
    before_until = models.DateTimeField(_("the secret before signs until"), null=True)
    enabled = models.BooleanField(_("in use"), default=True)
    off_reason = models.CharField(_("why it is off"), max_length=300, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    last_taken_at = models.DateTimeField(_("last taken"), null=True)
    author = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("author"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("name"), name="endpoint_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
