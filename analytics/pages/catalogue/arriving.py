"""Arrivals: the last events and refusals of each source as they come in, for whoever connects a shop."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.queries import arriving as query
from analytics.queries.arriving import ArrivalFilters


@require_safe
def arrivals(request: HttpRequest) -> HttpResponse:
    context = _context(request)
    if not context["lines"]:
        context |= {
            "item": query.example_item(),
            "address": request.build_absolute_uri(reverse("events")),
            "time": timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    return render(request, "dashboard/catalogue/arrivals.html", context)


@require_safe
def lines(request: HttpRequest) -> HttpResponse:
    """The lines alone, which a page that is not paused asks for."""
    return render(request, "dashboard/catalogue/arrival_lines.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    filters, sources = ArrivalFilters(request.GET), query.sources_of_events()
    return {
        "section": "catalogue",
        "filters": filters.cleaned_data,
        "query": request.GET.urlencode(),
        "sources": sources,
        "verdicts": query.VERDICTS,
        "lines": query.arrived(filters, sources),
    }
