"""Lists behind the figures of the Overview: events, answers, what came of them; filters stand in the address."""

from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.queries.layout import read_frame
from analytics.queries.overview import arrivals as query
from analytics.queries.overview import outcomes
from analytics.queries.overview.arrivals import AnswerFilters, EventFilters
from analytics.queries.overview.summary import PERIODS
from analytics.templatetags.words import label
from recommendations.wording import labels
from recommendations.wording.labels import PLACEMENTS

WEEK = timedelta(days=6)


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
    return render(request, "dashboard/overview/events.html", context)


@require_safe
def answers(request: HttpRequest) -> HttpResponse:
    filters = AnswerFilters(request.GET)
    context = {
        "section": "overview",
        "frame": read_frame(),
        "filters": filters.cleaned_data,
        "page": query.answers(filters, now=timezone.now()),
        "periods": PERIODS,
        "placements": PLACEMENTS.items(),
        "sources": labels.SOURCES,
        "reasons": labels.FALLBACKS,
        "chips": filters.chips(),
    }
    return render(request, "dashboard/overview/answers.html", context)


@require_safe
def attributed(request: HttpRequest) -> HttpResponse:
    filters = outcomes.LineFilters(request.GET)
    context = {
        "section": "overview",
        "frame": read_frame(),
        "filters": filters.cleaned_data,
        "page": outcomes.lines(filters, today=timezone.localdate()),
        "periods": PERIODS,
        "placements": PLACEMENTS.items(),
        "names": [(name, label(labels.EVENT_NAMES, name)) for name in outcomes.ATTRIBUTED],
        "chips": filters.chips(),
    }
    return render(request, "dashboard/overview/attributed.html", context)


@require_safe
def slate(request: HttpRequest, recommendation: str) -> HttpResponse:
    story = outcomes.story(recommendation)
    if story is None:
        raise Http404
    context = {"section": "overview", "frame": read_frame(), "story": story}
    return render(request, "dashboard/overview/slate.html", context)
