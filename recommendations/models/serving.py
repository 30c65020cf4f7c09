"""Slates served, to whom and by which versions: without propensity and versions nothing can be estimated later."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.customers import Customer
from recommendations.terms import Way
from recommendations.wording import labels


class Slate(models.Model):
    """One served answer, in monthly partitions; position in the arrays = rank − 1.

    ``unit``: first 8 bytes of the pseudonym, signed; ``places``: place of each item in the ranking before
    exploration, −1 where it only fills up; ``fixed``: slots that rules hold, from 0.
    """

    pk = models.CompositePrimaryKey("served_at", "recommendation_id")
    served_at = models.DateTimeField(_("served"))
    recommendation_id = models.CharField(_("recommendation"), max_length=64)
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, null=True, related_name="slates", db_constraint=False, db_index=False,
        verbose_name=_("customer"),
    )  # fmt: skip
    placement = models.CharField(_("placement"), max_length=40)
    source = models.CharField(_("source"), max_length=10, choices=labels.SOURCES)
    personalised = models.BooleanField(_("personalised"))
    fallback_reason = models.CharField(_("why not from the model"), max_length=40, blank=True)
    model_version = models.BigIntegerField(_("model version"), null=True)
    weights_version = models.BigIntegerField(_("weights version"), null=True)
    rules_version = models.BigIntegerField(_("rules version"), default=0)
    items = ArrayField(models.BigIntegerField(), verbose_name=pgettext_lazy("model", "items"))
    scores = ArrayField(models.FloatField(), verbose_name=_("scores"))
    propensities = ArrayField(models.FloatField(), verbose_name=_("propensities"))
    latency_us = models.PositiveIntegerField(_("time to answer, µs"), null=True)
    unit = models.BigIntegerField(_("unit"), null=True)  # of the request's person, before any event of theirs
    arms = ArrayField(models.BigIntegerField(), default=list, db_default=[], verbose_name=_("arms"))
    visit_weights = models.BigIntegerField(_("weights version of the visit"), null=True)
    places = ArrayField(models.SmallIntegerField(), default=list, db_default=[], verbose_name=_("places"))
    fixed = ArrayField(models.SmallIntegerField(), default=list, db_default=[], verbose_name=_("fixed slots"))
    way = models.PositiveSmallIntegerField(
        _("way of showing"), choices=labels.WAYS, default=Way.AS_RANKED, db_default=Way.AS_RANKED
    )
    basis = models.UUIDField(_("basis"), null=True)  # keys of the parts of ``models/answers.py``
    request = models.UUIDField(pgettext_lazy("of an answer", "request"), null=True)
    state = models.UUIDField(_("state"), null=True)
    replay = models.BooleanField(_("replay"), default=False, db_default=False)  # events of the replay carry its id

    class Meta:
        verbose_name = _("recommendation list")
        verbose_name_plural = _("recommendation lists")
        indexes: ClassVar[list[models.Index]] = [
            BrinIndex(fields=["served_at"], name="slate_served_at", pages_per_range=32),
            models.Index(fields=["recommendation_id"], name="slate_by_recommendation"),  # events know it by that
            # export and erasure of one person: one index for both ways in which a slate names its own
            models.Index(Coalesce("customer", "unit"), name="slate_of_person"),
        ]

    def __str__(self) -> str:
        return self.recommendation_id

    def promised(self, slot: int) -> bool:
        """Whether a new item stood in a slot, from 0, because it was promised: held, and of no place in the ranking."""
        return slot in self.fixed and self.places[slot] < 0
