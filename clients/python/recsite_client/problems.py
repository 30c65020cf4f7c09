"""Errors of the client. Whatever goes wrong is a ``RecsiteError``, and what is none is a good answer of Recsite's."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SHOWN = 200  # characters of an answer that an error shows


class RecsiteError(Exception):
    """Any error of the client; a page that shows recommendations catches this one and goes on without."""


class SettingError(RecsiteError, ValueError):
    """The client was made with a url, a key or a time that cannot be used."""


class UnsendableError(RecsiteError, ValueError, TypeError):
    """What was to be sent cannot be said in JSON or in an address; nothing was sent. ``__cause__`` says why."""


class UnreachableError(RecsiteError):
    """No answer: no connection, a time-out, or it broke off. ``__cause__`` says which."""


class RestingError(UnreachableError):
    """Nobody was asked: Recsite did not answer several times in a row just now."""


class MisdirectedError(RecsiteError):
    """What answered is not Recsite's API: a redirect, a page of a proxy, or nothing that can be read as an answer."""

    def __init__(self, message: str, *, status: int) -> None:
        self.status = status
        super().__init__(message)


class RedirectedError(MisdirectedError):
    """An answer that sends elsewhere (3xx). It is not followed: nothing was stored. ``location`` says where to."""

    def __init__(self, status: int, location: str | None, *, url: str | None) -> None:
        """``url``: what the client is to be made with."""
        self.location = location
        if url:
            text = f"{status} redirected to {location}: use the url {url}"
        else:
            text = f"{status} redirected to {location or 'nowhere'}; an API of Recsite's does not redirect"
        super().__init__(text, status=status)


@dataclass(frozen=True)
class Flaw:
    """What is wrong at one place of the request; ``pointer`` is a JSON pointer (RFC 6901) or a parameter's name."""

    pointer: str
    message: str


class ProblemError(RecsiteError):
    """An answer of 400 or more (RFC 9457). ``members`` holds all of its body, such as ``results`` of events.

    ``request_id`` is what Recsite's log calls the request: tell it to whoever runs Recsite.
    """

    def __init__(
        self,
        status: int,
        members: Mapping[str, Any],
        *,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        self.status, self.members, self.retry_after, self.request_id = status, members, retry_after, request_id
        self.type = str(members.get("type", "about:blank"))
        self.title = str(members.get("title", ""))
        self.detail = str(members.get("detail", ""))
        self.errors = tuple(_flaws(members.get("errors")))
        places = "".join(f"; {error.pointer}: {error.message}" for error in self.errors[:3])
        super().__init__(f"{status} {self.title}: {self.detail}{places}")

    @classmethod
    def of(
        cls, status: int, body: bytes, *, retry_after: float | None, request_id: str | None = None
    ) -> "ProblemError":
        """Error from a status and a body; a proxy in between may answer without a problem in its body."""
        try:
            members = json.loads(body)
        except (ValueError, RecursionError):
            members = None
        fields = members if isinstance(members, dict) else {"detail": body[:SHOWN].decode(errors="replace")}
        return cls(status, fields, retry_after=retry_after, request_id=request_id)


def _flaws(errors: object) -> Iterator[Flaw]:
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, Mapping):
            yield Flaw(str(error.get("pointer", "")), str(error.get("message", "")))
