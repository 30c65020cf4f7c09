"""Examples of what the versions of a draft change; a part of the editor and of a draft's page."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires
from analytics.pages.experiments.form import ExperimentEditor
from analytics.pages.experiments.view import experiment_or_404, seed_of
from analytics.queries.experiments import previews as query
from analytics.queries.experiments.choices import page_orders
from analytics.queries.experiments.drafts import form_of
from analytics.queries.experiments.practice import MOST_SEED
from recommendations.models import Arm
from recommendations.services.access.policy import Action
from recommendations.services.experiments.forms import ExperimentForm
from recommendations.terms import ExperimentKind, ExperimentStatus


@post_requires(Action.DRAFT)
def preview_of_form(request: HttpRequest) -> HttpResponse:
    """Examples of what stands in the form."""
    form = ExperimentEditor.sent(request.POST).as_form(page_orders())
    arms = [Arm(position=place, name=arm.name, changes=dict(arm.changes)) for place, arm in enumerate(form.arms, 1)]
    return _answer(request, arms, form, seed=1, more={})


@require_safe
def experiment_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Examples on a draft's page: the same seed in the address shows the same customers.

    A page that asks while its draft is started leaves as it is what it shows.
    """
    stored = experiment_or_404(pk)
    if stored.kind == ExperimentKind.AA:
        raise Http404
    if stored.status != ExperimentStatus.DRAFT:
        return HttpResponse(status=204)
    seed = seed_of(request)
    others = {"experiment": stored, "others": seed % MOST_SEED + 1}
    return _answer(request, list(stored.arms.all()), form_of(stored), seed=seed, more=others)


def _answer(
    request: HttpRequest, arms: Sequence[Arm], form: ExperimentForm, *, seed: int, more: dict[str, Any]
) -> HttpResponse:
    shown = query.examples(arms, placement=form.placement, segments=form.segments, seed=seed, now=timezone.now())
    return render(request, "dashboard/experiments/preview.html", {"examples": shown, "items": shown.items, **more})
