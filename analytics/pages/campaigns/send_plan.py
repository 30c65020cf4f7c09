"""The plan of a campaign's draft: asked for any moment of the next days, watched, cancelled, and read."""

from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from analytics.pages.access.permission import requires, staff_of
from analytics.pages.campaigns.sending import sending_context
from analytics.queries.agents.sendings import is_new_to_agent
from analytics.queries.campaigns import plans as query
from recommendations.models import Campaign
from recommendations.services.access.policy import Action
from recommendations.services.campaigns.form import UnfinishedError
from recommendations.services.campaigns.lifecycle import CampaignOverError, SentAlreadyError, form_of, has_come
from recommendations.services.push import plans as service

CANCEL = "cancel"


@require_http_methods(["GET", "HEAD", "POST"])
def send_plan(request: HttpRequest, pk: int) -> HttpResponse:
    """The latest plan of the draft; a POST makes one, or cancels the one that goes on."""
    if request.method == "POST":
        return _ask(request, pk)
    return _page(request, get_object_or_404(Campaign.objects.ours(), pk=pk))


@requires(Action.DRAFT)
def _ask(request: HttpRequest, pk: int) -> HttpResponse:
    campaign, now = get_object_or_404(Campaign.objects.ours(), pk=pk), timezone.now()
    if CANCEL in request.POST:
        latest = service.latest_plan(campaign)
        if latest is not None:
            with suppress(service.PlanIsOverError):
                service.cancel(latest, now=now)
        return _done(request, campaign)
    as_of = query.moment_in(request.POST, now=now, campaign=campaign)
    try:
        if as_of is None:
            raise service.MomentError
        service.ask(campaign=campaign, as_of=as_of, by=staff_of(request), now=now)
    except service.MomentError:
        return _page(request, campaign, problem=_("Choose a moment of the next seven days."))
    except (UnfinishedError, SentAlreadyError, CampaignOverError):
        return _page(request, campaign, refused=True)  # the page says why
    return _done(request, campaign)


def _done(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return _page(request, campaign)
    return redirect("send_plan", pk=campaign.pk)


def _page(request: HttpRequest, campaign: Campaign, *, problem: str = "", refused: bool = False) -> HttpResponse:
    """The page, or the plan alone for htmx; a form that was refused comes back with what was typed."""
    now, latest = timezone.now(), service.latest_plan(campaign)
    plan = query.plan_view(latest, campaign) if latest else None
    context: dict[str, Any] = {
        "section": "campaigns", "campaign": campaign, "plan": plan, "problem": problem,
        "here": reverse("send_plan", args=[campaign.pk]) if request.method == "POST" else request.get_full_path(),
        "chosen": request.POST.get("when", query.NOW), "typed": request.POST.get("at", ""),
        "choices": query.moment_choices(now, campaign), "latest_moment": query.latest_moment(now),
        "earliest_moment": now.astimezone(query.shop_zone()), "zone": query.shop_zone().key, **_why_not(campaign),
    }  # fmt: skip
    if plan is not None and plan.is_done and plan.plan.occurrence is not None:
        plan.plan.occurrence.campaign = campaign
        plan.plan.occurrence.plan = plan.plan
        context |= {"occurrence": plan.plan.occurrence, "new_to_agent": is_new_to_agent(campaign.pk)}
        context |= sending_context(request, plan.plan.occurrence)
    template = "plan_panel" if request.headers.get("HX-Request") else "plan"
    status = 422 if (problem or refused) and template == "plan" else 200
    return render(request, f"dashboard/campaigns/{template}.html", context, status=status)


def _why_not(campaign: Campaign) -> dict[str, Any]:
    """Why no plan can be made of the draft as it is."""
    if campaign.ended_at or campaign.archived_at:
        return {"is_over": True}
    if has_come(campaign):
        return {"has_come": True}
    try:
        form_of(campaign, now=timezone.now())
    except UnfinishedError as error:
        return {"refusals": query.refusals_by_step(error.refusals)}
    return {}
