"""The search: a page, and a palette over every page while one types. One exact customer or item is opened at once."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import staff_of
from analytics.pages.customer.found import open_found
from analytics.parameters import typed
from analytics.queries import palette as palette_query
from analytics.queries import search as query

LONGEST = 128


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    text = typed(request.GET.get("q"), longest=LONGEST)
    results = query.search(text)
    if results.customer:
        return open_found(request, results.customer)
    if results.item:
        return redirect("item", pk=results.item.pk)
    return render(request, "dashboard/search.html", {"q": text, "found": results})


@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    """What is found so far, as groups of links; before anything is typed, what the browser says was opened last."""
    text = typed(request.GET.get("q"), longest=LONGEST)
    if text:
        groups = palette_query.groups(text, staff=staff_of(request))
    else:
        recent = typed(request.GET.get("recent"), longest=palette_query.LONGEST_RECENT)
        groups = palette_query.beginning(recent.split(","), staff=staff_of(request))
    return render(request, "dashboard/palette.html", {"q": text, "groups": groups})
