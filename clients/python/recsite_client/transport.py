"""Requests over connections that stay open; what failed for the moment is sent again, byte for byte."""

import http.client
import random
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from recsite_client.problems import ProblemError, UnreachableError

BUSY = frozenset({429, 502, 503, 504})
"""Statuses of an answer after which the same request may succeed."""
FIRST_PAUSE = 0.1  # seconds; doubled by every try
LONGEST_PAUSE = 10.0
MOST_IDLE = 32  # connections that are kept open


class Transport:
    """Pool of connections to one server; threads may share it."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is no address such as https://recsite.example")
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._headers = dict(headers)
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def request(
        self, method: str, path: str, body: bytes | None = None, *, timeout: float, patience: float = 0.0
    ) -> bytes:
        """Return the body of a good answer. ``timeout`` is of one try; for ``patience`` seconds the request repeats.

        Raises ProblemError and UnreachableError.
        """
        end, pause = time.monotonic() + patience, FIRST_PAUSE
        while True:
            wait = pause * random.uniform(0.5, 1)  # noqa: S311 - so that many clients do not come back at once
            try:
                return self._answer(method, path, body, timeout)
            except ProblemError as error:
                wait = max(wait, error.retry_after or 0)
                if error.status not in BUSY or time.monotonic() + wait > end:
                    raise
            except UnreachableError:
                if time.monotonic() + wait > end:
                    raise
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _answer(self, method: str, path: str, body: bytes | None, timeout: float) -> bytes:
        connection = self._take()
        if connection is not None:
            # The server may have closed it meanwhile, which is no failure of the server.
            with suppress(ConnectionError):
                return self._ask(connection, method, path, body, timeout)
        return self._ask(self._connect(timeout), method, path, body, timeout)

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, timeout: float
    ) -> bytes:
        reused = connection.sock is not None
        try:
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
            headers = self._headers if body is None else self._headers | {"Content-Type": "application/json"}
            connection.request(method, self._prefix + path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if reused and isinstance(error, ConnectionError):
                raise
            raise UnreachableError(f"{self._host}: {type(error).__name__} {error}".rstrip()) from error
        self._give(connection, open_still=not answer.will_close)
        if answer.status >= 400:
            raise ProblemError.of(answer.status, content, retry_after=_seconds(answer.getheader("Retry-After")))
        return content

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)

    def _take(self) -> http.client.HTTPConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give(self, connection: http.client.HTTPConnection, *, open_still: bool) -> None:
        with self._lock:
            if open_still and len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()


def _seconds(retry_after: str | None) -> float | None:
    """Seconds to wait, from a header that holds seconds or a date (RFC 9110); None where there are none."""
    if retry_after is None:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
