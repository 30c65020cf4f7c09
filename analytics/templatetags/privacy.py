"""Requests for an export or an erasure in the reader's language."""

from collections.abc import Mapping

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.templatetags.display import moment
from analytics.templatetags.words import label
from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import EraseMode, RequestKind
from recommendations.wording.privacy import labels as privacy_labels

register = template.Library()

ERASE_MODES: Mapping[EraseMode, Promise] = {
    EraseMode.FORGET: gettext_lazy("Forget: it is somebody new, with no history"),
    EraseMode.BLOCK: gettext_lazy("Block: what they do counts for nobody, until the block is lifted"),
}
"""What becomes of an id that was erased, when it comes back."""


@register.filter("privacy_state")
def state_words(request: PrivacyRequest) -> str:
    return label(privacy_labels.REQUEST_STATES, request.state)


@register.filter("privacy_request")
def request_words(request: PrivacyRequest) -> str:
    """What the page of a request is called."""
    text = _("Erasure of %(when)s") if request.kind == RequestKind.ERASE else _("Export of %(when)s")
    return text % {"when": moment(request.created_at)}


@register.filter("erase_mode")
def mode_words(mode: str) -> str:
    return str(ERASE_MODES[EraseMode(mode)])


@register.filter("receipt_part")
def part_words(part: str) -> str:
    """What a part of the proof says."""
    return label(privacy_labels.RECEIPT_PARTS, part)
