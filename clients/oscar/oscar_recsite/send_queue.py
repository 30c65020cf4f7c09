"""Queue beside the requests: what a shop tells Recsite waits here, and one thread of the process sends it.

A request puts and goes on. While Recsite is away the queue fills up to a bound, and what comes then is left out, and
counted; orders have room of their own. The module knows neither Django nor Oscar.
"""

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from recsite_client import MisdirectedError, ProblemError, RecsiteError, UnreachableError

log = logging.getLogger("oscar_recsite")

Delivery: TypeAlias = Callable[[Sequence[Any]], object]
MOST = 10_000  # things that wait, all but orders
MOST_ORDERS = 10_000  # that wait beyond those
BATCH = 500
COMPANY = 0.05  # seconds in which things that come together go together
SHORTEST_PAUSE, FIRST_PAUSE, LONGEST_PAUSE = 0.2, 1.0, 60.0
AGAIN = frozenset({429, 502, 503, 504})
"""Statuses after which the same may be taken."""


class SendQueue:
    """Things to be delivered in order, each by the delivery of its kind, which gets what of it stands together.

    A delivery that raises UnreachableError, MisdirectedError or a ProblemError of ``AGAIN`` is tried again with the
    same things; after any other error they are given up, and the log says why.
    """

    def __init__(self, deliveries: Mapping[str, Delivery], *, most: int = MOST, threaded: bool = True) -> None:
        self._deliveries, self._most, self._threaded = deliveries, most, threaded
        self._begin()

    def put(self, kind: str, thing: Any, *, precious: bool = False) -> bool:
        """Let a thing wait; False where there is no room."""
        if self._process != os.getpid():
            self._begin()  # the things of the process that this one was forked from are its own
        with self._changed:
            if len(self._waiting) >= self._most + (MOST_ORDERS if precious else 0):
                self._lost += 1
                return False
            self._waiting.append((kind, thing))
            self._changed.notify_all()
        if self._threaded:
            self._run()
        return True

    def flush(self, seconds: float) -> bool:
        """Wait until everything is sent, or so long; whether it is."""
        end = time.monotonic() + seconds
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            while (self._waiting or self._busy) and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)
            return not (self._waiting or self._busy)

    def close(self, seconds: float) -> None:
        """Flush at the end of the process, and say what was not sent."""
        if self._process == os.getpid() and not self.flush(seconds):
            log.warning(
                "%d messages to Recsite were not sent; `manage.py recsite_orders` sends orders again", len(self)
            )

    def deliver(self) -> bool:
        """Deliver the next things in this thread, and return whether that may go on; False: wait and try again."""
        with self._changed:
            things = self._next()
            self._busy = bool(things)
        if not things:
            return True
        kind, again = things[0][0], False
        try:
            self._deliveries[kind]([thing for _kind, thing in things])
        except RecsiteError as error:
            again = _may_succeed(error)
            then = "tried again soon" if again else "given up"
            log.warning("Recsite did not take %d %s, which are %s: %s", len(things), kind, then, error)
        finally:  # an error that nobody foresaw goes on its way, and the things are given up
            with self._changed:
                if not again:
                    for _ in things:
                        self._waiting.popleft()
                self._busy = False
                self._changed.notify_all()
        return not again

    def __len__(self) -> int:
        return len(self._waiting)

    def _begin(self) -> None:
        self._process, self._changed = os.getpid(), threading.Condition()
        self._waiting: deque[tuple[str, Any]] = deque()
        self._thread: threading.Thread | None = None
        self._busy = self._hurry = False
        self._lost = 0

    def _next(self) -> list[tuple[str, Any]]:
        """The first things that are of one kind; they stay where they are until they are delivered."""
        things: list[tuple[str, Any]] = []
        for kind, thing in self._waiting:
            if len(things) == BATCH or (things and things[0][0] != kind):
                break
            things.append((kind, thing))
        return things

    def _run(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            with self._changed:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._work, name="recsite", daemon=True)
                    self._thread.start()

    def _work(self) -> None:
        """Send what waits, for ever. Where an error that nobody foresaw ends this thread, another goes on."""
        try:
            self._send_for_ever()
        finally:
            self._thread = None
            if self._waiting:
                self._run()

    def _send_for_ever(self) -> None:
        pause = FIRST_PAUSE
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                if not self._hurry:
                    self._changed.wait(COMPANY)
            if self.deliver():
                pause = FIRST_PAUSE
                self._say_losses()
            else:
                self._rest(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def _rest(self, seconds: float) -> None:
        """Wait so long, or, where the process is about to end, a moment."""
        with self._changed:
            in_a_hurry = self._changed.wait_for(lambda: self._hurry, seconds)
        if in_a_hurry:
            time.sleep(min(seconds, SHORTEST_PAUSE))

    def _say_losses(self) -> None:
        with self._changed:
            lost, self._lost = self._lost, 0
        if lost:
            log.warning("%d messages to Recsite were left out while it was away, as the queue was full", lost)


def _may_succeed(error: RecsiteError) -> bool:
    if isinstance(error, ProblemError):
        return error.status in AGAIN
    return isinstance(error, UnreachableError | MisdirectedError)


def close_at_exit(queue: SendQueue, seconds: Callable[[], float]) -> None:
    atexit.register(lambda: queue.close(seconds()))
