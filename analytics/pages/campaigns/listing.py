"""The list of campaigns: what is live, what came of the last week, and what somebody has to look at."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.queries.campaigns import listing as query
from recommendations.push_terms import CampaignStatus
from recommendations.services.endpoints.health import switched_off
from recommendations.services.mails.line import missing_settings
from recommendations.wording import push_labels

RUNNING = (CampaignStatus.LIVE, CampaignStatus.SCHEDULED)


@require_safe
def campaigns(request: HttpRequest) -> HttpResponse:
    every = query.campaigns(now=timezone.now())
    archived = every.of(CampaignStatus.ARCHIVED)
    shows_archive = request.GET.get("archived") == "yes"
    own = archived if shows_archive else [row for row in every.rows if row not in archived]
    chosen = request.GET.get("status", "")
    statuses = [(code, words, sum(row.status == code for row in own)) for code, words in push_labels.CAMPAIGN_STATUSES]
    known = [each for each in statuses if each[2]] if not shows_archive else []
    if chosen not in {code for code, _words, _count in known}:
        chosen = ""
    context = {
        "section": "campaigns",
        "list": every,
        "rows": [row for row in own if not chosen or row.status == chosen],
        "total": len(own),
        "statuses": known,
        "status": chosen,
        "archived": archived,
        "shows_archive": shows_archive,
        "running": len(every.of(*RUNNING)),
        "paused": every.of(CampaignStatus.PAUSED),
        "missing": missing_settings(),
        "stopped_webhooks": switched_off(),
    }
    return render(request, "dashboard/campaigns/listing.html", context)
