"""The pace at which a channel's provider is spoken to, and whether its line works: in Valkey, for all senders together.

Tokens flow into a bucket; a sender takes as many as it means to hand over. Five failures of the line in a row shut it
for a while, twice as long each time, and one sender at a time tries whether it works again. The clock is Valkey's.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from recommendations.push_terms import Channel
from recommendations.store.live.valkey import valkey
from recommendations.store.process_held import ProcessHeld
from recommendations.store.valkey_keys import LINES

FAILURES = 5  # in a row
SHUT, LONGEST = 30.0, 600.0  # seconds
PROBE = 30.0  # seconds until another sender tries, where the first has not said what came of it
SLOWED = 600.0  # seconds at half of the pace
ALONE = 0.1  # of the pace, by each process while Valkey is away
LEAST_ROOM = 10  # tokens that a bucket holds at least

_NOW = "local at = redis.call('TIME'); local now = tonumber(at[1]) + tonumber(at[2]) / 1e6\n"
_TAKE = (
    _NOW
    + """
local rate, room, most, probe = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HMGET', KEYS[1], 'tokens', 'filled', 'slow_until', 'shut_until', 'probe_until')
if held[4] then
  local free = math.max(tonumber(held[4]), tonumber(held[5] or 0))
  if now < free then return {0, string.format('%.3f', free - now)} end
  redis.call('HSET', KEYS[1], 'probe_until', string.format('%.3f', now + probe))
  return {1, '0'}
end
if held[3] and now < tonumber(held[3]) then rate = rate / 2 end
local tokens = tonumber(held[1] or room) + math.max(0, now - tonumber(held[2] or now)) * rate
tokens = math.min(room, tokens)
local taken = math.max(0, math.min(most, math.floor(tokens)))
tokens = tokens - taken
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'filled', string.format('%.6f', now))
return {taken, string.format('%.3f', taken > 0 and 0 or (1 - tokens) / rate)}
"""
)
_GIVE_BACK = """
if redis.call('HDEL', KEYS[1], 'probe_until') == 0 then redis.call('HINCRBYFLOAT', KEYS[1], 'tokens', ARGV[1]) end
return 1
"""
_WORKED = "return redis.call('HDEL', KEYS[1], 'failures', 'since', 'shut_until', 'shut_for', 'probe_until')"
_FAILED = (
    _NOW
    + """
local failures, least, first = redis.call('HINCRBY', KEYS[1], 'failures', 1), tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('HSETNX', KEYS[1], 'since', string.format('%.3f', now))
local until_, lasted = redis.call('HGET', KEYS[1], 'shut_until'), redis.call('HGET', KEYS[1], 'shut_for')
if failures < least then return 0 end
if until_ and now < tonumber(until_) then return 1 end
local shut = lasted and math.min(tonumber(ARGV[3]), 2 * tonumber(lasted)) or first
redis.call('HSET', KEYS[1], 'shut_for', shut, 'shut_until', string.format('%.3f', now + shut))
redis.call('HDEL', KEYS[1], 'probe_until')
return 1
"""
)
_SLOW = _NOW + "return redis.call('HSET', KEYS[1], 'slow_until', string.format('%.3f', now + ARGV[1]))"


class Grant(NamedTuple):
    """How many messages may be handed over now; none: how many seconds to wait before the next try."""

    messages: int
    wait: float


@dataclass(frozen=True, kw_only=True)
class LineState:
    """A line that does not work: since when, and when it is tried again."""

    away_since: datetime
    shut_until: datetime


class _Alone:
    """The pace of one process while Valkey is away."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._free_at = {channel: clock() for channel in Channel}

    def take(self, channel: Channel, *, rate: float) -> Grant:
        with self._lock:
            now, free = self._clock(), self._free_at[channel]
            if now < free:
                return Grant(0, free - now)
            self._free_at[channel] = now + 1 / rate
            return Grant(1, 0.0)


_alone = ProcessHeld(_Alone)


def take(channel: Channel, *, most: int, per_minute: int) -> Grant:
    """Take the right to hand over up to so many messages, and keep to the pace."""
    rate = per_minute / 60
    answer = _run(channel, _TAKE, rate, max(LEAST_ROOM, math.ceil(rate)), most, PROBE)
    if answer is None:
        return _alone().take(channel, rate=rate * ALONE)
    messages, wait = answer
    return Grant(int(messages), float(wait))


def give_back(channel: Channel, messages: int) -> None:
    """Give back what was taken and not handed over."""
    _run(channel, _GIVE_BACK, messages)


def line_worked(channel: Channel) -> None:
    _run(channel, _WORKED)


def line_failed(channel: Channel) -> bool:
    """Count a failure of the line; whether it is shut now."""
    return bool(_run(channel, _FAILED, FAILURES, SHUT, LONGEST))


def slow_down(channel: Channel) -> None:
    """Halve the pace for ten minutes from now."""
    _run(channel, _SLOW, SLOWED)


def line_state(channel: Channel) -> LineState | None:
    """What is wrong with the line of a channel; None where it works, and while Valkey is away."""
    answers = valkey().run(lambda pipeline: pipeline.hmget(LINES.of(channel), "since", "shut_until"))
    since, until = answers[0] if answers else (None, None)
    if since is None or until is None:
        return None
    return LineState(
        away_since=datetime.fromtimestamp(float(since), UTC), shut_until=datetime.fromtimestamp(float(until), UTC)
    )


def _run(channel: Channel, script: str, *arguments: float) -> Any:
    """The answer of a script; None while Valkey is away."""
    answers = valkey().run(lambda pipeline: pipeline.eval(script, 1, LINES.of(channel), *arguments))
    return answers[0] if answers else None
