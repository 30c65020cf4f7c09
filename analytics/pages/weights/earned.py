"""What a draft of weights would have earned: asked for, estimated in the background, and told with how sure it is."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.weights.desk import given_in, place_in, sent_values
from analytics.queries.weights import earned as query
from analytics.queries.weights.desk import live_of
from analytics.queries.weights.exploring import price_text
from analytics.templatetags.weights import group_key
from recommendations.models import BlendWeights, DraftEstimate
from recommendations.services.access.policy import Action
from recommendations.services.weights import draft_estimates as service
from recommendations.services.weights.drafts import draft_of
from recommendations.services.weights.values import Values
from recommendations.terms import BlendName, WeightsStatus

PANEL, WHOLE = "dashboard/weights/earned_panel.html", "dashboard/weights/earned.html"


@require_safe
def weights_earned(request: HttpRequest) -> HttpResponse:
    """The estimate of the draft of a blend (and group); a part of the desk where htmx asks for it."""
    blend, group = place_in(request.GET)
    draft = draft_of(blend, group)
    return _answer(request, draft, service.latest_estimate(draft) if draft else None, blend=blend, group=group)


@post_requires(Action.DRAFT)
def estimate_weights(request: HttpRequest) -> HttpResponse:
    blend, group = place_in(request.POST)
    draft = draft_of(blend, group)
    estimate = None
    if draft is not None:
        with suppress(service.NothingToEstimateError):
            estimate = service.ask(draft=draft, by=staff_of(request), now=timezone.now())
    nothing = draft is not None and estimate is None
    return _answer(request, draft, estimate, blend=blend, group=group, nothing=nothing)


@require_safe
def earned_progress(request: HttpRequest, key: UUID) -> HttpResponse:
    """Progress of an estimate, asked for every second."""
    return _of(request, get_object_or_404(DraftEstimate.objects.select_related("draft__blend", "live"), pk=key))


@post_requires(Action.DRAFT)
def cancel_estimate(request: HttpRequest, key: UUID) -> HttpResponse:
    estimate = get_object_or_404(DraftEstimate.objects.select_related("draft__blend", "live"), pk=key)
    with suppress(service.EstimateIsOverError):
        service.cancel(estimate, now=timezone.now())
    return _of(request, estimate)


@require_safe
def exploration_price(request: HttpRequest) -> HttpResponse:
    """What the two sliders of exploration cost, as they stand; a part of the desk."""
    blend, group = place_in(request.GET)
    live = live_of(blend, group)
    otherwise = Values.of(live) if live else Values(weights={})
    values = sent_values(given_in(request.GET), blend, otherwise=otherwise)
    words = price_text(blend=blend, group=group, values=values, now=timezone.now())
    return render(request, "dashboard/weights/exploration_price.html", {"words": words})


def _of(request: HttpRequest, estimate: DraftEstimate) -> HttpResponse:
    draft = estimate.draft
    return _answer(request, draft, estimate, blend=BlendName(draft.blend.name), group=draft.group)


def _answer(
    request: HttpRequest, draft: BlendWeights | None, estimate: DraftEstimate | None, **place: Any
) -> HttpResponse:
    """The panel for htmx; else the whole page, to which a form without it comes back."""
    if not request.headers.get("HX-Request") and request.method == "POST" and not place.get("nothing"):
        address = reverse("weights_earned")
        return redirect(f"{address}?blend={place['blend']}&group={group_key(place['group'])}")
    context: dict[str, Any] = {
        "section": "weights", "draft": draft, "estimate": estimate, **place,
        "is_draft": draft is not None and draft.status == WeightsStatus.DRAFT,
    }  # fmt: skip
    if estimate is not None:
        context["view"] = query.view_of(estimate)
    return render(request, PANEL if request.headers.get("HX-Request") else WHOLE, context)
