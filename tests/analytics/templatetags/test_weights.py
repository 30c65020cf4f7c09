"""A draft in one sentence: how large its effect is, how sure that is, and what it does to money."""

from dataclasses import replace

import pytest

from analytics.templatetags.display import Direction
from analytics.templatetags.weights import Size, change_share, reach, sentence, size, verdict
from recommendations.engine.evaluation.intervals import Measure
from recommendations.services.weights.what_if import WhatIf, WhatIfFigure


def figure(value: float, margin: float, *, live: float = 0.4) -> WhatIfFigure:
    """A figure that changes by so much, with an interval of so much around it."""
    return WhatIfFigure(
        draft=Measure(*[live + value] * 3), live=Measure(*[live] * 3),
        against=Measure(value, value - margin, value + margin),
    )  # fmt: skip


def draft(**figures: WhatIfFigure) -> WhatIf:
    return WhatIf(
        live=None, users=9, changed=3, length=12, figures=figures, movers=[],
        unmeasured=None, took_ms=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "margin", "expected"),
    [
        (-0.0006, 0.0001, Size.WORSE),  # −0.15 %: certain, and nobody can feel it
        (-0.0021, 0.0001, Size.MUCH_WORSE), (0.0019, 0.0001, Size.BETTER), (0.0021, 0.0001, Size.MUCH_BETTER),
        (-0.02, 0.03, Size.UNCLEAR),  # large, and nobody knows
    ],
)  # fmt: skip
def test_size_and_certainty_are_two_things(value: float, margin: float, expected: Size) -> None:
    assert size(figure(value, margin)) is expected


def test_a_small_and_certain_loss_is_called_that() -> None:
    told = draft(accuracy=figure(-0.0006, 0.0001), revenue=figure(0, 0.001))
    assert sentence(told) == (
        "Slightly less accurate than live (−0.15%), small but certain; revenue as live, as far as the panel can tell "
        "(0.00%)."
    )
    assert verdict(told) is Direction.UNCLEAR


def test_a_draft_that_costs_money_does_not_read_as_good_as_live() -> None:
    told = draft(accuracy=figure(0.0002, 0.001), revenue=figure(-0.0019, 0.0005, live=0.226))
    assert sentence(told) == (
        "As accurate as live, as far as the panel can tell (+0.05%); clearly less revenue (−0.84%)."
    )
    assert verdict(told) is Direction.WORSE


def test_where_all_notice_it_says_so() -> None:
    some = draft(accuracy=figure(0.01, 0.001))
    assert reach(some) == "3 of 9 customers get a different list (first 12 items)."
    assert reach(replace(some, changed=9)) == "All 9 customers get a different list (first 12 items)."


def test_better_where_one_is_and_none_is_worse() -> None:
    assert verdict(draft(accuracy=figure(0.01, 0.001), revenue=figure(0, 0.01))) is Direction.BETTER


@pytest.mark.parametrize(("value", "words"), [(-0.0006, "−0.15%"), (0.0084, "+2.1%"), (-0.2, "−50.0%")])
def test_a_change_is_told_in_percent_of_live(value: float, words: str) -> None:
    assert change_share(figure(value, 0)) == words
