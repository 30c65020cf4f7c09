"""The first page: is it any good, what came in, what did the loop do, what is missing."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.overview import arrivals as arrivals_figure
from analytics.charts.overview import quality as quality_figure
from analytics.pages.parameters import one_of
from analytics.queries import measured
from analytics.queries import overview as query
from analytics.queries.alerts import alerts
from analytics.queries.frame import read_frame
from analytics.queries.runs import last_run
from analytics.queries.words import metric_label
from recommendations.terms import Task

LIST = "?from={day}&until={day}&name={name}"
"""What is behind a bar of the arrivals, after the address of the events."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    frame, now = read_frame(), timezone.now()
    days = one_of(query.PERIODS, request.GET.get("days"), default=28)
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
            arrivals.days, days=_("Day"), events=_("Events a day"), address=reverse("event_list") + LIST
        ).to_json(engine="orjson"),
        "checklist": query.checklist(newest=frame.newest_event, model=frame.model, weights=bool(frame.weights)),
        "alerts": alerts(frame, run, answers, now=now),
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
