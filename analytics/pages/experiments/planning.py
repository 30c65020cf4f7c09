"""The plan of an experiment, from the shop's own last weeks; a part of the editor and of a draft's page."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.experiments import plan_curve
from analytics.pages.access.permission import post_requires, requires
from analytics.pages.experiments.form import ExperimentEditor
from analytics.pages.experiments.view import experiment_or_404
from analytics.queries.experiments import planning as query
from analytics.queries.experiments.choices import page_orders
from analytics.queries.experiments.drafts import form_of
from recommendations.services.access.policy import Action
from recommendations.services.experiments.forms import ExperimentForm


@post_requires(Action.DRAFT)
def plan_of_form(request: HttpRequest) -> HttpResponse:
    """The plan of what stands in the form."""
    return _answer(request, ExperimentEditor.sent(request.POST).as_form(page_orders()))


@require_safe
def experiment_plan(request: HttpRequest, pk: int) -> HttpResponse:
    """The plan on a draft's page, with its curve, what is free of the traffic, and the way to the A/A check.

    The dialog that starts it wants the ``sentence`` alone.
    """
    stored = experiment_or_404(pk)
    form = form_of(stored)
    if "sentence" in request.GET:
        plan = query.planned(form, now=timezone.now())
        return render(request, "dashboard/experiments/plan_sentence.html", {"plan": plan, "in_dialog": True})
    return _answer(request, form, more={"experiment": stored, "traffic": query.traffic_of(form)})


@require_safe
@requires(Action.DRAFT)
def experiment_aa(request: HttpRequest, pk: int) -> HttpResponse:
    """What past visitors say when they are split without any change; a part of the experiment's page."""
    if not request.headers.get("HX-Request"):
        return redirect("experiment", pk=pk)
    checked = query.aa_checked(form_of(experiment_or_404(pk)), now=timezone.now())
    return render(request, "dashboard/experiments/aa.html", {"checked": checked})


def _answer(request: HttpRequest, form: ExperimentForm, *, more: Mapping[str, Any] | None = None) -> HttpResponse:
    plan = query.planned(form, now=timezone.now())
    context: dict[str, Any] = {"plan": plan, **(more or {})}
    if more and plan and plan.lines:
        curve = plan_curve(
            plan.lines, wanted=form.smallest_lift, wanted_words=_("Smallest lift worth having"), days=_("Days"),
            axis=_("Smallest lift that shows, %"),
        )  # fmt: skip
        context["plan_figure"] = curve.to_json(engine="orjson")
    return render(request, "dashboard/experiments/plan.html", context)
