"""Practice of the agent with made people: asked for, watched, cancelled, and read like the page of the agent."""

from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.agent import PracticeTrack, practice_figure
from analytics.pages.access.permission import post_requires, staff_of
from analytics.parameters import number
from analytics.queries.agents.practice import MOST_SEED, PractisedPart, practice_now, practised_part
from recommendations.services.access.policy import Action
from recommendations.services.agents.practice import FIRST_SEED, ask_practice, last_practice
from recommendations.services.operations.jobs import JobIsOverError, cancel_job


@require_safe
def agent_practice(request: HttpRequest) -> HttpResponse:
    """The last practice: how far it is, or what came of it; a part of the page for htmx."""
    return _page(request)


@post_requires(Action.PUBLISH)
def practise_agent(request: HttpRequest) -> HttpResponse:
    """Let people of a seed live through eight weeks; the first seed where none is said."""
    text = request.POST.get("seed", "").strip()
    seed = number(text) if text else FIRST_SEED
    if seed is None or not 1 <= seed <= MOST_SEED:
        error = _("The seed is a whole number between 1 and %(most)s.") % {"most": MOST_SEED}
        return _page(request, typed=text, error=error, status=422)
    ask_practice(seed=seed, by=staff_of(request))
    return redirect("agent_practice")


@post_requires(Action.PUBLISH)
def cancel_agent_practice(request: HttpRequest) -> HttpResponse:
    job = last_practice()
    if job is not None:
        with suppress(JobIsOverError):
            cancel_job(job, by=staff_of(request), now=timezone.now())
    return redirect("agent_practice")


def _page(request: HttpRequest, *, typed: str = "", error: str = "", status: int = 200) -> HttpResponse:
    practice = practice_now()
    told = practised_part(practice.job) if practice else None
    seed = typed or (practice.next_seed if practice else FIRST_SEED)
    context: dict[str, Any] = {
        "section": "campaigns", "practice": practice, "told": told, "seed": seed, "seed_error": error,
        "figures": _figures(told) if told else {},
    }  # fmt: skip
    template = "practice_panel" if request.headers.get("HX-Request") else "practice"
    return render(request, f"dashboard/agents/{template}.html", context, status=status)


def _figures(told: PractisedPart) -> dict[str, str]:
    """Net worth and leavers by fortnight, of all arms."""
    net = [PracticeTrack(words=arm.words, values=arm.net) for arm in told.arms]
    left = [PracticeTrack(words=arm.words, values=arm.left) for arm in told.arms]
    return {
        "net": str(practice_figure(net, x=_("Fortnight"), y=_("Net worth a head")).to_json(engine="orjson")),
        "left": str(
            practice_figure(left, x=_("Fortnight"), y=_("Leave a week, of 1,000")).to_json(engine="orjson")
        ),
    }  # fmt: skip
