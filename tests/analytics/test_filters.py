"""Filters of a list: what an address asks for, what makes no sense in it, and the words of what can be taken off."""

from datetime import date
from typing import Any

import pytest

from analytics import filters as fields


class Filters(fields.ListFilters):
    """A little of each kind."""

    state: str | None = fields.choice({"cold": "Cold", "warm": "Warm"})
    days: int = fields.choice((7, 28), usual=28)
    least: int | None = fields.number("from", least=1, most=9, words=lambda least: f"from {least}")
    first: date | None = fields.day(words=str)
    text: str = fields.text("q", longest=5)
    sort: str = fields.order(("price", "title"), usual="-price")
    page: int = fields.page()


USUAL = {"state": None, "days": 28, "least": None, "first": None, "text": "", "sort": "-price", "page": 1}


@pytest.mark.parametrize(
    ("address", "values"),
    [
        ({}, {}),
        ({"state": "warm", "days": "7"}, {"state": "warm", "days": 7}),
        ({"state": "hot", "days": "8"}, {}),
        ({"from": "9", "least": "3"}, {"least": 9}),
        ({"from": "0"}, {}),
        ({"from": "10"}, {}),
        ({"first": "2026-02-03"}, {"first": date(2026, 2, 3)}),
        ({"first": "2026-02-31"}, {}),
        ({"q": " green\0 tea "}, {"text": "green"}),
        ({"sort": "title"}, {"sort": "title"}),
        ({"sort": "--title"}, {}),
        ({"page": "3"}, {"page": 3}),
        ({"page": "0"}, {}),
    ],
)
def test_what_makes_no_sense_counts_as_absent(address: dict[str, str], values: dict[str, Any]) -> None:
    filters = Filters(address)
    assert filters.cleaned_data == USUAL | values
    assert filters.days == (USUAL | values)["days"]


def test_chips_are_the_filters_that_are_on() -> None:
    assert Filters().chips() == []
    filters = Filters({"state": "cold", "days": "7", "from": "2", "q": "tea", "sort": "title", "page": "2"})
    assert filters.chips() == [("state", "Cold"), ("from", "from 2"), ("q", "“tea”")]
    assert filters.chips(state=lambda state: state.upper())[0] == ("state", "COLD")


def test_values_take_the_place_of_an_address() -> None:
    filters = Filters(state="warm").replaced(page=4)
    assert (filters.state, filters.page, filters.sort) == ("warm", 4, "-price")
    with pytest.raises(AttributeError):
        _ = filters.colour  # type: ignore[attr-defined]
