"""The editor of a rule: when · which items · do. It saves drafts; what is live changes when the draft is published."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analytics.pages.access.permission import requires, staff_of
from analytics.pages.parameters import number
from analytics.pages.rules.builder import Builder
from analytics.pages.rules.effect import of_form
from analytics.pages.rules.form import Look, ShownBuilder, Typed, shown_builder
from analytics.queries.rules import editor as query
from analytics.queries.rules.overview import SERVED, served
from analytics.queries.rules.values import offered
from analytics.templatetags.rules import FIELDS, Names
from analytics.templatetags.words import label
from recommendations.models import Rule
from recommendations.services.access.policy import Action, may
from recommendations.services.rules.attributes import attributes, frozen
from recommendations.services.rules.editing import StaleRuleError, save_rule, status_of
from recommendations.terms import RuleAction, RuleStatus
from recommendations.wording import labels

EVERY: Mapping[str, Promise] = {
    "placement": gettext_lazy("Every placement"),
    "segment": gettext_lazy("Every segment"),
    "customer": gettext_lazy("Every customer"),
}
MEASURE = "measure"  # the button without ``rules.js``
RESTORED = "restored"  # what ``rules.js`` sends after a session that ended
HELP: Mapping[RuleAction, tuple[str, Promise]] = {
    RuleAction.PIN: ("pin", gettext_lazy("Puts the best item of those chosen at a fixed place.")),
    RuleAction.BOOST: ("trending-up", gettext_lazy("Raises or lowers the items; how far depends on the customer.")),
    RuleAction.INCLUDE_ONLY: ("filter", gettext_lazy("Shows nothing but these items.")),
    RuleAction.EXCLUDE: ("ban", gettext_lazy("Never shows these items.")),
    RuleAction.CAP: ("stack-2", gettext_lazy("Limits how many of one brand or category stand in a list.")),
    RuleAction.MINIMUM_SHARE: ("percentage", gettext_lazy("Gives these items part of the list.")),
}
"""Icon and explanation of each action, in the order of the editor."""


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.DRAFT)
def new_rule(request: HttpRequest) -> HttpResponse:
    """A new rule, as the address may begin it: ``?action=pin&item=1043&slot=1&placement=home&customer=1228``."""
    if request.method == "POST":
        return _take(request, None)
    return _render(request, None, Typed.asked_for(request.GET))


@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method == "POST":
        return _change(request, pk)
    stored = _rule_or_404(pk)
    return _render(request, stored, Typed.of(stored))


@requires(Action.DRAFT)
def _change(request: HttpRequest, pk: int) -> HttpResponse:
    return _take(request, _rule_or_404(pk))


@require_safe
def rule_history(request: HttpRequest, pk: int) -> HttpResponse:
    """History of the rule; a part of its page."""
    stored = _rule_or_404(pk)
    entries, names = query.history(stored)
    return render(request, "dashboard/rules/history.html", {"rule": stored, "entries": entries, "names": names})


@require_POST
@requires(Action.DRAFT)
def rule_conditions(request: HttpRequest, builder: str) -> HttpResponse:
    """A builder after one of its buttons, with how many items match by now."""
    if builder not in set(Builder):
        raise Http404
    command = request.POST.get("edit", "")
    typed = Typed.sent(request.POST).after(command)
    focus = _focus(typed, Builder(builder), command)
    view = shown_builder(typed, Builder(builder), Look(offered=attributes(), focus=focus))
    response = render(request, "dashboard/rules/conditions.html", {"builder": view})
    response["HX-Trigger"] = "rule-changed"
    return response


@require_safe
def rule_values(request: HttpRequest, builder: str, row: int) -> HttpResponse:
    """Values to choose from, while one is being typed."""
    if builder not in set(Builder):
        raise Http404
    text = request.GET.get(f"{builder}-{row}-typed", "").replace("\x00", "")
    values = offered(request.GET.get("attribute", ""), text)
    return render(
        request, "dashboard/rules/values.html", {"values": values, "find": text, "builder": builder, "row": row}
    )


def _take(request: HttpRequest, found: Rule | None) -> HttpResponse:
    """Save what was sent, or show it again: after a button of a builder, with errors, or beside somebody else's."""
    typed = Typed.sent(request.POST)
    if command := request.POST.get("edit", ""):
        if command == RESTORED:
            text = _("What you had typed before the session ended is there again. It is not saved yet.")
            messages.info(request, text)
        measured = of_form(request) if command == MEASURE else {}
        return _render(request, found, typed.after(command), focus=command, more=measured)
    revision = number(request.POST.get("over")) or number(request.POST.get("revision"))
    by, now = staff_of(request), timezone.now()
    try:
        saved = save_rule(rule=found, values=typed.values(), revision=revision, by=by, now=now)
    except ValidationError as error:
        return _render(request, found, typed, errors=_by_field(error))
    except StaleRuleError as error:
        if error.differences:
            return _render(request, error.current, typed, stale=_stale(error))
        saved = error.current
    if request.POST.get("then") == "publish" and may(by, Action.PUBLISH):
        return redirect(reverse("rules", query={"open": "publish", "rule": saved.pk, "back": saved.pk}))
    messages.success(request, _("Draft “%(name)s” is saved. It acts when it is published.") % {"name": saved.name})
    return redirect("rule", pk=saved.pk)


