"""Requests for what is dear are handed on to the process of pages, which answers in this one's place.

So dear work never shares an interpreter with the shop's answers, and one address serves both. Where ``PAGES_URL`` is
not set, or nobody listens there, a process answers all by itself. docs/decisions/0013-pages-apart.md says why.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote, urlsplit

from django.utils.crypto import constant_time_compare, salted_hmac

from recommendations.api.lane import BusyError, Lane
from recsite.busy import RETRY_SECONDS
from recsite.lanes import BUSY, FREE

DEAR = frozenset({"/api/v1/recommendations/batch/", "/api/v1/items/batch/"})
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 120.0  # between two parts of an answer
PART = 65_536  # bytes
OURS = "X-Recsite-Forwarded"  # proof, and the address of the client
_OURS = "HTTP_X_RECSITE_FORWARDED"
# What is about one connection (RFC 9110, 7.6.1), or what our own server says itself.
_OF_CONNECTION = {
    "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect", "date",
    "server", OURS.lower(),
}  # fmt: skip
_IN_PATH = "/:@!$&'()*+,;=~"

type Environ = dict[str, Any]
type StartResponse = Callable[..., Any]
type App = Callable[[Environ, StartResponse], Iterable[bytes]]


class Forwarding:
    """WSGI application in front of Django's."""

    def __init__(self, django: App, *, to: str) -> None:
        """``to``: the address of the process of pages; "" where there is none."""
        self._django, self._to = django, urlsplit(to)
        self._proof = salted_hmac("recsite.forwarding", "proof", algorithm="sha256").hexdigest()
        # Twelve of 18 threads wait for pages at most; the process of pages has its own bounds.
        self._room = Lane(at_once=12, waiting=0, seconds=0, retry=RETRY_SECONDS)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        proof, _, address = environ.pop(_OURS, "").partition(" ")
        if constant_time_compare(proof, self._proof):
            environ["REMOTE_ADDR"] = address
            return self._django(environ, start_response)
        if not self._to.hostname or not is_dear(environ):
            return self._django(environ, start_response)
        with ExitStack() as opened:
            try:
                opened.enter_context(self._room.entered())
                line = HTTPConnection(self._to.hostname, self._to.port or 80, timeout=CONNECT_SECONDS)
                opened.callback(line.close)
                line.connect()
            except BusyError:
                return self._django({**environ, BUSY: True}, start_response)
            except OSError:
                return self._django(environ, start_response)
            try:
                reply = self._reply(line, environ)
            except (OSError, HTTPException):
                return self._django({**environ, BUSY: True}, start_response)
            headers = [(name, value) for name, value in reply.getheaders() if name.lower() not in _OF_CONNECTION]
            start_response(f"{reply.status} {reply.reason}", headers)
            return _Content(reply, opened.pop_all())

    def _reply(self, line: HTTPConnection, environ: Environ) -> HTTPResponse:
        line.sock.settimeout(ANSWER_SECONDS)
        path, query = quote(environ["PATH_INFO"].encode("latin-1"), safe=_IN_PATH), environ.get("QUERY_STRING", "")
        target = f"{path}?{query}" if query else path
        line.putrequest(environ["REQUEST_METHOD"], target, skip_host=True, skip_accept_encoding=True)
        for name, value in _headers(environ):
            line.putheader(name, value.encode("latin-1"))
        line.putheader(OURS, f"{self._proof} {environ.get('REMOTE_ADDR', '')}")
        line.endheaders()
        for part in _parts(environ):
            line.send(part)
        return line.getresponse()


def is_dear(environ: Environ) -> bool:
    """Whether the process of pages is to answer; a body in chunks is refused here."""
    path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
    if "HTTP_TRANSFER_ENCODING" in environ:
        return False
    if not path.startswith(FREE):
        return True
    return path in DEAR or ("search_term=" in query and "item_id=" not in query)


class _Content:
    """Content of an answer as it comes; its end, or that of the client, closes the connection."""

    def __init__(self, reply: HTTPResponse, opened: ExitStack) -> None:
        self._reply, self._opened = reply, opened

    def __iter__(self) -> Iterator[bytes]:
        while part := self._reply.read1(PART):
            yield part

    def close(self) -> None:
        self._opened.close()


def _headers(environ: Environ) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            header = name.removeprefix("HTTP_").replace("_", "-")
            if header.lower() not in _OF_CONNECTION:
                yield header.title(), value
    for name, header in (("CONTENT_TYPE", "Content-Type"), ("CONTENT_LENGTH", "Content-Length")):
        if environ.get(name):
            yield header, environ[name]


def _parts(environ: Environ) -> Iterator[bytes]:
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left and (part := environ["wsgi.input"].read(min(left, PART))):
        left -= len(part)
        yield part
