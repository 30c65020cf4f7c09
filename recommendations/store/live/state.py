"""What a customer did lately, at least all that the live model does not know, as answers use it; no server is asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from recommendations.event_types import EventName

RECENT_ACTS = 50
RECENT = timedelta(days=30)
ALONE = timedelta(days=7)
"""How long Valkey keeps the act of interest of who has done nothing else: invented people have no second."""


class Acts(StrEnum):
    """The sorted sets of one customer: members are items (and the act's name where it is ``RECENT``), scores times."""

    BOUGHT = "live:bought"
    REFUNDED = "live:refunded"
    DISLIKED = "live:disliked"
    RECENT = "live:recent"


LASTING: Mapping[str, Acts] = {
    EventName.PURCHASE: Acts.BOUGHT,
    EventName.REFUND: Acts.REFUNDED,
    EventName.DISLIKE_ITEM: Acts.DISLIKED,
}
INTEREST = tuple(name for name in EventName if name.facts.live)
KEPT_IN: Mapping[str, Acts] = {**LASTING, **dict.fromkeys(INTEREST, Acts.RECENT)}


class LiveEvent(NamedTuple):
    """An accepted line of an event; ``at`` is when it happened, not when it came."""

    customer: int
    name: str  # of an EventName
    item: int | None
    at: datetime


class Act(NamedTuple):
    item: int
    name: EventName
    at: float


@dataclass(frozen=True, kw_only=True)
class LiveState:
    """What one customer did lately; times are seconds since 1970-01-01 UTC."""

    bought: Mapping[int, float] = field(default_factory=dict)  # item → last purchase
    refunded: Mapping[int, float] = field(default_factory=dict)  # item → last refund
    disliked: frozenset[int] = frozenset()
    recent: tuple[Act, ...] = ()  # newest first, at most 50
    objected: bool | None = None  # to personalisation; None = nothing is known here
    known: bool = True  # False where neither Valkey nor PostgreSQL could be asked


NOTHING = LiveState()
UNKNOWN = LiveState(known=False)


def times_of(events: Iterable[LiveEvent]) -> dict[str, dict[str, float]]:
    """The last time of each member, per key of a sorted set."""
    times: dict[str, dict[str, float]] = {}
    for event in events:
        kept_in = KEPT_IN.get(event.name)
        if kept_in is None or event.item is None:
            continue
        member = f"{event.item}:{event.name}" if kept_in is Acts.RECENT else str(event.item)
        members = times.setdefault(f"{kept_in}:{event.customer}", {})
        members[member] = max(members.get(member, 0.0), event.at.timestamp())
    return times


def state_from(customer: int, times: Mapping[str, Mapping[str, float]], *, objected: bool) -> LiveState:
    newest = [sorted(times.get(f"{acts}:{customer}", {}).items(), key=lambda act: -act[1]) for acts in Acts]
    newest[-1] = newest[-1][:RECENT_ACTS]
    return state_told(*newest, objected=objected or None)


def state_told(*acts: Sequence[tuple[str, float]], objected: bool | None) -> LiveState:
    """Live state from ``acts``: the members of each of ``Acts`` with their times, the newest first."""
    bought, refunded, disliked, recent = acts
    return LiveState(
        bought={int(item): at for item, at in bought},
        refunded={int(item): at for item, at in refunded},
        disliked=frozenset(int(item) for item, _ in disliked),
        recent=tuple(_act(member, at) for member, at in recent),
        objected=objected,
    )


def _act(member: str, at: float) -> Act:
    item, _, name = member.partition(":")
    return Act(int(item), EventName(name), at)


def merged(one: LiveState, other: LiveState) -> LiveState:
    """Union of two states of a customer; ``one`` has the newer word on an objection."""
    acts: dict[tuple[int, EventName], float] = {}
    for item, name, at in (*one.recent, *other.recent):
        acts[item, name] = max(at, acts.get((item, name), at))
    recent = sorted((Act(item, name, at) for (item, name), at in acts.items()), key=lambda act: -act.at)
    return LiveState(
        bought=_latest(one.bought, other.bought),
        refunded=_latest(one.refunded, other.refunded),
        disliked=one.disliked | other.disliked,
        recent=tuple(recent[:RECENT_ACTS]),
        objected=other.objected if one.objected is None else one.objected,
        known=one.known and other.known,
    )


def _latest(one: Mapping[int, float], other: Mapping[int, float]) -> dict[int, float]:
    return {item: max(one.get(item, 0.0), other.get(item, 0.0)) for item in {*one, *other}}
