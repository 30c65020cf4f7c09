"""Sources of events: the API keys, what each has sent, and when that was unusual."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.exports.sources import sources_file
from analytics.queries import sources as query
from recommendations.ingest.sources.table import hooks_there


@require_safe
def sources(request: HttpRequest) -> HttpResponse:
    every = query.sources(now=timezone.now())
    if request.GET.get("format") == "csv":
        return sources_file(every)
    context = {
        "section": "catalogue",
        "sources": every,
        "hooks": hooks_there(),
        "most_named": query.NAMED,
        "times": query.TIMES,
        "quiet": query.QUIET,
        "hours": range(24),
    }
    return render(request, "dashboard/catalogue/sources.html", context)
