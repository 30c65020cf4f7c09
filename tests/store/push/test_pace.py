"""The pace of a channel, and its line that is shut after five failures: one for all senders together."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from recommendations.push_terms import Channel
from recommendations.store.process_held import drop_all
from recommendations.store.push import pace
from tests.dead_servers import dead_valkey

EMAIL, KEY = Channel.EMAIL, "push:line:email"

pytestmark = pytest.mark.usefixtures("valkey")


def later(valkey: redis.Redis, seconds: float) -> None:
    """Let so many seconds pass for the line: its moments move back."""
    held = valkey.hgetall(KEY)
    moments = {name: float(held[name]) - seconds for name in held if name in {b"filled", b"shut_until", b"probe_until"}}
    moments |= {name: float(held[name]) - seconds for name in held if name == b"slow_until"}
    valkey.hset(KEY, mapping=moments)


def take(most: int = 10, *, per_minute: int = 600) -> int:
    return pace.take(EMAIL, most=most, per_minute=per_minute).messages


def shut() -> None:
    assert [pace.line_failed(EMAIL) for _ in range(5)] == [False] * 4 + [True]


def test_the_pace_is_kept_over_a_minute_whoever_takes(valkey: redis.Redis) -> None:
    taken = take()
    for _ in range(60):
        later(valkey, 1)
        with ThreadPoolExecutor(4) as pool:
            taken += sum(pool.map(lambda _: take(), range(4)))
    assert 600 <= taken <= 615  # a minute, and what the bucket held


def test_who_gets_nothing_is_told_how_long_to_wait(valkey: redis.Redis) -> None:
    assert take() == 10
    nothing, wait = pace.take(EMAIL, most=10, per_minute=600)
    assert (nothing, round(wait, 1)) == (0, 0.1)
    later(valkey, wait)
    assert take() >= 1


def test_what_was_not_handed_over_is_given_back() -> None:
    assert take() == 10
    pace.give_back(EMAIL, 7)
    assert take() == 7


def test_whoever_is_asked_for_patience_halves_the_pace_for_ten_minutes(valkey: redis.Redis) -> None:
    take()
    pace.slow_down(EMAIL)
    later(valkey, 1)
    assert take() == 5
    later(valkey, 600)
    take()
    later(valkey, 1)
    assert take() == 10


def test_a_line_that_fails_five_times_is_shut_twice_as_long_each_time(valkey: redis.Redis) -> None:
    assert pace.line_state(EMAIL) is None
    begin = timezone.now()
    shut()
    for seconds in (30, 60, 120, 240, 480, 600, 600):
        nothing, wait = pace.take(EMAIL, most=10, per_minute=600)
        assert nothing == 0
        assert seconds - 2 < wait <= seconds
        assert pace.line_failed(EMAIL)  # of another sender, which was on its way: it shuts nothing for longer
        later(valkey, seconds + 0.1)
        assert [take(), take()] == [1, 0]  # one tries
        assert pace.line_failed(EMAIL)
    state = pace.line_state(EMAIL)
    assert state is not None
    assert begin - timedelta(seconds=1) <= state.away_since <= timezone.now() < state.shut_until


def test_one_that_gets_through_opens_the_line(valkey: redis.Redis) -> None:
    shut()
    later(valkey, 30.1)
    assert take() == 1
    pace.line_worked(EMAIL)
    assert pace.line_state(EMAIL) is None
    assert take() == 10
    assert not pace.line_failed(EMAIL)


def test_a_try_that_had_nothing_to_hand_over_leaves_it_to_the_next(valkey: redis.Redis) -> None:
    shut()
    later(valkey, 30.1)
    assert take() == 1
    pace.give_back(EMAIL, 1)
    assert take() == 1
    later(valkey, 30.1)  # this one died on the way
    assert take() == 1


def test_while_valkey_is_away_a_tenth_of_the_pace_goes_on() -> None:
    with dead_valkey():
        drop_all()
        assert take() == 1
        nothing, wait = pace.take(EMAIL, most=10, per_minute=600)
        assert (nothing, round(wait)) == (0, 1)
        assert pace.line_state(EMAIL) is None
        assert not pace.line_failed(EMAIL)
