"""The agent: how far it goes, what it may vary, what it learned and weighs, and what it does beside the rule."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from analytics.charts.agent import WayBar, week_figure
from analytics.charts.experiments import metric_forest
from analytics.pages.access.permission import staff_of
from analytics.pages.agents.rules_form import AgentFields
from analytics.parameters import note_in
from analytics.queries.agents.choices import WayCount
from analytics.queries.agents.learned import learned_part, weighed_part
from analytics.queries.agents.practice import practice_now
from analytics.queries.agents.rules import changes
from analytics.queries.agents.standing import AgentStanding, standing_now
from analytics.queries.agents.words import AgentNames, channel_name, slot_name
from analytics.queries.agents.worth import effect_rows, pause_words, worth_part
from recommendations.engine.push.agent.terms import Lever
from recommendations.models import Agent, AgentRules
from recommendations.push_terms import AgentStatus
from recommendations.services.access.policy import Action, may
from recommendations.services.agents.drafts import effect_of
from recommendations.services.agents.even_groups import GroupsBefore
from recommendations.services.agents.supervision import errors_of, form_of, the_agent
from recommendations.services.push_models.agent_facts import live_version
from recommendations.wording import agent_terms, push_labels
from recommendations.wording.agents import STEPS

STEP, NIGHT = "step", "night"
WANTED = {STEP: Action.EXPERIMENT, NIGHT: Action.PUBLISH}
"""Dialogs, with what one must be able to do to open them."""


@require_safe
def agent(request: HttpRequest) -> HttpResponse:
    """The page; ``open`` is a step or a night, which opens its dialog."""
    return agent_page(request)


@require_safe
def agent_effect(request: HttpRequest) -> HttpResponse:
    """What the rules of a form would have changed yesterday; a part of the page, and a page of its own."""
    now, live = timezone.now(), the_agent().rules
    version = live_version(now=now)
    menu = version.menu if version else None
    names = AgentNames.of(key for key, _n in menu.campaigns) if menu else AgentNames.of([])
    form = AgentFields(request.GET, live=form_of(live), menu=menu, names=names)
    context: dict[str, Any] = {"section": "campaigns", "unfinished": not form.is_valid()}
    if form.is_valid():
        rules = form.rules()
        context["refused"] = list(errors_of(rules, live=form_of(live)).values())
        context["differences"] = list(changes(form_of(live), rules, names))
        context["effect"] = effect_of(rules, live, now=now) if context["differences"] else None
    context["part"] = part = "HX-Request" in request.headers
    return render(request, f"dashboard/agents/effect{'' if part else '_page'}.html", context)


def agent_page(
    request: HttpRequest,
    *,
    sent: QueryDict | None = None,
    dialog: dict[str, Any] | None = None,
    stale: AgentRules | None = None,
    note_missing: bool = False,
    refused: ValidationError | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page with what was sent and not taken, or with a dialog that says why not."""
    standing = standing_now(now=timezone.now())
    menu = standing.menu
    names = AgentNames.of(key for key, _n in menu.campaigns) if menu else AgentNames.of([])
    form = AgentFields(sent, live=form_of(standing.agent.rules), menu=menu, names=names)
    if sent is not None and form.is_valid() and refused:
        form.complain(refused)
    version = standing.version
    context = {
        "section": "campaigns", "standing": standing, "agent": standing.agent, "form": form, "stale": stale,
        "note": note_in(request.POST), "note_missing": note_missing, "sent": sent is not None,
        "dialog": dialog or _dialog(request, standing), "meaning": STEPS[standing.status],
        "alike": GroupsBefore.of(version.version.counts.get("alike")) if version else None,
        "learned": learned_part(version, names) if version else None,
        "weighed": weighed_part(version.prices) if version else None, "ways": _ways(standing),
        "figure": _figure(standing) if standing.week.decisions else "", "currency": settings.SHOP_CURRENCY,
        "fired": pause_words(standing.agent), **_worth(standing.agent, names),
        "practice": practice_now(),
        "lever_words": [(words, standing.levers.get(Lever(code), "")) for code, words in agent_terms.LEVERS],
    }  # fmt: skip
    return render(request, "dashboard/agents/agent.html", context, status=status)


def _worth(agent: Agent, names: AgentNames) -> dict[str, Any]:
    worth = worth_part(agent, names)
    rows = effect_rows(worth.reading) if worth else []
    if not rows:
        return {"worth": worth}
    figure = metric_forest(rows, axis=_("← less · change, % · more →"), tolerance="")
    return {"worth": worth, "worth_figure": figure.to_json(engine="orjson")}


def _dialog(request: HttpRequest, standing: AgentStanding) -> dict[str, Any] | None:
    """The dialog that the address asks for, where it can be done by who asks."""
    asked = request.GET.get("open", "")
    if asked not in WANTED or not may(staff_of(request), WANTED[asked]):
        return None
    if asked == STEP:
        to = next((each for each in standing.ladder if each.status == request.GET.get("to")), None)
        return {"kind": STEP, "step": to} if to and to.status != standing.status else None
    try:
        day = parse_date(request.GET.get("night", ""))
    except ValueError:
        day = None
    others = (each for each in standing.nights if not each.is_live and not each.refusal)
    night = next((each for each in others if each.night == day), None)
    return {"kind": NIGHT, "night": night} if night else None


def step_dialog(status: AgentStatus, **more: Any) -> dict[str, Any]:
    """The dialog of a step that was not taken."""
    words = str(dict(push_labels.AGENT_STATUSES)[status])
    step = {"status": status, "words": words, "meaning": STEPS[status], "refusal": ""}
    return {"kind": STEP, "step": step, **more}


def _ways(standing: AgentStanding) -> list[tuple[str, WayCount]]:
    return [(_way_words(way), way) for way in standing.week.ways]


def _way_words(way: WayCount) -> str:
    if way.channel is None or way.slot is None:
        return _("Nothing today")
    return _("%(channel)s · %(slot)s") % {"channel": channel_name(way.channel), "slot": slot_name(way.slot)}


def _figure(standing: AgentStanding) -> str:
    bars = [WayBar(words=words, rule=way.rule, agents=way.agents) for words, way in _ways(standing)]
    figure = week_figure(
        bars, rule=pgettext("of messages", "The rule"), agent=pgettext("of messages", "The agent"),
        axis=_("Decisions of 7 days"),
    )  # fmt: skip
    return str(figure.to_json(engine="orjson"))


def back_to_the_agent(anchor: str = "") -> HttpResponse:
    return redirect(f"{reverse('agent')}{anchor}")
