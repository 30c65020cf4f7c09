"""What messages bring: the effect of all of them, as a page, a part of it and a line; and imported campaigns."""

import math
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from analytics.charts import experiments as lifts
from analytics.charts.experiments import MetricEffect
from analytics.charts.receipts import AnsweredShare, answers_figure
from analytics.exports.receipts import receipts_file
from analytics.pages.access.permission import post_requires, staff_of
from analytics.parameters import number
from analytics.queries.campaigns import results as query
from recommendations.engine.push.lift import PushLift
from recommendations.models import Campaign
from recommendations.push_terms import CampaignKind
from recommendations.services.access.policy import Action
from recommendations.services.campaigns.importing import remove_imported


@require_safe
def push_results(request: HttpRequest) -> HttpResponse:
    """The page; the effect of all messages is loaded after it, as everybody's purchases are added up for it."""
    imported = query.imported_results()
    if request.GET.get("format") == "csv":
        return receipts_file(imported)
    context: dict[str, Any] = {"section": "campaigns", "imported": imported, "left_out": query.what_was_left_out()}
    asked = number(request.GET.get("remove"))
    context["removing"] = next((each for each in imported if each.campaign.pk == asked), None)
    if imported:
        receipts, answers, share = query.total_of(imported)
        shares = [
            AnsweredShare(
                words=each.campaign.name, kind=each.kind, value=each.share.value, low=each.share.low,
                high=each.share.high,
            )
            for each in imported
        ]  # fmt: skip
        figure = answers_figure(shares, axis=_("Share of people who answered, %"))
        context |= {"receipts": receipts, "answers": answers, "share": share}
        context["imported_figure"] = figure.to_json(engine="orjson")
    return render(request, "dashboard/campaigns/results.html", context)


@post_requires(Action.MANAGE_CONTACTS)
def remove_imported_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a campaign that another system sent, as somebody confirmed."""
    campaign = get_object_or_404(Campaign, pk=pk, kind=CampaignKind.IMPORTED)
    receipts = remove_imported(campaign, by=staff_of(request))
    text = ngettext(
        "“%(name)s” is gone, with %(n)s receipt. Its file can be imported again.",
        "“%(name)s” is gone, with %(n)s receipts. Its file can be imported again.", receipts,
    )  # fmt: skip
    messages.success(request, text % {"name": campaign.name, "n": f"{receipts:,}"})
    return redirect(f"{reverse('push_results')}#imported")


@require_safe
def push_effect(request: HttpRequest) -> HttpResponse:
    """The effect of all messages: a part of the page, a line of the list of campaigns, or a page of its own."""
    results_now = query.results_of_all(now=timezone.now())
    lift = results_now.effect.lift if results_now.effect else None
    context = {"section": "campaigns", "all": results_now, "lift": lift}
    if lift and math.isfinite(lift.relative):
        figure = lifts.metric_forest(_rows(lift), axis=_("Change of what a person spends, %"), tolerance="")
        context["effect_figure"] = figure.to_json(engine="orjson")
    part = "line" if request.GET.get("part") == "line" else "body" if "HX-Request" in request.headers else "page"
    return render(request, f"dashboard/campaigns/effect_{part}.html", context)


def _rows(lift: PushLift) -> list[MetricEffect]:
    """The two intervals as shares of what those held out spend."""
    always = [lift.effect.share(end) for end in (lift.always_low, lift.always_high)]
    once = (lift.relative_low, lift.relative_high)
    return [
        MetricEffect(group="", words=words, value=lift.relative, low=low, high=high)
        for words, (low, high) in ((_("At one look"), once), (_("However often looked at"), always))
    ]
