"""What staff do with the agent: a step, a pause, an earlier night, other rules."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import or_404
from analytics.pages.agents.overview import NIGHT, agent_page, back_to_the_agent, step_dialog
from analytics.pages.agents.rules_form import AgentFields
from analytics.parameters import note_in, number, typed
from analytics.queries.agents.words import AgentNames, refusal_words
from recommendations.models import AgentVersion
from recommendations.push_terms import AgentStatus
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.agents.supervision import (
    AgentRefusedError,
    NoSuchStepError,
    StaleAgentError,
    form_of,
    let_go,
    pause_agent,
    publish_agent_rules,
    resume_agent,
    roll_back,
    the_agent,
)
from recommendations.services.push_models.agent_facts import live_version
from recommendations.wording import push_labels

LONGEST_REASON = 300


@post_requires(Action.EXPERIMENT)
def step_agent(request: HttpRequest) -> HttpResponse:
    """Let it watch, explore or act, or switch it off; a refusal is said with what is missing."""
    status = next((each for each in AgentStatus if each == request.POST.get("to")), None)
    if status is None or status is AgentStatus.PAUSED:
        return _nothing_to_do(request)
    try:
        let_go(status, note=note_in(request.POST), by=staff_of(request), now=timezone.now())
    except NoteNeededError:
        return agent_page(request, dialog=step_dialog(status, note_missing=True), status=422)
    except AgentRefusedError as error:
        refused = step_dialog(status, refused=refusal_words(error.refusal))
        return agent_page(request, dialog=refused, status=409)
    except NoSuchStepError:
        return _nothing_to_do(request)
    words = dict(push_labels.AGENT_STATUSES)[status]
    messages.success(request, _("The agent stands at “%(step)s” from the next pass on.") % {"step": words})
    return back_to_the_agent()


@post_requires(Action.PUBLISH)
def pause_the_agent(request: HttpRequest) -> HttpResponse:
    try:
        pause_agent(reason=_reason(request), by=staff_of(request), now=timezone.now())
    except NoSuchStepError:
        return _nothing_to_do(request)
    messages.success(request, _("The agent is paused: from the next pass on the rule decides for everybody."))
    return back_to_the_agent()


@post_requires(Action.PUBLISH)
def resume_the_agent(request: HttpRequest) -> HttpResponse:
    try:
        resumed = resume_agent(by=staff_of(request), note=_reason(request), now=timezone.now())
    except AgentRefusedError as error:
        messages.warning(request, refusal_words(error.refusal))
        return back_to_the_agent()
    except NoSuchStepError:
        return _nothing_to_do(request)
    words = dict(push_labels.AGENT_STATUSES)[AgentStatus(resumed.status)]
    messages.success(request, _("The agent goes on: it stands at “%(step)s”.") % {"step": words})
    return back_to_the_agent()


@post_requires(Action.PUBLISH)
def go_back_to_night(request: HttpRequest) -> HttpResponse:
    """Let an earlier night decide again."""
    try:
        day = parse_date(request.POST.get("night", ""))
    except ValueError:
        day = None
    version = or_404(AgentVersion.objects.filter(night=day, refusal="").first() if day else None)
    try:
        roll_back(version, note=note_in(request.POST), by=staff_of(request))
    except NoteNeededError:
        return agent_page(request, dialog={"kind": NIGHT, "night": version, "note_missing": True}, status=422)
    except NoSuchStepError:
        return _nothing_to_do(request)
    text = _("The night of %(night)s decides from the next pass on; the next one is learned on top of it.")
    messages.success(request, text % {"night": version})
    return back_to_the_agent("#nights")


@post_requires(Action.PUBLISH)
def publish_rules_of_agent(request: HttpRequest) -> HttpResponse:
    """Publish what it may vary; the form comes back as it was sent where that cannot be."""
    now = timezone.now()
    version, live = live_version(now=now), the_agent().rules
    menu = version.menu if version else None
    names = AgentNames.of(key for key, _n in menu.campaigns) if menu else AgentNames.of([])
    form = AgentFields(request.POST, live=form_of(live), menu=menu, names=names)
    if not form.is_valid():
        return agent_page(request, sent=request.POST, status=422)
    based_on = number(request.POST.get("based_on")) or 0
    try:
        rules = publish_agent_rules(
            form.rules(), note=note_in(request.POST), by=staff_of(request), now=now, based_on=based_on
        )
    except ValidationError as error:
        return agent_page(request, sent=request.POST, refused=error, status=422)
    except NoteNeededError:
        return agent_page(request, sent=request.POST, note_missing=True, status=422)
    except StaleAgentError as error:
        return agent_page(request, sent=request.POST, stale=error.current, status=409)
    text = _("Published as a%(number)d: every decision from the next pass on keeps to it.")
    messages.success(request, text % {"number": rules.number})
    return back_to_the_agent("#vary")


def _reason(request: HttpRequest) -> str:
    return typed(request.POST.get("reason"), longest=LONGEST_REASON)


def _nothing_to_do(request: HttpRequest) -> HttpResponse:
    words = dict(push_labels.AGENT_STATUSES)[AgentStatus(the_agent().status)]
    messages.warning(request, _("The agent stands at “%(step)s”: this changes nothing.") % {"step": words})
    return back_to_the_agent()
