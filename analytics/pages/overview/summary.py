"""The first page: what recommendations earn, how well they work, and what needs somebody."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.overview import revenue
from analytics.pages.access.permission import staff_of
from analytics.parameters import one_of
from analytics.queries.layout import read_frame
from analytics.queries.overview import outcomes
from analytics.queries.overview import summary as query
from analytics.queries.overview.alerts import alerts
from analytics.queries.overview.brought import brought
from analytics.queries.overview.earnings import Earnings, earnings
from analytics.queries.overview.first_steps import first_steps
from analytics.queries.overview.waiting import waiting
from analytics.queries.overview.works import works
from analytics.queries.quality.leader_table import qualities
from analytics.queries.runs.history import last_run
from recommendations.services.operations.quality import served_tasks
from recommendations.services.review.acts import sells
from recommendations.services.weights.panels import panels
from recommendations.wording.money import currency

LEVELS = ("danger", "warning", "info")
PLACEMENTS = 4
NEEDS = 5
"""Most lines that are open at first sight."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    frame, now, today = read_frame(), timezone.now(), timezone.localdate()
    panels().warm()  # who is here may soon try weights
    days = one_of(query.PERIODS, request.GET.get("days"), default=28)
    answers = query.answers(since=now - timedelta(days=days))
    results = outcomes.outcomes(today=today, days=days, served=answers)
    staff = staff_of(request)
    lines = [
        *alerts(frame, last_run(), answers, now=now), *waiting(now, staff=staff, approvals=frame.approvals)
    ]  # fmt: skip
    needs = sorted(lines, key=lambda each: LEVELS.index(each.level))
    context = {
        "section": "overview",
        "frame": frame,
        "days": days,
        "periods": query.PERIODS,
        "answers": answers,
        **_brought(today=today, days=days, results=results),
        "works": [each for task, table in qualities().items() if task in served_tasks() and (each := works(table))],
        "needs": needs[:NEEDS],
        "more_needs": needs[NEEDS:],
        "total_needs": len(needs),
        "steps": first_steps(frame, staff),
    }
    return render(request, "dashboard/overview/summary.html", context)


def _brought(*, today: date, days: int, results: Sequence[outcomes.PlacementOutcome]) -> dict[str, Any]:
    """What lists brought: money where the shop sells, or something was bought all the same; else what was taken."""
    earned = earnings(today=today, days=days, outcomes=results)
    if not sells() and not earned.turnover and not earned.orders:
        return {"earned": None, "brought": brought(today=today, days=days, outcomes=results)}
    return {
        "earned": earned,
        "placements": earned.placements[:PLACEMENTS],
        "more_placements": len(earned.placements[PLACEMENTS:]),
        "revenue_figure": _figure(earned),
    }


def _figure(earned: Earnings) -> str:
    figure = revenue(
        earned.days, now=_("This period"), before=_("The period before"), day=_("Day"),
        axis=_("Revenue, %(currency)s") % {"currency": currency()},
    )  # fmt: skip
    text: str = figure.to_json(engine="orjson")
    return text
