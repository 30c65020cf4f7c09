"""The first page: is it any good, what came in, what did the loop do."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/overview.html", {"section": "overview"})
