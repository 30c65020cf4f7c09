"""The rate limit of a key holds over processes and threads, and in each process while Valkey is away."""

import threading
from collections.abc import Callable

import pytest
import redis

from recommendations.services.access.rates import RateLimiter
from recommendations.store.live.valkey import Link
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.test_access import here


@here
def test_too_many_requests_are_told_when_to_come_back(client_with: Callable[..., ApiClient]) -> None:
    client = client_with(Scope.METRICS_READ, requests_per_minute=5)
    other = client_with(Scope.METRICS_READ, requests_per_minute=5)
    answers = [client.get("/careful/") for _ in range(9)]
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 5 or crosses_a_minute(statuses)
    refused = answers[-1]
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
        passed += processes[request % 3].seconds_to_wait("k", limit=1_000) is None
    assert 1_000 <= passed <= 1_050
    now[0] += 60
    assert processes[0].seconds_to_wait("k", limit=1_000) is None


def test_a_small_limit_is_exact_over_processes(valkey: redis.Redis) -> None:
    processes = [RateLimiter(clock=lambda: 1_000_000.0) for _ in range(4)]
    assert sum(processes[n % 4].seconds_to_wait("k", limit=10) is None for n in range(40)) == 10


def test_threads_count_each_request_once(valkey: redis.Redis) -> None:
    limiter, passed = RateLimiter(clock=lambda: 1_000_000.0), []
    threads = [
        threading.Thread(target=lambda: passed.extend(limiter.seconds_to_wait("k", limit=200) for _ in range(100)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 196 <= passed.count(None) <= 204


def test_without_valkey_each_process_keeps_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommendations.services.access.rates.valkey", lambda: Link("redis://127.0.0.1:1/0"))
    limiter = RateLimiter(clock=lambda: 1_000_000.0)
    waits = [limiter.seconds_to_wait("k", limit=10) for _ in range(15)]
    assert waits.count(None) == 10
    assert waits[-1] == pytest.approx(60 - 1_000_000.0 % 60)
