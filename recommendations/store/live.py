"""What happened since the live model was made, per customer, in Valkey; and the marks that make processes look again.

``live_writes`` keeps it there. What Valkey has lost or cannot tell comes from the record.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import batched, chain, islice
from typing import Any, NamedTuple

from redis.client import Pipeline

from recommendations.store import live_record
from recommendations.store.live_record import recorded_state
from recommendations.store.live_state import NOTHING, Acts, LiveState, merged, state_told
from recommendations.store.valkey import Command, valkey

ASKED_AT_ONCE = 200  # customers in a round trip

CHANGED, BUILT, OBJECTED = "live:changed", "live:built", "live:objected"
type Fields = dict[Any, Any]  # as redis-py types them, dict is invariant


class Changed(StrEnum):
    """What a process holds in memory and reads again when somebody changed it."""

    CATALOGUE = "catalogue"
    WEIGHTS = "weights"
    RULES = "rules"
    MODEL = "model"
    KEYS = "keys"
    CUSTOMERS = "customers"  # merged, or parted again
    PLACEMENTS = "placements"


class Reading(NamedTuple):
    """``changed`` are the marks of change; None where Valkey did not answer."""

    state: LiveState
    changed: Mapping[str, str] | None


class Told(NamedTuple):
    """What Valkey says, not yet understood: equal replies are the same state."""

    changed: Mapping[bytes, bytes] | None = None  # None where Valkey did not answer
    replies: Sequence[Any] = ()  # about the customer; none where nobody is asked for

    @property
    def whole(self) -> bool:
        """Valkey knows everything; nothing has to be asked of PostgreSQL."""
        return self.changed is not None and (not self.replies or bool(self.replies[0]))


def announce(*kinds: str) -> None:
    """Every process looks at these again before its next answer. Call it after the commit."""
    valkey().run(lambda pipeline: mark(pipeline, *kinds))


def mark(pipeline: Pipeline, *kinds: str) -> None:
    marks: Fields = {Changed(kind): secrets.token_hex(8) for kind in kinds}
    pipeline.hset(CHANGED, mapping=marks)


def state_of(customer: int | None, *, since: datetime | None) -> Reading:
    """The customer's state and the marks of change, in one round trip.

    Where Valkey is away, or has lost what it knew, the state comes from the events ``since`` (the end of the live
    model's history) if PostgreSQL answers; without both it is not known.
    """
    return understood(told_of(customer), customer, since=since)


def told_of(customer: int | None) -> Told:
    answers = valkey().ask(_questions(customer))
    return Told() if answers is None else Told(answers[0], answers[1:])


def told_of_all(customers: Sequence[int | None]) -> list[Told]:
    """As ``told_of`` of each, under the marks of the first, in a round trip for every few hundred."""
    told: list[Told] = []
    for part in batched(customers, ASKED_AT_ONCE):
        asked = [_questions(customer)[1:] for customer in part]
        answers = valkey().ask([*_questions(None), *chain.from_iterable(asked)])
        if answers is None:
            told += [Told()] * len(part)
            continue
        changed = told[0].changed if told else answers[0]
        replies = iter(answers[1:])
        told += [Told(changed, list(islice(replies, len(questions)))) for questions in asked]
    return told


def understood(told: Told, customer: int | None, *, since: datetime | None) -> Reading:
    """As ``state_of``, of what was told about the customer."""
    if told.changed is None:
        return Reading(NOTHING if customer is None else recorded_state(customer, since), None)
    changed = marks_of(told)
    if customer is None:
        return Reading(NOTHING, changed)
    built, *replies = told.replies
    state = state_told(replies)
    return Reading(state if built else merged(state, recorded_state(customer, since)), changed)


def marks_of(told: Told) -> Mapping[str, str] | None:
    """The marks of change."""
    if told.changed is None:
        return None
    return {kind.decode(): mark.decode() for kind, mark in told.changed.items()}


def forget() -> None:
    """Hold nothing, as a new process does."""
    live_record.forget()
    valkey().breaker.close()


def _questions(customer: int | None) -> list[Command]:
    questions: list[Command] = [("HGETALL", CHANGED)]
    if customer is not None:
        name = str(customer)
        questions.append(("EXISTS", BUILT))
        questions += [("ZREVRANGE", f"{acts}:{name}", "0", "-1", "WITHSCORES") for acts in Acts]
        questions.append(("HGET", OBJECTED, name))
    return questions
