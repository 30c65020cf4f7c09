"""Is it any good, and for whom; what is compared and how it is sorted stand in the address."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.overlap import overlap as overlap_figure
from analytics.charts.pareto import Spot, pareto
from analytics.charts.quality import history as history_figure
from analytics.charts.quality import leaders as leaders_figure
from analytics.charts.quality import slices as slices_figure
from analytics.exports.quality import quality_file
from analytics.queries import quality as query
from analytics.queries.frame import read_frame
from analytics.queries.lead import lead
from analytics.queries.measured import (
    COLUMNS,
    COMPARED,
    COVERAGE,
    FIT,
    HYBRID,
    MAIN_METRIC,
    NAME,
    PERSONAL,
    Quality,
    qualities,
)
from analytics.queries.quality import SLICES
from analytics.queries.words import METRICS, measured_label, metric_label
from recommendations import wording
from recommendations.terms import SliceKind, Task

DRAWN_SLICES = 12


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the address asks to see; what it does not understand is as if absent."""

    task: Task
    kind: SliceKind
    sort: str
    pair: tuple[str, str]


@require_safe
def quality(request: HttpRequest) -> HttpResponse:
    choice = _choice(request)
    found = qualities().get(choice.task)
    if found and request.GET.get("format") == "csv":
        return quality_file(found, sort=choice.sort)
    context = {
        "section": "quality",
        "frame": read_frame(),
        "choice": choice,
        "tasks": wording.TASKS,
        "quality": found,
    }
    if found:
        context |= _leaders(found, choice) | _slices(found, choice) | _pictures(found)
    return render(request, "dashboard/quality.html", context)


def _choice(request: HttpRequest) -> Choice:
    task, kind, sort = (request.GET.get(name, "") for name in ("task", "slice", "sort"))
    return Choice(
        task=Task(task) if task in set(Task) else Task.HOME,
        kind=SliceKind(kind) if kind in set(SliceKind) else SliceKind.ACTIVITY,
        sort=sort if sort.removeprefix("-") in {*COLUMNS, NAME, FIT} else f"-{MAIN_METRIC}",
        pair=(request.GET.get("a") or HYBRID, request.GET.get("b") or PERSONAL),
    )


def _leaders(found: Quality, choice: Choice) -> dict[str, Any]:
    figure = leaders_figure([row.drawn() for row in found.rows], axis=metric_label(MAIN_METRIC))
    return {
        "lead": lead(found),
        "name_words": _("Recommender"),
        "fit_words": _("Fit, s"),
        "fit_help": _("Seconds to learn from the history before the split."),
        "columns": [(name, metric_label(name), METRICS[name][1]) for name in COLUMNS],
        "leaders": [(row, [row.cell(name) for name in COLUMNS]) for row in found.sorted(choice.sort)],
        "leaders_figure": figure.to_json(engine="orjson"),
        "compared": any(row.against for row in found.rows),
    }


def _slices(found: Quality, choice: Choice) -> dict[str, Any]:
    groups = query.groups(found, choice.kind)
    figure = slices_figure(groups[:DRAWN_SLICES], axis=metric_label(MAIN_METRIC))
    return {
        "kinds": [(kind, words) for kind, (words, _who) in SLICES.items()],
        "kind_words": SLICES[choice.kind][0],
        "kind_help": SLICES[choice.kind][1],
        "groups": groups,
        "drawn_slices": min(len(groups), DRAWN_SLICES),
        "few": query.FEW,
        "compared_words": [measured_label(name) for name in COMPARED],
        "slices_figure": figure.to_json(engine="orjson"),
    }


def _pictures(found: Quality) -> dict[str, Any]:
    overlap, history = query.overlap(found), query.history(found.task)
    spots = [
        Spot(name=row.name, words=row.words, breadth=row.metrics[COVERAGE]["value"], accuracy=row.main["value"])
        for row in found.rows
        if COVERAGE in row.metrics
    ]
    drawn = overlap and overlap_figure(
        overlap.words, overlap.shares, columns=_("Rows, by their number"), scale=_("Items in common, %")
    )
    return {
        "spots": spots,
        "pareto_figure": pareto(
            spots, breadth=_("Coverage@10, % of the catalogue"), accuracy=metric_label(MAIN_METRIC)
        ).to_json(engine="orjson"),
        "overlap": overlap,
        "overlap_figure": drawn and drawn.to_json(engine="orjson"),
        "history": history,
        "history_figure": history_figure(
            history.lines, versions=_("Model version"), axis=metric_label(MAIN_METRIC)
        ).to_json(engine="orjson"),
    }
