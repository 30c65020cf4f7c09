"""Waiting for threads that may be anywhere between their start and their end."""

import threading
import time

from tests.side_threads import end_threads


class _SlowlyStarted(threading.Thread):
    """A thread that has a number for a moment before it is known to run, as on a busy machine."""

    def _set_ident(self) -> None:
        vars(threading.Thread)["_set_ident"](self)
        time.sleep(0.05)


def test_a_thread_that_has_a_number_but_does_not_run_yet_is_waited_for() -> None:
    ended: list[bool] = []
    thread = _SlowlyStarted(target=lambda: ended.append(True), name="slowly started")
    threading.Thread(target=thread.start).start()
    while thread.ident is None:
        pass
    end_threads("slowly started")
    assert ended
    assert not thread.is_alive()


def test_threads_of_other_names_are_left_alone() -> None:
    goes_on = threading.Event()
    other = threading.Thread(target=goes_on.wait, args=[10], name="other")
    other.start()
    end_threads("slowly started")
    assert other.is_alive()
    goes_on.set()
    end_threads("other")
    assert not other.is_alive()
