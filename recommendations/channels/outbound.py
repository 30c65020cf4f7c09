"""The only way from a channel to a web address that others have given: by https, to public hosts, without a detour.

A name is looked up once and the connection goes to an address that was looked at, under the name's own certificate.
Proxies of the environment are not used.
"""

import os
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

PORTS = frozenset({443, 8443})
"""Where others may be spoken to; elsewhere is what speaks no https."""
LARGEST_ANSWER = 64 * 1024  # bytes; of a longer one the rest is not read
LONGEST_URL = 2_000
MOST_OPEN = 16  # connections that are kept for the next message
MOST_PATIENCE = 24 * 3600.0  # seconds
ANSWERED_WITHIN = 10.0  # seconds, from the connection to the last byte
EMBEDDING = (IPv6Network("64:ff9b::/96"), IPv6Network("2002::/16"), IPv6Network("2001::/32"))
"""Networks of IPv6 whose addresses carry one of IPv4, which may be anything."""
INSIDE = "it is inside this network"
OWN_HEADERS = {"User-Agent": "Recsite", "Accept-Encoding": "identity"}
FAULTS = (OSError, HTTPException, HTTPError, ValueError)


class ForbiddenAddressError(Exception):
    """An address that is not spoken to; the text says why, without the address."""


class NotConnectedError(Exception):
    """The line broke before anything was said on it."""


class CutOffError(Exception):
    """The line broke after something was said, and there was no answer."""


class WebPlace(NamedTuple):
    """An address on the web, taken apart. ``origin`` is as the settings of trusted ones have it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (443 if self.scheme == "https" else 80)
        return f"{self.scheme}://{host}" + ("" if usual else f":{self.port}")


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """What a server said, as far as it was read; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server wants to be left alone, where it says so in seconds, at most a day."""
        said = self.headers.get("retry-after", "")
        return min(float(said), MOST_PATIENCE) if said.isdecimal() and len(said) < len("100000000") else None


def place_of(url: str, *, trusted: Collection[str] = ()) -> WebPlace:
    """The place that an address names. Raises ForbiddenAddressError for one that may not be spoken to whatever its host
    turns out to be.

    ``trusted``: origins of this installation's own, which may be inside its network; http is for those on this machine.
    """
    if len(url) > LONGEST_URL or not url.isascii() or any(not "!" <= letter <= "~" or letter == "\\" for letter in url):
        raise ForbiddenAddressError("it is no address")
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme.lower(), (parts.hostname or "").rstrip(".")
        port = parts.port if parts.port is not None else 443 if scheme == "https" else 80
    except ValueError as error:
        raise ForbiddenAddressError("it is no address") from error
    if "@" in parts.netloc or not host or "%" in host:
        raise ForbiddenAddressError("it is no address")
    place = WebPlace(scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    if place.origin in trusted and scheme in {"http", "https"}:
        return place
    if scheme != "https":
        raise ForbiddenAddressError("it is not https")
    if port not in PORTS:
        raise ForbiddenAddressError("its port is not 443 or 8443")
    return place


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet's."""
    at = ip_address(address.partition("%")[0])
    if isinstance(at, IPv6Address):
        if any(at in network for network in EMBEDDING):
            return False
        at = at.ipv4_mapped or at
    return at.is_global and not at.is_multicast


