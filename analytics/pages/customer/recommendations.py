"""The recommendations of a customer: what can be chosen, the list or two of them, and what is open beside it."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from analytics.pages.access.permission import staff_of
from analytics.pages.customer.acting import acting_weights
from analytics.pages.customer.answers import Answers, answers_for
from analytics.pages.customer.cards import answer_context, card_views, judgement_choices, places
from analytics.pages.customer.compare import comparison, movement_text
from analytics.pages.customer.view import ACTS, COMPARISONS, Compare, Looked, asked, lens_of
from analytics.pages.customer.why import OF_DRAFT, why_context
from analytics.pages.customer.why_not import why_not_context
from analytics.parameters import number
from analytics.queries.customer.profile import CustomerHead
from analytics.queries.experiments.arm_words import stored_arms
from analytics.queries.layout import Frame
from recommendations.models import Judgement
from recommendations.services.access.policy import Action, may
from recommendations.services.review.acts import simulated_acts
from recommendations.services.review.judgements import judgements_of
from recommendations.services.review.review import Making

OF_THE_PANEL = {"why", "why_not", "of"}
"""Parameters that say what is open beside the list."""


def recommendations(request: HttpRequest, person: CustomerHead, *, frame: Frame) -> dict[str, Any]:
    lens = lens_of(request.GET, person, frame=frame)
    if lens is None:
        return {"problem": _("Every placement is switched off.")}
    looked = Looked(person, lens)
    context = {"lens": lens, "asked": asked(request.GET), **_choices(request, looked)}
    answers = answers_for(lens, person)
    if isinstance(answers, str):
        return context | {"problem": answers}
    acts = may(staff_of(request), Action.DRAFT) and answers.shown.making is Making.LIVE
    context |= {"answers": answers, "may_act": acts} | answer_context(answers.shown)
    context["acting"] = acting_weights(answers.shown, person)
    context["arms"] = stored_arms(arm.key for arm in answers.shown.answer.arms)
    if answers.draft:
        context |= comparison(answers.shown, answers.draft)
    else:
        context |= _cards(answers, judgements=_verdicts(request, looked) if acts else {})
    return context | _panel(request, looked, answers)


def _verdicts(request: HttpRequest, looked: Looked) -> Mapping[int, Judgement]:
    """Judgements of the live list by the reader, by item."""
    person, lens = looked
    return judgements_of(customer=person.customer.pk, placement=lens.place.name, by=staff_of(request))


def _cards(answers: Answers, *, judgements: Mapping[int, Judgement]) -> dict[str, Any]:
    if answers.before is None:
        return {"cards": card_views(answers.shown, judgements=judgements)}
    now = places(answers.shown)
    return {
        "cards": card_views(answers.shown, judgements=judgements, before=places(answers.before)),
        "moves": movement_text(answers.before, answers.shown),
        "gone": [card for card in answers.before.cards if card.item.pk not in now],
    }


def _choices(request: HttpRequest, looked: Looked) -> dict[str, Any]:
    """Context of what can be chosen, and of the parameters that each form of the page hands on."""
    person, lens = looked
    weights = lens.place.blend is not None and lens.place.blend.name in person.drafted
    possible = {
        Compare.WEIGHTS: weights,
        Compare.RULES: person.has_rules,
        Compare.BOTH: weights and person.has_rules,
    }
    return {
        "comparisons": [(code, words, possible[code]) for code, words in COMPARISONS.items()],
        "acts": [(name, ACTS[name]) for name in simulated_acts()],
        "judgements": judgement_choices(),
        "rest": {
            "compare": _rest(request, "compare"),
            "as_of": _rest(request, "as_of"),
            "around": _rest(request, *(() if lens.several and lens.chosen else ("around",))),
            "did": _rest(request),
            "why_not": _rest(request),
        },
    }


def _rest(request: HttpRequest, *but: str) -> list[tuple[str, str]]:
    """Parameters of the address that a form sends along, without its own and without those of the panel."""
    gone = {*but, *OF_THE_PANEL, "page"}
    return [(name, value) for name, values in request.GET.lists() if name not in gone for value in values]


def _panel(request: HttpRequest, looked: Looked, answers: Answers) -> dict[str, Any]:
    """Context of the panel that the address opens beside the list: why an item is in it, or why not."""
    why, why_not = (number(request.GET.get(name)) for name in ("why", "why_not"))
    if why is not None:
        return {"drawer": "why"} | why_context(
            why, answers, person=looked.person, of_draft=request.GET.get("of") == OF_DRAFT
        )
    if why_not is not None:
        return {"drawer": "why_not"} | why_not_context(looked, item=why_not)
    return {}
