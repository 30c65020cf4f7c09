"""Parsers of an address's query parameters; what makes no sense counts as absent."""

from collections.abc import Sequence
from datetime import date

from django.http import QueryDict
from django.utils.dateparse import parse_date

from recommendations.customer_codes import customer_code, customer_key

LARGEST = 2**63 - 1
LONGEST_NOTE = 500  # characters of why somebody did something, as the forms have it
LAST_PAGE = 1_000_000
YEARS = range(1970, 9_999)
"""Years of days that can be asked for: a day and a week from each of them are days, too."""


class CustomerConverter:
    """A customer in an address: the code there, the key for the page."""

    regex = "[Cc]-[0-9A-Za-z]+"

    def to_python(self, value: str) -> int:
        key = customer_key(value)
        if key is None:
            raise ValueError(value)
        return key

    def to_url(self, key: int | str) -> str:
        return customer_code(int(key))


def number(text: str | None) -> int | None:
    """A whole number that fits a database key."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > len(str(LARGEST)):
        return None
    value = int(text)
    return value if value <= LARGEST else None


def page_number(text: str | None) -> int:
    """Number of a page; the first where none is asked for."""
    return min(number(text) or 1, LAST_PAGE)


def day(text: str | None) -> date | None:
    try:
        value = parse_date(text or "")
    except ValueError:  # as 2026-02-31
        return None
    return value if value and value.year in YEARS else None


def typed(text: str | None, *, longest: int) -> str:
    """What somebody typed, without what the database cannot hold and without blanks around it."""
    return (text or "").replace("\x00", "").strip()[:longest]


def note_in(sent: QueryDict) -> str:
    """Why somebody did something, as the forms send it."""
    return typed(sent.get("note"), longest=LONGEST_NOTE)


def one_of(numbers: Sequence[int], text: str | None, *, default: int) -> int:
    return next((value for value in numbers if str(value) == text), default)
