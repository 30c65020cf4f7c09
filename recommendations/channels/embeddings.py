"""A service that turns texts into vectors: ``POST /embeddings``, in the form that most of them understand.

It is spoken to by https at public addresses, and inside this network where its address names such a place itself; a
redirect is no answer. What is sent are texts of the catalogue and the name of a model.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from recommendations.channels.outbound import (
    CutOffError,
    ForbiddenAddressError,
    HttpAnswer,
    HttpClient,
    NotConnectedError,
    WebPlace,
    is_public,
    place_of,
)

TRIES = 3
PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before the second try, and at most before another
LARGEST_ANSWER = 16 * 1024 * 1024  # bytes: 64 vectors of 3,072 numbers are about 4 MB
WORTH_ANOTHER = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)}
)
INSIDE = (".internal", ".local", ".lan", ".home.arpa", ".localhost")


class NoEmbeddingsError(Exception):
    """The service gave no vectors; the text says why, without the address or the key."""


class _Embedding(msgspec.Struct):
    embedding: list[float]
    index: int | None = None


class _Embeddings(msgspec.Struct):
    data: list[_Embedding]


def names_inside(host: str) -> bool:
    """Whether the name of a host itself says that it is inside the network: by its address, or one that no one else
    can have.
    """
    with suppress(ValueError):
        return not is_public(str(ip_address(host)))
    return "." not in host or host.lower().endswith(INSIDE)


def service_place(url: str) -> WebPlace:
    """The place that the address of a service names. Raises ForbiddenAddressError for one that may not be spoken to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ForbiddenAddressError("it is no address") from error
    own = WebPlace(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), "/")
    return place_of(url, trusted=[own.origin] if host and names_inside(host) else [])


class EmbeddingService:
    """A line to a service at an address such as ``https://embed.example/v1``."""

    def __init__(
        self, url: str, *, model: str, key: str, client: HttpClient | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:  # fmt: skip
        place = service_place(url)
        inside = [place.origin] if names_inside(place.host) else []
        self._url = url.rstrip("/").removesuffix("/embeddings") + "/embeddings"
        self._model, self._key, self._sleep = model, key, sleep
        self._client = client or HttpClient(trusted=inside, largest=LARGEST_ANSWER, plain_inside=True)

    def embed(self, texts: Sequence[str]) -> list[Sequence[float] | None]:
        """Vectors of texts, in their order; None for a text that got none. Raises NoEmbeddingsError."""
        body = msgspec.json.encode({"model": self._model, "input": texts})
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        answer = self._answer(headers, body)
        try:
            given = msgspec.json.decode(answer.body, type=_Embeddings).data
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise NoEmbeddingsError("its answer is no list of embeddings") from error
        vectors: list[Sequence[float] | None] = [None] * len(texts)
        for place, one in enumerate(given):
            at = place if one.index is None else one.index
            if 0 <= at < len(texts):
                vectors[at] = one.embedding
        return vectors

    def close(self) -> None:
        self._client.close()

    def _answer(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """The answer to a post, which is tried again with growing pauses where that may help."""
        reason, pause = "", PAUSE
        for left in reversed(range(TRIES)):
            asked_for = None
            try:
                answer = self._client.post(self._url, headers=headers, body=body)
            except ForbiddenAddressError as error:
                raise NoEmbeddingsError(f"its address may not be spoken to: {error}") from error
            except NotConnectedError as error:
                reason = f"no connection: {error}"
            except CutOffError as error:
                reason = f"no answer in time: {error}"
            else:
                if answer.status == HTTPStatus.OK:
                    return answer
                reason, asked_for = f"HTTP {answer.status}", answer.retry_after
                if answer.status not in WORTH_ANOTHER:
                    break
            if left:
                self._sleep(min(max(pause, asked_for or 0), LONGEST_PAUSE))
                pause *= 4
        raise NoEmbeddingsError(reason)
