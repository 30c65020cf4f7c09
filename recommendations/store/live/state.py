"""What a customer did lately, at least all that the live model does not know, as answers use it; no server is asked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from recommendations.event_types import EventName, Outcome
from recommendations.store import valkey_keys
from recommendations.store.domain import shop_domain

RECENT_ACTS = 50
SHOWINGS = 60  # newest ones that are remembered
BEGUN_PLAYS = 200  # newest ones; a work has a member for each tenth of it
RECENT = valkey_keys.MONTH
ALONE = timedelta(days=7)
"""How long Valkey keeps the act of interest of who has done nothing else: invented people have no second."""


class Acts(StrEnum):
    """The sorted sets of one customer: members are items (and the act's name where it is ``RECENT``), scores times."""

    BOUGHT = valkey_keys.BOUGHT
    REFUNDED = valkey_keys.REFUNDED
    DISLIKED = valkey_keys.DISLIKED
    RECENT = valkey_keys.RECENT
    SHOWN = valkey_keys.SHOWN  # items with their slot and the answer; only where a placement makes use of it
    BEGUN = valkey_keys.BEGUN  # items with the tenths that were played, in domains that go on with what was begun


LASTING: Mapping[str, Acts] = {
    EventName.PURCHASE: Acts.BOUGHT,
    EventName.REFUND: Acts.REFUNDED,
    EventName.DISLIKE_ITEM: Acts.DISLIKED,
}
INTEREST = tuple(name for name in EventName if name.facts.live)
LISTS = tuple(name for name in EventName if name.facts.outcome is Outcome.SHOWN)
KEPT_IN: Mapping[str, Acts] = {
    **LASTING, **dict.fromkeys(INTEREST, Acts.RECENT), **dict.fromkeys(LISTS, Acts.SHOWN)
}  # fmt: skip
LIMITS: Mapping[Acts, int] = {Acts.RECENT: RECENT_ACTS, Acts.SHOWN: SHOWINGS, Acts.BEGUN: BEGUN_PLAYS}
"""How many members, the newest ones, a set may have that has not all."""

WHOLE = 10
"""Tenths of a work that is finished."""

OF_ANSWER = 8  # characters of an answer's id that tell it from the others of a customer


class LiveEvent(NamedTuple):
    """An accepted line of an event; ``at`` is when it happened, not when it came."""

    customer: int
    name: str  # of an EventName
    item: int | None
    at: datetime
    slot: int = 0  # of a showing: where the item stood, 1 = first
    answer: str = ""  # of a showing: the id of the answer
    tenths: int = 0  # of a play: how much of the work, where that is remembered


class Act(NamedTuple):
    item: int
    name: EventName
    at: float


class Showing(NamedTuple):
    """An item that was seen at a slot (1 = first) of an answer; ``answer`` is the end of its id."""

    item: int
    slot: int
    answer: str
    at: float


class Begun(NamedTuple):
    """A play of so many tenths of an item; ``WHOLE``: it was finished."""

    item: int
    tenths: int
    at: float


class LikingKind(StrEnum):
    """What a customer can say they like."""

    CATEGORY = "category"
    BRAND = "brand"
    ITEM = "item"
    TAG = "tag"
    CREATOR = "creator"
    COLLECTION = "collection"


class Liking(NamedTuple):
    """Something that a customer says they like, by its path, name or id in the catalogue."""

    kind: LikingKind
    name: str
    followed: bool = False  # by an event, until they unfollow it; else it was stated
    at: float = 0.0  # since when, seconds since 1970-01-01 UTC


@dataclass(frozen=True, kw_only=True)
class LiveState:
    """What one customer did lately, and says they like; times are seconds since 1970-01-01 UTC."""

    bought: Mapping[int, float] = field(default_factory=dict)  # item → last purchase
    refunded: Mapping[int, float] = field(default_factory=dict)  # item → last refund
    disliked: Mapping[int, float] = field(default_factory=dict)  # item → last dislike
    recent: tuple[Act, ...] = ()  # newest first, at most 50
    shown: tuple[Showing, ...] = ()  # newest first, at most 60; none where nobody asked for them
    begun: tuple[Begun, ...] = ()  # newest first, at most 200
    liked: tuple[Liking, ...] = ()
    objected: bool | None = None  # to personalisation; None = nothing is known here
    unmeasured: bool = False  # refused to be measured; known where ``objected`` is
    anew: bool = False  # agreed after a no, and what was before stays out
    known: bool = True  # False where neither Valkey nor PostgreSQL could be asked


NOTHING = LiveState()
UNKNOWN = LiveState(known=False)


def live_name(name: str, progress: float | None) -> str:
    """The act that an event is to the next answers: a play that does not take the item is a look at it."""
    if name != EventName.PLAY or progress is None or progress >= shop_domain().taken_from:
        return name
    return EventName.VIEW_ITEM.value


def tenths_of(name: str, progress: float | None) -> int:
    """Tenths of a work that an act says were played, ``WHOLE`` of one that takes it; 0 where nobody goes on with it.

    What is no interest, such as a rating, the record does not tell of before a run has learned from it.
    """
    domain = shop_domain()
    if not domain.goes_on or name not in domain.taken or name not in INTEREST:
        return 0
    if name != EventName.PLAY or progress is None or progress >= domain.taken_from:
        return WHOLE
    return int(10 * progress) if progress >= domain.least_played else 0


def live_event(customer: int, name: str, item: int | None, at: datetime, progress: float | None) -> LiveEvent:
    """A line of an event as the next answers know of it."""
    return LiveEvent(customer, live_name(name, progress), item, at, tenths=tenths_of(name, progress))


def times_of(events: Iterable[LiveEvent]) -> dict[str, dict[str, float]]:
    """The last time of each member, per key of a sorted set."""
    times: dict[str, dict[str, float]] = {}
    for event in events:
        if event.item is None:
            continue
        for kept_in in _sets_of(event):
            member = _member(event, kept_in)
            members = times.setdefault(f"{kept_in}{event.customer}", {})
            members[member] = max(members.get(member, 0.0), event.at.timestamp())
    return times


def _sets_of(event: LiveEvent) -> Iterator[Acts]:
    kept_in = KEPT_IN.get(event.name)
    if kept_in is not None and (kept_in is not Acts.SHOWN or event.slot):
        yield kept_in
    if event.tenths:
        yield Acts.BEGUN


def _member(event: LiveEvent, kept_in: Acts) -> str:
    match kept_in:
        case Acts.BEGUN:
            return f"{event.item}:{event.tenths}"
        case Acts.RECENT:
            return f"{event.item}:{event.name}"
        case Acts.SHOWN:
            return f"{event.item}:{event.slot}:{event.answer[-OF_ANSWER:]}"
    return str(event.item)


def state_from(
    customer: int,
    times: Mapping[str, Mapping[str, float]],
    *,
    objected: bool,
    unmeasured: bool = False,
    liked: tuple[Liking, ...] = (),
) -> LiveState:
    newest = [sorted(times.get(f"{acts}{customer}", {}).items(), key=lambda act: -act[1]) for acts in Acts]
    newest = [acts[: LIMITS.get(kind)] for kind, acts in zip(Acts, newest, strict=True)]
    word = word_of(objected, unmeasured) if objected or unmeasured else None
    return state_told(*newest, word=word, liked=liked)


def word_of(objected: bool, unmeasured: bool, *, anew: bool = False) -> str:  # noqa: FBT001 - both are always given
    """What somebody does not want, as Valkey has it: 1, to be known, 2, to be measured, and 4, to be known by what was
    before they agreed again, added up.
    """
    return str(objected + 2 * unmeasured + 4 * anew)


def state_told(*acts: Sequence[tuple[str, float]], word: str | None, liked: tuple[Liking, ...] = ()) -> LiveState:
    """Live state from ``acts``: the members of each of ``Acts`` with their times, the newest first.

    The last of them, what was shown and what was begun, may be left out; ``word`` is ``word_of``, where one is known.
    """
    bought, refunded, disliked, recent, *others = acts
    shown, begun = (others[at] if len(others) > at else () for at in (0, 1))
    return LiveState(
        bought={int(item): at for item, at in bought},
        refunded={int(item): at for item, at in refunded},
        disliked={int(item): at for item, at in disliked},
        recent=tuple(_act(member, at) for member, at in recent),
        shown=tuple(_showing(member, at) for member, at in shown),
        begun=tuple(_begun(member, at) for member, at in begun),
        liked=liked,
        objected=None if word is None else bool(int(word) & 1),
        unmeasured=word is not None and bool(int(word) & 2),
        anew=word is not None and bool(int(word) & 4),
    )


def _act(member: str, at: float) -> Act:
    item, _, name = member.partition(":")
    return Act(int(item), EventName(name), at)


def _begun(member: str, at: float) -> Begun:
    item, _, tenths = member.partition(":")
    return Begun(int(item), int(tenths), at)


def _showing(member: str, at: float) -> Showing:
    item, slot, answer = member.split(":", 2)
    return Showing(int(item), int(slot), answer, at)


def merged(one: LiveState, other: LiveState) -> LiveState:
    """Union of two states of a customer; ``one`` has the newer word on an objection."""
    acts: dict[tuple[int, EventName], float] = {}
    for item, name, at in (*one.recent, *other.recent):
        acts[item, name] = max(at, acts.get((item, name), at))
    recent = sorted((Act(item, name, at) for (item, name), at in acts.items()), key=lambda act: -act.at)
    seen = _latest({each[:3]: each.at for each in one.shown}, {each[:3]: each.at for each in other.shown})
    shown = sorted((Showing(*where, at) for where, at in seen.items()), key=lambda each: -each.at)
    played = _latest({each[:2]: each.at for each in one.begun}, {each[:2]: each.at for each in other.begun})
    begun = sorted((Begun(*what, at) for what, at in played.items()), key=lambda each: -each.at)
    return LiveState(
        bought=_latest(one.bought, other.bought),
        refunded=_latest(one.refunded, other.refunded),
        disliked=_latest(one.disliked, other.disliked),
        recent=tuple(recent[:RECENT_ACTS]),
        shown=tuple(shown[:SHOWINGS]),
        begun=tuple(begun[:BEGUN_PLAYS]),
        liked=one.liked or other.liked,
        objected=other.objected if one.objected is None else one.objected,
        unmeasured=other.unmeasured if one.objected is None else one.unmeasured,
        anew=other.anew if one.objected is None else one.anew,
        known=one.known and other.known,
    )


def _latest[K](one: Mapping[K, float], other: Mapping[K, float]) -> dict[K, float]:
    return {item: max(one.get(item, 0.0), other.get(item, 0.0)) for item in {*one, *other}}
