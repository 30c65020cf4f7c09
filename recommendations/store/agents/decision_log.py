"""The log of the agent's decisions: each is written once with its chances, and learned from when its days are over."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Mod
from numpy.typing import NDArray

from recommendations.engine.push.choices import NOT_NOW, AgentChoice, PointKey, TakenOption
from recommendations.models import AgentDecision, Message
from recommendations.push_terms import AgentGroup, MessageState
from recommendations.store.agents.people import ANSWERED
from recommendations.store.attribution.statements import WORDS
from recommendations.store.temp_tables import run

ANSWER_DAYS = 7
KEPT = timedelta(days=90)
MOST_LOOKED_AT = 50_000  # decisions: more tell no more of a share
LOST = (MessageState.WITHDRAWN, MessageState.EXPIRED, MessageState.FAILED, MessageState.REFUSED, MessageState.GONE)
"""States of messages that did not arrive: nothing is learned from those."""

_CLOSE = f"""
UPDATE recommendations_agentdecision decision SET answered = outcome.answered, void = outcome.void
FROM (
  SELECT own.id, coalesce(bool_or({ANSWERED}), false) AS answered,
    own.option <> {NOT_NOW} AND NOT own.held AND coalesce(bool_or(message.state = ANY(%(lost)s)), true) AS void
  FROM recommendations_agentdecision own
  LEFT JOIN recommendations_message message ON message.campaign_id = own.campaign AND message.key = own.key
    AND message.customer_id = own.customer_id
  WHERE own.answered IS NULL AND own.day <= %(last)s GROUP BY own.id
) AS outcome WHERE outcome.id = decision.id
"""  # noqa: S608 - parts of our own
_FORGET = "DELETE FROM recommendations_agentdecision WHERE day < %(before)s"


@dataclass(frozen=True, kw_only=True, eq=False)
class LoggedDecisions:
    """Decisions whose days are over, by the version whose menu they are of."""

    version: int
    customer: NDArray[np.int64]
    day: NDArray[np.datetime64]
    features: NDArray[np.float64]  # [decisions, columns]
    allowed: NDArray[np.bool_]  # [decisions, options]
    option: NDArray[np.int64]  # NOT_NOW is −1
    agents: NDArray[np.int64]
    rule: NDArray[np.int64]
    agent_group: NDArray[np.bool_]
    held: NDArray[np.bool_]
    chances: NDArray[np.float64]  # [decisions, options + 1]
    worth: NDArray[np.float64]
    leaving: NDArray[np.float64]
    answered: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.customer)


def write(choices: Iterable[tuple[AgentChoice, str]]) -> int:
    """Store decisions with the occasion of their message; one that is stored already stays as it was."""
    made = [
        AgentDecision(
            customer_id=choice.key.customer, day=choice.key.day, rank=choice.key.rank, version_id=choice.version,
            group=choice.group.value, held=choice.held, allowed=np.packbits(choice.allowed).tobytes(),
            features=choice.features.astype("<f4").tobytes(), option=choice.option, agents=choice.agents,
            rule=choice.rule, chance=choice.chance,
            chances=choice.chances.astype("<f4").tobytes(), trial=choice.trial, value=choice.value,
            worth=choice.worth, leaving=choice.leaving, campaign=choice.campaign, key=key,
        )
        for choice, key in choices
    ]  # fmt: skip
    return len(AgentDecision.objects.bulk_create(made, batch_size=2_000, ignore_conflicts=True))


def decided_since(customers: Collection[int], *, day: date) -> dict[PointKey, TakenOption]:
    """What was decided for these people from a day on: where they live it may be the day before or after."""
    stored = AgentDecision.objects.filter(customer__in=customers, day__gte=day)
    return {
        PointKey(customer, at, rank): TakenOption(campaign=campaign, group=AgentGroup(group))
        for customer, at, rank, campaign, group in stored.values_list("customer", "day", "rank", "campaign", "group")
    }


def agents_choices(messages: Collection[int]) -> set[int]:
    """Keys of those messages that the agent chose for its people."""
    annotated = Message.objects.filter(pk__in=messages).annotate(
        by_agent=Exists(
            AgentDecision.objects.filter(
                customer=OuterRef("customer"), campaign=OuterRef("campaign"), key=OuterRef("key"),
                group=AgentGroup.AGENT,
            )
        )
    )  # fmt: skip
    return set(annotated.filter(by_agent=True).values_list("pk", flat=True))


def close(*, now: datetime) -> int:
    """Write what came of the decisions whose days are over; how many."""
    last = (now - timedelta(days=ANSWER_DAYS + 1)).date()
    return run(_CLOSE, last=last, bought=WORDS["bought"], lost=[state.value for state in LOST])


def forget(*, now: datetime) -> int:
    """Delete decisions that are older than ninety days."""
    return run(_FORGET, before=(now - KEPT).date())


def closed_decisions(*, since: date, until: date) -> list[LoggedDecisions]:
    """Decisions of days in [since, until) whose outcome is known and that did leave, version by version."""
    return _by_version(AgentDecision.objects.filter(day__gte=since, day__lt=until, answered__isnull=False, void=False))


def own_decisions(*, since: date, until: date) -> list[LoggedDecisions]:
    """Decisions on the agent's own people of days in [since, until), whatever comes of them, version by version.

    Of many those of some people, who are drawn by their number.
    """
    own = AgentDecision.objects.filter(day__gte=since, day__lt=until, group=AgentGroup.AGENT, held=False)
    parts = -(-own.count() // MOST_LOOKED_AT)
    return _by_version(own.annotate(part=Mod("customer_id", parts)).filter(part=0) if parts > 1 else own)


def _by_version(stored: QuerySet[AgentDecision]) -> list[LoggedDecisions]:
    by_version: dict[int, list[AgentDecision]] = {}
    for each in stored.select_related("version").order_by("pk").iterator(chunk_size=10_000):
        by_version.setdefault(each.version_id, []).append(each)
    return [_arrays(version, own) for version, own in sorted(by_version.items())]


def _arrays(version: int, own: Sequence[AgentDecision]) -> LoggedDecisions:
    options = _options_of(own[0].version.menu)
    return LoggedDecisions(
        version=version, customer=np.array([each.customer_id for each in own], np.int64),
        day=np.array([each.day for each in own], "datetime64[D]"),
        features=np.stack([np.frombuffer(bytes(each.features), "<f4").astype(np.float64) for each in own]),
        allowed=np.stack([
            np.unpackbits(np.frombuffer(bytes(each.allowed), np.uint8))[:options].astype(bool) for each in own
        ]),
        option=np.array([each.option for each in own], np.int64),
        agents=np.array([each.agents for each in own], np.int64),
        rule=np.array([each.rule for each in own], np.int64),
        agent_group=np.array([each.group == AgentGroup.AGENT for each in own], bool),
        held=np.array([each.held for each in own], bool),
        chances=np.stack([np.frombuffer(bytes(each.chances), "<f4").astype(np.float64) for each in own]),
        worth=np.array([each.worth for each in own]), leaving=np.array([each.leaving for each in own]),
        answered=np.array([each.answered for each in own], bool),
    )  # fmt: skip


def _options_of(menu: dict[str, list[list[int]]]) -> int:
    return sum(variants for _campaign, variants in menu["campaigns"]) * len(menu["channels"]) * 3


def campaigns_since(day: date) -> set[int]:
    """Campaigns that decisions since a day are of."""
    stored = AgentDecision.objects.filter(day__gte=day, campaign__isnull=False)
    return {key for key in stored.values_list("campaign", flat=True).distinct() if key is not None}


def answers_since(day: date) -> int:
    """Answers to messages of decisions since a day, of all groups."""
    return AgentDecision.objects.filter(day__gte=day, answered=True, void=False, held=False).count()


def messages_a_week(*, now: datetime) -> float:
    """Messages a person and week, of those with a decision in four weeks."""
    stored = AgentDecision.objects.filter(day__gte=(now - timedelta(days=28)).date(), held=False)
    people = stored.values("customer").distinct().count()
    return stored.exclude(option=NOT_NOW).count() / people / 4 if people else 0.0
