"""What the push agent promises, on the data of the demo: a part of ``make bench-push-demo``. Nothing of it is kept.

Nobody reads the demo's mail, so that an agent learns nothing there; what it believes is invented here. Are plans their
sendings under three beliefs? Does an agent that is out of its mind break a limit, quiet hours or a consent? Are a night
that is learned again and its choices the same? How long does a person's page take?
"""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

import numpy as np
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench.bars import Figure
from bench.push import five_campaigns
from bench.push.five_campaigns import next_morning
from recommendations.engine.push.agent.belief import draws_of
from recommendations.engine.push.cases import Person
from recommendations.engine.push.choices import NOT_NOW
from recommendations.engine.push.competition import Candidate, PressureCap, SentMessage, fits_with
from recommendations.engine.push.gates import caps_of
from recommendations.models import (
    Agent,
    AgentDecision,
    AgentVersion,
    Considered,
    Message,
    Permission,
    Staff,
)
from recommendations.push_terms import AgentGroup, AgentStatus, ConsentState, MessageState
from recommendations.services.agents.learning import make_version, night_of, take
from recommendations.services.agents.supervision import let_go, the_agent
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push.deciding import habits_of, personal_pressure
from recommendations.services.push.sendings import decide_pushes
from recommendations.services.push_models.agent_facts import live_version
from recommendations.services.push_models.agent_versions import fields_of
from recommendations.store.push.people import people_of

BELIEFS: Sequence[tuple[float, float]] = ((-4.0, 0.0), (-2.0, 0.6), (-1.0, 3.0))  # level, and noise of all terms
HOSTILE, CASES = 50.0, 100_000
PERSON_MS = 300.0
TIMES = 9


def same_as_planned() -> list[Figure]:
    """Five campaigns under three beliefs, each from the same beginning: plans beside sendings."""
    now = next_morning(timezone.now())
    acting(now)
    different = unsummed = 0
    verdicts, chosen = Counter[str](), 0
    for number, (level, noise) in enumerate(BELIEFS):
        with transaction.atomic():
            begun = five_campaigns.begin(now=now)
            believe(level, noise, seed=number, now=now)
            compared = five_campaigns.compare(now=now, begun=begun)
            different, unsummed = different + compared.different, unsummed + compared.unsummed
            verdicts += compared.verdicts
            chosen += AgentDecision.objects.filter(group=AgentGroup.AGENT).count()
            transaction.set_rollback(True)
    return [
        Figure("agent: verdicts of five campaigns under three beliefs", verdicts.total(), least=1),
        Figure("agent: decisions that it took", chosen, least=1),
        Figure("agent: of them waits", verdicts["waits"]),
        Figure("agent: verdicts that differ from the plan", different, most=0),
        Figure("agent: waterfalls that do not add up", unsummed, most=0),
    ]


def hostile() -> list[Figure]:
    """An agent whose belief is noise, again and again until many cases were decided: what was reserved, one by one."""
    now, cases, messages, seed = next_morning(timezone.now()), 0, 0, 0
    acting(now)
    broken = Counter[str]()
    while cases < CASES:
        with transaction.atomic():
            five_campaigns.begin(now=now)
            believe(0.0, HOSTILE, seed=seed, now=now)
            before = set(Message.objects.values_list("pk", flat=True))
            decide_pushes(now=now)
            some = list(Message.objects.exclude(pk__in=before).exclude(state=MessageState.HELD))
            decided = Considered.objects.filter(occurrence__campaign__slug__startswith="bench-").count()
            broken += Counter(_broken(some, now=now))
            cases, messages, seed = cases + decided, messages + len(some), seed + 1
            transaction.set_rollback(True)
        if not decided:
            break
    return [
        Figure("hostile agent: cases", cases, least=CASES),
        Figure("hostile agent: messages reserved", messages, least=1),
        *(Figure(f"hostile agent: {what} broken", broken[what], most=0) for what in ("limits", "hours", "consents")),
    ]


