"""Lists behind the figures of the Overview: events, answers, what came of them; filters stand in the address."""

from datetime import date, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.pages.parameters import choice, day, number, one_of, page_number
from analytics.queries.layout import read_frame
from analytics.queries.overview import arrivals as query
from analytics.queries.overview import outcomes
from analytics.queries.overview.arrivals import AnswerFilters, EventFilters
from analytics.queries.overview.summary import PERIODS
from analytics.templatetags.words import label
from recommendations.event_types import EventName, Outcome
from recommendations.models import Customer
from recommendations.wording import labels
from recommendations.wording.labels import PLACEMENTS, placement_label

WEEK = timedelta(days=6)
ATTRIBUTED = [name for name in reversed(EventName) if name.facts.outcome in {Outcome.BOUGHT, Outcome.CARTED}]


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    frame = read_frame()
    newest = timezone.localdate(frame.newest_event) if frame.newest_event else timezone.localdate()
    filters = _event_filters(request, newest=newest)
    context = {
        "section": "overview",
        "frame": frame,
        "filters": filters,
        "page": query.events(filters),
        "names": labels.EVENT_NAMES,
        "chips": _event_chips(filters),
    }
    return render(request, "dashboard/overview/events.html", context)


@require_safe
def answers(request: HttpRequest) -> HttpResponse:
    filters = AnswerFilters(
        days=one_of(PERIODS, request.GET.get("days"), default=28),
        placement=choice(request.GET.get("placement"), PLACEMENTS),
        source=choice(request.GET.get("source"), dict(labels.SOURCES)),
        reason=choice(request.GET.get("reason"), dict(labels.FALLBACKS)),
        page=page_number(request.GET.get("page")),
    )
    chips = [
        ("placement", filters.placement and placement_label(filters.placement)),
        ("source", filters.source and label(labels.SOURCES, filters.source)),
        ("reason", filters.reason and label(labels.FALLBACKS, filters.reason)),
    ]
    context = {
        "section": "overview",
        "frame": read_frame(),
        "filters": filters,
        "page": query.answers(filters, now=timezone.now()),
        "periods": PERIODS,
        "placements": PLACEMENTS.items(),
        "sources": labels.SOURCES,
        "reasons": labels.FALLBACKS,
        "chips": [(name, words) for name, words in chips if words],
    }
    return render(request, "dashboard/overview/answers.html", context)


@require_safe
def attributed(request: HttpRequest) -> HttpResponse:
    filters = outcomes.LineFilters(
        days=one_of(PERIODS, request.GET.get("days"), default=28),
        placement=choice(request.GET.get("placement"), PLACEMENTS),
        position=one_of(range(1, 101), request.GET.get("position"), default=0) or None,
        name=choice(request.GET.get("name"), ATTRIBUTED) or ATTRIBUTED[0],
        page=page_number(request.GET.get("page")),
    )
    chips = [("placement", filters.placement and placement_label(filters.placement))]
    if filters.position:
        chips.append(("position", _("Position %(position)d") % {"position": filters.position}))
    context = {
        "section": "overview",
        "frame": read_frame(),
        "filters": filters,
        "page": outcomes.lines(filters, today=timezone.localdate()),
        "periods": PERIODS,
        "placements": PLACEMENTS.items(),
        "names": [(name, label(labels.EVENT_NAMES, name)) for name in ATTRIBUTED],
        "chips": [(name, words) for name, words in chips if words],
    }
    return render(request, "dashboard/overview/attributed.html", context)


@require_safe
def slate(request: HttpRequest, recommendation: str) -> HttpResponse:
    story = outcomes.story(recommendation)
    if story is None:
        raise Http404
    context = {"section": "overview", "frame": read_frame(), "story": story}
    return render(request, "dashboard/overview/slate.html", context)


def _event_filters(request: HttpRequest, *, newest: date) -> EventFilters:
    """Filters of events: without a first day the seven days to the last, without a last day to the newest event."""
    first, last = day(request.GET.get("from")), day(request.GET.get("until"))
    return EventFilters(
        first=first or (last or newest) - WEEK,
        last=last or newest,
        name=choice(request.GET.get("name"), dict(labels.EVENT_NAMES)),
        customer=number(request.GET.get("customer")),
        page=page_number(request.GET.get("page")),
    )


def _event_chips(filters: EventFilters) -> list[tuple[str, str]]:
    chips = [("name", label(labels.EVENT_NAMES, filters.name))] if filters.name else []
    if filters.customer is not None:
        chips.append(("customer", str(Customer(pk=filters.customer))))
    return chips
