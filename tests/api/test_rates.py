"""The rate limit of a key holds over processes and threads, and in each process while Valkey is away."""

import threading
from collections.abc import Callable

import pytest
import redis

from recommendations.services.access.rates import HOUR, MINUTE, RateLimiter
from recommendations.store.live.valkey import Link
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.test_access import here


@here
def test_too_many_requests_are_told_when_to_come_back(client_with: Callable[..., ApiClient]) -> None:
    client = client_with(Scope.METRICS_READ, requests_per_minute=5)
    other = client_with(Scope.METRICS_READ, requests_per_minute=5)
    answers = [client.get("/careful/") for _ in range(11)]  # six at least are of one minute
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 5 or crosses_a_minute(statuses)
    refused = next(answer for answer in answers if answer.status_code == 429)
    problem(refused, 429)
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert other.get("/careful/").status_code == 200


def crosses_a_minute(statuses: list[int]) -> bool:
    """Whether a minute began while the test ran, so that counting began again."""
    return statuses.count(200) > 5 and 429 in statuses


def test_processes_share_the_limit_of_a_key(valkey: redis.Redis) -> None:
    now = [1_000_000.0]
    processes = [RateLimiter(clock=lambda: now[0]) for _ in range(3)]
    passed = 0
    for request in range(3_000):
        now[0] += 0.001
        passed += processes[request % 3].take("k", limit=1_000).taken
    assert 1_000 <= passed <= 1_050
    now[0] += 60
    assert processes[0].take("k", limit=1_000).wait is None


def test_a_small_limit_is_exact_over_processes(valkey: redis.Redis) -> None:
    processes = [RateLimiter(clock=lambda: 1_000_000.0) for _ in range(4)]
    assert sum(processes[n % 4].take("k", limit=10).taken for n in range(40)) == 10


def test_threads_count_each_request_once(valkey: redis.Redis) -> None:
    limiter, passed = RateLimiter(clock=lambda: 1_000_000.0), []
    threads = [
        threading.Thread(target=lambda: passed.extend(limiter.take("k", limit=200).taken for _ in range(100)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 196 <= sum(passed) <= 204


def test_without_valkey_each_process_keeps_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommendations.services.access.rates.valkey", lambda: Link("redis://127.0.0.1:1/0"))
    limiter = RateLimiter(clock=lambda: 1_000_000.0)
    waits = [limiter.take("k", limit=10).wait for _ in range(15)]
    assert waits.count(None) == 10
    assert waits[-1] == pytest.approx(60 - 1_000_000.0 % 60)


def test_an_amount_is_taken_whole_or_not_at_all(valkey: redis.Redis) -> None:
    limiter = RateLimiter(clock=lambda: 1_000_000.0)
    rates = [limiter.take("k", amount, limit=10) for amount in (6, 5, 4, 1)]
    assert [(rate.taken, rate.left) for rate in rates] == [(6, 4), (0, 4), (4, 0), (0, 0)]


def test_of_an_amount_that_may_be_divided_what_has_room_is_taken(valkey: redis.Redis) -> None:
    processes = [RateLimiter(clock=lambda: 1_000_000.0) for _ in range(2)]
    taken = [processes[n % 2].take("k", 4, limit=10, window=HOUR, partly=True).taken for n in range(5)]
    assert taken == [4, 4, 2, 0, 0]


def test_counts_do_not_outlive_their_window_for_long(valkey: redis.Redis) -> None:
    limiter = RateLimiter(clock=lambda: 1_000_000.0)
    limiter.take("minute", limit=10)
    limiter.take("hour", limit=10, window=HOUR)
    lifetimes = [valkey.ttl(key) for key in valkey.keys("rate:*")]
    assert len(lifetimes) == 2
    assert all(0 < seconds <= HOUR + MINUTE for seconds in lifetimes)


def test_a_process_forgets_names_that_it_has_told(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes from ever new addresses fills no process; what it has forgotten Valkey still counts."""
    monkeypatch.setattr("recommendations.services.access.rates.MOST", 50)
    limiter = RateLimiter(clock=lambda: 1_000_000.0)
    for number in range(500):
        limiter.take(f"k{number % 100}", limit=4)
    assert len(limiter._windows) <= 51
    assert limiter.take("k0", limit=4).taken == 0
