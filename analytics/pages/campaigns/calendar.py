"""The calendar of campaigns: four weeks of what was sent and what comes, at an address that can be shared."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.parameters import day
from analytics.queries.campaigns.calendar import WEEK, calendar


@require_safe
def campaign_calendar(request: HttpRequest) -> HttpResponse:
    """Four weeks from that of the day ``from``; else the last two, this one and the next."""
    now = timezone.now()
    today = timezone.localdate(now)
    chosen = day(request.GET.get("from"))
    try:
        shown = calendar(around=chosen + 2 * WEEK if chosen else today, now=now)
    except OverflowError:
        shown = calendar(around=today, now=now)
    context = {"section": "campaigns", "calendar": shown, "today": today}
    return render(request, "dashboard/campaigns/calendar.html", context)
