"""4,000 calls of the Python client of a server that does all that goes wrong between a shop and Recsite.

Each ends in the right answer or in a RecsiteError, so that an event is stored or its sender knows that it may not be.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from recsite_client import (
    Client,
    MisdirectedError,
    ProblemError,
    RecsiteError,
    RedirectedError,
    RestingError,
    UnreachableError,
    breaker,
    new_event,
)
from tests.clients.hostile import DONE, GOOD, REFUSED, SLOW, TIMEOUT, HostileServer
from tests.lengths import cases

CALLS = cases(short=1_000, full=4_000)
THREADS = 80
SEED = 20261129


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer(SEED) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


def call(client: Client, number: int) -> str:
    """Make a call; what came of it, by the name of its error. Raises AssertionError for a wrong answer."""
    name = f"{'u' if number % 2 else 'e'}{number}"
    try:
        if number % 2:
            assert client.recommend("home", user_id=name)["recommendation_id"] == f"r-{name}"
        else:
            answer = client.send_events([new_event("view_item", event_id=name)])
            assert [row["event_id"] for row in answer["results"]] == [name]
    except RecsiteError as error:
        return type(error).__name__ if str(error) else "without a word"
    return "right"


def test_every_call_has_the_right_answer_or_a_recsite_error(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "REST", 0.05)
    monkeypatch.setattr("recsite_client.client.WRITE_TIMEOUT", TIMEOUT)
    begin = time.monotonic()
    with Client(server.url, "a.b", timeout=TIMEOUT, patience=0.3) as client, ThreadPoolExecutor(THREADS) as pool:
        outcomes = list(pool.map(lambda number: call(client, number), range(CALLS)))  # whatever else it raises, shows
    counts = Counter(outcomes)
    assert time.monotonic() - begin < 60
    assert counts.total() == CALLS
    assert counts["right"] > CALLS / 4
    kinds = (UnreachableError, MisdirectedError, RedirectedError, ProblemError)
    assert counts.keys() - {RestingError.__name__} == {"right", *(kind.__name__ for kind in kinds)}
    assert server.met.keys() == {*GOOD, *DONE, *REFUSED, *SLOW}
    assert min(server.met.values()) > CALLS / 200
    lost = [
        number for number in range(0, CALLS, 2) if outcomes[number] == "right" and f"e{number}" not in server.stored
    ]
    assert lost == []


def test_the_server_would_show_a_client_that_lies(server: HostileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old way: whatever is below 400 is success, and an empty body is no answer and no error."""
    believed = []
    monkeypatch.setattr("recsite_client.transport.Transport._redirected", lambda *_: None)
    with Client(server.url, "a.b", timeout=TIMEOUT, patience=0) as client:
        for number in range(0, 400, 2):
            try:
                client._transport.request("POST", f"/?user_id=e{number}", b"{}", timeout=TIMEOUT)
            except RecsiteError:
                continue
            believed.append(f"e{number}")
    assert set(believed) - server.stored
