"""Errors of the client: Recsite says no (``ProblemError``), or does not answer (``UnreachableError``)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class RecsiteError(Exception):
    """Any error of the client; a page that shows recommendations catches this one and goes on without."""


class UnreachableError(RecsiteError):
    """No answer: no connection, a time-out, or it broke off. ``__cause__`` says which."""


@dataclass(frozen=True)
class Flaw:
    """What is wrong at one place of the request; ``pointer`` is a JSON pointer (RFC 6901) or a parameter's name."""

    pointer: str
    message: str


class ProblemError(RecsiteError):
    """An answer of 400 or more (RFC 9457). ``members`` holds all of its body, such as ``results`` of events."""

    def __init__(self, status: int, members: Mapping[str, Any], *, retry_after: float | None = None) -> None:
        self.status, self.members, self.retry_after = status, members, retry_after
        self.type = str(members.get("type", "about:blank"))
        self.title = str(members.get("title", ""))
        self.detail = str(members.get("detail", ""))
        self.errors = tuple(
            Flaw(str(error.get("pointer", "")), str(error.get("message", ""))) for error in members.get("errors", ())
        )
        places = "".join(f"; {error.pointer}: {error.message}" for error in self.errors[:3])
        super().__init__(f"{status} {self.title}: {self.detail}{places}")

    @classmethod
    def of(cls, status: int, body: bytes, *, retry_after: float | None) -> "ProblemError":
        """Error from a status and a body; a proxy in between may answer without a problem in its body."""
        try:
            members = json.loads(body)
        except ValueError:
            members = None
        fields = members if isinstance(members, dict) else {"detail": body[:200].decode(errors="replace")}
        return cls(status, fields, retry_after=retry_after)