def same_night() -> list[Figure]:
    """A night that is learned twice, and what is chosen after each."""
    now = next_morning(timezone.now())
    acting(now)
    five_campaigns.begin(now=now)
    made = []
    for _ in range(2):
        with transaction.atomic():
            AgentVersion.objects.filter(night=night_of(now)).delete()
            version = make_version(the_agent(), night=night_of(now), now=now)
            take(version)
            decide_pushes(now=now)
            options = AgentDecision.objects.order_by("customer", "day", "rank")
            made.append((version.digest, list(options.values_list("customer", "day", "rank", "option", "agents"))))
            transaction.set_rollback(True)
    (first, choices), (second, others) = made
    return [
        Figure("same night: choices", len(choices), least=1),
        Figure("same night: digests that differ", int(first != second), most=0),
        Figure("same night: choices that differ", len(set(choices) ^ set(others)), most=0),
    ]


def person_page() -> list[Figure]:
    """The page of a person who waits, in both languages."""
    now = next_morning(timezone.now())
    acting(now)
    five_campaigns.begin(now=now)
    believe(-4.0, 0.6, seed=1, now=now)
    decide_pushes(now=now)
    return [Figure(f"person page, {code}, ms", _page_ms(code), most=PERSON_MS) for code, _name in settings.LANGUAGES]


def _page_ms(language: str) -> float:
    """Milliseconds of a page of somebody to whom the agent sends nothing."""
    waiting = AgentDecision.objects.filter(agents=NOT_NOW).select_related("customer").order_by("-pk").first()
    if waiting is None:
        raise SystemExit("everybody is worth a message")
    client, address = Client(), reverse("agent_person", args=[waiting.customer.pk])
    client.force_login(Staff.objects.filter(is_active=True)[0])
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    if client.get(address).status_code != HTTPStatus.OK:
        raise SystemExit(f"{address} cannot be opened")
    return _median_ms(lambda: client.get(address))


def _median_ms(act: Callable[[], object]) -> float:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        act()
        took.append(time.perf_counter() - began)
    return 1_000 * statistics.median(took)


MEASURES: Sequence[Callable[[], list[Figure]]] = (same_as_planned, hostile, same_night, person_page)


def acting(now: datetime) -> None:
    """The agent decides for four of five people, whatever its data carry."""
    if the_agent().status == AgentStatus.OFF:
        let_go(AgentStatus.WATCHES, note="bench", by=None, now=now)
    agent = the_agent()
    agent.rules.share = 0.8
    agent.rules.save(update_fields=["share"])
    Agent.objects.update(status=AgentStatus.ACTS)


def believe(level: float, noise: float, *, seed: int, now: datetime) -> None:
    """A version of tonight that believes so, and counts from now on."""
    AgentVersion.objects.filter(night=night_of(now)).delete()
    make_version(the_agent(), night=night_of(now), now=now)
    version = live_version(now=now)
    if version is None:
        raise SystemExit("the agent has no version")
    mean = version.belief.start.copy()
    mean[0] = level
    belief = replace(version.belief, mean=mean + noise * np.random.default_rng(seed).normal(size=len(mean)))
    fields = fields_of(belief, draws_of(belief, seed=seed), version.scales, version.prices)
    AgentVersion.objects.filter(pk=version.version.pk).update(**fields)


def _broken(messages: Sequence[Message], *, now: datetime) -> Iterator[str]:
    """What messages break: a window that had room before them, the quiet hours of their person, a missing yes."""
    rules = rules_now(now=now)
    pressure = personal_pressure(rules, now=now)
    customers = {each.customer_id for each in messages}
    before = people_of(customers, habits=habits_of(rules), now=now, but=frozenset(each.pk for each in messages))
    yes = set(
        Permission.objects.filter(state=ConsentState.GIVEN).values_list("contact", "channel", "purpose")
    )  # fmt: skip
    new: dict[int, list[SentMessage]] = {}
    for each in messages:
        person = before[each.customer_id]
        own = SentMessage(each.due_at.timestamp(), each.channel)
        if not _has_room([*person.sent, *new.get(person.customer, [])], own, caps_of(person, pressure)):
            yield "limits"
        new.setdefault(person.customer, []).append(own)
        if _is_quiet(each.due_at, person):
            yield "hours"
        if (each.contact, each.channel, each.campaign.purpose) not in yes:
            yield "consents"


def _has_room(sent: Sequence[SentMessage], own: SentMessage, caps: Sequence[PressureCap]) -> bool:
    one = Candidate(campaign=0, at=own.at, channel=own.channel, rank=0, value=0.0)
    return fits_with(sent, one, caps)


def _is_quiet(at: datetime, person: Person) -> bool:
    return person.quiet.hold(at.astimezone(person.zone).time())
