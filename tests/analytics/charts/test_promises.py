"""Figures of new items: promises over their pace, and the first weeks of a young item."""

from datetime import date

from analytics.charts.item import BAR, WeekActs, weeks
from analytics.charts.promises import PromisePoint, promise_paces
from recommendations.promise_terms import NewItemState

WORDS = {state: state.value for state in NewItemState}


def test_each_promise_stands_at_its_age_over_the_pace() -> None:
    points = [
        PromisePoint(title="Tea <1>", days=2, shown=12, state=NewItemState.PROMISED),
        PromisePoint(title="Wine", days=3, shown=30, state=NewItemState.KEPT),
        PromisePoint(title="Soap", days=7, shown=4, state=NewItemState.LATE),
    ]
    figure = promise_paces(
        points, impressions=30, days=7, planned=0.65, words=WORDS, pace="pace", axes=("Days", "Impressions")
    )
    pace, *marks = figure.data
    assert (list(pace.x), list(pace.y)) == ([0, 0.65 * 7, 7], [0, 30, 30])
    assert [(trace.name, list(trace.x), list(trace.y)) for trace in marks] == [
        ("promised", [2], [12]), ("kept", [3], [30]), ("late", [7], [4]),
    ]  # fmt: skip
    assert marks[0].hovertext[0] == "Tea &lt;1&gt;"


def test_a_single_week_has_room_around_it() -> None:
    words = {"time": "Week", "events": "Events", "bought": "Bought", "others": "Others"}
    figure = weeks([WeekActs(week=date(2026, 11, 2), bought=1, others=0)], **words)
    assert tuple(figure.layout.xaxis.range) == ("2026-10-19", "2026-11-16")
    assert figure.data[0].width == BAR
    many = [WeekActs(week=date(2026, 1, day), bought=1, others=0) for day in range(1, 29, 4)]
    assert weeks(many, **words).layout.xaxis.range is None
