"""Writing of facts into the live state, one pipeline a request; and its rebuilding from the record.

Every write is a maximum over the acts' own times, so writes may be repeated and come in any order. What Valkey loses,
or was never told because the process died between the commit and the write, ``rebuild`` makes again from PostgreSQL.
"""

import secrets
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from itertools import batched, chain
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from redis.client import Pipeline

from recommendations.fields import PAST
from recommendations.models import Customer, PurposeWord
from recommendations.privacy_terms import PurposeState
from recommendations.store.live import fetch, likings, record, showings
from recommendations.store.live.erased_keys import erased_keys
from recommendations.store.live.fetch import Changed
from recommendations.store.live.state import ALONE, LIMITS, RECENT, Acts, LiveEvent, times_of, word_of
from recommendations.store.live.valkey import ValkeyAwayError, valkey
from recommendations.store.process_held import at_drop
from recommendations.store.temp_tables import Report, silent
from recommendations.store.valkey_keys import BUILT, CHANGED, DOUBTED, LIKED, OBJECTED

WAITING_FACTS = 100_000  # kept in the process while Valkey is away
BATCH = 1_000
SOON = 1.0  # seconds until the next try of what waits
_RECENT, _ALONE, _KEPT = (int(time.total_seconds()) for time in (RECENT, ALONE, PAST))

# One call for all sorted sets of a request, each with how many members it may have (0: any number), for how many
# seconds, and the time of each member. A set of limited members that has one only is kept for a shorter time.
_REMEMBER = f"""
for _, set in ipairs(cmsgpack.unpack(ARGV[1])) do
  local key, most, seconds, members = unpack(set)
  local times = {{}}
  for member, at in pairs(members) do
    times[#times + 1] = at
    times[#times + 1] = member
  end
  redis.call('ZADD', key, 'GT', unpack(times))
  if most > 0 then
    redis.call('ZREMRANGEBYRANK', key, 0, -most - 1)
    if redis.call('ZCARD', key) == 1 then seconds = {_ALONE} end
  end
  redis.call('EXPIRE', key, seconds)
end
"""


class Objection(NamedTuple):
    """What a customer does not want: to be known, to be measured, to be known by what was before they agreed ``anew``.

    Of who does not want to be known nothing stays.
    """

    customer: int
    objected: bool
    unmeasured: bool = False
    anew: bool = False


class Joined(NamedTuple):
    """An anonymous key became a customer's: what it did is the customer's."""

    anonymous: int
    customer: int


class Forgotten(NamedTuple):
    """The live state of a customer does not hold any more; what does will follow."""

    customer: int


class Liked(NamedTuple):
    """What a customer says they like now, as ``likings.text_of`` has it."""

    customer: int
    text: str


type Fact = LiveEvent | Objection | Joined | Forgotten | Liked


def told_of_words(permitted: Mapping[int, tuple[bool, bool, bool]]) -> list[Fact]:
    """What is to be written of customers for whom something else holds now: personalised or not, measured or not,
    known anew or all along.

    Of who may be known again it is what may be known of them, as the record has it.
    """
    facts: list[Fact] = [Objection(key, not may, not measure, anew) for key, (may, measure, anew) in permitted.items()]
    known = [key for key, (may, _measure, _anew) in permitted.items() if may]
    if known:
        facts += record.recorded(since=record.end_of_history(), customers=known)
        facts += liked_now(known)
    return facts


_waiting: deque[Fact] = deque(maxlen=WAITING_FACTS)
# Told with the next write: this process is new, so another may have died with acts it had not told; or Valkey was away.
_doubts: deque[str] = deque([secrets.token_hex(8)], maxlen=1)
_timers: list[threading.Timer] = []  # at most one
_timing = threading.Lock()


def mark_incomplete() -> None:
    """Note that Valkey may not know all: the next write, which comes soon, asks the watch to read the record again."""
    _doubts.append(secrets.token_hex(8))
    _write_soon()


def remember_showings() -> None:
    """Have what people are shown remembered from now on, and from the record, as an answer depends on it.

    It holds until the live state is made ``afresh``.
    """
    valkey().run(lambda pipeline: pipeline.hset(CHANGED, fetch.ROTATION, "asked for"))
    mark_incomplete()


def remember(facts: Iterable[Fact]) -> bool:
    """Write for the next answers what was committed. False where Valkey is away: then it waits until that is back."""
    parts = _parts(_of_living([*_taken(), *facts], gone=erased_keys().look()))
    for part in parts:
        if not _facts_written(part, doubts=tuple(_doubts)):
            _waiting.extend(chain(part, *parts))
            mark_incomplete()
            # If it is not away but full it goes on answering, without this: then answers ask the record, too.
            valkey().run(lambda pipeline: pipeline.delete(BUILT))
            return False
        _doubts.clear()
    return True


