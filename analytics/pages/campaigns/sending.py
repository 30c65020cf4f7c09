"""The page of a sending, planned or real: who gets it and why the others do not; letting go what the brake holds."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_safe

from analytics.charts.sending import VerdictBar, sending_figure
from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import or_404
from analytics.parameters import note_in
from analytics.queries.campaigns import sendings as query
from analytics.templatetags.display import number
from recommendations.models import Occurrence
from recommendations.push_terms import CampaignKind, OccurrenceState
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.push import braking
from recommendations.services.push.person import form_of_sending
from recommendations.services.push.sendings import BRAKE_FACTOR, BRAKE_PEOPLE

YES = "yes"
RELEASE, CANCEL = "release", "cancel"
REFUSED: Mapping[type[Exception], Promise] = {
    braking.NotWaitingError: gettext_lazy("Someone has decided about it in the meantime. Nothing was changed."),
    braking.NotRunningError: gettext_lazy("The campaign is paused or over: resume it first. Nothing was changed."),
    braking.TooLateError: gettext_lazy("It would come too late by now. Nothing was changed."),
}


@require_safe
def sending(request: HttpRequest, pk: int, occurrence: int) -> HttpResponse:
    return _page(request, or_404(query.find_sending(pk, occurrence)))


@post_requires(Action.PUBLISH)
def release_sending(request: HttpRequest, pk: int, occurrence: int) -> HttpResponse:
    done = _("It goes out: everybody is decided afresh, within a minute.")
    return _decide(request, or_404(query.find_sending(pk, occurrence)), RELEASE, braking.release, done=done)


@post_requires(Action.PUBLISH)
def cancel_sending(request: HttpRequest, pk: int, occurrence: int) -> HttpResponse:
    held = or_404(query.find_sending(pk, occurrence))
    if held.campaign.kind == CampaignKind.ONCE:
        done = _("It is cancelled: nobody gets it.")
    else:
        done = _("It is cancelled: nobody gets it. The campaign itself goes on.")
    return _decide(request, held, CANCEL, braking.call_off, done=done)


def _decide(
    request: HttpRequest, held: Occurrence, dialog: str, act: Callable[..., object], *, done: str
) -> HttpResponse:
    """Do with a sending that waits what a publisher says; where that cannot be, the page says why."""
    try:
        act(occurrence=held, note=note_in(request.POST), by=staff_of(request), now=timezone.now())
    except NoteNeededError:
        return _page(request, held, refused=dialog)
    except tuple(REFUSED) as error:
        messages.warning(request, str(REFUSED[type(error)]))
    else:
        messages.success(request, done)
    return redirect("sending", pk=held.campaign_id, occurrence=held.pk)


def sending_context(request: HttpRequest, occurrence: Occurrence) -> dict[str, Any]:
    """Context of what the pages of a sending and of a plan share."""
    form = form_of_sending(occurrence, revision=query.revision_of(occurrence))
    view = query.sending_view(occurrence, form, compare=request.GET.get("compare") == YES)
    return {
        "view": view,
        "may_compare": view.compared or query.last_sending(occurrence),
        "figure": _figure(view).to_json(engine="orjson") if view.audience else "",
    }


def _page(request: HttpRequest, occurrence: Occurrence, *, refused: str = "") -> HttpResponse:
    """The page; ``refused`` is what was asked for without a note."""
    here = reverse("sending", args=[occurrence.campaign_id, occurrence.pk])
    context = {
        "section": "campaigns", "campaign": occurrence.campaign, "occurrence": occurrence, "refused": refused,
        "here": here if refused else request.get_full_path(),
        "waits": occurrence.state == OccurrenceState.WAITING, "brake_factor": BRAKE_FACTOR,
        "brake_people": BRAKE_PEOPLE, **sending_context(request, occurrence),
    }  # fmt: skip
    return render(request, "dashboard/campaigns/sending.html", context, status=422 if refused else 200)


def _figure(view: query.SendingView) -> Any:
    occurrence = view.occurrence
    address = reverse("sending_people", args=[occurrence.campaign_id, occurrence.pk])
    bars = [
        VerdictBar(
            verdict=line.verdict, words=line.words, people=line.people, text=number(line.people),
            link=f"{address}?verdict={line.verdict}",
        )
        for line in view.lines
    ]  # fmt: skip
    audience = VerdictBar(
        verdict=None, words=pgettext("waterfall", "Audience"), people=view.audience, text=number(view.audience),
        link=address,
    )  # fmt: skip
    return sending_figure(bars, audience=audience, axis=_("People") if view.occasions is None else _("Occasions"))
