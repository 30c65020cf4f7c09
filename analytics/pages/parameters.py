"""Reading the query parameters of an address; what makes no sense counts as absent."""

from collections.abc import Container, Sequence
from datetime import date

from django.utils.dateparse import parse_date

LARGEST = 2**63 - 1


def number(text: str | None) -> int | None:
    """A whole number that fits a database key."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > len(str(LARGEST)):
        return None
    value = int(text)
    return value if value <= LARGEST else None


def day(text: str | None) -> date | None:
    try:
        return parse_date(text or "")
    except ValueError:  # as 2026-02-31
        return None


def known(text: str | None, among: Container[str]) -> str:
    """The text if it is one of these, else ""."""
    return text if text and text in among else ""


def one_of(numbers: Sequence[int], text: str | None, *, default: int) -> int:
    return next((value for value in numbers if str(value) == text), default)
