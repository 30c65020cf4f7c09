"""Lanes of pages: staff and visitors take a bounded part of a process's threads, and the shop's answers have the rest.

A process has 18 threads. The login takes two of them at most, all other pages six, searches and batches of the API
three each, and one takes in what a form sent to a busy page (``busy``); so three answer what is made from memory and
take events in, whatever else goes on. Parts of pages, which ask again by themselves, take four of the six and wait for
half as long, so that a page finds room beside those of the pages before it.
docs/decisions/0013-pages-apart.md says what was measured.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Self

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from recommendations.api.errors import problem_handler
from recommendations.api.lane import BusyError, Lane
from recsite.busy import RETRY_SECONDS, busy_page

BUSY = "recsite.busy"
"""Set in the environment of a request that the process of pages has no room for (``forwarding``)."""

API = "/api/v1/"
FREE = ("/api/v1/", "/healthz", "/readyz", "/metrics", "/static/")  # the API has lanes of its own
ENTRANCE = ("/login", "/password", "/admin/login")  # nobody is known there, and a password is dear to check

_entrance = Lane(at_once=1, waiting=1, seconds=5.0, retry=RETRY_SECONDS)
_pages = Lane(at_once=2, waiting=4, seconds=10.0, retry=RETRY_SECONDS)
_parts = Lane(at_once=4, waiting=0, seconds=0, retry=RETRY_SECONDS)  # places of pages that their parts may take
PART_SECONDS = 5.0


class Lanes:
    """Middleware that lets few into the pages at once, and asks the others to come again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if BUSY in request.META:
            return _busy(request)
        lane = lane_of(request.path_info, request.method)
        if lane is None:
            return self._get_response(request)
        with ExitStack() as inside:
            try:
                _enter(request, lane, inside)
            except BusyError:
                return _busy(request)
            answer = self._get_response(request)
            if isinstance(answer, StreamingHttpResponse):
                answer.streaming_content = _Inside(iter(answer), inside.pop_all())
            return answer


def lane_of(path: str, method: str | None) -> Lane | None:
    """Lane of a request; None where everybody may go. To look at the login costs no more than another page."""
    if path.startswith(FREE):
        return None
    return _entrance if method == "POST" and path.startswith(ENTRANCE) else _pages


def _enter(request: HttpRequest, lane: Lane, inside: ExitStack) -> None:
    """Take a place in the lane for as long as ``inside`` is open. Raises BusyError."""
    if lane is _pages and request.headers.get("HX-Request") == "true":
        inside.enter_context(_parts.entered())
        inside.enter_context(lane.entered(seconds=PART_SECONDS))
    else:
        inside.enter_context(lane.entered())


class _Inside:
    """Content that is still being made: the place in the lane is held until it is sent."""

    def __init__(self, content: Iterator[bytes], inside: ExitStack) -> None:
        self._content, self._inside = content, inside

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._content)

    def close(self) -> None:
        self._inside.close()


def _busy(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith(API):
        return problem_handler(BusyError(RETRY_SECONDS), {})
    return busy_page(request)