def _render(
    request: HttpRequest,
    found: Rule | None,
    typed: Typed,
    *,
    errors: Mapping[str, str] | None = None,
    stale: Mapping[str, Any] | None = None,
    focus: str = "",
    more: Mapping[str, Any] | None = None,
) -> HttpResponse:
    look = Look(offered=attributes(), check=request.method == "POST", complain=errors is not None)
    builders = {each: shown_builder(typed, each, replace(look, focus=_focus(typed, each, focus))) for each in Builder}
    field_errors, builders = _placed_errors(errors or {}, builders)
    choices = query.choices()
    context = {
        "section": "rules",
        "rule": found,
        "address": reverse("rule", args=[found.pk]) if found else reverse("new_rule"),
        "revision": number(request.POST.get("revision")) or (found.revision if found else ""),
        "typed": typed.fields,
        "errors": field_errors,
        "error_count": len(field_errors) + sum(each.complaints for each in builders.values()),
        "stale": stale,
        "choices": choices,
        "items_builder": builders[Builder.ITEMS],
        "context_builder": builders[Builder.CONTEXT],
        "time_zone": settings.SHOP_TIME_ZONE,
        "actions": [
            {"code": code, "icon": icon, "help": words, "words": label(labels.RULE_ACTIONS, code)}
            for code, (icon, words) in HELP.items()
        ],
        **(_of(found, choices) if found else {}),
        **(more or {}),
    }
    return render(request, "dashboard/rules/editor.html", context, status=422 if errors else 409 if stale else 200)


def _of(found: Rule, choices: query.Choices) -> dict[str, Any]:
    status = status_of(found, served(), timezone.now())
    return {
        "status": status,
        "served": status in SERVED,
        "archived": status == RuleStatus.ARCHIVED,
        "words": Names.of([frozen(found)], segments=choices.segments).sentence(frozen(found)),
    }


def _placed_errors(
    errors: Mapping[str, str], builders: Mapping[Builder, ShownBuilder]
) -> tuple[dict[str, str], dict[Builder, ShownBuilder]]:
    """Put errors of a builder into it; what stands at a row of it already is not said once more."""
    rows = {name: any(row["errors"] for row in view.rows) for name, view in builders.items()}
    placed = {name: replace(view, error="" if rows[name] else errors.get(name, "")) for name, view in builders.items()}
    return {name: text for name, text in errors.items() if name not in set(Builder)}, placed


def _by_field(error: ValidationError) -> dict[str, str]:
    return {name: " ".join(texts) for name, texts in error.message_dict.items()}


def _stale(error: StaleRuleError) -> dict[str, Any]:
    names = Names.of([{each.field: value} for each in error.differences for value in (each.yours, each.theirs)])
    who, at = query.last_change(error.current) or ("", None)
    return {
        "who": who,
        "at": at,
        "revision": error.current.revision,
        "differences": [
            {
                "words": FIELDS.get(each.field, each.field),
                "mine": names.field(each.field, each.yours, empty=EVERY.get(each.field)),
                "theirs": names.field(each.field, each.theirs, empty=EVERY.get(each.field)),
            }
            for each in error.differences
        ],
    }


def _focus(typed: Typed, builder: Builder, command: str) -> str:
    """Row and field of the builder where one goes on after its button."""
    name, _separator, rest = command.partition(":")
    rows = typed.rows.get(builder, ())
    if name != builder or not rows:
        return ""
    what, _separator, argument = rest.partition(":")
    if what == "add":
        return f"{len(rows) - 1}:attribute"
    row = number(argument.partition(":")[0])
    return "" if row is None else f"{min(row, len(rows) - 1)}:values"


def _rule_or_404(pk: int) -> Rule:
    stored = query.find_rule(pk)
    if stored is None:
        raise Http404
    return stored
