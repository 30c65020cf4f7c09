"""Requests over connections that stay open; what failed for the moment is sent again, byte for byte."""

import http.client
import json
import os
import random
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

from recsite_client.connections import Connection, SecureConnection, left
from recsite_client.problems import (
    SHOWN,
    MisdirectedError,
    ProblemError,
    RedirectedError,
    SettingError,
    UnreachableError,
)

REFUSED = frozenset({429, 503})
"""Statuses that, with ``Retry-After``, say that nothing was done, so that anything may be sent again."""
BUSY = REFUSED | {502, 504}
"""Statuses after which the same request may succeed; whether it was done meanwhile is not known."""
ANYTHING = (OSError, http.client.HTTPException, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Errors that the library makes of what a server may send."""
FIRST_PAUSE = 0.1  # seconds; doubled by every try
LONGEST_PAUSE = 10.0
MOST_IDLE = 32  # connections that are kept open


class Transport:
    """Pool of connections to one server; threads may share it, and so may what a process forks into."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = _checked(url)
        parts = urlsplit(self._url)
        self._host, self._port, self._prefix = parts.hostname or "", parts.port, parts.path
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._headers = dict(headers)
        self._process, self._lock = os.getpid(), threading.Lock()
        self._idle: list[Connection] = []

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        timeout: float,
        patience: float = 0.0,
        repeatable: bool = True,
        expects: str | None = None,
    ) -> Any:
        """Return the JSON object of a good answer (2xx), which has the field that it ``expects``; None: it is empty.

        ``timeout`` is of one try, from the connection to the last byte; for ``patience`` seconds the request repeats,
        and where it is not ``repeatable`` only after an answer that says that nothing was done. Raises RecsiteErrors.
        """
        end, pause = time.monotonic() + patience, FIRST_PAUSE
        while True:
            wait = pause * random.uniform(0.5, 1)  # noqa: S311 - so that many clients do not come back at once
            try:
                kept = self._take() if repeatable else None
                return self._answer(kept, method, path, body, end=time.monotonic() + timeout, expects=expects)
            except ProblemError as error:
                refused = error.status in REFUSED and error.retry_after is not None
                wait = max(wait, error.retry_after or 0)
                if not (refused or (repeatable and error.status in BUSY)) or time.monotonic() + wait > end:
                    raise
            except UnreachableError:
                if not repeatable or time.monotonic() + wait > end:
                    raise
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _answer(
        self, kept: Connection | None, method: str, path: str, body: bytes | None, *, end: float, expects: str | None
    ) -> Any:
        if kept is not None:
            # The server may have closed it meanwhile, which is no failure of the server.
            with suppress(_ClosedMeanwhileError):
                return self._ask(kept, method, path, body, end=end, expects=expects)
        return self._ask(self._connect(), method, path, body, end=end, expects=expects)

    def _ask(
        self, connection: Connection, method: str, path: str, body: bytes | None, *, end: float, expects: str | None
    ) -> Any:
        reused, connection.end = connection.sock is not None, end
        good = False
        try:
            headers = self._headers if body is None else self._headers | {"Content-Type": "application/json"}
            if not reused:
                connection.timeout = left(end)
                connection.connect()
            connection.sock.settimeout(left(end))  # of all that is sent
            connection.request(method, self._prefix + path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            result = self._result(answer, content, path, expects=expects)
            good = True
        except ProblemError:
            good = True  # an answer like any other
            raise
        except MisdirectedError:
            raise
        except ANYTHING as error:
            if reused and isinstance(error, ConnectionError):
                raise _ClosedMeanwhileError from error
            raise UnreachableError(f"{self._host}: {type(error).__name__} {error}".rstrip()) from error
        finally:
            self._give(connection, open_still=good and not answer.will_close)
        return result

    def _result(self, answer: http.client.HTTPResponse, content: bytes, path: str, *, expects: str | None) -> Any:
        """The object that an answer is. Raises ProblemError, RedirectedError and MisdirectedError."""
        status = answer.status
        if status >= 400:
            raise ProblemError.of(
                status,
                content,
                retry_after=_seconds(answer.getheader("Retry-After")),
                request_id=answer.getheader("X-Request-ID"),
            )
        if not 200 <= status < 300:
            self._redirected(status, answer.getheader("Location"), path)
        if expects is None and not content:
            return None
        try:
            result = json.loads(content, parse_constant=_no_number)
        except (ValueError, RecursionError):
            result = None
        if not isinstance(result, dict) or (expects is not None and expects not in result):
            start = content[:SHOWN].decode(errors="replace")
            raise MisdirectedError(f"{status}, but no answer of Recsite's API: {start!r}", status=status)
        return result

    def _redirected(self, status: int, location: str | None, path: str) -> NoReturn:
        url = None
        if location is not None:
            with suppress(ValueError):
                location = urljoin(self._url + path, location)
                base = location.removesuffix(path)
                url = base if base not in {location, self._url} else None
        raise RedirectedError(status, location, url=url)

    def _connect(self) -> Connection:
        return (
            Connection(self._host, self._port)
            if self._tls is None
            else SecureConnection(self._host, self._port, self._tls)
        )

    def _take(self) -> Connection | None:
        if self._process != os.getpid():
            self._forget()
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.is_quiet():
                return connection
            connection.close()

    def _give(self, connection: Connection, *, open_still: bool) -> None:
        with self._lock:
            if open_still and len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _forget(self) -> None:
        """Begin without connections: those of the process that this one was forked from are its own."""
        self._process, self._lock, self._idle = os.getpid(), threading.Lock(), []


class _ClosedMeanwhileError(Exception):
    """A connection that had been kept open was closed, before anything came of the request."""


def _checked(url: str) -> str:
    """The url without a slash at its end. Raises SettingError."""
    wrong = f"{url!r} is no address such as https://recsite.example"
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")
    except (ValueError, AttributeError, TypeError) as error:  # UnicodeError is a ValueError
        raise SettingError(wrong) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise SettingError(wrong)
    plain = url.isascii() and url.isprintable() and " " not in url
    if parts.query or parts.fragment or parts.username is not None or not plain:
        raise SettingError(f"{wrong}: leave out user names, queries and odd characters")
    return url.rstrip("/")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not in JSON")


def _seconds(retry_after: str | None) -> float | None:
    """Seconds to wait, from a header that holds seconds or a date (RFC 9110); None where there are none."""
    if retry_after is None:
        return None
    try:
        if retry_after.isdecimal():
            return float(retry_after)
        then = parsedate_to_datetime(retry_after)
        return max(0.0, (then - datetime.now(timezone.utc)).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
