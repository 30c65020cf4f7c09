"""Results of the box in the frame; a single customer or item is opened at once."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics.pages.customer.found import open_found
from analytics.parameters import typed
from analytics.queries import search as query

LONGEST = 128


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    text = typed(request.GET.get("q"), longest=LONGEST)
    results = query.search(text)
    if results.count == len(results.customers) == 1:
        return open_found(request, results.customers[0])
    if results.count == len(results.items) == 1:
        return redirect("item", pk=results.items[0].pk)
    return render(request, "dashboard/search.html", {"q": text, "found": results})
