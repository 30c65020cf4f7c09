"""One person of a sending, as things stand now: what is in the way, when a message may come, what it would show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.db.models import Q

from recommendations.engine.push.cases import CampaignTerms, ChannelReach, Clock, Person, PushCase
from recommendations.engine.push.choices import NOT_NOW
from recommendations.engine.push.competition import PressureCap
from recommendations.engine.push.gates import full_caps, is_held_from_all, next_allowed
from recommendations.engine.push.value import ValueLine, messages_before, value_line
from recommendations.models import AgentDecision, Considered, Message, Occurrence
from recommendations.push_terms import COUNTING, SENDING, AgentGroup, Channel, OccurrenceState, Verdict
from recommendations.services.campaigns.form import CampaignForm, UnfinishedError
from recommendations.services.campaigns.lifecycle import form_of
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push.deciding import Sending, habits_of, lists_of, personal_pressure, terms_under
from recommendations.services.push.letters import answers_of
from recommendations.services.push_models.agent_facts import known_people, with_agent_prices
from recommendations.services.push_models.in_use import LearnedModels
from recommendations.serving.types import Shown
from recommendations.simulation.message_lists import current_snapshot
from recommendations.store.push import verdicts
from recommendations.store.push.people import REACHES_BACK, OwnChoices, people_of, reach_of, shown_lately
from recommendations.store.push.verdicts import PutOff
from recommendations.store.serving.snapshot_holder import NotLoadedError

__all__ = [
    "NoListsError", "OwnChoices", "PersonNow", "PersonalLists", "channels_to", "form_of_sending", "lists_now",
    "messages_to", "person_now", "put_off",
]  # fmt: skip

LATELY = timedelta(days=7)
MOST_MESSAGES = 200
MOST_RIVALS = 20
FOR_GOOD = frozenset({Verdict.HELD_OUT, Verdict.DONE_ALREADY})
"""Verdicts after which no moment is the next one for this message."""


class NoListsError(Exception):
    """Nothing is loaded yet, so no lists can be made."""


@dataclass(frozen=True, kw_only=True)
class PersonNow:
    """What is known of somebody now, under the terms of a campaign; ``next_at`` is the next allowed moment, if any."""

    person: Person
    terms: CampaignTerms
    next_at: datetime | None
    rules: int  # number of the rules of pressure by which all this is so
    line: ValueLine  # what the message would bring and cost now, by the chance of its verdict
    prices: Mapping[Channel, float]  # of sending
    decision: AgentDecision | None  # of the agent, where it chose: its own sum counts then, and ``line`` does not
    full: Sequence[PressureCap]  # caps that leave no room now
    held_from_all: bool  # held out of everything, and not of this campaign alone
    lately: Sequence[Message]  # of the last week, counting against caps
    rivals: Sequence[Considered]  # what other campaigns decided on them, the last ones first


def form_of_sending(occurrence: Occurrence, *, revision: int | None = None) -> CampaignForm | None:
    """The form that a sending was decided under; of a plan (of a revision) the draft, while that is still the same."""
    if occurrence.version is not None:
        return msgspec.convert(occurrence.version.frozen, CampaignForm)
    if revision != occurrence.campaign.revision:
        return None
    try:
        return form_of(occurrence.campaign)
    except UnfinishedError:
        return None


def put_off(occurrence: int, form: CampaignForm | None) -> list[PutOff]:
    """Who gets a message of a sending later: at the campaign's hour, or else as their hours are quiet.

    Without a form that is known all of them together.
    """
    hour = form.when.hour if form else None
    own = form is not None and form.when.clock is Clock.CUSTOMER
    parts = verdicts.put_off(occurrence, hour=hour or time(), zone=settings.SHOP_TIME_ZONE, own=own)
    if hour is not None or not parts:
        return parts
    people, first = sum(part.people for part in parts), min(part.first for part in parts)
    return [PutOff(by_hour=False, people=people, first=first)]


def channels_to(customer: int, *, now: datetime) -> tuple[Sequence[ChannelReach], OwnChoices | None]:
    """How a customer is reached by addresses in use, with what they said yes to; and what they chose there."""
    return reach_of(customer, now=now)


def messages_to(case: Considered) -> list[Message]:
    """Messages to the person of a verdict as far back as caps reach, the last ones first."""
    stored = Message.objects.filter(customer=case.customer_id, due_at__gt=case.decided_at - REACHES_BACK)
    return list(stored.select_related("campaign").order_by("-due_at")[:MOST_MESSAGES])


def person_now(case: Considered, *, form: CampaignForm, messages: Sequence[Message], now: datetime) -> PersonNow:
    """The person of a verdict as things stand now, by the rules of now; or at the moment of a plan that lies ahead."""
    then, own = case.occurrence.pressure, _own(case, messages)
    rules = then if then and then.is_default else rules_now(now=now)
    at = max(now, case.decided_at)
    plain = people_of([case.customer_id], habits=habits_of(rules), now=at, but=own)
    models, terms = LearnedModels.in_use(), terms_under(form, case.occurrence.campaign)
    pressure = personal_pressure(rules, now=at, models=models)
    zone, rank = plain[case.customer_id].zone, terms.rank
    decision = agents_decision(case, zone=zone, rank=rank) if models.has_agent else None
    known = known_people(plain, now=now) if models.has_agent and decision is None else None
    people, costs = with_agent_prices(plain, pressure.costs, known=known)
    person = people[case.customer_id]
    line = value_line(
        costs, chance=case.chance, worth=person.worth, before=messages_before(person.sent, at=at.timestamp()),
        channel=Channel(case.channel) if case.channel else terms.channels[0], caused=person.caused,
    )  # fmt: skip
    decided_by = personal_pressure(then or rules, now=at, models=models)
    return PersonNow(
        person=person, terms=terms, held_from_all=is_held_from_all(case.customer_id, decided_by), rules=rules.number,
        next_at=None if case.verdict in FOR_GOOD else next_allowed(person, terms, pressure=pressure, after=at),
        full=full_caps(person, terms, pressure=pressure, at=at),
        line=line, prices=costs.prices, decision=decision,
        lately=[each for each in messages if each.state in COUNTING and each.due_at > at - LATELY],
        rivals=_rivals(case),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PersonalLists:
    """What somebody would be shown now, and the model by which the lists are made."""

    items: Sequence[Shown]
    model_version: int | None


def lists_now(case: Considered, *, form: CampaignForm, messages: Sequence[Message], now: datetime) -> PersonalLists:
    """The products with their reasons, as a message of now would have them.

    Raises NoListsError and UnknownPlacementError.
    """
    try:
        snapshot = current_snapshot()
    except NotLoadedError as error:
        raise NoListsError from error
    asked = PushCase(case.occurrence.campaign_id, case.customer_id, case.key, case.wanted_at, case.item)
    shown = shown_lately([case.customer_id], now=now, but=_own(case, messages))
    sending = Sending(campaign=case.occurrence.campaign, form=form, cases=[asked])
    wanted = lists_of(asked, sending, customer=case.customer_id, but=frozenset(shown.get(case.customer_id, ())))
    answers = answers_of(wanted, snapshot=snapshot, now=now)
    return PersonalLists(
        items=[one for answer in answers for one in answer.shown],
        model_version=snapshot.model.version_id if snapshot.model else None,
    )


def agents_decision(case: Considered, *, zone: ZoneInfo, rank: int) -> AgentDecision | None:
    """What the agent chose of a verdict on one of its people; None where it did not, as in a plan, which keeps none."""
    waits = case.verdict == Verdict.WAITS
    if case.occurrence.state == OccurrenceState.PLANNED or not (waits or case.verdict in SENDING):
        return None
    own = Q(campaign=case.occurrence.campaign_id, key=case.key)
    if waits:
        own = Q(day=case.decided_at.astimezone(zone).date(), rank=rank, option=NOT_NOW)
    stored = AgentDecision.objects.filter(own, customer=case.customer_id, group=AgentGroup.AGENT, held=False)
    return stored.select_related("version").first()


def _own(case: Considered, messages: Sequence[Message]) -> list[int]:
    """Keys of the messages that came of the verdict: they are not in its own way."""
    whose = (case.occurrence.campaign_id, case.key)
    return [each.pk for each in messages if (each.campaign_id, each.key) == whose]


def _rivals(case: Considered) -> list[Considered]:
    """What other campaigns decided on the person within a week of it, the last ones first; plans do not count."""
    others = Considered.objects.filter(
        customer=case.customer_id, decided_at__range=(case.decided_at - LATELY, case.decided_at + LATELY)
    ).exclude(occurrence__campaign=case.occurrence.campaign_id)
    real = others.exclude(occurrence__state=OccurrenceState.PLANNED)
    return list(
        real.select_related("occurrence__campaign", "occurrence__version", "lost_to").order_by("-decided_at")[
            :MOST_RIVALS
        ]
    )
