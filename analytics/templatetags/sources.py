"""Filters of the page of sources: where the cells of a strip stand."""

from django import template

LEFT, STEP = 30, 12  # of the viewBox of the strip

register = template.Library()


@register.filter
def cell_left(hour: int) -> int:
    return LEFT + STEP * hour


@register.filter
def cell_top(row: int, below: int = 0) -> int:
    return STEP * row + below
