"""The page of a campaign that was approved once; one that never was is its editor, for those who may write it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import staff_of
from analytics.pages.addresses import or_404
from analytics.queries.campaigns import view as query
from analytics.queries.campaigns.listing import find_campaign, is_imported
from recommendations.push_terms import CampaignStatus
from recommendations.services.access.policy import Action, may
from recommendations.services.mails.line import missing_settings

DIALOGS = ("pause", "end")


@require_safe
def campaign(request: HttpRequest, pk: int) -> HttpResponse:
    stored = find_campaign(pk)
    if stored is None and is_imported(pk):
        return redirect(f"{reverse('push_results')}#campaign-{pk}")
    stored = or_404(stored)
    now = timezone.now()
    view = query.view_of(stored, now=now)
    writes = may(staff_of(request), Action.DRAFT)
    if writes and not view.versions and not view.is_over:
        return redirect("edit_campaign", pk=pk)
    dialog = _dialog(request, view)
    context = {
        "section": "campaigns",
        "view": view,
        "campaign": stored,
        "dialog": dialog,
        "call": query.trigger_call(stored),
        "waiting": query.waiting_messages(stored) if dialog == "end" else 0,
        "missing": missing_settings() if not view.is_over else [],
    }
    return render(request, "dashboard/campaigns/campaign.html", context)


def _dialog(request: HttpRequest, view: query.CampaignView) -> str:
    """The dialog that the address asks for, where what it does can be done."""
    asked = request.GET.get("open", "")
    if asked not in DIALOGS or view.is_over or not view.versions or not may(staff_of(request), Action.PUBLISH):
        return ""
    return "" if asked == "pause" and view.status is CampaignStatus.PAUSED else asked
