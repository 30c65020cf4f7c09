"""What a rule or a book would do before it is served: price tag, three customers before and after, the linter."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires
from analytics.pages.rules.form import EditorForm
from analytics.parameters import number
from analytics.queries.rules import effect as query
from analytics.queries.rules.editor import find_rule
from analytics.templatetags.rules import Names
from recommendations.services.access.policy import Action
from recommendations.services.rules.attributes import FrozenRule, frozen
from recommendations.services.rules.books import book_with, is_served
from recommendations.services.rules.editing import drafted
from recommendations.services.rules.linter import lint
from recommendations.services.rules.price_tags import NoModelError, NotLoadedError, UnknownPlacementError, price_tag

USUAL_PLACEMENT = "home"
SECONDS, KEPT = "rules/effect/seconds", 24 * 60 * 60
"""Where the seconds of the last effect are kept, and for how many."""


@post_requires(Action.DRAFT)
def rule_effect(request: HttpRequest) -> HttpResponse:
    """The effect of what stands in the form; a rule that is not complete yet says what it lacks."""
    context = of_form(request)
    context |= {"swapped": True, "expected": expected_seconds()}
    return render(request, "dashboard/rules/effect_answer.html", {"words": ""} | context)


@require_safe
def saved_rule_effect(request: HttpRequest, pk: int) -> HttpResponse:
    """The effect of a rule as it is stored, for those who only look."""
    stored = find_rule(pk)
    effect = of_rule(frozen(stored), on=request.GET.get("measured_on", "")) if stored else {}
    return render(request, "dashboard/rules/effect_answer.html", {"effect": effect}, status=200 if stored else 404)


def of_form(request: HttpRequest) -> dict[str, Any]:
    """Context ``effect`` and ``words`` of what was sent."""
    key = number(request.POST.get("key"))
    stored = find_rule(key) if key else None
    values = EditorForm.sent(request.POST).values()
    try:
        rule = drafted(rule=stored, values=values | {"name": values["name"].strip() or _("This rule")})
    except ValidationError as error:
        return {"effect": {"incomplete": [text for texts in error.message_dict.values() for text in texts]}}
    return {"effect": of_rule(rule, on=request.POST.get("measured_on", "")), "words": Names.of([rule]).sentence(rule)}


def of_rule(rule: FrozenRule, *, on: str) -> dict[str, Any]:
    """The effect of the served book with this rule in it, at the rule's own placement if it has one."""
    started, now, book = time.perf_counter(), timezone.now(), book_with([rule])
    findings = query.named_findings(lint(book, now=now), book, key=rule["id"])
    effect = measured(book, placement=rule["placement"] or on or USUAL_PLACEMENT, now=now)
    if "price" in effect:
        cache.set(SECONDS, time.perf_counter() - started, KEPT)
    return {"findings": findings, "unchanged": is_served(rule), **effect}


def expected_seconds() -> int | None:
    """Whole seconds that the last effect took to measure; None where none was measured for a day."""
    seconds = cache.get(SECONDS)
    return max(1, round(seconds)) if isinstance(seconds, float) else None


def measured(book: Sequence[FrozenRule], *, placement: str, now: datetime) -> dict[str, Any]:
    """Context of the price tag and the lists of a book, or the ``problem`` that there is."""
    try:
        tag = price_tag(rules=book, placement=placement, now=now)
        lists, items = query.pictured(book, tag=tag, now=now)
        silent, later = query.why_silent(tag, book), tag.at if tag.at > now else None
        return {"price": tag, "silent": silent, "later": later, "lists": lists, "items": items}
    except NoModelError:
        text = _("No run has finished yet, so there is nothing to measure on.")
        return {"problem": text, "runs": True}
    except UnknownPlacementError:
        return {"problem": _("This placement does not exist or is switched off: choose another.")}
    except NotLoadedError:
        return {"problem": _("The model is still loading. Measure again in a few seconds.")}
