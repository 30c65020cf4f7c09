"""What customers are told that recommendations go by, with the rows behind it and its versions."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analytics.parameters import number
from analytics.queries import statement as queries
from recommendations.models import RecommendationStatement
from recommendations.services.statements import statement_of

VERSIONS = 5
"""Versions on a page."""


@require_safe
def statement(request: HttpRequest) -> HttpResponse:
    """The statement that holds, or that of ``version``."""
    every = RecommendationStatement.objects.order_by("-number")
    pages = Paginator(every, VERSIONS)
    page = pages.get_page(request.GET.get("page"))
    start = (page.number - 1) * VERSIONS
    rows = list(every[start : start + VERSIONS + 1])  # with the one that the last of the page replaced
    now = rows[0] if rows and page.number == 1 else every.first()
    wanted = number(request.GET.get("version"))
    own = next((each for each in (now, *rows) if each and each.number == wanted), now)
    if wanted and own and own.number != wanted:
        own = statement_of(wanted)
        if own is None:
            raise Http404
    context = {
        "section": "statement",
        "own": own,
        "holds": own == now,
        "passages": queries.passages(own, holds=own == now) if own else (),
        "versions": queries.versions(rows, most=VERSIONS),
        "page": page,
    }
    return render(request, "dashboard/statement.html", context)
