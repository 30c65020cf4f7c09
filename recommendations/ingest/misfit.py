"""Errors of msgspec as sentences that say what to send instead, and where.

msgspec gives its errors no codes, so its texts are read. One of a form that is not here stays as it is.
"""

import ast
import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from msgspec import ValidationError

from recommendations.ingest.refusal import Refusal, UnreadableError, escaped

_PLACE = re.compile(r"(?P<message>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?", re.DOTALL)
_FIELD = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)

_WANTED: Mapping[str, Promise] = {
    "str": gettext_lazy("a string"),
    "int": gettext_lazy("a whole number"),
    "float": gettext_lazy("a number"),
    "decimal": gettext_lazy("a number such as 19.90"),
    "bool": gettext_lazy("a boolean"),
    "array": gettext_lazy("an array"),
    "object": gettext_lazy("an object"),
    "datetime": gettext_lazy("a time such as 2026-09-01T10:02:11Z"),
    "uuid": gettext_lazy("a UUID"),
    "null": gettext_lazy("null"),
}
"""What a field takes, by msgspec's name."""
_SENT = {**_WANTED, "float": gettext_lazy("a number with decimals")}
"""What came instead."""
_LENGTHS: Mapping[tuple[str, str], Any] = {
    ("str", ">="): ngettext_lazy("Send at least %(bound)d character.", "Send at least %(bound)d characters.", "bound"),
    ("str", "<="): ngettext_lazy("Send at most %(bound)d character.", "Send at most %(bound)d characters.", "bound"),
    ("array", ">="): ngettext_lazy("Send at least %(bound)d element.", "Send at least %(bound)d elements.", "bound"),
    ("array", "<="): ngettext_lazy("Send at most %(bound)d element.", "Send at most %(bound)d elements.", "bound"),
    ("object", ">="): ngettext_lazy("Send at least %(bound)d field.", "Send at least %(bound)d fields.", "bound"),
    ("object", "<="): ngettext_lazy("Send at most %(bound)d field.", "Send at most %(bound)d fields.", "bound"),
}
_BOUNDS: Mapping[str, Promise] = {
    ">=": gettext_lazy("Send a number of at least %(bound)s."),
    "<=": gettext_lazy("Send a number of at most %(bound)s."),
    ">": gettext_lazy("Send a number above %(bound)s."),
}
_FIXED: Mapping[str, Promise] = {
    "Invalid UUID": gettext_lazy("Send a UUID such as 0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6."),
    "Invalid decimal string": gettext_lazy("Send a number such as 19.90."),
    "Invalid RFC3339 encoded datetime": gettext_lazy("Send a time such as 2026-09-01T10:02:11Z."),
    "Expected `datetime` with a timezone component": gettext_lazy(
        "The time has no time zone; write it like 2026-09-01T10:02:11Z."
    ),
    "Integer value out of range": gettext_lazy("The number is out of range."),
    "Number out of range": gettext_lazy("The number is out of range."),
}


def unreadable(error: ValidationError, *, rows: str, remedy: str) -> UnreadableError:
    """Error of a body without ``rows``; the remedy is added where neither one of them nor another field is at fault."""
    refusal = misfit(error)
    if refusal.pointer in {"", f"/{rows}"}:
        refusal = Refusal(refusal.pointer, f"{refusal.reason} {remedy}")
    return UnreadableError(refusal)


def misfit(error: ValidationError) -> Refusal:
    """Refusal of JSON that does not fit its schema; the pointer (RFC 6901) starts at what was decoded."""
    match = _PLACE.fullmatch(str(error))
    message, path = (match["message"], match["path"] or "") if match else (str(error), "")
    whole = path.partition("[...]")[0]  # msgspec does not say under which key of a free object
    pointer = whole.replace("[", "/").replace("]", "").replace(".", "/")
    if named := _FIELD.fullmatch(message):
        missing = named["what"].startswith("missing")
        reason = _("The field is missing.") if missing else _("The field is unknown.")
        return Refusal(f"{pointer}/{escaped(named['name'])}", reason)
    return Refusal(pointer, _sentence(message))


def _sentence(message: str) -> str:
    if message in _FIXED:
        return str(_FIXED[message])
    for form, sentence in _FORMS:
        if match := form.fullmatch(message):
            return sentence(match)
    return message


def _of_kind(match: re.Match[str]) -> str:
    kinds, sent = match["kinds"].split(" | "), match["sent"]
    if sent not in _SENT or not _WANTED.keys() >= {*kinds}:
        return match[0]
    texts = [str(_WANTED[kind]) for kind in kinds]
    wanted = reduce(lambda one, other: _("%(one)s or %(other)s") % {"one": one, "other": other}, texts)
    return _("Send %(wanted)s, not %(sent)s.") % {"wanted": wanted, "sent": _SENT[sent]}


def _of_length(match: re.Match[str]) -> str:
    return str(_LENGTHS[match["kind"], match["sign"]] % {"bound": int(match["bound"])})


def _of_bound(match: re.Match[str]) -> str:
    return str(_BOUNDS[match["sign"]]) % {"bound": match["bound"].removesuffix(".0")}


def _of_choice(match: re.Match[str]) -> str:
    text = _("“%(value)s” is not a valid value for this field; /api/docs/ lists them.")
    return text % {"value": ast.literal_eval(match["value"])}


def _of_pattern(match: re.Match[str]) -> str:
    return _("The text does not fit the pattern %(pattern)s.") % {"pattern": match["pattern"]}


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"Expected `(?P<kinds>[^`]+)`, got `(?P<sent>[^`]+)`"), _of_kind),
    (re.compile(r"Expected `(?P<kind>str|array|object)` of length (?P<sign>[<>]=) (?P<bound>\d+)"), _of_length),
    (re.compile(r"Expected `(?:int|float)` (?P<sign>>=|<=|>) (?P<bound>\S+)"), _of_bound),
    (re.compile(r"Expected `str` matching regex '(?P<pattern>.+)'"), _of_pattern),
    (re.compile(r"Invalid enum value (?P<value>'.*'|\".*\")", re.DOTALL), _of_choice),
)
