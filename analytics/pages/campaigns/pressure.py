"""Pressure: how much customers bear. A draft stands in the address, with what it would have let through."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analytics.pages.access.permission import requires, staff_of
from analytics.pages.campaigns.pressure_form import CAPS, PRICES, PressureFields
from analytics.pages.undo import offer_undo
from analytics.parameters import note_in, number
from analytics.queries.campaigns import pressure as query
from recommendations.models import PressureRules
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.campaigns.pressure import StalePressureError, form_of, publish_rules, rules_now
from recommendations.services.campaigns.pressure_estimate import estimate
from recommendations.services.campaigns.results import erased_messages, proof_of_pressure


@require_http_methods(["GET", "HEAD", "POST"])
def pressure(request: HttpRequest) -> HttpResponse:
    """The rules that count; those of the address to try, or of an earlier version, ``like`` its number."""
    fields = CAPS.keys() | PRICES.keys() | PressureFields.base_fields.keys()
    if request.method == "POST" and "look" in request.POST:
        return redirect(reverse("pressure", query={name: request.POST.get(name, "") for name in sorted(fields)}))
    if request.method == "POST":
        return _publish(request)
    if fields & request.GET.keys():
        return _page(request, PressureFields(request.GET), effect=True)
    like = number(request.GET.get("like"))
    chosen = PressureRules.objects.filter(number=like).first() if like is not None else None
    stored = chosen or rules_now(now=timezone.now())
    return _page(request, PressureFields(initial=PressureFields.initial_of(form_of(stored))), like=chosen)


@require_safe
def pressure_effect(request: HttpRequest) -> HttpResponse:
    """What the rules of a form would have let through of the last four weeks; a part of the page."""
    return render(request, "dashboard/campaigns/pressure_effect.html", _effect(PressureFields(request.GET)))


@require_safe
def pressure_proof(request: HttpRequest) -> HttpResponse:
    """Whether any message ever broke a rule, by one statement that is shown with it."""
    proof, statement = proof_of_pressure()
    context = {"section": "campaigns", "proof": proof, "statement": statement, "erased": erased_messages()}
    part = "HX-Request" in request.headers
    return render(request, f"dashboard/campaigns/pressure_proof{'' if part else '_page'}.html", context)


@requires(Action.PUBLISH)
def _publish(request: HttpRequest) -> HttpResponse:
    form, now = PressureFields(request.POST), timezone.now()
    if not form.is_valid():
        return _page(request, form, status=422)
    based_on = number(request.POST.get("based_on")) or 0
    try:
        rules = publish_rules(
            form.rules(), note=note_in(request.POST), by=staff_of(request), now=now, based_on=based_on
        )
    except ValidationError as error:
        form.complain(error)
    except NoteNeededError:
        return _page(request, form, status=422, effect=True, note_missing=True)
    except StalePressureError as error:
        return _page(request, form, status=409, effect=True, stale=error.current)
    else:
        text = _("Published as p%(number)d: every decision from now on keeps to these rules.") % {
            "number": rules.number
        }
        offer_undo(request, text, "pressure published", pressure=rules.number)
        return redirect("pressure")
    return _page(request, form, status=422)


def _page(
    request: HttpRequest,
    form: PressureFields,
    *,
    status: int = 200,
    effect: bool = False,
    like: PressureRules | None = None,
    note_missing: bool = False,
    stale: PressureRules | None = None,
) -> HttpResponse:
    live = rules_now(now=timezone.now())
    context = {
        "section": "campaigns", "form": form, "live": live, "sentence": query.sentence(form_of(live)), "like": like,
        "idle_limits": query.idle_limits(form_of(live)), "currency": settings.SHOP_CURRENCY,
        "versions": query.versions(), "note": note_in(request.POST), "note_missing": note_missing, "stale": stale,
        **(_effect(form) if effect else {}),
    }  # fmt: skip
    return render(request, "dashboard/campaigns/pressure.html", context, status=status)


def _effect(form: PressureFields) -> dict[str, Any]:
    """The estimate of a whole form, with what differs from the rules that count; else that it is not whole."""
    if not form.is_valid():
        return {"unfinished": True}
    now = timezone.now()
    rules, live = form.rules(), form_of(rules_now(now=now))
    differences = list(query.changes(live, rules))
    return {
        "effect": estimate(rules, now=now) if differences else None, "nothing_changed": not differences,
        "differences": differences, "idle_in_draft": query.idle_limits(rules) if differences else [],
    }  # fmt: skip
