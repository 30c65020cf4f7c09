"""The rules in their order, and what is done with them; publishing and withdrawing stand in ``books.py``."""

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import or_404, page_address
from analytics.pages.undo import offer_undo
from analytics.parameters import number
from analytics.queries.approvals import of_rules
from analytics.queries.rules import overview as query
from analytics.queries.rules.changes import Proposal, proposal
from analytics.queries.rules.editor import find_rule
from analytics.queries.rules.effect import named_findings
from recommendations.models import Rule
from recommendations.services.access.policy import Action, may
from recommendations.services.rules.attributes import frozen
from recommendations.services.rules.books import present_order
from recommendations.services.rules.editing import (
    RuleIsServedError,
    StaleRuleError,
    archive_rule,
    duplicate_rule,
    reorder,
    restore_rule,
    save_rule,
)
from recommendations.services.rules.linter import lint

CHANGES = ("publish", "withdraw")
ASK = "ask"


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    kind = request.GET.get("open", "")
    keys = [key for text in request.GET.getlist("rule") if (key := number(text)) is not None]
    rule_list = query.rules(now=timezone.now())
    opened, asking = None, []
    if kind in CHANGES and may(staff_of(request), Action.PUBLISH):
        opened = proposal(rule_list, kind=kind, keys=keys)
        if opened is None:
            messages.warning(request, _nothing(kind, ticked=bool(keys)))
    elif kind == ASK and may(staff_of(request), Action.DRAFT):
        asking = [line.rule for line in rule_list.of(keys) if line.status in query.WAITING]
        if not asking:
            messages.warning(request, _nothing("publish", ticked=bool(keys)))
    return render_rules(request, rule_list, opened=opened, chosen=keys, asking=asking)


def render_rules(
    request: HttpRequest,
    found: query.Rules,
    *,
    opened: Proposal | None = None,
    chosen: list[int] | None = None,
    asking: Sequence[Rule] = (),
    problem: str = "",
    unmeasured: bool = False,
) -> HttpResponse:
    """The list, with the dialog of a proposal or of a request to publish (``asking``) open over it.

    ``problem`` says why a proposal was not done; ``unmeasured``, that its effect had not come when it was to be.
    """
    filters = query.Filters(request.GET)
    chips = filters.chips()
    lines = [line for line in found.lines if line.meets(filters)]
    context = {
        "section": "rules",
        "here": page_address(request, reverse("rules")),
        "rules": found,
        "lines": lines,
        "filters": filters.cleaned_data,
        "chips": chips,
        "kept": [(name, value) for name in ("status", "placement", "text") if (value := request.GET.get(name))],
        "total": len(found.lines),
        "placements": query.placements(),
        "waiting": [line.rule.pk for line in found.waiting],
        "sortable": not chips,
        "chosen": chosen or [],
        "dialog": opened,
        "asking": asking,
        "approvals": of_rules([line.rule.pk for line in lines]),
        "problem": problem,
        "unmeasured": unmeasured,
        "note": request.POST.get("note", ""),
        "back": _back(request),
    }
    return render(request, "dashboard/rules/overview.html", context, status=422 if problem or unmeasured else 200)


@require_safe
def rule_findings(request: HttpRequest) -> HttpResponse:
    """Findings of the linter in the rules as they would be if all of them were published; a part of the list."""
    now = timezone.now()
    book = [frozen(line.rule) for line in query.rules(now=now).unarchived]
    return render(request, "dashboard/rules/findings.html", {"findings": named_findings(lint(book, now=now), book)})


@post_requires(Action.DRAFT)
def order_rules(request: HttpRequest) -> HttpResponse:
    """Move one rule up or down (``rule``, ``to``), or set the whole order (``key``, once for each rule)."""
    keys = [int(text) for text in request.POST.getlist("key") if number(text) is not None]
    order, focus = present_order(), ""
    if not keys:
        key, to = number(request.POST.get("rule")), request.POST.get("to", "")
        keys = _moved(order, key or 0, to)
        focus = f"#{to}-{key}" if key in order else ""
    reorder(keys=keys, by=staff_of(request), now=timezone.now())
    if (after := present_order()) != order:
        offer_undo(request, _("The order is changed."), "rules moved", before=order, after=after)
    return redirect(reverse("rules") + focus)


@post_requires(Action.DRAFT)
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    stored = or_404(find_rule(pk))
    try:
        archived = archive_rule(rule=stored, by=staff_of(request), now=timezone.now())
    except RuleIsServedError:
        messages.warning(
            request, _("“%(name)s” is live: take it offline first, then archive it.") % {"name": stored.name}
        )
        return redirect("rules")
    offer_undo(request, _("“%(name)s” is archived.") % {"name": archived.name}, "rule archived", rule=archived.pk)
    return redirect("rules")


@post_requires(Action.DRAFT)
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    stored = restore_rule(rule=or_404(find_rule(pk)), by=staff_of(request), now=timezone.now())
    messages.success(request, _("“%(name)s” is back in its former position.") % {"name": stored.name})
    return redirect("rule", pk=pk) if request.POST.get("back") == "rule" else redirect("rules")


@post_requires(Action.DRAFT)
def duplicate(request: HttpRequest, pk: int) -> HttpResponse:
    copy = duplicate_rule(rule=or_404(find_rule(pk)), by=staff_of(request), now=timezone.now())
    messages.success(request, _("This is the copy, a draft at the end of the order: “%(name)s”.") % {"name": copy.name})
    return redirect("rule", pk=copy.pk)


@post_requires(Action.DRAFT)
def discard_changes(request: HttpRequest, pk: int) -> HttpResponse:
    """Set a rule back to what is served of it; what it was meanwhile can be had again by the toast."""
    stored, book, by = or_404(find_rule(pk)), query.served(), staff_of(request)
    before = frozen(stored)
    values = next((rule for rule in (book.rules if book else ()) if rule["id"] == pk), before)
    try:
        saved = save_rule(
            rule=stored, values=query.without_id(values), revision=stored.revision, by=by, now=timezone.now()
        )
    except (StaleRuleError, ValidationError):
        messages.warning(request, _("Nothing was discarded: the rule, or what it is about, has changed meanwhile."))
        return redirect("rule", pk=pk)
    text = _("The changes to “%(name)s” are discarded: it is as the shop serves it.") % {"name": saved.name}
    offer_undo(request, text, "rule changed", rule=pk, revision=saved.revision, before=query.without_id(before))
    return redirect("rule", pk=pk)


def _moved(kept: list[int], key: int, to: str) -> list[int]:
    """The order after one rule went one place up or down."""
    if key not in kept or to not in {"up", "down"}:
        return kept
    at = kept.index(key)
    place = max(0, at - 1) if to == "up" else at + 1
    others = [each for each in kept if each != key]
    return [*others[:place], key, *others[place:]]


def _nothing(kind: str, *, ticked: bool) -> str:
    if not ticked:
        return _("Tick the rules first, then choose what to do with them.")
    if kind == "publish":
        return _("Nothing to publish: what you ticked is already live as it is.")
    return _("Nothing to take offline: what you ticked is not live.")


def _back(request: HttpRequest) -> str:
    """Address for who leaves the dialog: the editor that one came from, else the list."""
    key = number(request.GET.get("back") or request.POST.get("back"))
    return reverse("rule", args=[key]) if key else reverse("rules")
