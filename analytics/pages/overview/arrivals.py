"""Lists behind the figures of the Overview: events, answers, what came of them; filters stand in the address."""

from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.outcomes import by_position
from analytics.charts.overview import arrivals as arrivals_figure
from analytics.pages.addresses import or_404
from analytics.queries.days import midnight
from analytics.queries.layout import read_frame
from analytics.queries.overview import arrivals as query
from analytics.queries.overview import outcomes, summary
from analytics.queries.overview.arrivals import AnswerFilters, EventFilters
from analytics.queries.overview.summary import PERIODS
from analytics.templatetags.words import label
from recommendations.services.review.acts import sells
from recommendations.wording import labels
from recommendations.wording.labels import PLACEMENTS

WEEK = timedelta(days=6)
DRAWN = 100  # days; a longer time is listed only
LIST = "?from={day}&until={day}&name={name}"
"""Query of the events behind a bar of the arrivals."""


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    frame = read_frame()
    newest = timezone.localdate(frame.newest_event) if frame.newest_event else timezone.localdate()
    filters = EventFilters(request.GET)
    last = filters.last or newest
    filters = filters.replaced(first=filters.first or last - WEEK, last=last)
    keys = query.key_names()
    context = {
        "section": "overview",
        "frame": frame,
        "filters": filters.cleaned_data,
        "keys": keys,
        "page": query.events(filters),
        "names": labels.EVENT_NAMES,
        "chips": filters.chips(key=lambda key: keys.get(key, key)),
    }
    return render(request, "dashboard/overview/events.html", context | _came_in(filters.first, last))


def _came_in(first: date | None, last: date) -> dict[str, Any]:
    """Context of the events by day and kind; of too long a time there is none."""
    days = (last - first).days + 1 if first else 0
    if not 0 < days <= DRAWN:
        return {}
    arrivals = summary.arrivals(newest=midnight(last), days=days)
    figure = arrivals_figure(
        arrivals.days,
        days=_("Day"),
        events=_("Events a day"),
        other=_("Other kinds"),
        address=reverse("event_list") + LIST,
    )
    return {"arrivals": arrivals, "days": days, "arrivals_figure": figure.to_json(engine="orjson")}


@require_safe
def answers(request: HttpRequest) -> HttpResponse:
    filters, now = AnswerFilters(request.GET), timezone.now()
    since = now - timedelta(days=filters.days)
    context = {
        "section": "overview",
        "filters": filters.cleaned_data,
        "answers": summary.answers(since=since),
        "speed": summary.speed(since=since),
        "page": query.answers(filters, now=now),
        "periods": PERIODS,
        "placements": PLACEMENTS.items(),
        "sources": labels.SOURCES,
        "reasons": labels.FALLBACKS,
        "chips": filters.chips(arm=query.arm_words),
    }
    return render(request, "dashboard/overview/answers.html", context)


@require_safe
def attributed(request: HttpRequest) -> HttpResponse:
    filters, today = outcomes.LineFilters(request.GET), timezone.localdate()
    served = summary.answers(since=timezone.now() - timedelta(days=filters.days))
    rows = outcomes.outcomes(today=today, days=filters.days, served=served)
    context = {
        "section": "overview",
        "filters": filters.cleaned_data,
        "page": outcomes.lines(filters, today=today),
        "periods": PERIODS,
        "placements": PLACEMENTS.items(),
        "names": [(name, label(labels.EVENT_NAMES, name)) for name in outcomes.ATTRIBUTED],
        "chips": filters.chips(),
        "money": sells() or any(each.now.purchases for each in rows),
    }
    replay = request.GET.get("replay") == "1"
    positions = _positions(rows, filters.placement, replay=replay, money=bool(context["money"]))
    return render(request, "dashboard/overview/attributed.html", context | {"outcomes": rows} | positions)


def _positions(rows: list[outcomes.PlacementOutcome], placement: str, *, replay: bool, money: bool) -> dict[str, Any]:
    """Context of the positions of a placement, else of that with the most tries; without ``money`` clicks alone."""
    requested = [each for each in rows if each.placement == placement]
    chosen = next((each for each in requested if each.replay == replay), next(iter(requested or rows), None))
    if chosen is None:
        return {}
    figure = by_position(
        chosen.points,
        clicks="" if chosen.replay else _("Click-through"),
        conversion=(_("In the next basket") if chosen.replay else _("Conversion")) if money else "",
        position=_("Position in the list"),
        axis=_("Share of lists, %"),
    )
    return {"chosen": chosen, "positions_figure": figure.to_json(engine="orjson")}


@require_safe
def slate(request: HttpRequest, recommendation: str) -> HttpResponse:
    story = or_404(outcomes.story(recommendation))
    context = {"section": "overview", "story": story}
    return render(request, "dashboard/overview/slate.html", context)
