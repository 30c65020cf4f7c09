"""A lane: dear work that few may do at once, so that what is answered from memory never waits for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from django.utils.translation import gettext as _
from rest_framework import exceptions


class BusyError(exceptions.APIException):
    """The lane is full; the caller may come again after ``wait`` seconds."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, wait: float) -> None:
        super().__init__(_("The server is busy. Send it again after %(wait)s s.") % {"wait": wait})
        self.wait = wait


class Lane:
    """Room in this process for ``at_once``; so many more may wait, each for so many ``seconds``.

    Who waits holds a thread, so that both bounds together say how many threads the lane takes at most.
    """

    def __init__(self, *, at_once: int, waiting: int, seconds: float, retry: int) -> None:
        """``retry``: seconds after which those who found no room are to come again."""
        self.most = at_once + waiting
        self._seconds, self._retry = seconds, retry
        self._inside = threading.BoundedSemaphore(self.most)
        self._working = threading.BoundedSemaphore(at_once)

    @contextmanager
    def entered(self, *, seconds: float | None = None) -> Iterator[None]:
        """Work in the lane. Raises BusyError where nobody more may wait, or the wait was in vain.

        ``seconds``: how long this one waits, instead of as long as the lane says.
        """
        if not self._inside.acquire(blocking=False):
            raise BusyError(self._retry)
        try:
            if not self._working.acquire(timeout=self._seconds if seconds is None else seconds):
                raise BusyError(self._retry)
            try:
                yield
            finally:
                self._working.release()
        finally:
            self._inside.release()
