"""What staff do with the agent: how far it may go, what it may vary, a pause, and the way back to an earlier version.

Every act is a new version of its rules or an entry of the trail, with a note. The agent itself changes none of this.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from recommendations.engine.push.agent.choice import FLOOR
from recommendations.engine.push.agent.groups import PROOF
from recommendations.engine.push.agent.points import OptionRule, StaffRules
from recommendations.engine.push.agent.readiness import AgentRefusal, AgentRefusalCode
from recommendations.engine.push.agent.terms import Lever, Slot
from recommendations.models import Agent, AgentRules, AgentVersion, Staff
from recommendations.push_terms import AgentStatus, Channel
from recommendations.services.access import audit
from recommendations.services.access.audit import needed_note
from recommendations.services.agents.contradictions import contradictions
from recommendations.services.agents.learning import learn_night, take
from recommendations.services.agents.readiness import why_not_act

LEAST_SHARE, MOST_SHARE = 0.05, 0.8
MOST_FLOOR = 0.2
LEAST_FLOOR = FLOOR / 8  # below, nothing could be estimated from the log
SETTLED = (Lever.CAMPAIGN, Lever.SUBJECT, Lever.CHANNEL, Lever.HOUR)
"""Levers whose value staff can pin or forbid."""


class AgentRefusedError(Exception):
    """The data cannot carry what was asked for; ``refusal`` says what is missing."""

    def __init__(self, refusal: AgentRefusal) -> None:
        super().__init__(str(refusal.code))
        self.refusal = refusal


class StaleAgentError(Exception):
    """Other rules were published since; ``current`` are those."""

    def __init__(self, current: AgentRules) -> None:
        super().__init__(f"{current} counts by now")
        self.current = current


class NoSuchStepError(Exception):
    """The agent cannot go there from where it is."""


@dataclass(frozen=True, kw_only=True)
class FloorRule:
    """A chance that a subject keeps wherever it is allowed."""

    campaign: int
    variant: int
    chance: float


@dataclass(frozen=True, kw_only=True)
class AgentForm:
    """Rules of the agent as they are handed in; ``share`` of people while it acts, ``floor`` the chance of a trial."""

    levers: frozenset[Lever] = frozenset(Lever)
    pins: Sequence[OptionRule] = ()
    forbids: Sequence[OptionRule] = ()
    floors: Sequence[FloorRule] = ()
    share: float = PROOF
    floor: float = FLOOR

    def as_fields(self) -> dict[str, Any]:
        return {
            "levers": [lever.value for lever in Lever if lever in self.levers], "share": self.share,
            "floor": self.floor,
            "pins": [_stored(each) for each in self.pins], "forbids": [_stored(each) for each in self.forbids],
            "floors": [asdict(each) for each in self.floors],
        }  # fmt: skip


def the_agent() -> Agent:
    """The agent of the shop; one that was never looked at is off, and may vary all."""
    stored = Agent.objects.select_related("rules").filter(pk=1).first()
    if stored is not None:
        return stored
    with transaction.atomic():
        rules, _made = AgentRules.objects.get_or_create(number=1, defaults=AgentForm().as_fields())
        return Agent.objects.get_or_create(pk=1, defaults={"rules": rules, "salt": secrets.token_hex(16)})[0]


def form_of(rules: AgentRules) -> AgentForm:
    """Rules as they could be handed in again."""
    return AgentForm(
        levers=frozenset(Lever(each) for each in rules.levers), share=rules.share, floor=rules.floor,
        pins=tuple(_rule(each) for each in rules.pins), forbids=tuple(_rule(each) for each in rules.forbids),
        floors=tuple(FloorRule(**each) for each in rules.floors),
    )  # fmt: skip


@transaction.atomic
def publish_agent_rules(
    form: AgentForm, *, note: str, by: Staff | None, now: datetime, based_on: int | None = None
) -> AgentRules:
    """Let other rules count from the next pass on, in place of version ``based_on``.

    Raises ValidationError by field, NoteNeededError and StaleAgentError.
    """
    note = needed_note(note)
    agent = _stored_agent()
    errors = errors_of(form, live=form_of(agent.rules))
    if errors:
        raise ValidationError(errors)
    if based_on not in {None, agent.rules.number}:
        raise StaleAgentError(agent.rules)
    last = AgentRules.objects.aggregate(last=Max("number"))["last"] or 0
    made = AgentRules.objects.create(number=last + 1, note=note, author=by, created_at=now, **form.as_fields())
    before = form_of(agent.rules).as_fields()
    agent.rules, agent.guardrail = made, {}
    agent.save(update_fields=["rules", "guardrail"])
    audit.record(by=by, verb="publish", subject=made, before=before, after=form.as_fields(), note=note)
    return made


def let_go(status: AgentStatus, *, note: str, by: Staff | None, now: datetime) -> Agent:
    """Let the agent watch, explore or act, or switch it off.

    Raises NoteNeededError, NoSuchStepError and AgentRefusedError, where its data cannot carry that.
    """
    note = needed_note(note)
    agent = the_agent()
    if status is AgentStatus.PAUSED or status == agent.status:
        raise NoSuchStepError
    if status in {AgentStatus.EXPLORES, AgentStatus.ACTS}:
        refusal = why_not_act(agent, status, now=now)
        if refusal is not None:
            raise AgentRefusedError(refusal)
    with transaction.atomic():
        stored = _stored_agent()
        before = stored.status
        stored.status, stored.since, stored.paused_reason, stored.was, stored.reading = status, now, "", "", {}
        stored.save(update_fields=["status", "since", "paused_reason", "was", "reading"])
        audit.record(
            by=by, verb="change", subject=stored, before={"status": before}, after={"status": status.value}, note=note
        )
    if status is not AgentStatus.OFF:
        learn_night(now=now)  # it has a version from the first minute on
    return stored


@transaction.atomic
def pause_agent(*, reason: str, by: audit.Author, now: datetime, guardrail: Mapping[str, Any] | None = None) -> Agent:
    """Let the rule decide from the next pass on, whoever's people somebody is. Raises NoSuchStepError.

    What a ``guardrail`` paused does not act again before other rules are published, or an earlier night decides.
    """
    stored = _stored_agent()
    if stored.status in {AgentStatus.OFF, AgentStatus.PAUSED}:
        raise NoSuchStepError
    stored.was, stored.status, stored.since, stored.paused_reason = stored.status, AgentStatus.PAUSED, now, reason
    stored.guardrail = dict(guardrail or stored.guardrail)
    stored.save(update_fields=["was", "status", "since", "paused_reason", "guardrail"])
    audit.record(by=by, verb="pause", subject=stored, note=reason)
    return stored


@transaction.atomic
def resume_agent(*, by: Staff | None, now: datetime, note: str = "") -> Agent:
    """Let the agent go on where it was paused. Raises NoSuchStepError, and AgentRefusedError after a guardrail."""
    stored = _stored_agent()
    if stored.status != AgentStatus.PAUSED:
        raise NoSuchStepError
    if stored.guardrail:
        raise AgentRefusedError(AgentRefusal(code=AgentRefusalCode.GUARDRAIL, facts={}))
    stored.status, stored.since = stored.was or AgentStatus.WATCHES, now
    stored.was, stored.paused_reason, stored.reading = "", "", {}
    stored.save(update_fields=["was", "status", "since", "paused_reason", "reading"])
    audit.record(by=by, verb="resume", subject=stored, note=note)
    return stored


@transaction.atomic
def roll_back(version: AgentVersion, *, note: str, by: Staff | None) -> AgentVersion:
    """Let an earlier night decide from the next pass on; the next night is learned on top of it."""
    note = needed_note(note)
    before = AgentVersion.objects.select_for_update().filter(is_live=True).first()
    if before is not None and before.pk == version.pk:
        raise NoSuchStepError
    take(version)
    agent = _stored_agent()
    agent.guardrail = {}
    agent.save(update_fields=["guardrail"])
    audit.record(
        by=by, verb="roll back", subject=agent, note=note, after={"night": version.night.isoformat()},
        before={"night": before.night.isoformat() if before else None},
    )  # fmt: skip
    return version


def _stored_agent() -> Agent:
    the_agent()
    return Agent.objects.select_for_update(of=["self"]).select_related("rules").get(pk=1)


def errors_of(form: AgentForm, *, live: AgentForm) -> dict[str, str]:
    """What rules cannot be, by field. Pins and the like that stand already are not looked at again: a campaign may have
    changed under them, and a guardrail changes the floor alone.
    """
    errors: dict[str, str] = {}
    if not form.levers:
        errors["levers"] = _("Let it vary something, or switch it off.")
    if not LEAST_SHARE <= form.share <= MOST_SHARE:
        errors["share"] = _("It acts on 5 to 80% of the people: the rule keeps some, to be compared with.")
    if not LEAST_FLOOR <= form.floor <= FLOOR:
        errors["floor"] = _("A trial has a chance of 0.25 to 2%.")
    for name, rules in (("pins", form.pins), ("forbids", form.forbids)):
        if any(each.lever not in SETTLED or not _is_known(each) for each in rules):
            errors[name] = _("There is no such value.")
    if any(not 0 < each.chance <= MOST_FLOOR for each in form.floors):
        errors["floors"] = _("A subject is kept in play with at most 20%.")
    elif form.floor + sum(each.chance for each in form.floors) >= 1:
        errors["floors"] = _("What is kept in play takes all together: leave something to be chosen.")
    if errors or (form.pins, form.forbids, form.floors) == (live.pins, live.forbids, live.floors):
        return errors
    own = StaffRules(levers=form.levers, pins=form.pins, forbids=form.forbids)
    return contradictions(own, [(each.campaign, each.variant) for each in form.floors])


def _is_known(rule: OptionRule) -> bool:
    known: Mapping[Lever, set[str]] = {
        Lever.CHANNEL: {channel.value for channel in Channel}, Lever.HOUR: {slot.value for slot in Slot},
    }  # fmt: skip
    return rule.value in known[rule.lever] if rule.lever in known else rule.value.isdigit()


def _stored(rule: OptionRule) -> dict[str, Any]:
    return {"campaign": rule.campaign, "lever": rule.lever.value, "value": rule.value}


def _rule(stored: Mapping[str, Any]) -> OptionRule:
    return OptionRule(stored["campaign"], Lever(stored["lever"]), stored["value"])
