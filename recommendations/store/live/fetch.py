"""Live state per customer, read from Valkey; and the marks of change that make processes look again.

``writes.py`` keeps it there. What Valkey has lost or cannot tell comes from the record.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import batched
from typing import Any, NamedTuple

import msgspec
from redis.client import Pipeline

from recommendations.store.live.likings import likings_in, text_of
from recommendations.store.live.record import recorded_states
from recommendations.store.live.state import NOTHING, Acts, LiveState, merged, state_told, word_of
from recommendations.store.live.valkey import valkey
from recommendations.store.valkey_keys import BUILT, CHANGED, LIKED, OBJECTED

ASKED_AT_ONCE = 200  # customers in a round trip

ROTATION = "rotation"
"""Field beside the marks of change: some request asked that what was shown and ignored goes down."""
type Fields = dict[Any, Any]  # as redis-py types them, dict is invariant

# The marks of change, whether all is known, and of each customer the members and times of every set, the newest first,
# what they say they like, and their word on personalisation: a text each, which costs a process less than its parts.
_TELL = (
    """
local told = {cmsgpack.pack(redis.call('HGETALL', 'CHANGED')), redis.call('EXISTS', 'BUILT')}
for at, customer in ipairs(ARGV) do
  local acts = {}
  for place, name in ipairs({SETS}) do
    acts[place] = name == '' and {} or redis.call('ZREVRANGE', name .. customer, 0, -1, 'WITHSCORES')
  end
  acts[#acts + 1] = redis.call('HGET', 'LIKED', customer)
  acts[#acts + 1] = redis.call('HGET', 'OBJECTED', customer)
  told[at + 2] = cmsgpack.pack(acts)
end
return told
""".replace("CHANGED", CHANGED)
    .replace("BUILT", BUILT)
    .replace("OBJECTED", OBJECTED)
    .replace("LIKED", LIKED)
)
LEAST_SETS = 4
"""Sets that every stored state has; what was shown and what was begun came later."""
_SETS = {acts: f"'{acts}'" for acts in Acts}
_TELL_MOST, _TELL_ALL = (
    _TELL.replace("SETS", ", ".join(sets.values())) for sets in (_SETS | {Acts.SHOWN: "''"}, _SETS)
)


class Changed(StrEnum):
    """Kinds of what a process holds in memory and reads again when somebody changed it."""

    CATALOGUE = "catalogue"
    WEIGHTS = "weights"
    RULES = "rules"
    MODEL = "model"
    KEYS = "keys"
    CUSTOMERS = "customers"  # merged, or parted again
    PLACEMENTS = "placements"
    AUDIENCES = "audiences"  # somebody joined or left one
    EXPERIMENTS = "experiments"
    PEOPLE = "people"  # somebody was erased


class LiveReading(NamedTuple):
    """A live state; ``changed`` are the marks of change, None where Valkey did not answer."""

    state: LiveState
    changed: Mapping[str, str] | None


class RawState(NamedTuple):
    """Reply of Valkey, not yet decoded: the same bytes are the same state."""

    changed: bytes | None = None  # the marks of change; None where Valkey did not answer
    built: bool = False  # whether it knows everything
    customer: bytes = b""  # what it knows of one; nothing where nobody is asked for
    showings: bool = False  # whether what they were shown is in it

    @property
    def complete(self) -> bool:
        """Whether nothing has to be asked of PostgreSQL."""
        return self.changed is not None and (self.built or not self.customer)


def announce(*kinds: str) -> None:
    """Have every process look at these again before its next answer. Call it after the commit."""
    valkey().run(lambda pipeline: mark(pipeline, *kinds))


def mark(pipeline: Pipeline, *kinds: str) -> None:
    marks: Fields = {Changed(kind): secrets.token_hex(8) for kind in kinds}
    pipeline.hset(CHANGED, mapping=marks)


def state_of(customer: int | None, *, since: datetime | None, showings: bool = False) -> LiveReading:
    """The customer's state, with what they were shown where asked, and the marks of change, in one round trip.

    Where Valkey is away, or has lost what it knew, the state comes from the events ``since`` (the end of the live
    model's history) if PostgreSQL answers; without both it is not known.
    """
    return decode(fetch_raw(customer, showings=showings), customer, since=since)


def fetch_raw(customer: int | None, *, showings: bool = False) -> RawState:
    return fetch_raw_of_all([customer], showings=showings)[0]


def fetch_raw_of_all(customers: Sequence[int | None], *, showings: bool = False) -> list[RawState]:
    """Raw state of each customer, under the marks of the first, in a round trip for every few hundred."""
    states: list[RawState] = []
    for part in batched(customers, ASKED_AT_ONCE):
        keys = [str(customer) for customer in part if customer is not None]
        answers = valkey().ask([("EVAL_RO", _TELL_ALL if showings else _TELL_MOST, 0, *keys)])
        if answers is None:
            states += [RawState(showings=showings)] * len(part)
            continue
        changed, built, *packed = answers[0]
        first = states[0].changed if states else changed
        replies = iter(packed)
        told = (b"" if customer is None else next(replies) for customer in part)
        states += [RawState(first, bool(built), each, showings) for each in told]
    return states


def packed(state: LiveState) -> bytes:
    """Encode a live state as Valkey tells of a customer."""
    acts = [
        sorted(((str(item), at) for item, at in state.bought.items()), key=lambda act: -act[1]),
        sorted(((str(item), at) for item, at in state.refunded.items()), key=lambda act: -act[1]),
        sorted(((str(item), at) for item, at in state.disliked.items()), key=lambda act: -act[1]),
        [(f"{act.item}:{act.name}", act.at) for act in state.recent],
        [(f"{each.item}:{each.slot}:{each.answer}", each.at) for each in state.shown],
        [(f"{each.item}:{each.tenths}", each.at) for each in state.begun],
    ]
    while len(acts) > LEAST_SETS and not acts[-1]:
        acts.pop()
    flat = [[text for member, at in one for text in (member, repr(at))] for one in acts]
    word = False if state.objected is None else word_of(state.objected, state.unmeasured, anew=state.anew)
    return msgspec.msgpack.encode([*flat, text_of(state.liked) or False, word])


def unpacked(content: bytes) -> LiveState:
    """Decode what Valkey tells of a customer."""
    *acts, word = msgspec.msgpack.decode(content)
    liked = acts.pop() if acts and not isinstance(acts[-1], list) else ""  # older records have none
    pairs = (list(zip(flat[::2], map(float, flat[1::2]), strict=True)) for flat in acts)
    return state_told(*pairs, word=word or None, liked=likings_in(liked or ""))


def decode(told: RawState, customer: int | None, *, since: datetime | None) -> LiveReading:
    """Decode the raw state of a customer into a reading, as ``state_of`` gives it."""
    return decode_all([told], [customer], since=since)[0]


def decode_all(
    told: Sequence[RawState], customers: Sequence[int | None], *, since: datetime | None
) -> list[LiveReading]:
    """Decode the raw states of these customers; what Valkey does not know is asked of PostgreSQL for all at once."""
    asked = list(zip(told, customers, strict=True))
    lost = {customer for raw, customer in asked if customer is not None and (raw.changed is None or not raw.built)}
    recorded = recorded_states(lost, since, showings=any(raw.showings for raw in told))
    return [_reading(raw, customer, recorded) for raw, customer in asked]


def _reading(told: RawState, customer: int | None, recorded: Mapping[int, LiveState]) -> LiveReading:
    changed = marks_of(told)
    if customer is None:
        return LiveReading(NOTHING, changed)
    if changed is None:
        return LiveReading(recorded[customer], None)
    state = unpacked(told.customer)
    return LiveReading(state if told.built else merged(state, recorded[customer]), changed)


def marks_of(told: RawState) -> Mapping[str, str] | None:
    """The marks of change."""
    if told.changed is None:
        return None
    flat = msgspec.msgpack.decode(told.changed)
    return dict(zip(flat[::2], flat[1::2], strict=True))
