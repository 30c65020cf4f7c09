"""The plan of an experiment, from the shop's own last weeks; a part of the editor and of a draft's page."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from analytics.pages.access.permission import requires
from analytics.pages.experiments.form import ExperimentEditor
from analytics.pages.experiments.view import experiment_or_404
from analytics.queries.experiments import planning as query
from analytics.queries.experiments.choices import page_orders
from analytics.queries.experiments.drafts import form_of
from recommendations.services.access.policy import Action
from recommendations.services.experiments.forms import ExperimentForm


@require_POST
@requires(Action.DRAFT)
def plan_of_form(request: HttpRequest) -> HttpResponse:
    """The plan of what stands in the form."""
    return _answer(request, ExperimentEditor.sent(request.POST).as_form(page_orders()))


@require_safe
def experiment_plan(request: HttpRequest, pk: int) -> HttpResponse:
    return _answer(request, form_of(experiment_or_404(pk)))


def _answer(request: HttpRequest, form: ExperimentForm) -> HttpResponse:
    context: dict[str, Any] = {"plan": query.planned(form, now=timezone.now())}
    return render(request, "dashboard/experiments/plan.html", context)