def _write_soon() -> None:
    """Write soon what waits in the process, without waiting for somebody else's event."""
    with _timing:
        if not _timers:
            timer = threading.Timer(SOON, _write_in_thread)
            timer.daemon = True
            _timers.append(timer)
            timer.start()


def _write_in_thread() -> None:
    try:
        _write_what_waits()
    finally:
        connection.close()  # this thread's, where it asked who was erased


def _write_what_waits() -> None:
    _timers.clear()
    if remember(()) and _doubts:
        if _facts_written((), doubts=tuple(_doubts)):
            _doubts.clear()
        else:
            _write_soon()


def _facts_written(facts: Sequence[Fact], *, doubts: Sequence[str]) -> bool:
    acts = [fact for fact in facts if isinstance(fact, LiveEvent)]
    if len(acts) == len(facts) and not doubts:  # nearly always; and it may come twice
        sets = _packed(acts)
        return sets is None or valkey().ask([("EVAL", _REMEMBER, 0, sets)]) is not None

    def write(pipeline: Pipeline) -> None:
        _write(pipeline, facts)
        if doubts:
            pipeline.sadd(DOUBTED, *doubts)

    return valkey().run(write) is not None


def unmerge(*keys: int) -> bool:
    """Part keys that were joined: each gets its own acts back, as the record has them. Call it after the commit.

    False where Valkey is away: then it waits.
    """
    since = record.end_of_history()
    gone = remember(map(Forgotten, keys))  # first, so that nothing is lost of what happens while the record is read
    own = list(record.recorded(since=since, customers=keys))
    if _showings_are_used():
        own += showings.recorded_showings(keys)
    fetch.announce(Changed.CUSTOMERS)
    return remember([*own, *liked_now(keys)]) and gone


def liked_now(customers: Collection[int]) -> list[Liked]:
    """What each of these customers says they like, as the record has it."""
    told = likings.recorded_likings(customers)
    return [Liked(key, likings.text_of(told.get(key, ()))) for key in customers]


def rebuild(*, afresh: bool = False, report: Report = silent) -> int:
    """Make the live state again from PostgreSQL; how many acts were read. Live writes may go on meanwhile.

    ``afresh``: also forget what the record does not have. Raises ValkeyAwayError.
    """
    doubts = _run(lambda pipeline: pipeline.smembers(DOUBTED))[0]  # a later one is for the next time
    if afresh:
        _forget_state()
    refused = PurposeWord.objects.exclude(state=PurposeState.GIVEN).filter(customer=OuterRef("pk"))
    spoken = Customer.objects.filter(Q(personalise=False) | Q(measure=False) | Exists(refused), erased_at=None)
    words = spoken.values_list("pk", "personalise", "measure", "resumed_at")
    _write_recorded([Objection(key, not may, not measure, bool(may and since)) for key, may, measure, since in words])
    for told in batched(likings.everybodys_likings(), BATCH):
        _write_recorded([Liked(*each) for each in told])
    since = record.end_of_history()
    total = record.count_recorded(since=since) if report is not silent else 0
    read = 0
    shown = showings.recorded_showings() if _showings_are_used() else ()
    for events in batched(chain(record.recorded(since=since), shown), BATCH):
        _write_recorded(events)
        read += len(events)
        report("live state", read, max(read, total))
    _run(lambda pipeline: (pipeline.set(BUILT, 1), doubts and pipeline.srem(DOUBTED, *doubts)))
    fetch.announce(*Changed)
    return read


def _write_recorded(facts: Sequence[Fact]) -> None:
    """Write what the record had when reading it began, but for those who were erased since. Raises ValkeyAwayError."""
    living = _of_living(facts, gone=erased_keys().hear())
    _run(lambda pipeline: _write(pipeline, living))


def _showings_are_used() -> bool:
    asked = valkey().run(lambda pipeline: pipeline.hexists(CHANGED, fetch.ROTATION))
    return bool(asked and asked[0]) or showings.are_used()


def rebuild_if_lost() -> int:
    """Rebuild where Valkey answers but has forgotten, or may not know all; 0 where there is nothing to do."""
    answers = valkey().run(lambda pipeline: (pipeline.exists(BUILT), pipeline.exists(DOUBTED)))
    if answers is None or answers == [1, 0]:
        return 0
    with suppress(ValkeyAwayError):
        return rebuild()
    return 0


def reset() -> None:
    """Drop what waits, and note that Valkey may not know all, as a new process does."""
    with _timing:
        for timer in _timers:
            timer.cancel()
        _timers.clear()
    _waiting.clear()
    _doubts.append(secrets.token_hex(8))


at_drop(reset)


def _taken() -> list[Fact]:
    taken = []
    while _waiting:
        taken.append(_waiting.popleft())
    return taken


def facts_waiting_of(customers: Set[int]) -> int:
    """How many facts of these customers wait in this process."""
    waiting = list(_waiting)
    return len(waiting) - len(_of_living(waiting, gone=customers))


