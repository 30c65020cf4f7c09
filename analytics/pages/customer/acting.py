"""Weights that made an answer: which version, and for whom it is."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.queries.customer.profile import CustomerHead
from analytics.queries.weights.groups import place
from analytics.templatetags.weights import whom
from analytics.templatetags.words import blend_label
from recommendations.models import Group
from recommendations.services.review.review import Review


@dataclass(frozen=True, kw_only=True)
class ActingWeights:
    words: str
    address: str


def acting_weights(review: Review, person: CustomerHead) -> ActingWeights | None:
    """Weights by which the list is blended; None where none count, and for a draft, which is told elsewhere."""
    weights = review.answer.weights
    if weights is None or weights.whose is None or not weights.version:
        return None
    blend, audience, segment = weights.whose
    group: Group = next((each for each in person.audiences if each.pk == audience), None)
    if segment is not None:
        group = person.segment
    if any(weights.whose in arm.weights for arm in review.answer.arms):
        words = _("Weights: %(blend)s v%(number)s, by the experiment")
        facts = {"blend": blend_label(blend), "number": weights.version}
        return ActingWeights(words=words % facts, address=reverse("weights", query=place(str(blend), group)))
    facts = {"blend": blend_label(blend), "number": weights.version, "whom": whom(group)}
    words = _("Weights: %(blend)s v%(number)s, for %(whom)s") % facts
    return ActingWeights(words=words, address=reverse("weights", query=place(str(blend), group)))
