"""Refusal of a row, of a line of it or of a whole body."""

from uuid import UUID

from msgspec import Struct


class Refusal(Struct, frozen=True, gc=False):
    """Why a row, or a line of it, was not taken; the pointer starts at the row."""

    pointer: str
    reason: str


class Unused(Struct, frozen=True, gc=False):
    """An event that is left out because nothing here is learned from its name; ``event_id`` where it has one."""

    name: str
    event_id: UUID | None = None
    system: str = ""  # whose call it is, where it came as one


class UnfitError(Exception):
    """A value that is not what its field takes, with the reason."""


class UnreadableError(Exception):
    """The body as a whole holds no rows, or the only one is none; the pointer starts at the body."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def escaped(name: str) -> str:
    """Name as it stands in a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")
