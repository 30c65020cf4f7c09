"""The editor of a rule: when · which items · do. It saves drafts; what is live changes when the draft is published."""

from collections.abc import Mapping
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
from django.views.decorators.http import require_http_methods, require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.pages.addresses import or_404
from analytics.pages.rules.builder import ConditionFormSet, is_builder
from analytics.pages.rules.effect import expected_seconds, of_form
from analytics.pages.rules.form import EVERY, EditorForm
from analytics.pages.rules.overview import ASK
from analytics.pages.undo import offer_undo
from analytics.parameters import number, typed
from analytics.queries.last_change import last_change
from analytics.queries.rules import editor as query
from analytics.queries.rules.overview import SERVED, served, without_id
from analytics.queries.rules.values import offered, offered_by_rows
from analytics.templatetags.rules import FIELDS, Names
from analytics.templatetags.words import label
from recommendations.fields import LONGEST_ID
from recommendations.models import Rule
from recommendations.services.access.policy import Action, may
from recommendations.services.customers import find_customers
from recommendations.services.rules.attributes import frozen
from recommendations.services.rules.editing import StaleRuleError, save_rule, status_of
from recommendations.services.rules.price_tags import MEASURED
from recommendations.terms import RuleAction, RuleStatus
from recommendations.wording import labels

MEASURE = "measure"  # the button without ``rules.js``
RESTORED = "restored"  # what ``rules.js`` sends after a session that ended
HELP: Mapping[RuleAction, tuple[str, Promise]] = {
    RuleAction.PIN: ("pin", gettext_lazy("Puts the best of the chosen items in a fixed slot.")),
    RuleAction.BOOST: ("trending-up", gettext_lazy("Raises or lowers the items; how far depends on the customer.")),
    RuleAction.INCLUDE_ONLY: ("filter", gettext_lazy("Shows nothing but these items.")),
    RuleAction.EXCLUDE: ("ban", gettext_lazy("Never shows these items.")),
    RuleAction.CAP: ("stack-2", gettext_lazy("Limits how many items of one brand or category a list shows.")),
    RuleAction.MINIMUM_SHARE: ("percentage", gettext_lazy("Reserves part of the list for these items.")),
}
"""Icon and explanation of each action, in the order of the editor."""


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.DRAFT)
def new_rule(request: HttpRequest) -> HttpResponse:
    """A new rule, as the address may begin it: ``?action=pin&item=1043&slot=1&placement=home&customer=1228``."""
    if request.method == "POST":
        return _take(request, None)
    return _render(request, None, EditorForm.asked_for(request.GET))


@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method == "POST":
        return _change(request, pk)
    stored = or_404(query.find_rule(pk))
    return _render(request, stored, EditorForm.of(stored))


@requires(Action.DRAFT)
def _change(request: HttpRequest, pk: int) -> HttpResponse:
    return _take(request, or_404(query.find_rule(pk)))


@require_safe
def rule_history(request: HttpRequest, pk: int) -> HttpResponse:
    """History of the rule; a part of its page."""
    stored = or_404(query.find_rule(pk))
    entries, names = query.history(stored)
    return render(request, "dashboard/rules/history.html", {"rule": stored, "entries": entries, "names": names})


@post_requires(Action.DRAFT)
def rule_conditions(request: HttpRequest, builder: str) -> HttpResponse:
    """A builder after one of its buttons, with how many items match by now."""
    if not is_builder(builder):
        raise Http404
    rows = ConditionFormSet.sent(request.POST, builder).after(request.POST.get("edit", ""))
    rows.check()
    response = render(request, "dashboard/rules/conditions.html", {"builder": rows, **offered_by_rows()})
    response["HX-Trigger"] = "rule-changed"
    return response


@require_safe
def rule_values(request: HttpRequest, builder: str, row: int) -> HttpResponse:
    """Values to choose from, while one is being typed."""
    if not is_builder(builder):
        raise Http404
    text = request.GET.get(f"{builder}-{row}-typed", "").replace("\x00", "")
    values = offered(request.GET.get("attribute", ""), text)
    return render(
        request, "dashboard/rules/values.html", {"values": values, "find": text, "builder": builder, "row": row}
    )


