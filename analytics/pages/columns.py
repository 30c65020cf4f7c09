"""Heads of a table's columns that sort it, and filters that can be taken off.

The order stands in the address as ``sort=price`` or ``sort=-price``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.http import QueryDict


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table; ``key`` as in the address, empty for one that does not sort; ``css`` of head and cells.

    ``help`` is the name of an explained figure, "" where the words say it all.
    """

    key: str
    words: str
    css: str = ""
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class ColumnHead:
    column: Column
    sorted: str  # "ascending", "descending" or nothing, as ARIA has it
    next: str  # the query of the address that sorts by it, or turns the order round


def column_heads(
    address: QueryDict, columns: Sequence[Column], *, sort: str, downwards: Collection[str]
) -> list[ColumnHead]:
    """Heads of columns; ``downwards``: those that begin with the largest. A new order goes back to the first page."""
    return [_head(address, column, sort=sort, downwards=column.key in downwards) for column in columns]


def without(address: QueryDict, *names: str) -> str:
    """The query of the address without these parameters, from the first page."""
    query = address.copy()
    for gone in (*names, "page", "format"):
        query.pop(gone, None)
    return f"?{query.urlencode()}"


def _head(address: QueryDict, column: Column, *, sort: str, downwards: bool) -> ColumnHead:
    now = {column.key: "ascending", f"-{column.key}": "descending"}.get(sort, "") if column.key else ""
    following = {"ascending": f"-{column.key}", "descending": column.key}.get(now)
    rest, sort = without(address, "sort"), following or (f"-{column.key}" if downwards else column.key)
    return ColumnHead(column=column, sorted=now, next=f"{rest}{'' if rest == '?' else '&'}sort={sort}")
