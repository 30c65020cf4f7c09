"""Browse customers; filters and order stand in the address."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.pages.parameters import number
from analytics.queries import customers as query
from analytics.queries.customers import STATES, Filters, State
from analytics.queries.frame import read_frame


@require_safe
def customers(request: HttpRequest) -> HttpResponse:
    frame, filters = read_frame(), _filters(request)
    found = query.customers(filters, model=frame.model)
    context = {
        "section": "customers",
        "frame": frame,
        "filters": filters,
        "found": found,
        "page": found.page,
        "states": STATES.items(),
        "chips": _chips(filters, found),
        "columns": [("number", _("Customer"), ""), ("activity", _("Activity"), "num"), ("segment", _("Segment"), "")],
    }
    return render(request, "dashboard/customers.html", context)


@require_safe
def random_customer(request: HttpRequest) -> HttpResponse:
    """Anybody, or anybody of a state."""
    frame, filters = read_frame(), _filters(request)
    key = query.somebody(filters, model=frame.model)
    if key is None:
        return redirect("customers")
    kept = {name: request.GET[name] for name in ("placement", "cut") if name in request.GET}
    return redirect(reverse("customer", args=[key], query=kept))


def _filters(request: HttpRequest) -> Filters:
    state, sort = request.GET.get("state", ""), request.GET.get("sort", "")
    return Filters(
        state=State(state) if state in set(State) else None,
        segment=number(request.GET.get("segment")),
        sort=sort if sort.removeprefix("-") in query.SORTS else Filters.sort,
        page=number(request.GET.get("page")) or 1,
    )


def _chips(filters: Filters, found: query.Customers) -> list[tuple[str, str]]:
    """(parameter, words) of every filter that is on; each can be taken off."""
    chips = [("state", str(STATES[filters.state]))] if filters.state else []
    if filters.segment is not None:
        names = {segment.number: str(segment) for segment in found.segments}
        chips.append(("segment", names.get(filters.segment, str(filters.segment))))
    return chips