@require_safe
def rule_customers(request: HttpRequest) -> HttpResponse:
    """The customer with the code or the shop's id that is being typed."""
    text = typed(request.GET.get("customer"), longest=LONGEST_ID)
    return render(request, "dashboard/rules/customers.html", {"customers": find_customers(typed=text), "find": text})


def _take(request: HttpRequest, found: Rule | None) -> HttpResponse:
    """Save what was sent, or show it again: after a button of a builder, with errors, or beside somebody else's."""
    form = EditorForm.sent(request.POST)
    if command := request.POST.get("edit", ""):
        if command == RESTORED:
            text = _("What you had typed before the session ended is back. It is not saved yet.")
            messages.info(request, text)
        measured = of_form(request) if command == MEASURE else {}
        return _render(request, found, form.after(command), more=measured)
    revision = number(request.POST.get("over")) or number(request.POST.get("revision"))
    by, now = staff_of(request), timezone.now()
    before = frozen(found) if found else None
    try:
        saved = save_rule(rule=found, values=form.values(), revision=revision, by=by, now=now)
    except ValidationError as error:
        form.complain(error)
        return _render(request, found, form, status=422)
    except StaleRuleError as error:
        if error.differences:
            return _render(request, error.current, form, more={"stale": _stale(error)}, status=409)
        saved = error.current
    if request.POST.get("then") == "publish" and may(by, Action.PUBLISH):
        return redirect(reverse("rules", query={"open": "publish", "rule": saved.pk, "back": saved.pk}))
    if request.POST.get("then") == ASK:
        return redirect(reverse("rules", query={"open": ASK, "rule": saved.pk, "back": saved.pk}))
    text = _("Draft “%(name)s” saved. It takes effect when it is published.") % {"name": saved.name}
    if before and before != frozen(saved):
        offer_undo(request, text, "rule changed", rule=saved.pk, revision=saved.revision, before=without_id(before))
    else:
        messages.success(request, text)
    return redirect("rule", pk=saved.pk)


def _render(
    request: HttpRequest,
    found: Rule | None,
    form: EditorForm,
    *,
    more: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    if request.method == "POST" and status != 422:  # else all complaints are there
        for rows in form.builders.values():
            rows.check()
    choices = query.choices(segment=form.texts["segment"], audience=form.texts["audience"])
    form.offer(choices)
    context = {
        "section": "rules",
        "rule": found,
        "address": reverse("rule", args=[found.pk]) if found else reverse("new_rule"),
        "revision": number(request.POST.get("revision")) or (found.revision if found else ""),
        "form": form,
        "error_count": len(form.errors) + sum(rows.complaints for rows in form.builders.values()),
        "choices": choices,
        "approval": getattr(found, "last_approval", None),
        "expected": expected_seconds(),
        "measured": MEASURED,
        "time_zone": settings.SHOP_TIME_ZONE,
        "actions": [
            {"code": code, "icon": icon, "help": words, "words": label(labels.RULE_ACTIONS, code)}
            for code, (icon, words) in HELP.items()
        ],
        **offered_by_rows(),
        **(_of(found, choices) if found else {}),
        **(more or {}),
    }
    return render(request, "dashboard/rules/editor.html", context, status=status)


def _of(found: Rule, choices: query.Choices) -> dict[str, Any]:
    status = status_of(found, served(), timezone.now())
    return {
        "status": status,
        "served": status in SERVED,
        "archived": status == RuleStatus.ARCHIVED,
        "words": Names.of([frozen(found)], segments=choices.segment_names).sentence(frozen(found)),
    }


def _stale(error: StaleRuleError) -> dict[str, Any]:
    names = Names.of([{each.field: value} for each in error.differences for value in (each.yours, each.theirs)])
    who, at = last_change("rule", error.current.pk, verbs=("create", "change", "roll back"))
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
