"""The ledger of purposes: what customers said of what is done with what they do. Messages have one of their own."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from recommendations.models.customers import Customer
from recommendations.privacy_terms import OWN_PURPOSES, PurposeState, WordSource
from recommendations.wording.privacy import labels


class PurposeWord(models.Model):
    """What somebody said of a purpose, when, where, and what proves it; words are only added, as a trigger sees to.

    It is about the key that it was said under, and holds for the whole person. What holds stands on ``Customer``.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="purpose_words", verbose_name=_("customer"))
    purpose = models.CharField(_("purpose"), max_length=11, choices=labels.PURPOSES)
    state = models.CharField(_("said"), max_length=9, choices=labels.PURPOSE_STATES)
    at = models.DateTimeField(_("when"))
    source = models.CharField(_("where"), max_length=6, choices=labels.WORD_SOURCES)
    resume = models.BooleanField(
        _("for the past as well"), default=False, help_text=_("What was done before the objection is learned again.")
    )
    proof = models.JSONField(
        _("proof"), default=dict, blank=True, help_text=_("Version and language of the text, the form, a reference.")
    )
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now())

    class Meta:
        verbose_name = _("word on a purpose")
        verbose_name_plural = _("words on purposes")
        ordering: ClassVar[list[str]] = ["-at", "-pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["customer", "purpose", "state", "at"], name="word_on_a_purpose_once"),
            models.CheckConstraint(condition=models.Q(purpose__in=list(OWN_PURPOSES)), name="word_purpose_is_known"),
            models.CheckConstraint(condition=models.Q(state__in=list(PurposeState)), name="word_state_is_known"),
            models.CheckConstraint(condition=models.Q(source__in=list(WordSource)), name="word_source_is_known"),
            models.CheckConstraint(
                condition=models.Q(resume=False) | models.Q(state=PurposeState.GIVEN), name="only_a_yes_resumes"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["at"], name="objection_by_time", condition=~models.Q(state=PurposeState.GIVEN)),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.state}"
