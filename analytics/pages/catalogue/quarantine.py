"""The page of a quarantine, with restoring and deleting what it covers."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts import quarantine as charts
from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import or_404
from analytics.parameters import note_in, page_number
from analytics.queries.catalogue import quarantine as query
from recommendations.models import Quarantine
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.operations import quarantine as services
from recommendations.terms import QuarantineState


@require_safe
def quarantine(request: HttpRequest, pk: int) -> HttpResponse:
    record = or_404(query.find_quarantine(pk))
    now, is_aside = timezone.now(), record.state == QuarantineState.ASIDE
    page, people = query.people(record, page=page_number(request.GET.get("page")))
    days = query.days(record, now=now)
    figure = charts.demand(
        days, time=_("Day"), acts=_("Number of actions"), established=_("Bought before"), others=_("All others")
    )  # fmt: skip
    context = {
        "section": "catalogue",
        "quarantine": record,
        "is_aside": is_aside,
        "goes_on": is_aside and query.goes_on(record),
        "covered": services.count_covered(pk).events if is_aside else None,
        "page": page,
        "people": people,
        "items": query.items(record, now=now),
        "most_items": query.MOST_ITEMS,
        "days": days,
        "days_figure": figure.to_json(engine="orjson"),
    }
    return render(request, "dashboard/catalogue/quarantine.html", context)


@post_requires(Action.SET_ASIDE)
def end_quarantine(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        services.end(quarantine=get_object_or_404(Quarantine, pk=pk), by=staff_of(request), now=timezone.now())
    except services.AlreadyDecidedError:
        messages.warning(request, _("It had ended already, so nothing was changed."))
    else:
        messages.success(request, _("It ends here: what the key sends from now on counts."))
    return redirect("quarantine", pk=pk)


@post_requires(Action.SET_ASIDE)
def restore_quarantine(request: HttpRequest, pk: int) -> HttpResponse:
    return _decided(request, pk, services.restore, _("It counts again from the next run on."))


@post_requires(Action.SET_ASIDE)
def delete_quarantine(request: HttpRequest, pk: int) -> HttpResponse:
    return _decided(request, pk, services.delete, _("Its events are deleted for good within a minute."))


def _decided(request: HttpRequest, pk: int, decide: Callable[..., Quarantine], done: str) -> HttpResponse:
    record = get_object_or_404(Quarantine, pk=pk)
    note = note_in(request.POST)
    try:
        decide(quarantine=record, by=staff_of(request), note=note, now=timezone.now())
    except NoteNeededError:
        messages.warning(request, _("Say why. Nothing was changed."))
    except services.AlreadyDecidedError as error:
        record.state = error.state
        text = _("Someone decided before you, so nothing was changed. State: %(state)s.")
        messages.warning(request, text % {"state": record.get_state_display()})
    else:
        messages.success(request, done)
    return redirect("quarantine", pk=pk)
