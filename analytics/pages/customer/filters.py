"""Filters and order of a list of customers, read from the address and carried from page to page."""

from collections.abc import Mapping, Sequence

from django.http import QueryDict
from django.utils.translation import gettext as _

from analytics.pages.parameters import number, page_number, typed
from analytics.queries.customer.filters import CHANGES, LONGEST_TEXT, STATES, Changed, Filters, State
from analytics.queries.customer.order import SORTS
from recommendations.models import Segment

NAMES = ("state", "segment", "changed", "text", "sort")
"""Parameters that say through which customers somebody goes."""
LENS = ("placement", "cut", "compare")
"""Parameters that say how each of them is looked at."""


def filters_of(query: QueryDict) -> Filters:
    state, changed, sort = (query.get(name, "") for name in ("state", "changed", "sort"))
    return Filters(
        state=State(state) if state in set(State) else None,
        segment=number(query.get("segment")),
        changed=Changed(changed) if changed in set(Changed) else None,
        text=typed(query.get("text"), longest=LONGEST_TEXT),
        sort=sort if sort.removeprefix("-") in SORTS else Filters.sort,
        page=page_number(query.get("page")),
    )


def chips(query: QueryDict, filters: Filters, segments: Sequence[Segment]) -> list[tuple[str, str]]:
    """Words of every filter that is on, and the query of the address that takes it off."""
    names = {segment.number: str(segment) for segment in segments}
    on: Mapping[str, str] = {
        "state": str(STATES[filters.state]) if filters.state else "",
        "segment": "" if filters.segment is None else names.get(filters.segment, str(filters.segment)),
        "changed": str(CHANGES[filters.changed]) if filters.changed else "",
        "text": _("“%(text)s”") % {"text": filters.text} if filters.text else "",
    }
    return [(words, without(query, name, "page")) for name, words in on.items() if words]


def without(query: QueryDict, *names: str) -> str:
    """The query of an address without some of its parameters, with its question mark."""
    rest = query.copy()
    for name in names:
        rest.pop(name, None)
    return f"?{rest.urlencode()}"


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
