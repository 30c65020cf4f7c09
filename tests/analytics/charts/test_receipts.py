"""The figure of imported campaigns: each has its mark, whatever the number of their kinds."""

import pytest

from analytics.charts.receipts import AnsweredShare, answers_figure


@pytest.mark.parametrize("kinds", [1, 5, 12, 42])
def test_every_campaign_has_a_mark_that_no_other_kind_has(kinds: int) -> None:
    shares = [
        AnsweredShare(words=f"Campaign {number}", kind=f"kind {number % kinds}", value=0.02, low=0.01, high=0.06)
        for number in range(2 * kinds)
    ]
    figure = answers_figure(shares, axis="%")
    assert sorted(place for trace in figure.data for place in trace.y) == list(range(2 * kinds))
    looks = {(trace.marker.symbol, trace.meta["hue"]) for trace in figure.data}
    assert len(looks) == len({trace.name for trace in figure.data}) == kinds