def forget_waiting(customers: Set[int]) -> None:
    """Drop the facts of these customers that wait in this process."""
    _waiting.extend(_of_living(_taken(), gone=customers))


def _of_living(facts: Sequence[Fact], *, gone: Set[int]) -> Sequence[Fact]:
    """Facts but for those of customers who are gone; that their state is forgotten still holds."""
    if not gone:
        return facts
    return [fact for fact in facts if isinstance(fact, Forgotten) or gone.isdisjoint(_whose(fact))]


def _whose(fact: Fact) -> tuple[int, ...]:
    return tuple(fact) if isinstance(fact, Joined) else (fact.customer,)


def _forget_state() -> None:
    """Delete the live state; while it is not there, answers take it from the record."""
    state = BUILT, OBJECTED, LIKED
    _run(lambda pipeline: (pipeline.delete(*state), pipeline.hdel(CHANGED, fetch.ROTATION)))
    for acts in Acts:
        _forget_all(f"{acts}*")


def _forget_all(pattern: str) -> None:
    cursor, keys = 0, list[bytes]()

    def unlink(pipeline: Pipeline) -> None:
        if keys:
            pipeline.unlink(*keys)

    def go_on(pipeline: Pipeline) -> None:
        unlink(pipeline)
        pipeline.scan(cursor, match=pattern, count=BATCH)

    cursor, keys = _run(go_on)[-1]
    while cursor:
        cursor, keys = _run(go_on)[-1]
    _run(unlink)


def _run(fill: Callable[[Pipeline], object]) -> list[Any]:
    answers = valkey().run(fill)
    if answers is None:
        raise ValkeyAwayError
    return answers


def _parts(facts: Iterable[Fact]) -> Iterator[list[Fact]]:
    """Split facts into parts of one pipeline each; what is forgotten stands at the beginning of a part."""
    part: list[Fact] = []
    for fact in facts:
        if len(part) == BATCH or (part and isinstance(fact, Forgotten) and not isinstance(part[-1], Forgotten)):
            yield part
            part = []
        part.append(fact)
    if part:
        yield part


def _write(pipeline: Pipeline, facts: Sequence[Fact]) -> None:
    others = [fact for fact in facts if not isinstance(fact, LiveEvent)]
    for fact in others:
        if isinstance(fact, Forgotten):
            _forget_acts(pipeline, fact.customer)
    words = {fact.customer: fact for fact in others if isinstance(fact, Objection)}
    sets = _packed([fact for fact in facts if isinstance(fact, LiveEvent)])
    if sets is not None:
        pipeline.eval(_REMEMBER, 0, sets)
    joined = [fact for fact in others if isinstance(fact, Joined)]
    for pair in joined:
        _unite(pipeline, pair)
    if joined:
        fetch.mark(pipeline, Changed.CUSTOMERS)
    for fact in others:
        if isinstance(fact, Liked):
            _write_liked(pipeline, fact)
    _write_objections(pipeline, words.values())


def _forget_acts(pipeline: Pipeline, customer: int) -> None:
    pipeline.delete(*(f"{acts}{customer}" for acts in Acts))


def _write_objections(pipeline: Pipeline, facts: Collection[Objection]) -> None:
    """Write the last word of each customer; of who does not want to be known nothing stays."""
    words: fetch.Fields = {
        str(fact.customer): word_of(fact.objected, fact.unmeasured, anew=fact.anew) for fact in facts
    }
    if words:
        pipeline.hset(OBJECTED, mapping=words)
    for fact in facts:
        if fact.objected:
            _forget_acts(pipeline, fact.customer)
            pipeline.hdel(LIKED, str(fact.customer))


def _write_liked(pipeline: Pipeline, fact: Liked) -> None:
    if fact.text:
        pipeline.hset(LIKED, str(fact.customer), fact.text)
    else:
        pipeline.hdel(LIKED, str(fact.customer))


def _packed(events: Sequence[LiveEvent]) -> bytes | None:
    """Argument of ``_REMEMBER``; None where none of the events is remembered."""
    sets = [(key, *_limits(key), members) for key, members in times_of(events).items()]
    return msgspec.msgpack.encode(sets) if sets else None


def _unite(pipeline: Pipeline, pair: Joined) -> None:
    for acts in Acts:
        key = f"{acts}{pair.customer}"
        pipeline.zunionstore(key, [key, f"{acts}{pair.anonymous}"], aggregate="MAX")
        most, seconds = _limits(key)
        if most:
            pipeline.zremrangebyrank(key, 0, -most - 1)
        pipeline.expire(key, seconds)


def _limits(key: str) -> tuple[int, int]:
    """How many members a sorted set may have (0: as many as there are), and for how many seconds."""
    limit = next((most for acts, most in LIMITS.items() if key.startswith(acts)), 0)
    return (limit, _RECENT) if limit else (0, _KEPT)
