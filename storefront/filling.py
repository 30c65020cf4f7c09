"""Templates with holes: ``$name``. What goes in is escaped, unless it came out of a template."""

from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

FOLDER = Path(__file__).parent / "templates"


class Html(str):
    """Text that is safe in a page as it is."""

    __slots__ = ()


@cache
def _template(name: str) -> Template:
    return Template((FOLDER / f"{name}.html").read_text(encoding="utf-8"))


def fill(name: str, /, **values: Any) -> Html:
    """Fill a template; raises KeyError for a hole that nothing was given for."""
    return Html(_template(name).substitute({key: _safe(value) for key, value in values.items()}))


def joined(parts: Any) -> Html:
    return Html("".join(_safe(part) for part in parts))


def _safe(value: Any) -> str:
    return value if isinstance(value, Html) else escape(str(value))
