"""The first page: is it any good, what came in, what did the loop do, what is missing."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.overview import arrivals as arrivals_figure
from analytics.charts.overview import quality as quality_figure
from analytics.queries import measured
from analytics.queries import overview as query
from analytics.queries.frame import Frame, read_frame
from analytics.queries.runs import Run, last_run
from analytics.queries.words import metric_label
from recommendations.terms import RunStatus, Task

STALE_AFTER = timedelta(days=2)
OLD_MODEL_AFTER = timedelta(days=3)
TOO_MANY_FALLBACKS = 0.2


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    frame, now = read_frame(), timezone.now()
    days = _chosen(request.GET.get("days"), among=query.PERIODS, default=28)
    run, qualities = last_run(), measured.qualities()
    answers = query.answers(since=now - timedelta(days=days))
    arrivals = query.arrivals(newest=frame.newest_event, days=days) if frame.newest_event else None
    context = {
        "section": "overview",
        "frame": frame,
        "days": days,
        "periods": query.PERIODS,
        "run": run,
        "strip": run.strip if run else [],
        "answers": answers,
        "arrivals": arrivals,
        "arrivals_figure": arrivals and arrivals_figure(
            arrivals.days, days=_("Day"), events=_("Events a day")
        ).to_json(engine="orjson"),
        "checklist": query.checklist(newest=frame.newest_event, model=frame.model, weights=bool(frame.weights)),
        "alerts": _alerts(frame, run, answers, now=now),
    }  # fmt: skip
    return render(request, "dashboard/overview.html", context | _quality(qualities))


def _quality(qualities: dict[Task, measured.Quality]) -> dict[str, Any]:
    home = qualities.get(Task.HOME)
    return {
        "qualities": [
            (each, quality_figure(each.compared, axis=metric_label(measured.MAIN_METRIC)).to_json(engine="orjson"))
            for each in qualities.values()
        ],
        "coverage": home.hybrid.metrics.get(measured.COVERAGE) if home and home.hybrid else None,
    }


def _alerts(frame: Frame, run: Run | None, answers: query.Answers, *, now: datetime) -> list[tuple[str, str]]:
    """(level, sentence), the worst first; each says what to do."""
    alerts = []
    if run and run.turn.status == RunStatus.FAILED:
        stage = run.current.words if run.current else ""
        alerts.append(("danger", _("The last run failed at “%(stage)s”. See Runs for the reason.") % {"stage": stage}))
    if run and run.held_back:
        alerts.append(("warning", _("The model of the last run is not live: it measured worse. See Runs.")))
    if frame.newest_event and now - frame.newest_event > STALE_AFTER:
        old = (now - frame.newest_event).days
        alerts.append(("warning", _("No event for %(days)d days. Is the shop still sending?") % {"days": old}))
    if frame.live_since and now - frame.live_since > OLD_MODEL_AFTER:
        old = (now - frame.live_since).days
        alerts.append(
            ("warning", _("The live model is %(days)d days old. Start a run, or see why none ends.") % {"days": old})
        )
    if answers.fallback > TOO_MANY_FALLBACKS:
        share = round(100 * answers.fallback)
        alerts.append(
            (
                "warning",
                _("%(share)d%% of the answers did not come from the model. The reasons stand below.")
                % {"share": share},
            )
        )
    return alerts


def _chosen(text: str | None, *, among: tuple[int, ...], default: int) -> int:
    return next((value for value in among if str(value) == text), default)
