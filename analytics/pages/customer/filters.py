"""Filters and order of a list of customers, carried from page to page."""

from collections.abc import Iterable

from django.http import QueryDict

from analytics.pages.columns import without
from analytics.queries.customer.filters import Filters, State
from analytics.queries.segments.choices import segment_choices
from recommendations.models import Segment

NAMES = ("state", "segment", "changed", "text", "sort")
"""Parameters that say through which customers somebody goes."""
LENS = ("placement", "cut", "compare")
"""Parameters that say how each of them is looked at."""


def chips(query: QueryDict, filters: Filters, *, known: Iterable[Segment]) -> list[tuple[str, str]]:
    """Words of every filter that is on, and the query of the address that takes it off.

    ``known`` are segments that were read already; the name of another one is looked up.
    """
    words_of = filters.chips(segment=lambda key: dict(segment_choices(key, live=known))[str(key)])
    return [(words, without(query, name)) for name, words in words_of]


def carried(query: QueryDict, *names: str, **changes: str) -> str:
    """The query of an address with these parameters only, some changed; with its question mark, or nothing at all."""
    parameters = query.copy()
    for name in [name for name in query if name not in names]:
        del parameters[name]
    for name, value in changes.items():
        parameters[name] = value
    return f"?{parameters.urlencode()}" if parameters else ""


def jumps(query: QueryDict) -> dict[str, str]:
    """Queries of the links to other customers: among the same ones, and looked at in the same way."""
    return {
        "list": carried(query, *NAMES),
        "carried": carried(query, *NAMES, *LENS),
        "cold": carried(query, *NAMES, *LENS, state=State.COLD),
        "heavy": carried(query, *NAMES, *LENS, state=State.HEAVY),
    }
