"""The replay on the page of runs: how far it is; cancel and resume."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analytics.pages.access.permission import requires, staff_of
from demo.progress import progress
from demo.replay import ReplayIsOverError
from demo.replay import cancel_replay as cancel
from demo.replay import resume_replay as resume
from recommendations.services.access.policy import Action

TEMPLATE = "demo/replay.html"


def card(request: HttpRequest) -> SafeString:
    """Card of the replay above the list of runs; "" where nothing was held back."""
    replay = progress()
    return render_to_string(TEMPLATE, {"replay": replay}, request) if replay else SafeString()


@require_safe
def replay_progress(request: HttpRequest) -> HttpResponse:
    """Progress of the replay, asked for every two seconds; when it has ended, the whole page is loaded again."""
    replay = progress()
    if replay is None:
        raise Http404
    response = render(request, TEMPLATE, {"replay": replay})
    if not replay.unfinished:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@requires(Action.RUN_LOOP)
def cancel_replay(request: HttpRequest) -> HttpResponse:
    try:
        cancel(by=staff_of(request), now=timezone.now())
    except ReplayIsOverError:
        messages.warning(request, _("The replay had ended already, so there was nothing to cancel."))
    else:
        messages.success(request, _("The replay stops after the basket in hand. What came in stays."))
    return redirect("runs")


@require_POST
@requires(Action.RUN_LOOP)
def resume_replay(request: HttpRequest) -> HttpResponse:
    try:
        resume(by=staff_of(request))
    except ReplayIsOverError:
        messages.warning(request, _("The replay has finished or goes on already, so there was nothing to resume."))
    else:
        messages.success(request, _("The replay goes on where it stopped."))
    return redirect("runs")
