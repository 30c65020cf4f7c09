"""Filters of sources: the names of keys, and where the cells of a strip stand."""

from collections.abc import Mapping

from django import template

LEFT, STEP = 30, 12  # of the viewBox of the strip

register = template.Library()


@register.filter
def of_key(names: Mapping[int, str], key: int | None) -> str:
    """The name of the key that an event came with; empty where it came with none, or the key is gone."""
    return names.get(key, "") if key is not None else ""


@register.filter
def cell_left(hour: int) -> int:
    return LEFT + STEP * hour


@register.filter
def cell_top(row: int, below: int = 0) -> int:
    return STEP * row + below
