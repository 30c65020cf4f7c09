"""What the agent needs to decide: its version, what staff let it do, and what is known of the people in question."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Subquery
from numpy.typing import NDArray

from recommendations.engine.push.agent.choice import AgentPolicy
from recommendations.engine.push.agent.choosing import AgentFacts, PersonFacts
from recommendations.engine.push.agent.features import PersonNumbers, Scales, band_of, features_of
from recommendations.engine.push.agent.points import OptionRule, StaffRules
from recommendations.engine.push.agent.readiness import OLDEST_VERSION
from recommendations.engine.push.agent.terms import Lever, Menu, Values
from recommendations.engine.push.cases import Person
from recommendations.engine.push.value import MessageCosts, messages_before
from recommendations.models import Agent, AgentRules, AgentVersion
from recommendations.push_terms import AgentStatus
from recommendations.services.push_models.agent_versions import BrokenVersionError, RestoredVersion, restored
from recommendations.simulation.message_lists import current_snapshot
from recommendations.store.agents import decision_log
from recommendations.store.agents.decision_log import ANSWER_DAYS
from recommendations.store.agents.people import numbers_of
from recommendations.store.push.activity import hours_of_people

type AgentState = tuple[str, int | None, int | None]
"""How far the agent goes, its rules, and the version that decides."""

DECIDING = (AgentStatus.WATCHES, AgentStatus.EXPLORES, AgentStatus.ACTS)


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownPeople:
    """The version that decides, and what it knows of people: numbers [people, columns] and bands of buying rate.

    Who objects to that is not among them.
    """

    version: RestoredVersion
    customers: Sequence[int]
    features: Values
    bands: NDArray[np.int64]

    @property
    def caused(self) -> Values:
        """Share of answers that messages cause [people]."""
        return np.array(self.version.prices.caused)[self.bands]


def known_people(people: Mapping[int, Person], *, now: datetime) -> KnownPeople | None:
    """What the agent, which is on, knows of these people; None where its version is missing, broken or too old."""
    version = live_version(now=now) if people else None
    if version is None:
        return None
    customers = sorted(person.customer for person in people.values() if person.personalise)
    features = scaled(customers, version.scales, version.menu, now=now)
    return KnownPeople(
        version=version, customers=customers, features=features,
        bands=band_of(features, version.scales, version.menu),
    )  # fmt: skip


def with_agent_prices(
    people: Mapping[int, Person], costs: MessageCosts, *, known: KnownPeople | None
) -> tuple[Mapping[int, Person], MessageCosts]:
    """People and costs with what the agent found of all messages, the rule's as well: what is caused, and what tires.

    Of whom nothing is known the mean of the bands counts. Without an agent both stay as they are.
    """
    if known is None:
        return people, costs
    prices = known.version.prices
    own, usual = dict(zip(known.customers, known.caused.tolist(), strict=True)), float(np.mean(prices.caused))
    priced = {key: replace(person, caused=own.get(person.customer, usual)) for key, person in people.items()}
    return priced, replace(costs, tiredness=prices.tiredness.price)


def agent_facts(
    people: Mapping[int, Person], *, costs: MessageCosts, known: KnownPeople | None, now: datetime
) -> AgentFacts | None:
    """The agent as it decides now on people that it knows; None where the rule decides alone, as in a pause."""
    agent = Agent.objects.select_related("rules").filter(status__in=DECIDING).first() if known else None
    if agent is None or known is None:
        return None
    version = known.version
    return AgentFacts(
        version=version.version.pk, status=AgentStatus(agent.status),
        policy=policy_of(version, agent.rules), rules=staff_rules(agent.rules),
        salt=choice_salt_of(version), group_salt=agent.salt.encode(),
        share=agent.rules.share, people=_people(known, people, costs=costs, now=now),
        prices=np.array([costs.prices.get(option.channel, 0.0) for option in version.menu.options]),
        tiredness=version.prices.tiredness.price,
        decided=decision_log.decided_since(known.customers, day=(now - timedelta(days=1)).date()),
    )  # fmt: skip


def agent_stands() -> AgentState:
    """How the agent stands at this moment: a decision that began under another state is not finished."""
    live = AgentVersion.objects.filter(is_live=True).values("pk")[:1]
    stored = Agent.objects.filter(pk=1).annotate(version=Subquery(live)).values_list("status", "rules_id", "version")
    return stored.first() or (AgentStatus.OFF, None, None)


def live_version(*, now: datetime) -> RestoredVersion | None:
    """The version that decides; None where there is none, it is broken, or it is older than a week."""
    stored = AgentVersion.objects.filter(is_live=True).first()
    if stored is None or now - stored.created_at > timedelta(days=OLDEST_VERSION):
        return None
    try:
        return restored(stored)
    except BrokenVersionError:
        return None


def choice_salt_of(version: RestoredVersion) -> bytes:
    """The salt of the choices of a version, the same on another machine."""
    return f"{version.version.night}:{version.version.seed}".encode()


def policy_of(version: RestoredVersion, rules: AgentRules) -> AgentPolicy:
    floors = {(each["campaign"], each["variant"]): float(each["chance"]) for each in rules.floors}
    return AgentPolicy(
        menu=version.menu, mean=version.belief.mean, draws=version.draws, floor=rules.floor, subject_floors=floors
    )


def staff_rules(rules: AgentRules) -> StaffRules:
    return StaffRules(
        levers=frozenset(Lever(each) for each in rules.levers), pins=_rules(rules.pins), forbids=_rules(rules.forbids)
    )


def numbers_now(people: Sequence[int], menu: Menu, *, now: datetime) -> PersonNumbers:
    """What is known of people now, by their rows."""
    model = current_snapshot().model
    hours = hours_of_people(people, model=model, now=now) if model else {}
    return numbers_of(people, channels=menu.channels, hours=hours, closed=now - timedelta(days=ANSWER_DAYS), now=now)


def scaled(people: Sequence[int], scales: Scales, menu: Menu, *, now: datetime) -> Values:
    """The menu's columns [people, columns] of people now."""
    return features_of(numbers_now(people, menu, now=now), scales, menu)


def _people(known: KnownPeople, people: Mapping[int, Person], *, costs: MessageCosts, now: datetime) -> PersonFacts:
    return PersonFacts(
        rows={customer: row for row, customer in enumerate(known.customers)}, features=known.features,
        caused=known.caused, leaving=_leaving(known.customers, people, costs=costs, now=now),
        worth=np.array([people[customer].worth for customer in known.customers]),
    )  # fmt: skip


def _leaving(
    known: Collection[int], people: Mapping[int, Person], *, costs: MessageCosts, now: datetime
) -> NDArray[np.float64]:
    """What one more message costs in people who leave, of each."""
    before = [messages_before(people[customer].sent, at=now.timestamp()) for customer in known]
    chances = [costs.leaving[min(each, len(costs.leaving) - 1)] for each in before]
    return np.array(chances, np.float64) * costs.lost_contact


def _rules(stored: Sequence[Mapping[str, object]]) -> tuple[OptionRule, ...]:
    return tuple(
        OptionRule(
            int(str(each["campaign"])) if each.get("campaign") is not None else None, Lever(str(each["lever"])),
            str(each["value"]),
        )
        for each in stored
    )  # fmt: skip
