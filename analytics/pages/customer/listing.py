"""The list of customers; filters and order stand in the address."""

from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.exports.customers import customers_file
from analytics.pages.customer.filters import LENS, NAMES, carried, chips, filters_of, jumps, without
from analytics.queries.customer import listing as query
from analytics.queries.customer.filters import CHANGED_FROM, CHANGES, STATES
from analytics.queries.layout import read_frame

MOST_CHANGED = "-change"
UPWARDS_FIRST = {"number", "segment"}


@dataclass(frozen=True, kw_only=True)
class Head:
    """Head of a column: its words, how it is sorted now, and the query of the address that sorts it next."""

    words: str
    css: str
    sorted: str  # "ascending", "descending" or nothing, as ARIA has it
    next: str
    help: str


@require_safe
def customers(request: HttpRequest) -> HttpResponse:
    frame, filters = read_frame(), filters_of(request.GET)
    if request.GET.get("format") == "csv":
        return customers_file(query.lines(filters, frame=frame))
    matches = query.customers(filters, frame=frame)
    context = {
        "section": "customers",
        "frame": frame,
        "filters": filters,
        "found": matches,
        "page": matches.page,
        "states": STATES.items(),
        "changes": CHANGES.items(),
        "changed_from": CHANGED_FROM,
        "chips": chips(request.GET, filters, matches.segments),
        "jumps": jumps(request.GET),
        "heads": _heads(request.GET, filters.sort),
        "whole_file": matches.page.paginator.count <= query.MOST_IN_A_FILE,
        "most_in_a_file": query.MOST_IN_A_FILE,
    }
    return render(request, "dashboard/customer/listing.html", context)


@require_safe
def random_customer(request: HttpRequest) -> HttpResponse:
    """Open a customer at random from those whom the filters leave."""
    key = query.somebody(filters_of(request.GET), frame=read_frame())
    return _opened(request, key)


@require_safe
def most_changed(request: HttpRequest) -> HttpResponse:
    """Open the customer with the largest shift of taste whom the filters leave; "Next" then goes down from there."""
    filters = replace(filters_of(request.GET), sort=MOST_CHANGED)
    key = query.first(filters, frame=read_frame())
    return _opened(request, key, sort=MOST_CHANGED)


def _opened(request: HttpRequest, key: int | None, **changes: str) -> HttpResponse:
    parameters = carried(request.GET, *NAMES, *LENS, **changes)
    return redirect((reverse("customers") if key is None else reverse("customer", args=[key])) + parameters)


def _heads(address: QueryDict, sort: str) -> list[Head]:
    columns = [
        ("number", _("Customer"), "", ""),
        ("activity", _("Activity"), "num", _("Weight of all acts, halved every 90 days, as the live model sees it")),
        ("events", _("Events"), "num", _("All that ever came in")),
        ("last", _("Last event"), "", ""),
        ("change", _("New this week"), "", _("What leads the last 7 days, and the share it gained on the last 90")),
        ("segment", _("Segment"), "", ""),
    ]
    return [
        Head(words=words, css=css, help=help_text, sorted=_sorted(key, sort), next=_next(address, key, sort))
        for key, words, css, help_text in columns
    ]


def _sorted(key: str, sort: str) -> str:
    return {key: "ascending", f"-{key}": "descending"}.get(sort, "")


def _next(address: QueryDict, key: str, sort: str) -> str:
    """Query that sorts by the column, in its natural direction first, then in the other one."""
    first, other = (key, f"-{key}") if key in UPWARDS_FIRST else (f"-{key}", key)
    wanted = other if sort == first else first
    rest = without(address, "sort", "page")
    return f"{rest}{'' if rest == '?' else '&'}sort={wanted}"
