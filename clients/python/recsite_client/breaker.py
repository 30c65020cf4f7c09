"""Breaker: after several failures in a row nobody waits for Recsite for a short time, and then one asks for all."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from recsite_client.problems import ProblemError, RecsiteError, RestingError, UnreachableError

FAILURES = 5  # in a row
WINDOW = 10.0  # seconds within which they come
REST = 2.0  # seconds until one may ask again
AWAY = frozenset({502, 504})
"""Statuses by which a proxy says that Recsite gave it no answer; any other answer shows that it is there."""


class CircuitBreaker:
    """Breaker that threads share: closed, open (everybody fails at once), or with one probe under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._open_until: float | None = None
        self._probing = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch what comes of a question. Raises RestingError where it must not be asked now."""
        probe, answers = self._enter(), None
        try:
            yield
            answers = True
        except RecsiteError as error:
            answers = not _is_failure(error)
            raise
        finally:
            self._note(answers, probe=probe)

    def _enter(self) -> bool:
        """Let a question through, or raise RestingError; whether it is the probe."""
        with self._lock:
            if self._open_until is None:
                return False
            if self._probing or time.monotonic() < self._open_until:
                raise RestingError("Recsite did not answer a moment ago")
            self._probing = True
            return True

    def _note(self, answers: bool | None, *, probe: bool) -> None:  # noqa: FBT001 - None: it was broken off
        with self._lock:
            if probe:
                self._probing = False
            if answers:
                self._failures.clear()
                self._open_until = None
            elif answers is False and (probe or self._open_until is None):  # others were under way when it opened
                now = time.monotonic()
                self._failures.append(now)
                full = len(self._failures) == FAILURES and now - self._failures[0] <= WINDOW
                if probe or full:
                    self._open_until = now + REST


def _is_failure(error: RecsiteError) -> bool:
    return isinstance(error, UnreachableError) or (isinstance(error, ProblemError) and error.status in AWAY)
