"""Fetching of a feed by http(s): again only where it changed, never from elsewhere, and within bounds."""

import base64
import http.client
import os
import socket
import ssl
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from recommendations.channels.outbound import is_public
from recommendations.store.imports.table_files import MEGABYTE

SCHEMES = ("http", "https")
CONNECTING, READING, IN_ALL = 10, 60, 30 * 60  # seconds
LARGEST = 2 * 1024 * MEGABYTE
MOST_REDIRECTS = 5
CHUNK = MEGABYTE // 4
AGENT = "Recsite feed"
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class FeedAwayError(Exception):
    """The address gave no feed; the message names it without its secrets, and says what to do."""


class Validators(NamedTuple):
    """What the server said of a feed, by which it knows whether that changed."""

    etag: str = ""
    modified: str = ""


class Fetched(NamedTuple):
    path: Path
    validators: Validators


def is_address(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def host_of(source: str) -> str:
    """Host of an address; "" for anything else."""
    return (urlsplit(source).hostname or "") if is_address(source) else ""


def without_secrets(address: str) -> str:
    """Address without what may be secret: a name with its password, and what follows the question mark."""
    parts = urlsplit(address)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}{'?…' if parts.query else ''}"


def roomy() -> str | None:
    """The folder of data, which has more room than that of temporary files; None where it cannot be written to."""
    folder = Path(settings.DATA)
    return str(folder) if folder.is_dir() and os.access(folder, os.W_OK) else None


def fetch(address: str, *, folder: Path, known: Validators | None = None, trusted: str = "") -> Fetched | None:
    """Fetch a feed into a folder; None where the server says that it is the known one.

    The ``trusted`` host alone may have an address inside the shop's own network. Raises FeedAwayError.
    """
    until, url = time.monotonic() + IN_ALL, address
    for _turn in range(MOST_REDIRECTS + 1):
        parts = urlsplit(url)
        login = _login(urlsplit(address)) if _place(url) == _place(address) else None
        try:
            with (
                closing(_connection(parts, trusted=trusted, named=without_secrets(url))) as connection,
                _ask(connection, parts, known=known, login=login) as answer,
            ):
                if answer.status in REDIRECTS:
                    url = _next(url, answer)
                    continue
                if answer.status == http.HTTPStatus.NOT_MODIFIED and known:
                    return None
                if answer.status != http.HTTPStatus.OK:
                    raise _refused(url, answer.status)
                path = folder / (Path(unquote(parts.path)).name[:100] or "feed")
                _store(answer, path, until=until, named=without_secrets(url))
                said = (answer.getheader(name) or "" for name in ("ETag", "Last-Modified"))
                return Fetched(path, Validators(*said))
        except (OSError, http.client.HTTPException, ValueError) as error:
            text = _("%(address)s could not be read (%(reason)s). Does it open from this machine?")
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise FeedAwayError(text % {"address": without_secrets(url), "reason": str(reason)[:150]}) from error
    text = _("%(address)s leads from one address to the next without end. Give the last one.")
    raise FeedAwayError(text % {"address": without_secrets(address)})


def _place(url: str) -> tuple[str, str]:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2]


class _Direct(http.client.HTTPConnection):
    """Connection to an address that was looked at before, so that the name cannot mean another one meanwhile."""

    def __init__(self, parts: SplitResult, places: list[str], *, tls: ssl.SSLContext | None) -> None:
        port = parts.port or (443 if tls else 80)
        super().__init__(parts.hostname or "", port, timeout=CONNECTING)
        self._places, self._tls = places, tls
        self.default_port = 443 if tls else 80

    def connect(self) -> None:
        for place in self._places:
            try:
                self.sock = socket.create_connection((place, self.port), CONNECTING)
                break
            except OSError:
                if place == self._places[-1]:
                    raise
        if self._tls:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)
        self.sock.settimeout(READING)


def _connection(parts: SplitResult, *, trusted: str, named: str) -> _Direct:
    """Connection to the host; one inside the shop's own network is refused unless it is the trusted one."""
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise FeedAwayError(_("%(address)s is no address of a feed; write https://…") % {"address": named})
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    try:
        answers = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError) as error:
        text = _("%(address)s: the host is not known. Is the name right, and does this machine reach a name server?")
        raise FeedAwayError(text % {"address": named}) from error
    places = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if parts.hostname != trusted and not all(map(is_public, places)):
        text = _(
            "%(address)s is inside this network, where only the host of ITEM_FEED is asked. Set ITEM_FEED to it, or "
            "fetch the file yourself."
        )
        raise FeedAwayError(text % {"address": named})
    return _Direct(parts, places, tls=tls)


def _ask(
    connection: _Direct, parts: SplitResult, *, known: Validators | None, login: str | None
) -> http.client.HTTPResponse:
    headers = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
    if known and known.etag:
        headers["If-None-Match"] = known.etag
    if known and known.modified:
        headers["If-Modified-Since"] = known.modified
    if login:
        headers["Authorization"] = login
    connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), headers=headers)
    return connection.getresponse()


def _login(parts: SplitResult) -> str | None:
    """Header of the name and password in an address, which only its own host gets."""
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _next(url: str, answer: http.client.HTTPResponse) -> str:
    """Where an answer leads; never to another scheme, by which a secret could be read or another thing be asked."""
    to = urljoin(url, answer.getheader("Location") or "")
    if urlsplit(to).scheme != urlsplit(url).scheme:
        text = _("%(address)s leads to %(to)s, by another protocol. If that is right, give that address.")
        raise FeedAwayError(text % {"address": without_secrets(url), "to": without_secrets(to)})
    return to


def _refused(url: str, status: int) -> FeedAwayError:
    texts = {
        401: _("%(address)s asks for a login: write https://name:password@…"),
        403: _("%(address)s is forbidden to us (403). Let this machine in."),
        404: _("%(address)s has no feed (404). Is the address right?"),
    }
    other = _("%(address)s answered %(status)s. Look at the shop's server, and try again.")
    return FeedAwayError(texts.get(status, other) % {"address": without_secrets(url), "status": status})


def _store(answer: http.client.HTTPResponse, path: Path, *, until: float, named: str) -> None:
    """Write what comes to disk, within bounds of size and time; a part of a feed is none."""
    words = {"address": named, "most": f"{LARGEST // MEGABYTE:,}", "minutes": IN_ALL // 60}
    told, size = answer.getheader("Content-Length"), 0
    with path.open("wb") as file:
        while block := answer.read1(CHUNK):  # not read(), which waits for all of it however slowly it comes
            size += len(block)
            if size > LARGEST:
                raise FeedAwayError(_("%(address)s is larger than %(most)s MB. Split the feed.") % words)
            if time.monotonic() > until:
                raise FeedAwayError(_("%(address)s took longer than %(minutes)s minutes.") % words)
            file.write(block)
    if told is not None and size != int(told):
        raise FeedAwayError(_("%(address)s broke off in the middle; it is asked again later.") % words)
