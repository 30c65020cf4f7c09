"""Runs of the loop: list, one of them, its progress; start, cancel, resume."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.hues import of_stage
from analytics.charts.runs import durations
from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import or_404
from analytics.parameters import note_in, number
from analytics.queries.runs import history as query
from analytics.queries.runs.event_points import points_proposal
from analytics.queries.runs.risers import risers
from analytics.queries.runs.verdict import verdict
from analytics.queries.segments.fates import fates
from recommendations.models import Run
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.operations import event_points, versions
from recommendations.services.operations import runs as loop_runs
from recommendations.services.operations.jobs import JobIsOverError, cancel_job
from recommendations.wording import labels


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    page, views = query.runs(page=number(request.GET.get("page")) or 1)
    running = next((run for run in views if run.unfinished), None)
    return render(
        request,
        "dashboard/runs/list.html",
        {
            "section": "runs",
            "page": page,
            "runs": views,
            "run": running,
            "last": views[0] if views and page.number == 1 and not running else None,
            "at": "runs",
            "cards": [import_string(name)(request) for name in settings.RUN_CARDS],
            "stage_hues": [(words, of_stage(stage)) for stage, words in labels.STAGES],
        },
    )


@require_safe
def run(request: HttpRequest, pk: UUID) -> HttpResponse:
    view = or_404(query.run(pk))
    figure = durations(view.spans, seconds=_("Time, s"))
    return render(
        request,
        "dashboard/runs/run.html",
        {
            "section": "runs",
            "run": view,
            "log": query.log_tail(view.record),
            "figure": figure.to_json(engine="orjson"),
            "verdict": verdict(view),
            "risers": risers(view.version),
            "proposal": points_proposal(view.version),
            "fates": fates(view.version),
            "at": "run",
        },
    )


@require_safe
def run_progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Progress of a run, asked for every two seconds; the whole page comes again when the run has begun or ended."""
    view = or_404(query.run(pk))
    at = "run" if request.GET.get("at") == "run" else "runs"
    log = query.log_tail(view.record) if at == "run" else []
    response = render(request, "dashboard/runs/progress.html", {"run": view, "log": log, "at": at})
    if not view.unfinished or request.GET.get("status") not in {None, view.record.status}:
        response["HX-Refresh"] = "true"
    return response


@post_requires(Action.RUN_LOOP)
def start_run(request: HttpRequest) -> HttpResponse:
    try:
        run = loop_runs.start_run(by=staff_of(request), now=timezone.now())
    except loop_runs.RunInProgressError as error:
        messages.warning(request, _("A run is already in progress: this is it. Only one can run at a time."))
        return redirect("run", pk=error.run.pk)
    messages.success(request, _("The run has started. What is live stays live until it has finished."))
    return redirect("run", pk=run.pk)


@post_requires(Action.RUN_LOOP)
def cancel_run(request: HttpRequest, pk: UUID) -> HttpResponse:
    run = or_404(query.run(pk)).record
    try:
        cancel_job(run, by=staff_of(request), now=timezone.now())
    except JobIsOverError:
        messages.warning(request, _("The run had already ended, so there was nothing to cancel."))
    else:
        messages.success(request, _("The run will stop at the next opportunity. What is live stays live."))
    return _back(run)


@post_requires(Action.RUN_LOOP)
def resume_run(request: HttpRequest, pk: UUID) -> HttpResponse:
    run = or_404(query.run(pk)).record
    try:
        loop_runs.resume_run(run=run, by=staff_of(request), now=timezone.now())
    except loop_runs.RunInProgressError as error:
        messages.warning(request, _("Another run is in progress: this is it. Resume the other one when it has ended."))
        return redirect("run", pk=error.run.pk)
    except JobIsOverError:
        messages.warning(request, _("The run has finished or is already in progress, so there was nothing to resume."))
    else:
        messages.success(request, _("The run continues after its last finished stage."))
    return _back(run)


@post_requires(Action.PUBLISH)
def make_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Make the version live that the gate or the guard held back, with the note of who decides otherwise."""
    view = or_404(query.run(pk))
    try:
        version = versions.make_live(
            version=or_404(view.version),
            by=staff_of(request),
            now=timezone.now(),
            note=note_in(request.POST),
        )
    except NoteNeededError:
        messages.warning(request, _("Say why it should go live anyway. Nothing was changed."))
    except versions.VersionNotReadyError:
        messages.warning(request, _("The files of this model are gone, so it cannot go live. Start a run."))
    else:
        messages.success(request, _("Model %(version)s is live.") % {"version": version})
    return _back(view.record)


@post_requires(Action.PUBLISH)
def decide_points(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Accept or decline the event weights that the run proposes."""
    view = or_404(query.run(pk))
    accepts = request.POST.get("decision") == "accept"
    decide = event_points.accept_points if accepts else event_points.decline_points
    note = note_in(request.POST)
    try:
        decide(version=or_404(view.version), by=staff_of(request), now=timezone.now(), note=note)
    except NoteNeededError:
        messages.warning(request, _("They tested worse: say why you accept them anyway. Nothing was changed."))
    except event_points.NoProposalError:
        messages.warning(request, _("Somebody has decided about them already. Nothing was changed."))
    else:
        words = _("The next run uses the new event weights.") if accepts else _("The event weights stay as they are.")
        messages.success(request, words)
    return _back(view.record)


def _back(run: Run) -> HttpResponse:
    return redirect("run", pk=run.pk)
