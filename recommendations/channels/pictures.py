"""Pictures of items from the addresses that the shop gave: by https, of public hosts, and small enough to look at.

A redirect is followed where its target may be asked, too; each host is asked for two pictures at a time at most.
"""

import re
import ssl
import threading
import time
from collections.abc import Collection
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote, urljoin

from recommendations.channels.outbound import (
    CutOffError,
    ForbiddenAddressError,
    HttpAnswer,
    HttpClient,
    NotConnectedError,
    place_of,
)
from recommendations.vector_terms import PictureFault

LARGEST = 5 * 1024 * 1024  # bytes
PATIENCE = 5.0  # seconds of one picture, with all of its redirects
AT_ONCE = 2  # pictures of one host
MOST_REDIRECTS = 3
MOST_SILENT = 3  # pictures that a host gives no answer to, after which it is left alone
LONGEST_ETAG = 200
ETAG = re.compile(r'(?:W/)?"[!#-~]*"')
WRITTEN = "/#%[]=:;$&()+,!?*@'~"  # stands in an address as it is (RFC 3986)
KINDS = "image/jpeg, image/png, image/webp, image/avif, image/gif"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
NOWHERE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class NoPictureError(Exception):
    """There is no picture at the address, and why."""

    def __init__(self, fault: PictureFault) -> None:
        super().__init__(fault)
        self.fault = fault


class SilentHostError(Exception):
    """The host gave no answer to others just now, and was not asked."""


class FetchedPicture(NamedTuple):
    """A picture as it lies at its address; without a body it is the one that is known."""

    body: bytes | None
    etag: str


class PictureClient:
    """Fetches pictures, in as many threads as one likes. ``trusted`` and ``tls`` are as HttpClient has them."""

    def __init__(
        self, *, trusted: Collection[str] = (), tls: ssl.SSLContext | None = None, patience: float = PATIENCE
    ) -> None:
        self._trusted, self._tls, self._patience = frozenset(trusted), tls, patience
        self._of_thread, self._clients = threading.local(), list[HttpClient]()
        self._lock = threading.Lock()
        self._gates: dict[str, threading.Semaphore] = {}
        self._silences: dict[str, int] = {}

    def fetch(self, url: str, *, etag: str = "") -> FetchedPicture:
        """Fetch a picture, or hear that it is the one of an ETag. Raises NoPictureError, SilentHostError."""
        address = quote(f"https:{url}" if url.startswith("//") else url, safe=WRITTEN)  # as browsers write it
        left = self._patience
        headers = {"Accept": KINDS} | ({"If-None-Match": etag} if etag else {})
        for _hop in range(MOST_REDIRECTS + 1):
            answer, spent = self._answer(address, headers, left)
            left -= spent
            target = answer.headers.get("location", "")
            if answer.status not in REDIRECTS or not target:
                return _picture_of(answer, asked_with=etag)
            try:
                address = urljoin(address, quote(target, safe=WRITTEN, encoding="latin-1"))
            except ValueError as error:
                raise NoPictureError(PictureFault.FORBIDDEN) from error
        raise NoPictureError(PictureFault.STATUS)

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def _answer(self, url: str, headers: dict[str, str], left: float) -> tuple[HttpAnswer, float]:
        """The answer to one request, and the seconds that it took once it was this one's turn."""
        try:
            host = place_of(url, trusted=self._trusted).host
            with self._gate(host):
                if self._silences.get(host, 0) >= MOST_SILENT:
                    raise SilentHostError
                began = time.monotonic()
                try:
                    answer = self._client().get(url, headers=headers, until=began + left)
                    if answer.status == HTTPStatus.OK and not answer.body:
                        raise CutOffError("it broke off")
                except (NotConnectedError, CutOffError):
                    self._silences[host] = self._silences.get(host, 0) + 1
                    raise
                self._silences[host] = 0
                return answer, time.monotonic() - began
        except ForbiddenAddressError as error:
            raise NoPictureError(PictureFault.FORBIDDEN) from error
        except (NotConnectedError, CutOffError) as error:
            raise NoPictureError(PictureFault.NO_ANSWER) from error

    def _gate(self, host: str) -> threading.Semaphore:
        with self._lock:
            return self._gates.setdefault(host, threading.Semaphore(AT_ONCE))

    def _client(self) -> HttpClient:
        """The client of this thread, whose connections no other one uses."""
        client: HttpClient | None = getattr(self._of_thread, "client", None)
        if client is None:
            client = self._of_thread.client = HttpClient(
                trusted=self._trusted, tls=self._tls, timeout=self._patience, largest=LARGEST + 1, plain_inside=True
            )
            with self._lock:
                self._clients.append(client)
        return client


def _picture_of(answer: HttpAnswer, *, asked_with: str) -> FetchedPicture:
    if answer.status == HTTPStatus.NOT_MODIFIED and asked_with:
        return FetchedPicture(None, asked_with)
    if answer.status in NOWHERE:
        raise NoPictureError(PictureFault.GONE)
    if answer.status != HTTPStatus.OK:
        raise NoPictureError(PictureFault.STATUS)
    if not answer.headers.get("content-type", "").strip().lower().startswith("image/"):
        raise NoPictureError(PictureFault.NOT_A_PICTURE)
    if len(answer.body) > LARGEST:
        raise NoPictureError(PictureFault.TOO_LARGE)
    etag = answer.headers.get("etag", "")
    return FetchedPicture(answer.body, etag if len(etag) <= LONGEST_ETAG and ETAG.fullmatch(etag) else "")
