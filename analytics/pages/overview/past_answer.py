"""A past answer made again: what was shown then, what the same request gets now, and why they differ."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.pages.addresses import or_404
from analytics.queries.experiments.arm_words import stored_arms
from analytics.queries.overview import past_answer as query
from recommendations.services.review.past_answers import CannotMakeError, find_slate, past_answer


@require_safe
def make_again(request: HttpRequest, recommendation: str) -> HttpResponse:
    slate = or_404(find_slate(recommendation))
    context = {"section": "overview", "slate": slate, "arms": stored_arms(slate.arms)}
    try:
        past = past_answer(slate, now=timezone.now())
    except CannotMakeError as error:
        context |= {"stored": query.stored(slate), "reason": query.reason(error, slate)}
    else:
        context |= {
            "places": query.places(past),
            "sameness": query.sameness(past),
            "doubts": [query.doubt(code, slate) for code in past.made.missing],
            "causes": query.causes(past),
            "change": past.change,
        }
    return render(request, "dashboard/overview/past_answer.html", context)
