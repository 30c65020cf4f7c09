"""Legal holds: the list, holding somebody, and the page of a hold, where it is lifted."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import or_404
from analytics.pages.privacy.form import HoldForm, LiftForm
from analytics.parameters import page_number
from analytics.queries.privacy import holds as query
from recommendations.models import LegalHold
from recommendations.services.access.policy import Action, may
from recommendations.services.privacy.holds import HoldIsOverError, beginning_after, hold, lift_hold
from recommendations.services.privacy.sealed import PersonIds


@require_safe
def legal_holds(request: HttpRequest) -> HttpResponse:
    return _page(request, HoldForm())


@sensitive_post_parameters("user_id", "anonymous_ids")
@post_requires(Action.HANDLE_PRIVACY)
def hold_somebody(request: HttpRequest) -> HttpResponse:
    form = HoldForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    ids = PersonIds(user_id=form.cleaned_data["user_id"] or None, anonymous_ids=form.cleaned_data["anonymous_ids"])
    hold(
        ids, reason=form.cleaned_data["reason"], until=form.cleaned_data["until"], by=staff_of(request),
        now=timezone.now(),
    )  # fmt: skip
    messages.success(request, _("They are held: what is kept of them stays until the hold ends."))
    return redirect("legal_holds")


@require_safe
def legal_hold(request: HttpRequest, pk: int) -> HttpResponse:
    """A hold, what waits for it, and for who may, its end: what begins then is said before."""
    return _hold_page(request, pk, LiftForm())


@post_requires(Action.HANDLE_PRIVACY)
def lift_legal_hold(request: HttpRequest, pk: int) -> HttpResponse:
    stored, form = get_object_or_404(LegalHold, pk=pk), LiftForm(request.POST)
    if not form.is_valid():
        return _hold_page(request, pk, form, status=422)
    try:
        lift_hold(stored, reason=form.cleaned_data["reason"], by=staff_of(request), now=timezone.now())
    except HoldIsOverError:
        messages.warning(request, _("The hold had ended already, so nothing was changed."))
    else:
        messages.success(request, _("The hold is lifted. An erasure that waited for it alone begins within a minute."))
    return redirect("legal_hold", pk=pk)


def _hold_page(request: HttpRequest, pk: int, form: LiftForm, *, status: int = 200) -> HttpResponse:
    now = timezone.now()
    shown = or_404(query.find_hold(pk, now=now))
    context = {
        "section": "privacy", "hold": shown, "record": shown.record, "form": form,
        "beginning": beginning_after(shown.record, shown.waiting, now=now),
    }  # fmt: skip
    return render(request, "dashboard/privacy/hold.html", context, status=status)


def _page(request: HttpRequest, form: HoldForm, *, status: int = 200) -> HttpResponse:
    now = timezone.now()
    page, holds = query.holds(page=page_number(request.GET.get("page")), now=now)
    context = {
        "section": "privacy",
        "page": page,
        "holds": holds,
        "form": form if may(staff_of(request), Action.HANDLE_PRIVACY) else None,
    }
    return render(request, "dashboard/privacy/holds.html", context, status=status)
