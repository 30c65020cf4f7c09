"""Refusal of a row, of a line of it or of a whole body, and how msgspec's error becomes one."""

import re

from django.utils.translation import gettext as _
from msgspec import Struct, ValidationError

_PLACE = re.compile(r"(?P<message>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?", re.DOTALL)
_FIELD = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)


class Refusal(Struct, frozen=True, gc=False):
    """Why a row, or a line of it, was not taken; the pointer starts at the row."""

    pointer: str
    reason: str


class UnreadableError(Exception):
    """The body as a whole holds no rows, or the only one is none; the pointer starts at the body."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def unreadable(error: ValidationError, *, rows: str, remedy: str) -> UnreadableError:
    """Error of a body without ``rows``; the remedy is added where neither one of them nor another field is at fault."""
    refusal = misfit(error)
    if refusal.pointer in {"", f"/{rows}"}:
        refusal = Refusal(refusal.pointer, f"{refusal.reason}. {remedy}")
    return UnreadableError(refusal)


def misfit(error: ValidationError) -> Refusal:
    """Refusal of JSON that does not fit its schema; the pointer (RFC 6901) starts at what was decoded."""
    match = _PLACE.fullmatch(str(error))
    message, path = (match["message"], match["path"] or "") if match else (str(error), "")
    pointer = path.replace("[", "/").replace("]", "").replace(".", "/")
    if named := _FIELD.fullmatch(message):
        missing = named["what"].startswith("missing")
        reason = _("The field is missing.") if missing else _("The field is unknown.")
        return Refusal(f"{pointer}/{escaped(named['name'])}", reason)
    if "timezone" in message:
        message = _("The time has no time zone; write it like 2026-09-01T10:02:11Z.")
    return Refusal(pointer, message)


def escaped(name: str) -> str:
    """Name as it stands in a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")
