"""What is believed of a new item's clicks: by hand, and calmer than the bare rate."""

import pytest

from recommendations.engine.ranking.first_impressions import BELIEF, click_belief


def test_belief_is_between_what_was_expected_and_what_was_seen() -> None:
    belief = click_belief(shown=30, clicks=6, expected=0.1)
    assert belief.rate == pytest.approx((BELIEF * 0.1 + 6) / (BELIEF + 30))
    assert 0.1 < belief.rate < 6 / 30
    assert belief.low < belief.rate < belief.high
    more = click_belief(shown=300, clicks=60, expected=0.1)
    assert more.high - more.low < belief.high - belief.low


def test_without_a_showing_nothing_but_the_expectation_is_believed() -> None:
    assert click_belief(shown=0, clicks=0, expected=0.2).rate == pytest.approx(0.2)


@pytest.mark.parametrize("expected", [0.0, 1.0])
def test_impossible_expectations_stay_finite(expected: float) -> None:
    belief = click_belief(shown=1, clicks=1, expected=expected)
    assert 0 < belief.low <= belief.high <= 1
