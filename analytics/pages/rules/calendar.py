"""The calendar of rules: two weeks of what is in force, at an address that can be shared."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.parameters import day
from analytics.queries.rules.calendar import calendar
from analytics.queries.rules.overview import rules
from recommendations.wording import labels


@require_safe
def rule_calendar(request: HttpRequest) -> HttpResponse:
    """The weeks from that of the day ``from``, which is today where it is none."""
    now = timezone.now()
    today = timezone.localdate(now)
    shown = calendar(rules(now=now), around=day(request.GET.get("from")) or today, now=now)
    used = {bar.row.rule.action for bar in shown.bars}
    context = {
        "section": "rules",
        "calendar": shown,
        "today": today,
        "actions": [(code, words) for code, words in labels.RULE_ACTIONS if code in used],
    }
    return render(request, "dashboard/rules/calendar.html", context)
