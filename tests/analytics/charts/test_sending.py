"""The waterfall of a sending: each bar hangs where the one above it ends, and the last one ends at nothing."""

from analytics.charts.sending import KINDS, VerdictBar, sending_figure
from recommendations.push_terms import Verdict


def bar(verdict: Verdict | None, people: int) -> VerdictBar:
    return VerdictBar(verdict=verdict, words=f"<b>{verdict}", people=people, text=str(people), link=f"/{verdict}")


def test_bars_fall_from_the_audience_to_nothing() -> None:
    counts = {Verdict.NO_ADDRESS: 60, Verdict.HELD_OUT: 24, Verdict.CAPPED: 0, Verdict.LATER: 55, Verdict.NOW: 91}
    figure = sending_figure([bar(each, n) for each, n in counts.items()], audience=bar(None, 230), axis="People")
    [trace] = figure.data
    assert list(trace.x) == [230, 60, 24, 55, 91]  # an empty line has no bar
    assert list(trace.base) == [0, 170, 146, 91, 0]
    assert list(trace.customdata)[1] == "/no_address"
    assert trace.hovertext[1] == "&lt;b&gt;no_address: 60"
    assert list(trace.marker.pattern.shape) == ["", "", "", "/", ""]
    assert len(figure.layout.shapes) == 2


def test_every_verdict_has_a_hue() -> None:
    assert set(KINDS) == {None, *Verdict}
