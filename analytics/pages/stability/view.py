"""The page of what moves in the shop, and whose doing it is."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts import stability as charts
from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.undo import offer_undo
from analytics.queries.stability import alarms, rates, readings
from analytics.queries.stability.rates import RatePicture
from analytics.queries.stability.readings import ReadingLine
from analytics.templatetags.words import label
from recommendations.models import Alarm
from recommendations.services.access.policy import Action
from recommendations.services.watches.alarms import mark_seen
from recommendations.watch_terms import ChurnPart, WatchedRate
from recommendations.wording import watch_labels
from recommendations.wording.money import currency


@require_safe
def stability(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    table, runs = rates.rate_table(now=now), readings.readings()
    line = rates.chosen_line(table, rate=request.GET.get("rate", ""), placement=request.GET.get("placement", ""))
    drawn = rates.picture(line, now=now) if line else None
    context: dict[str, Any] = {
        "section": "stability",
        "ringing": alarms.unseen_alarms(),
        "over": alarms.late_alarms(now=now),
        "table": table,
        "chosen": line,
        "picture": drawn,
        "runs": runs,
        "moved": next((each for each in runs if each.churn), None),
        **_figures(drawn, runs),
    }
    return render(request, "dashboard/stability/stability.html", context)


@post_requires(Action.DRAFT)
def alarm_seen(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that somebody has seen an alarm, with a button that takes it back."""
    alarm = get_object_or_404(Alarm, pk=pk)
    mark_seen(alarm=alarm, by=staff_of(request), now=timezone.now())
    offer_undo(request, _("Seen: the alarm no longer stands on Overview."), "alarm seen", alarm=alarm.pk)
    return redirect("stability")


def _figures(drawn: RatePicture | None, runs: Sequence[ReadingLine]) -> dict[str, str]:
    """Charts as JSON; of what there is nothing, none."""
    figures: dict[str, str] = {}
    if drawn:
        alarm = drawn.line.alarm
        words = (drawn.line.words, _("What is usual"), _("Alarm since"))
        figure = charts.rate_band(drawn.points, alarm.onset if alarm else None, words=words, axis=_axis(drawn))
        figures["rate_figure"] = figure.to_json(engine="orjson")
    if runs and runs[0].shifts:
        words = (_("Shift"), _("Chance alone"), _("Alarm above"))
        figure = charts.shift_bars(runs[0].shifts, words=words, axis=_("Shift (PSI)"))
        figures["shift_figure"] = figure.to_json(engine="orjson")
    bars = [each.churn for each in reversed(runs) if each.churn]
    if bars:
        codes = [code for code in ChurnPart if code != ChurnPart.SETTINGS or any(code in bar.parts for bar in bars)]
        parts = [(str(code), label(watch_labels.CHURN_PARTS, code)) for code in codes]
        chance = _("Chance alone")
        figure = charts.churn_bars(bars, parts, chance=chance, axis=_("Change of the lists, %"))
        figures["churn_figure"] = figure.to_json(engine="orjson")
    return figures


def _axis(drawn: RatePicture) -> str:
    match drawn.line.watch.rate:
        case WatchedRate.REVENUE:
            return _("Revenue per list, %(currency)s") % {"currency": currency()}
        case WatchedRate.EVENTS:
            return _("Events a day")
        case WatchedRate.FALLBACK | WatchedRate.SLOW:
            return _("Share of the answers")
    return _("Share of the lists served")
