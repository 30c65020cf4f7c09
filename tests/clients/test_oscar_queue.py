"""The queue of Oscar's adapter: what a shop tells Recsite holds up no request, and is not lost while there is room.

What needs Oscar itself is tested by ``make check-oscar``, in an environment of its own.
"""

import os
import queue as queue_module
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from oscar_recsite import send_queue
from oscar_recsite.send_queue import SendQueue
from recsite_client import MisdirectedError, ProblemError, UnreachableError
from tests.architecture.source import ROOT

PROMPT = 10.0  # seconds in which anything is sent here


class Deliveries:
    """A delivery that raises ``errors`` in order, and then takes what it is given."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.taken = list(errors), list[list[Any]]()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, things: Sequence[Any]) -> None:
        self.gate.wait(PROMPT)
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(list(things))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_queue, "FIRST_PAUSE", 0.01)


def problem(status: int) -> ProblemError:
    return ProblemError(status, {"title": "No"})


def queue_of(deliver: Callable[[Sequence[Any]], None], **options: Any) -> SendQueue:
    return SendQueue({"events": deliver, "items": deliver}, **options)


def test_things_are_delivered_in_order_and_those_of_a_kind_together() -> None:
    deliveries = Deliveries()
    queue = queue_of(deliveries, threaded=False)
    for kind, thing in [("events", 1), ("events", 2), ("items", 3), ("events", 4)]:
        queue.put(kind, thing)
    while len(queue):
        assert queue.deliver()
    assert deliveries.taken == [[1, 2], [3], [4]]


def test_what_waits_is_sent_by_a_thread_and_nobody_waits_for_it() -> None:
    deliveries = Deliveries()
    deliveries.gate.clear()
    queue = queue_of(deliveries)
    begin = time.monotonic()
    for number in range(1000):
        assert queue.put("events", number)
    assert time.monotonic() - begin < 1.0
    deliveries.gate.set()
    assert queue.flush(PROMPT)
    assert [thing for batch in deliveries.taken for thing in batch] == list(range(1000))
    assert all(len(batch) <= send_queue.BATCH for batch in deliveries.taken)


@pytest.mark.parametrize("error", [UnreachableError("away"), MisdirectedError("a proxy", status=200), problem(503)])
def test_what_could_not_be_taken_for_the_moment_is_sent_again_before_what_came_later(error: Exception) -> None:
    deliveries = Deliveries(error, error)
    queue = queue_of(deliveries)
    queue.put("events", "first")
    queue.put("items", "second")
    assert queue.flush(PROMPT)
    assert deliveries.taken == [["first"], ["second"]]


@pytest.mark.parametrize("error", [problem(400), problem(403)])
def test_what_is_refused_is_given_up_and_the_log_says_why(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    deliveries = Deliveries(error)
    queue = queue_of(deliveries)
    queue.put("events", "refused")
    queue.put("items", "taken")
    assert queue.flush(PROMPT)
    assert deliveries.taken == [["taken"]]
    assert "given up" in caplog.text


def test_an_error_that_nobody_foresaw_takes_its_things_along_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: queue_module.Queue[Any] = queue_module.Queue()
    monkeypatch.setattr(threading, "excepthook", ends.put)
    deliveries = Deliveries(ZeroDivisionError("a fault of ours"))
    queue = queue_of(deliveries)
    queue.put("events", "given up")
    queue.put("items", "taken")
    assert ends.get(timeout=PROMPT).exc_type is ZeroDivisionError
    assert queue.flush(PROMPT)
    assert deliveries.taken == [["taken"]]


def test_a_full_queue_leaves_out_what_comes_but_has_room_for_orders(caplog: pytest.LogCaptureFixture) -> None:
    deliveries = Deliveries()
    deliveries.gate.clear()
    queue = queue_of(deliveries, most=3)
    taken = [queue.put("events", number) for number in range(5)]
    assert taken == [True, True, True, False, False]
    assert queue.put("events", "order", precious=True)
    deliveries.gate.set()
    assert queue.flush(PROMPT)
    assert [thing for batch in deliveries.taken for thing in batch] == [0, 1, 2, "order"]
    queue.put("events", "later")
    assert queue.flush(PROMPT)
    assert "2 messages to Recsite were left out" in caplog.text


def test_the_end_of_a_process_waits_so_long_and_says_what_was_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    queue = queue_of(Deliveries(*[UnreachableError("away")] * 10_000))
    queue.put("events", "order", precious=True)
    begin = time.monotonic()
    queue.close(0.2)
    assert 0.2 <= time.monotonic() - begin < 2.0
    assert "1 messages to Recsite were not sent; `manage.py recsite_orders` sends orders again" in caplog.text


def test_the_end_of_a_process_does_not_wait_for_a_long_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_queue, "FIRST_PAUSE", 60.0)
    deliveries = Deliveries(UnreachableError("away for a moment"))
    queue = queue_of(deliveries)
    queue.put("events", "order")
    while deliveries.errors:
        time.sleep(0.01)
    assert queue.flush(PROMPT)
    assert deliveries.taken == [["order"]]


def test_a_forked_process_has_a_thread_of_its_own_and_sends_nothing_of_its_parents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deliveries = Deliveries()
    queue = queue_of(deliveries, threaded=False)
    queue.put("events", "of the parent")
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as in a child
    queue.put("events", "of the child")
    assert queue.deliver()
    assert deliveries.taken == [["of the child"]]


def test_the_package_brings_the_tracker_along() -> None:
    copy = ROOT / "clients/oscar/oscar_recsite/static/oscar_recsite/recsite.js"
    assert copy.read_bytes() == (ROOT / "clients/javascript/recsite.js").read_bytes()
