"""The shares of verdicts as a figure, from numbers known by hand."""

import pytest

from analytics.charts.judgements import shares
from analytics.charts.marks import MeasuredRow


def test_a_mark_and_an_interval_per_judgement_in_per_cent() -> None:
    rows = [
        MeasuredRow(name="good", words="Good", value=0.5, low=0.15, high=0.85),
        MeasuredRow(name="odd", words="Odd", value=0.25, low=0.05, high=0.7),
        MeasuredRow(name="wrong", words="Wrong <b>", value=0.25, low=0.05, high=0.7),
    ]
    figure = shares(rows, axis="Share")
    assert [trace.x[0] for trace in figure.data] == [50, 25, 25]
    assert figure.data[0].error_x.array == pytest.approx((35,))
    assert figure.data[0].error_x.arrayminus == pytest.approx((35,))
    assert len({trace.marker.symbol for trace in figure.data}) == 3  # not told apart by colour alone
    assert figure.layout.yaxis.ticktext == ("Good ", "Odd ", "Wrong &lt;b&gt; ")
