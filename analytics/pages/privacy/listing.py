"""The queue of requests, the receipts, and where data about people are held."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.pages.columns import without
from analytics.queries.privacy import listing as query
from analytics.queries.privacy.holders import held_places
from analytics.queries.privacy.objections import objections_by_week
from recommendations.wording.privacy import labels as privacy_labels


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    now, filters = timezone.now(), query.Filters(request.GET)
    page, requests = query.requests(filters, now=now)
    context = {
        "section": "privacy",
        "extent": query.extent(now=now),
        "page": page,
        "requests": requests,
        "objections": objections_by_week(now=now),
        "filters": filters.cleaned_data,
        "kinds": privacy_labels.KINDS,
        "states": privacy_labels.REQUEST_STATES,
        "chips": [(words, without(request.GET, name)) for name, words in filters.chips()],
    }
    return render(request, "dashboard/privacy/listing.html", context)


@require_safe
def privacy_holders(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/privacy/holders.html", {"section": "privacy", "holders": held_places()})
