"""Connections all of whose answer has come by a time, however slowly it trickles in."""

import http.client
import io
import select
import socket
import ssl
import time
from typing import Any


class Connection(http.client.HTTPConnection):
    """Connection to a server; ``end`` is the time by which all of the next answer has come."""

    end = 0.0

    def __init__(self, host: str, port: int | None) -> None:
        super().__init__(host, port)
        self.response_class: Any = self._response

    def _response(self, sock: socket.socket, *more: Any, **options: Any) -> http.client.HTTPResponse:
        source: Any = _Source(sock, self.end)
        return http.client.HTTPResponse(source, *more, **options)

    def is_quiet(self) -> bool:
        """Whether nothing came since the last answer: neither the end, nor what nobody asked for."""
        try:
            if hasattr(select, "poll"):
                poll = select.poll()
                poll.register(self.sock, select.POLLIN)
                return not poll.poll(0)
            return not select.select([self.sock], [], [], 0)[0]
        except (OSError, ValueError):
            return False


class SecureConnection(Connection):
    default_port = http.client.HTTPS_PORT

    def __init__(self, host: str, port: int | None, tls: ssl.SSLContext) -> None:
        super().__init__(host, port)
        self._tls = tls

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(left(self.end))  # of the whole handshake
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


class _Source(io.RawIOBase):
    """What comes over a socket until ``end``; later it is a time-out."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        self._sock, self._end = sock, end
        self._raw = sock.makefile("rb", buffering=0)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(left(self._end))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def left(end: float) -> float:
    """Seconds until ``end``. Raises TimeoutError when there are none."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
