"""Refusal of a row, of a line of it or of a whole body."""

from msgspec import Struct


class Refusal(Struct, frozen=True, gc=False):
    """Why a row, or a line of it, was not taken; the pointer starts at the row."""

    pointer: str
    reason: str


class UnreadableError(Exception):
    """The body as a whole holds no rows, or the only one is none; the pointer starts at the body."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def escaped(name: str) -> str:
    """Name as it stands in a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")
