"""The first page: quality, what came in, what the loop did, what is missing."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.outcomes import by_position
from analytics.charts.overview import arrivals as arrivals_figure
from analytics.charts.overview import quality as quality_figure
from analytics.parameters import one_of
from analytics.queries.layout import read_frame
from analytics.queries.overview import outcomes
from analytics.queries.overview import summary as query
from analytics.queries.overview.alerts import alerts
from analytics.queries.quality import leader_table
from analytics.queries.runs.history import last_run
from analytics.templatetags.words import COVERAGE, MAIN_METRIC, metric_label
from recommendations.terms import Task

LIST = "?from={day}&until={day}&name={name}"
"""Query of the events behind a bar of the arrivals."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    frame, now = read_frame(), timezone.now()
    days = one_of(query.PERIODS, request.GET.get("days"), default=28)
    run, qualities = last_run(), leader_table.qualities()
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
        "alerts": alerts(frame, run, answers, now=now),
    }  # fmt: skip
    rows = outcomes.outcomes(today=timezone.localdate(), days=days, served=answers)
    return render(request, "dashboard/overview/summary.html", context | _quality(qualities) | _outcomes(request, rows))


def _outcomes(request: HttpRequest, found: list[outcomes.PlacementOutcome]) -> dict[str, Any]:
    """Context of all placements, with positions of the one that is asked for, else of the one with the most tries."""
    requested = next((each for each in found if each.placement == request.GET.get("placement")), None)
    chosen = requested or (found[0] if found else None)
    figure = chosen and by_position(
        chosen.points,
        clicks=_("Click-through"),
        conversion=_("Conversion"),
        position=_("Position in the slate"),
        axis=_("Share of slates, %"),
    )
    return {"outcomes": found, "chosen": chosen, "positions_figure": figure and figure.to_json(engine="orjson")}


def _quality(qualities: dict[Task, leader_table.Quality]) -> dict[str, Any]:
    home = qualities.get(Task.HOME)
    return {
        "qualities": [
            (each, quality_figure(each.compared, axis=metric_label(MAIN_METRIC)).to_json(engine="orjson"))
            for each in qualities.values()
        ],
        "coverage": home.hybrid.metrics.get(COVERAGE) if home and home.hybrid else None,
    }
