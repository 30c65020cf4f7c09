"""The breaker of the Python client: it opens after several failures in a row, and one probe asks for all."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from recsite_client import (
    Client,
    ProblemError,
    RestingError,
    UnreachableError,
    breaker,
)
from tests.clients.conftest import Server
from tests.clients.test_python_transport import ask, fail, send


def test_one_slow_answer_takes_away_no_other(server: Server) -> None:
    with Client(f"http://127.0.0.1:{server.server_port}", "a.b", timeout=0.2) as client:
        for _ in range(3):
            server.delay, client.timeout = 0.5, 0.2
            fail(client, times=4)
            server.delay, client.timeout = 0, 5
            ask(client)
        assert len(server.got) == 15


def test_after_five_failures_in_a_row_questions_fail_at_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.delay = 0.5
    with Client(f"http://127.0.0.1:{server.server_port}", "a.b", timeout=0.1) as client:
        fail(client, times=5)
        begin = time.monotonic()
        fail(client, times=50, kind=RestingError)
        assert time.monotonic() - begin < 0.2
        assert len(server.got) == 5
        send(client)  # events are sent all the same
        monkeypatch.setattr(breaker, "WINDOW", 0.1)
        server.delay, client.timeout = 0, 5
        time.sleep(breaker.REST)
        ask(client)
        server.delay, client.timeout = 0.5, 0.1
        for _ in range(10):  # failures that are far apart are no series
            fail(client, times=1)
            time.sleep(0.02)
        assert len(server.got) == 17


def test_a_proxy_that_cannot_reach_recsite_opens_the_breaker_and_a_refusal_does_not(server: Server) -> None:
    with Client(f"http://127.0.0.1:{server.server_port}", "a.b") as client:
        for status in (400, 429, 503):
            server.replies = [(status, {}, b"{}")]
            fail(client, times=8, kind=ProblemError)
        server.replies = [(502, {}, b"<html>")]
        fail(client, times=5, kind=ProblemError)
        fail(client, times=1, kind=RestingError)


def test_one_probe_asks_for_all(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "REST", 0.3)
    server.delay = 0.5
    with Client(f"http://127.0.0.1:{server.server_port}", "a.b", timeout=0.2) as client, ThreadPoolExecutor(16) as pool:

        def outcomes() -> Counter[str]:
            futures = [pool.submit(ask, client) for _ in range(64)]
            return Counter(type(future.exception()).__name__ for future in futures)

        fail(client, times=5)
        for _ in range(2):
            time.sleep(0.3)
            assert outcomes() == {"UnreachableError": 1, "RestingError": 63}
        time.sleep(0.3)
        server.delay, client.timeout = 0, 5
        assert outcomes()["NoneType"] >= 1
        server.delay = 0.1
        assert outcomes() == {"NoneType": 64}


def test_a_probe_that_is_broken_off_lets_another_one_try(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    watching = breaker.CircuitBreaker()
    monkeypatch.setattr(breaker, "REST", 0.0)
    for _ in range(5):
        with pytest.raises(UnreachableError), watching.watched():
            raise UnreachableError("away")
    with pytest.raises(KeyboardInterrupt), watching.watched():
        raise KeyboardInterrupt
    with watching.watched():
        pass
    with watching.watched():
        pass
