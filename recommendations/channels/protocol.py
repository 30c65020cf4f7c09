"""What every channel takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A message that is ready to leave. ``address`` is open, and is in no log and no error.

    It has {email}; for a browser {endpoint, p256dh, auth}; for a webhook {url, secrets}.
    """

    message: int
    idempotency_key: str
    address: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)  # as the channel sends it: a whole mail, or JSON
    expires_at: datetime | None = None  # what a service keeps for its reader is kept no longer
    topic: str = ""  # of two notifications of a topic a browser gets the later one


@dataclass(frozen=True)
class Taken:
    """The provider said yes, which is not that somebody got it."""

    provider_id: str = ""


@dataclass(frozen=True)
class Later:
    """Nothing was handed over, and it may be tried again; ``after`` seconds where the provider said so.

    ``of_line``: no message would go through now, whoever it is to; ``too_fast``: the provider asks for patience.
    """

    reason: str
    after: float | None = None
    of_line: bool = False
    too_fast: bool = False


@dataclass(frozen=True)
class Refused:
    """The provider will not have this message."""

    reason: str


@dataclass(frozen=True)
class Gone:
    """There is no such address."""

    reason: str


@dataclass(frozen=True)
class Unknown:
    """The line broke after the message went out: whether it arrived nobody knows."""

    reason: str


type Outcome = Taken | Later | Refused | Gone | Unknown


class Line(Protocol):
    """A line of a channel on which messages are handed over, kept open from one to the next.

    ``repeats_safely``: a parcel handed over twice under its key arrives once.
    """

    @property
    def repeats_safely(self) -> bool: ...

    def hand_over(self, parcel: Parcel) -> Outcome: ...

    def close(self) -> None: ...
