"""The page of quality, and for whom; what is compared and how it is sorted stand in the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.differences import histogram
from analytics.charts.overlap import overlap as overlap_figure
from analytics.charts.pareto import Spot, pareto
from analytics.charts.quality import gaps as gaps_figure
from analytics.charts.quality import history as history_figure
from analytics.charts.quality import leaders as leaders_figure
from analytics.charts.quality import slices as slices_figure
from analytics.charts.quality import tuned as tuned_figure
from analytics.exports.quality import acts_known_file, gaps_file, quality_file
from analytics.pages.quality import judgements
from analytics.queries.quality import figures as query
from analytics.queries.quality.acts_known import little_known
from analytics.queries.quality.differences import most_different
from analytics.queries.quality.figures import SLICES
from analytics.queries.quality.generalisation import generalisation, measured_version, tuned_share
from analytics.queries.quality.headline import lead
from analytics.queries.quality.leader_table import (
    COLUMNS,
    COMPARED,
    FIT,
    HYBRID,
    NAME,
    PERSONAL,
    Quality,
    cell,
    drawn,
    main,
    qualities,
)
from analytics.templatetags.words import COVERAGE, MAIN_METRIC, measured_label, metric_label
from recommendations.services.operations.quality import served_tasks
from recommendations.terms import SliceKind, Task
from recommendations.wording import labels

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
    table = qualities().get(choice.task)
    if table and request.GET.get("format") == "csv":
        return quality_file(table, sort=choice.sort)
    if table and request.GET.get("format") == "gaps" and table.evaluation.generalisation:
        return gaps_file(table.evaluation)
    if table and request.GET.get("format") == "acts-known" and (known := little_known(table.evaluation)):
        return acts_known_file(known)
    context = {
        "section": "quality",
        "choice": choice,
        "tasks": labels.TASKS,
        "quality": table,
    }
    if table:
        details = query.details(table)
        context |= _leaders(table, choice) | _slices(details, choice)
        context |= (
            _generalisation(table)
            | _little_known(table)
            | _pictures(table, details)
            | _customers(table, choice)
            | judgements.panel()
        )
    return render(request, "dashboard/quality/figures.html", context)


def _choice(request: HttpRequest) -> Choice:
    task, kind, sort = (request.GET.get(name, "") for name in ("task", "slice", "sort"))
    return Choice(
        task=Task(task) if task in set(Task) else served_tasks()[0],
        kind=SliceKind(kind) if kind in set(SliceKind) else SliceKind.ACTIVITY,
        sort=sort if sort.removeprefix("-") in {*COLUMNS, NAME, FIT} else f"-{MAIN_METRIC}",
        pair=(request.GET.get("a") or HYBRID, request.GET.get("b") or PERSONAL),
    )


def _leaders(found: Quality, choice: Choice) -> dict[str, Any]:
    rows = [drawn(row) for row in found.rows]
    figure = leaders_figure(rows, axis=metric_label(MAIN_METRIC))
    return {
        "lead": lead(found),
        "drawn": rows,
        "name_words": _("Recommender"),
        "fit_words": _("Training, s"),
        "columns": [(name, metric_label(name)) for name in COLUMNS],
        "leaders": [(row, [cell(row, name) for name in COLUMNS]) for row in found.sorted(choice.sort)],
        "leaders_figure": figure.to_json(engine="orjson"),
        "compared": any(row.against for row in found.rows),
    }


def _slices(details: query.Details, choice: Choice) -> dict[str, Any]:
    groups = query.groups(details, choice.kind)
    figure = slices_figure(groups[:DRAWN_SLICES], axis=metric_label(MAIN_METRIC))
    return {
        "kinds": [(kind, words) for kind, (words, _who) in SLICES.items()],
        "kind_words": SLICES[choice.kind][0],
        "kind_help": SLICES[choice.kind][1],
        "groups": groups,
        "drawn_slices": min(len(groups), DRAWN_SLICES),
        "few": query.FEW,
        "compared_rows": COMPARED,
        "slices_figure": figure.to_json(engine="orjson"),
    }


def _little_known(found: Quality) -> dict[str, Any]:
    known = little_known(found.evaluation)
    if known is None:
        return {}
    figure = history_figure(known.lines, versions=_("Acts known"), axis=metric_label(MAIN_METRIC))
    return {"little_known": known, "little_known_figure": figure.to_json(engine="orjson")}


def _generalisation(found: Quality) -> dict[str, Any]:
    """Context of what carries over, and of the setting that the run tuned; what was not measured is left out."""
    version = measured_version(found.evaluation)
    carried, setting = generalisation(found.evaluation, version), tuned_share(found.task, version.visit_shares)
    context: dict[str, Any] = {"generalisation": carried, "setting": setting}
    if carried:
        words = {"learned": _("On what it learned"), "after": _("On what came after")}
        figure = gaps_figure(
            [(row.learned, row.after) for row in carried.rows], **words, axis=metric_label(MAIN_METRIC)
        )
        context["generalisation_figure"] = figure.to_json(engine="orjson")
    if setting:
        figure = tuned_figure(
            setting.curve, setting=_("Share of a visit, %"), axis=metric_label(MAIN_METRIC), chosen=_("Chosen")
        )
        context["setting_figure"] = figure.to_json(engine="orjson")
    return context


def _pictures(found: Quality, details: query.Details) -> dict[str, Any]:
    overlap, history = query.overlap(details, found.rows), query.history(found.task)
    lines = query.history_lines(history)
    spots = [
        Spot(
            name=row.name, words=measured_label(row.name), breadth=row.metrics[COVERAGE]["value"],
            accuracy=main(row)["value"],
        )
        for row in found.rows
        if COVERAGE in row.metrics
    ]  # fmt: skip
    heat_map = overlap_figure(*zip(*overlap, strict=True), columns=_("Items in common, %")) if overlap else None
    return {
        "spots": spots,
        "pareto_figure": pareto(
            spots, breadth=_("Coverage@10, % of the catalogue"), accuracy=metric_label(MAIN_METRIC)
        ).to_json(engine="orjson"),
        "overlap": overlap,
        "overlap_figure": heat_map and heat_map.to_json(engine="orjson"),
        "history": history,
        "history_lines": lines,
        "luck_words": query.luck_words(history),
        "history_figure": history_figure(
            lines, versions=_("Model version"), axis=metric_label(MAIN_METRIC), chance=_("Chance alone: other seeds")
        ).to_json(engine="orjson"),
    }


def _customers(found: Quality, choice: Choice) -> dict[str, Any]:
    """Context of two rows customer by customer; rows that the version has not are replaced, and that is said."""
    names = {row.name: measured_label(row.name) for row in found.rows}
    pair = _pair(choice.pair, among=[name for name in (*COMPARED, *names) if name in names])
    if pair is None:
        return {}
    differences = most_different(found.task, a=pair[0], b=pair[1])
    figure = histogram(
        differences.bars if differences else [],
        difference=_("← second better · difference of NDCG@10 · first better →"),
        customers=_("Customers"),
    )
    return {
        "names": names.items(),
        "pair": pair,
        "first": names[pair[0]],
        "second": names[pair[1]],
        "replaced": [requested for requested, taken in zip(choice.pair, pair, strict=True) if requested != taken],
        "differences": differences,
        "differences_figure": figure.to_json(engine="orjson"),
    }


def _pair(asked: tuple[str, str], *, among: Sequence[str]) -> tuple[str, str] | None:
    """Two different rows, as near as can be to those asked for; None where there are not two."""
    first = asked[0] if asked[0] in among else next(iter(among), "")
    second = asked[1] if asked[1] in among and asked[1] != first else next((n for n in among if n != first), "")
    return (first, second) if second else None
