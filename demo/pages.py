"""The replay on the page of runs: how far it is; cancel and resume."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analytics.pages.access.permission import requires, staff_of
from demo.models import Replay
from recommendations.services.access.policy import Action
from recommendations.services.operations.jobs import JobIsOverError, cancel_job, resume_job

TEMPLATE = "demo/replay.html"


def card(request: HttpRequest) -> SafeString:
    """Card of the replay above the list of runs; "" where nothing was held back."""
    replay = Replay.objects.first()
    return render_to_string(TEMPLATE, {"replay": replay}, request) if replay else SafeString()


@require_safe
def replay_progress(request: HttpRequest) -> HttpResponse:
    """Progress of the replay, asked for every two seconds; when it has ended, the whole page is loaded again."""
    replay = _replay_or_404()
    response = render(request, TEMPLATE, {"replay": replay})
    if not replay.unfinished:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@requires(Action.RUN_LOOP)
def cancel_replay(request: HttpRequest) -> HttpResponse:
    try:
        cancel_job(_replay_or_404(), by=staff_of(request), now=timezone.now())
    except JobIsOverError:
        messages.warning(request, _("The replay had already ended, so there was nothing to cancel."))
    else:
        messages.success(request, _("The replay stops after the current basket. What came in stays."))
    return redirect("runs")


@require_POST
@requires(Action.RUN_LOOP)
def resume_replay(request: HttpRequest) -> HttpResponse:
    try:
        resume_job(_replay_or_404(), by=staff_of(request), now=timezone.now())
    except JobIsOverError:
        messages.warning(
            request, _("The replay has finished or is already in progress, so there was nothing to resume.")
        )
    else:
        messages.success(request, _("The replay continues where it stopped."))
    return redirect("runs")


def _replay_or_404() -> Replay:
    return get_object_or_404(Replay)
