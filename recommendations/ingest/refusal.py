"""Refusal of a row or of a line of it, and how msgspec's error becomes one."""

import re

from django.utils.translation import gettext as _
from msgspec import Struct, ValidationError

_PLACE = re.compile(r"(?P<message>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?", re.DOTALL)
_FIELD = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)


class Refusal(Struct, frozen=True):
    """Why a row, or a line of it, was not taken; the pointer starts at the row."""

    pointer: str
    reason: str


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
