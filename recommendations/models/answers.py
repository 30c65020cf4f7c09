"""What an answer was made of, so that it can be made again: the shop's side, the request, and the customer's state.

Each is stored once for all slates that share it, under a key of its content; ``store/serving/answer_parts.py`` writes
and forgets them.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.customers import Customer


class AnswerPart(models.Model):
    """A part of answers; its key is the first half of the SHA-256 of its content."""

    key = models.UUIDField(_("key"), primary_key=True, editable=False)
    used_on = models.DateField(_("last used"))
    content = models.BinaryField(_("content"))  # zlib

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.key)


class AnswerBasis(AnswerPart):
    """The shop's side of an answer: model, weights, book of rules, placement, catalogue and program."""

    class Meta:
        verbose_name = _("basis of answers")
        verbose_name_plural = _("bases of answers")


class AnswerRequest(AnswerPart):
    """A request without the ids of its customer; that of a whole page has all slots."""

    class Meta:
        verbose_name = pgettext_lazy("of an answer", "request")
        verbose_name_plural = pgettext_lazy("of answers", "requests")


class AnswerState(AnswerPart):
    """What was known of a customer beside the model; the key holds the customer, so nobody shares a state."""

    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, verbose_name=_("customer")
    )

    class Meta:
        verbose_name = _("state of a customer")
        verbose_name_plural = _("states of customers")
