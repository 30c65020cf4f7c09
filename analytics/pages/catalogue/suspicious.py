"""Suspicious demand: what is set aside, and the form that sets aside all that a key sent."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analytics.pages.access.permission import requires, staff_of
from analytics.pages.catalogue.sent_form import SentForm
from analytics.pages.columns import without
from analytics.parameters import note_in
from analytics.queries.catalogue import suspicious as query
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action, may
from recommendations.services.operations.quarantine import set_aside_key
from recommendations.wording import labels


@require_safe
def suspicious(request: HttpRequest) -> HttpResponse:
    filters = query.Filters(request.GET)
    context = {
        "section": "catalogue",
        "extent": query.extent(),
        "page": query.quarantines(filters),
        "filters": filters.cleaned_data,
        "states": labels.QUARANTINE_STATES,
        "chips": [(words, without(request.GET, name)) for name, words in filters.chips()],
        "form": SentForm() if may(staff_of(request), Action.SET_ASIDE) else None,
    }
    return render(request, "dashboard/catalogue/suspicious.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.SET_ASIDE)
def set_aside_sent(request: HttpRequest) -> HttpResponse:
    """Tell what a key sent in a time, and with a POST and a note set it aside."""
    if request.method != "POST" and "since" not in request.GET:
        yesterday = timezone.localtime() - timedelta(days=1)
        return _preview(request, SentForm(initial={"key": request.GET.get("key"), "since": yesterday}))
    form = SentForm(request.POST or request.GET)
    if not form.is_valid():
        return _preview(request, form, status=422 if request.method == "POST" else 200)
    if request.method != "POST":
        return _preview(request, form, sent=query.sent_with(**form.cleaned_data))
    note = note_in(request.POST)
    try:
        quarantine = set_aside_key(**form.cleaned_data, by=staff_of(request), note=note)
    except NoteNeededError:
        problem = _("Say why. Nothing was changed.")
        return _preview(request, form, sent=query.sent_with(**form.cleaned_data), problem=problem, status=422)
    messages.success(request, _("It is set aside: a run that starts from now on learns nothing from it."))
    return redirect("quarantine", pk=quarantine.pk)


def _preview(request: HttpRequest, form: SentForm, *, status: int = 200, **context: Any) -> HttpResponse:
    context |= {"section": "catalogue", "form": form, "now": timezone.localtime()}
    return render(request, "dashboard/catalogue/set_aside_sent.html", context, status=status)
