"""The report of a campaign, loaded after its page and a page of its own where no script runs; and sending again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, staff_of
from analytics.parameters import note_in
from analytics.queries.campaigns.report import report_of
from analytics.templatetags.display import number
from recommendations.models import Campaign
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.campaigns.lifecycle import CampaignOverError
from recommendations.services.push.again import send_again


@require_safe
def campaign_report(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign.objects.ours(), pk=pk)
    now = timezone.now()
    context = {
        "section": "campaigns", "campaign": campaign, "report": report_of(campaign, now=now),
        "status": campaign.status(live=campaign.versions.filter(is_live=True).first(), now=now),
    }  # fmt: skip
    part = "HX-Request" in request.headers
    return render(request, f"dashboard/campaigns/report_{'body' if part else 'page'}.html", context)


@post_requires(Action.PUBLISH)
def send_messages_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Let messages leave again of which nobody knows whether they arrived."""
    campaign = get_object_or_404(Campaign.objects.ours(), pk=pk)
    try:
        count = send_again(campaign, by=staff_of(request), note=note_in(request.POST))
    except NoteNeededError:
        messages.warning(request, _("Say why. Nothing was changed."))
    except CampaignOverError:
        messages.warning(request, _("The campaign has ended, so nothing was sent again."))
    else:
        text = ngettext("%(n)s message leaves again.", "%(n)s messages leave again.", count) % {"n": number(count)}
        messages.success(request, text)
    return redirect("campaign", pk=pk)
