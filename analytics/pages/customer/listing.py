"""The list of customers; filters and order stand in the address."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.exports.customers import customers_file
from analytics.pages.columns import Column, column_heads
from analytics.pages.customer.filters import LENS, NAMES, carried, chips, jumps
from analytics.pages.customer.found import open_found
from analytics.pages.tour import TOUR
from analytics.queries.customer import listing as query
from analytics.queries.customer.filters import CHANGED_FROM, CHANGES, STATES, Filters
from analytics.queries.layout import read_frame
from analytics.queries.segments.choices import segment_choices
from recommendations.services.customers import find_customers

MOST_CHANGED = "-change"
DOWNWARDS = ("activity", "events", "last", "change")


@require_safe
def customers(request: HttpRequest) -> HttpResponse:
    frame, filters = read_frame(), Filters(request.GET)
    named = find_customers(typed=filters.text)
    if named:  # who is signed in stands first
        return open_found(request, named[0])
    if request.GET.get("format") == "csv":
        return customers_file(query.lines(filters, frame=frame))
    matches = query.customers(filters, frame=frame)
    context = {
        "section": "customers",
        "frame": frame,
        "filters": filters.cleaned_data,
        "found": matches,
        "segments": segment_choices(filters.segment, live=matches.segments),
        "page": matches.page,
        "states": STATES.items(),
        "changes": CHANGES.items(),
        "changed_from": CHANGED_FROM,
        "chips": chips(request.GET, filters, known=matches.segments),
        "jumps": jumps(request.GET),
        "heads": column_heads(request.GET, _columns(), sort=filters.sort, downwards=DOWNWARDS),
        "whole_file": matches.page.paginator.count <= query.MOST_IN_A_FILE,
        "most_in_a_file": query.MOST_IN_A_FILE,
    }
    return render(request, "dashboard/customer/listing.html", context)


@require_safe
def random_customer(request: HttpRequest) -> HttpResponse:
    """Open a customer at random from those whom the filters leave."""
    key = query.somebody(Filters(request.GET), frame=read_frame())
    return _opened(request, key)


@require_safe
def most_changed(request: HttpRequest) -> HttpResponse:
    """Open the customer with the largest shift of taste whom the filters leave; "Next" then goes down from there."""
    filters = Filters(request.GET).replaced(sort=MOST_CHANGED)
    key = query.first(filters, frame=read_frame())
    return _opened(request, key, sort=MOST_CHANGED)


def _opened(request: HttpRequest, key: int | None, **changes: str) -> HttpResponse:
    parameters = carried(request.GET, *NAMES, *LENS, TOUR, **changes)
    return redirect((reverse("customers") if key is None else reverse("customer", args=[key])) + parameters)


def _columns() -> list[Column]:
    return [
        Column(key="number", words=_("Customer")),
        Column(key="", words=_("State")),
        Column(key="activity", words=_("Activity"), css="num", help="activity"),
        Column(key="events", words=_("Events"), css="num", help="events"),
        Column(key="last", words=_("Most recent event")),
        Column(key="change", words=_("New this week"), help="new_this_week"),
        Column(key="segment", words=_("Segment")),
    ]