class HttpClient:
    """Posts and gets, and keeps connections open for what comes next. ``tls`` stands for the certificates that are
    believed; ``timeout`` is what a request may take in all, in seconds, and ``largest`` what is read of an answer, in
    bytes. With ``plain_inside`` a trusted place may be spoken to by http within this network, too.
    """

    def __init__(
        self,
        *,
        trusted: Collection[str] = (),
        tls: ssl.SSLContext | None = None,
        timeout: float = ANSWERED_WITHIN,
        largest: int = LARGEST_ANSWER,
        plain_inside: bool = False,
    ) -> None:
        self._trusted, self._timeout = frozenset(trusted), timeout
        self._largest, self._plain_inside = largest, plain_inside
        self._tls = tls or ssl.create_default_context()
        self._open: dict[str, HTTPConnection] = {}

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Post once. A redirect is an answer like any other.

        Raises ForbiddenAddressError, NotConnectedError, CutOffError.
        """
        return self._ask("POST", url, headers=headers, body=body, until=time.monotonic() + self._timeout)

    def get(self, url: str, *, headers: Mapping[str, str], until: float | None = None) -> HttpAnswer:
        """Get once, ``until`` a moment of the monotonic clock where it comes before the timeout; else like a post."""
        latest = time.monotonic() + self._timeout
        return self._ask("GET", url, headers=headers, body=None, until=min(latest, until or latest))

    def _ask(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None, until: float
    ) -> HttpAnswer:
        place = place_of(url, trusted=self._trusted)
        connection = self._open.pop(place.origin, None)
        if connection is not None and not connection.is_connected:
            connection.close()
            connection = None
        if connection is None:
            connection = self._connected(place, until)
        with _ended_at(until, connection):
            asked = _Outgoing(method, place, {**OWN_HEADERS, **headers}, body)
            response = _exchange(connection, asked, until=until)
            text, is_whole = _body_of(response, largest=self._largest)
        names = {name.lower(): value for name, value in response.headers.items()}
        answer = HttpAnswer(status=response.status, headers=names, body=text)
        if is_whole and len(self._open) < MOST_OPEN:
            self._open[place.origin] = connection
        else:
            connection.close()
        return answer

    def close(self) -> None:
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def _connected(self, place: WebPlace, until: float) -> HTTPConnection:
        """A connection to the first address of a place that answers."""
        addresses = self._addresses(place)
        for address in addresses:
            connection = self._connection(place, address, until)
            try:
                with _ended_at(until, connection):
                    connection.connect()
            except FAULTS as error:
                connection.close()
                if address == addresses[-1] or time.monotonic() >= until:
                    raise NotConnectedError(type(error).__name__) from error
            else:
                return connection
        raise NotConnectedError("no address")

    def _addresses(self, place: WebPlace) -> list[str]:
        """The addresses that a host's name stands for, each of which may be spoken to."""
        try:
            rows = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, ValueError) as error:
            raise NotConnectedError("the host is not known") from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in rows))
        if place.scheme == "http":
            own = not any(map(is_public, addresses)) and self._plain_inside
            allowed = own or all(ip_address(address.partition("%")[0]).is_loopback for address in addresses)
        else:
            allowed = place.origin in self._trusted or all(map(is_public, addresses))
        if not addresses or not allowed:
            raise ForbiddenAddressError(INSIDE)
        return addresses

    def _connection(self, place: WebPlace, address: str, until: float) -> HTTPConnection:
        left = max(until - time.monotonic(), 0.001)
        if place.scheme == "http":
            return _PlainConnection(address, place.port, timeout=left)
        return _TlsConnection(address, place.port, timeout=left, ssl_context=self._tls, server_hostname=place.host)


class _Outgoing(NamedTuple):
    """A request as it goes out."""

    method: str
    place: WebPlace
    headers: Mapping[str, str]
    body: bytes | None


class _Cuttable(HTTPConnection):
    """A connection with a handle by which another thread can end it in whatever state it is."""

    handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        self.handle = socket.socket(fileno=os.dup(sock.fileno()))
        return sock

    def close(self) -> None:
        super().close()
        if self.handle is not None:
            self.handle.close()
        self.handle = None


class _PlainConnection(_Cuttable):
    pass


class _TlsConnection(_Cuttable, HTTPSConnection):
    pass


@contextmanager
def _ended_at(until: float, connection: HTTPConnection) -> Iterator[None]:
    """Cut a connection off at a moment, however slowly the other side goes on by then."""

    def cut() -> None:
        handle = getattr(connection, "handle", None)
        if handle is not None:
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(max(until - time.monotonic(), 0), cut)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _exchange(connection: HTTPConnection, asked: _Outgoing, *, until: float) -> BaseHTTPResponse:
    """Say it, and hear how the answer begins."""
    headers = {"Host": asked.place.origin.partition("://")[2], **asked.headers}
    try:
        if connection.sock is not None:
            connection.sock.settimeout(max(until - time.monotonic(), 0.001))
        connection.request(
            asked.method, asked.place.path, body=asked.body, headers=headers, preload_content=False,
            decode_content=False,
        )  # fmt: skip
        return connection.getresponse()
    except FAULTS as error:
        connection.close()
        raise CutOffError(type(error).__name__) from error


def _body_of(response: BaseHTTPResponse, *, largest: int) -> tuple[bytes, bool]:
    """The beginning of an answer, and whether it is all; where it breaks off its status still holds."""
    try:
        text = response.read(largest + 1, decode_content=False) or b""
        is_whole = len(text) <= largest and not response.read(1, decode_content=False)
    except FAULTS:
        return b"", False
    return text[:largest], is_whole
