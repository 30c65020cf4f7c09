"""Two drafts that were both made of a third are merged: mine over theirs only where I changed it."""

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any

from msgspec import UNSET

IDENTITY = ("placement", "context")
"""What a list of the message is; with another of these it is another list."""


def merge(base: Any, mine: Any, theirs: Any, pointer: str = "") -> tuple[Any, list[str]]:
    """The merged value, and the places that both changed otherwise: there mine stands.

    Names are merged one by one, and lists place by place where nothing was taken out of them or moved.
    """
    if theirs in (mine, base):
        return mine, []
    if mine == base:
        return theirs, []
    sides = (base, mine, theirs)
    if all(isinstance(side, Mapping) for side in sides):
        names = dict.fromkeys([*mine, *theirs, *base])
        rows = [(name, *(side.get(name, UNSET) for side in sides)) for name in names]
        merged, conflicts = _each(rows, pointer)
        return {name: value for name, value in merged.items() if value is not UNSET}, conflicts
    if all(isinstance(side, list) for side in sides) and _go_on(base, mine) and _go_on(base, theirs):
        rows = [(place, *each) for place, each in enumerate(zip_longest(*sides, fillvalue=UNSET))]
        merged, conflicts = _each(rows, pointer)
        return list(merged.values()), conflicts
    return mine, [pointer]


def _each(rows: Iterable[tuple[Any, Any, Any, Any]], pointer: str) -> tuple[dict[Any, Any], list[str]]:
    merged: dict[Any, Any] = {}
    conflicts: list[str] = []
    for name, base, mine, theirs in rows:
        merged[name], more = merge(base, mine, theirs, f"{pointer}/{name}")
        conflicts += more
    return merged, conflicts


def _go_on(base: list[Any], other: list[Any]) -> bool:
    """Whether a list has what the first has at the same places, changed perhaps, and then more of it."""
    if len(other) < len(base) or not all(isinstance(each, str | Mapping) for each in (*base, *other)):
        return False
    first, second = ([_identity(each) for each in side] for side in (base, other))
    if any(isinstance(each, Mapping) for each in base):
        return second[: len(first)] == first
    return not any(now != was and now in first for was, now in zip(first, second, strict=False))


def _identity(each: Any) -> Any:
    return [each.get(name) for name in IDENTITY] if isinstance(each, Mapping) else each
