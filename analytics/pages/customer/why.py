"""Why an item stands where it stands: its score term by term, the evidence, the stages of the answer."""

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from analytics.charts.hues import INK, of_recommender
from analytics.charts.waterfall import Fall, waterfall
from analytics.pages.customer.acting import acting_weights
from analytics.pages.customer.answers import Answers, answers_for
from analytics.pages.customer.view import asked, looked_at
from analytics.queries.customer import profile as query
from analytics.queries.customer.answer_stages import STAGES
from analytics.queries.customer.evidence_words import facts_in_words
from analytics.templatetags.words import term_label
from recommendations.services.review.waterfall import Term, TermKind
from recommendations.wording.instance_labels import instance_label

OF_DRAFT = "draft"
NO_RECOMMENDER = {TermKind.BOOST, TermKind.PLACED, TermKind.FATIGUE, TermKind.DIVERSITY}


@dataclass(frozen=True, kw_only=True)
class TermRow:
    """A term in the table beside the picture; ``value`` is None where a rule only moves the item."""

    words: str
    value: float | None
    hue: int
    pattern: str


@require_safe
def why(request: HttpRequest, *, pk: int, item: int) -> HttpResponse:
    """The panel "why" alone, for the page that is open already."""
    looked = looked_at(request, pk)
    if looked is None:
        return render(request, "dashboard/customer/panel.html", {"drawer": "gone"})
    answers = answers_for(looked.lens, looked.person)
    if isinstance(answers, str):
        return render(request, "dashboard/customer/panel.html", {"drawer": "gone", "trouble": answers})
    context = {"drawer": "why", **looked._asdict(), "asked": asked(request.GET)}
    context |= why_context(item, answers, person=looked.person, of_draft=request.GET.get("of") == OF_DRAFT)
    return render(request, "dashboard/customer/panel.html", context)


def why_context(item: int, answers: Answers, *, person: query.CustomerHead, of_draft: bool) -> dict[str, Any]:
    """Context of the panel: the item in the answer that is shown, or in the one that the draft would give."""
    review = answers.draft if of_draft and answers.draft else answers.shown
    card = next((card for card in review.cards if card.item.pk == item), None)
    if card is None:
        return {"absent": query.items_by_key([item]).get(item)}
    lines = [_line(term) for term in card.waterfall]
    return {
        "card": card,
        "of_draft": review is answers.draft,
        "acting": acting_weights(review, person),
        "lines": lines,
        "total": sum(line.value for line in lines if line.value is not None),
        "waterfall_figure": _figure(lines).to_json(engine="orjson"),
        "second_stage": [(term_label(group), value) for group, value in card.terms],
        "evidence": [
            (words, facts_in_words(reason.evidence)) for words, reason in zip(card.reasons, card.evidence, strict=True)
        ],
        "steps": [(str(STAGES[step.stage]), step) for step in review.steps],
    }


def _figure(lines: list[TermRow]) -> go.Figure:
    falls = [
        Fall(words=line.words, value=line.value, hue=line.hue, pattern=line.pattern)
        for line in lines
        if line.value is not None
    ]
    return waterfall(falls, total=_("Final score"), axis=_("Score"))


def _line(term: Term) -> TermRow:
    hue, pattern = of_recommender(term.name) if term.kind not in NO_RECOMMENDER else (INK, "")
    match term.kind:
        case TermKind.BOOST if term.rule is not None and term.rule < 0:
            words = _("Asked for by the shop: %(name)s") % {"name": term.name}
        case TermKind.BOOST:
            words = _("Rule “%(rule)s”") % {"rule": term.name}
        case TermKind.PLACED:
            return TermRow(words=_("Rule “%(rule)s”") % {"rule": term.name}, value=None, hue=hue, pattern=pattern)
        case TermKind.FATIGUE:
            words = ngettext("Shown %(n)d time, not clicked", "Shown %(n)d times, not clicked", term.times) % {
                "n": term.times
            }
        case TermKind.DIVERSITY:
            words = _("Variety")
        case _:
            words = instance_label(term.name)
    return TermRow(words=words, value=term.value, hue=hue, pattern=pattern)
