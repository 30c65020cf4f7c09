"""Figures of experiments against numbers known by hand."""

import math
from datetime import date, timedelta

import pytest

from analytics.charts import arms, experiments, hues, marks
from analytics.charts.experiments import LiftDay, MetricEffect, PlanLine

START = date(2026, 11, 2)
WORDS = ("B against A", "holds at every look", "had you looked only today", "2 % wanted")


def day(number: int, value: float, half: float) -> LiftDay:
    return LiftDay(
        day=START + timedelta(days=number), value=value, low=value - half, high=value + half,
        fixed_low=value - half * 0.64, fixed_high=value + half * 0.64,
    )  # fmt: skip


DAYS = [day(0, 0.2, math.inf), day(1, 0.1, 0.5), day(2, 0.02, 0.05), day(3, 0.03, 0.025)]


def ribbon(days: list[LiftDay]) -> experiments.go.Figure:
    return experiments.lift_ribbon(days, smallest=0.02, words=WORDS, day="Day", axis="%")


def test_the_ribbon_holds_the_inner_band_which_holds_the_effect() -> None:
    outer, inner, effect, *_levels = ribbon(DAYS[2:]).data
    assert outer.meta["band"]
    assert outer.x == ("2026-11-04", "2026-11-05", "2026-11-05", "2026-11-04")
    assert outer.y == pytest.approx((7, 5.5, 0.5, -3))
    assert inner.x == ("2026-11-04", "2026-11-05", None, "2026-11-04", "2026-11-05")
    assert inner.y[:2] + inner.y[3:] == pytest.approx((5.2, 4.6, -1.2, 1.4))
    assert effect.y == pytest.approx((2, 3))
    assert [list(ends) for ends in effect.customdata] == [pytest.approx([-3, 7]), pytest.approx([0.5, 5.5])]


def test_the_only_day_has_whiskers_as_a_ribbon_of_one_day_shows_nothing() -> None:
    effect = ribbon(DAYS[2:3]).data[2]
    assert (effect.error_y.array, effect.error_y.arrayminus) == (pytest.approx((5,)), pytest.approx((5,)))
    assert ribbon(DAYS[2:]).data[2].error_y.array is None


def test_what_is_wanted_lies_on_both_sides_of_zero_and_is_named_once() -> None:
    figure = ribbon(DAYS)
    above, below = figure.data[3:]
    assert (above.y, below.y) == ((2, 2), (-2, -2))
    assert above.x == below.x == ("2026-11-02", "2026-11-05")
    assert (above.showlegend, below.showlegend) == (True, False)
    assert figure.layout.yaxis.zeroline


def test_a_day_without_an_interval_is_left_out_and_the_first_days_do_not_press_the_others_flat() -> None:
    figure = ribbon(DAYS)
    assert figure.data[2].x == ("2026-11-03", "2026-11-04", "2026-11-05")
    # the later half, of 4 and 5 November, reaches to 7 %
    assert figure.layout.yaxis.range == pytest.approx((-7.7, 7.7))
    assert "NaN" not in figure.to_json(engine="orjson")


def test_a_narrow_ribbon_still_shows_what_is_wanted() -> None:
    assert ribbon([day(0, 0.001, 0.002)]).layout.yaxis.range == pytest.approx((-4.4, 4.4))
    assert ribbon([]).layout.yaxis.range == pytest.approx((-4.4, 4.4))


EFFECTS = [
    MetricEffect(group="Primary", words="Revenue", value=0.03, low=0.01, high=0.05),
    MetricEffect(
        group="Guardrails", words="Refunds", value=0.06, low=0.02, high=0.1, lower_is_better=True, tolerance=0.05
    ),
    MetricEffect(group="Guardrails", words="Buyers", value=-0.04, low=-0.06, high=-0.02, tolerance=0.02),
    MetricEffect(group="Guardrails", words="Time", value=-0.2, low=-0.3, high=-0.1, lower_is_better=True),
    MetricEffect(group="Supporting", words="<Clicks>", value=0.0, low=-0.01, high=0.01),
    MetricEffect(group="Supporting", words="Orders", value=math.nan, low=-math.inf, high=math.inf),
]


def test_better_is_what_the_shop_wants_and_not_what_is_more() -> None:
    figure = experiments.metric_forest(EFFECTS, axis="%", tolerance="tolerated")
    better, worse, unclear, limits = figure.data
    # rows at 0 | 1.8, 2.8, 3.8 | 5.6, 6.6: each group begins .8 of a row further down
    assert list(zip(better.x, better.y, strict=True)) == [(3, 0), (-20, 3.8)]
    assert list(zip(worse.x, worse.y, strict=True)) == [(6, 1.8), (-4, 2.8)]
    assert list(zip(unclear.x, unclear.y, strict=True)) == [(0, 5.6)]
    assert [trace.marker.symbol for trace in (better, worse, unclear)] == [
        "triangle-up", "triangle-down", "circle-open",
    ]  # fmt: skip
    assert better.error_x.array == pytest.approx((2, 10))
    assert better.error_x.arrayminus == pytest.approx((2, 10))
    assert list(zip(limits.x, limits.y, strict=True)) == [(5, 1.8), (-2, 2.8)]


def test_every_metric_has_its_row_also_without_an_interval_and_every_group_its_heading() -> None:
    figure = experiments.metric_forest(EFFECTS, axis="%", tolerance="tolerated")
    assert figure.layout.yaxis.ticktext[-2:] == ("&lt;Clicks&gt; ", "Orders ")
    assert figure.layout.yaxis.tickvals == (0, 1.8, 2.8, 3.8, 5.6, 6.6)
    assert figure.layout.yaxis.range[0] > 6.6 > figure.layout.yaxis.range[1]
    assert [note.text for note in figure.layout.annotations] == [
        "Primary", "Guardrails", "Supporting",
    ]  # fmt: skip
    assert [note.y for note in figure.layout.annotations] == pytest.approx([-0.45, 1.35, 5.15])
    assert "<Clicks>" not in figure.to_json(engine="orjson")


def test_a_forest_without_metrics_is_empty() -> None:
    assert all(not trace.x for trace in experiments.metric_forest([], axis="%", tolerance="").data)


def test_a_plan_falls_to_what_is_wanted() -> None:
    lines = [
        PlanLine(words="Revenue", lifts=[(7, math.inf), (14, 0.12), (28, 0.09)]),
        PlanLine(words="Clicks", lifts=[(7, 0.04), (10, 0.03), (14, 0.02), (28, 0.01)]),
    ]
    figure = experiments.plan_curve(lines, wanted=0.02, wanted_words="2 % wanted", days="Days", axis="%")
    revenue, clicks, wanted = figure.data
    assert (revenue.x, revenue.y) == ((14, 28), (12, 9))
    assert clicks.y == (4, 3, 2, 1)
    assert (wanted.x, wanted.y) == ((0, 28), (2, 2))
    assert figure.layout.xaxis.tickvals == (7, 14, 28)
    assert len({revenue.line.dash, clicks.line.dash, wanted.line.dash}) == 3


def test_the_axis_of_one_day_is_marked_in_days() -> None:
    figure = arms.visitors_by_day([arms.ArmVisitors(arm=0, words="A", days=[(START, 40)])], day="Day", axis="Visitors")
    assert figure.layout.xaxis.range == ("2026-11-01T12:00:00", "2026-11-04T12:00:00")
    assert figure.layout.xaxis.dtick == marks.DAY
    assert 0 < figure.data[0].width < marks.DAY
    longer = marks.days_axis([START, START + timedelta(days=9)])
    assert longer == {"range": ["2026-11-01T12:00:00", "2026-11-11T12:00:00"]}
    assert marks.days_axis([]) == {}


def test_visitors_of_the_arms_stand_on_one_another() -> None:
    groups = [
        arms.ArmVisitors(arm=place, words=name, days=[(START, 40 + place), (START + timedelta(days=1), 30)])
        for place, name in enumerate("AB")
    ]
    figure = arms.visitors_by_day(groups, day="Day", axis="Visitors")
    assert figure.layout.barmode == "stack"
    assert [(trace.name, trace.x, trace.y) for trace in figure.data] == [
        ("A", ("2026-11-02", "2026-11-03"), (40, 30)), ("B", ("2026-11-02", "2026-11-03"), (41, 30)),
    ]  # fmt: skip


def test_shares_fill_the_day_and_what_an_arm_always_gets_is_hatched() -> None:
    shares = [
        arms.ArmShares(arm=0, words="A", days=[(START, 0.5), (START + timedelta(days=1), 0.1)], floor=0.1),
        arms.ArmShares(arm=1, words="B", days=[(START, 0.5), (START + timedelta(days=1), 0.9)]),
    ]
    figure = arms.share_stack(shares, day="Day", axis="%", floor="always")
    floor, rest, second = figure.data
    assert (floor.y, rest.y, second.y) == ((10, 10), (40, 0), (50, 90))
    assert [sum(trace.y[at] for trace in figure.data) for at in (0, 1)] == pytest.approx([100, 100])
    assert [trace.marker.pattern.shape for trace in figure.data] == [arms.FLOOR, "", ""]
    assert [trace.showlegend for trace in figure.data] == [False, True, True]
    assert (floor.text, rest.text, second.text, floor.customdata) == (("", "A"), ("", ""), ("", "B"), (50, 10))
    assert figure.layout.yaxis.range == (0, 100)


def test_an_arm_below_its_floor_is_drawn_as_it_was() -> None:
    late = arms.ArmShares(arm=0, words="A", days=[(START, 0.02)], floor=0.1)
    drawn, rest = arms.share_stack([late], day="Day", axis="%", floor="always").data
    assert (drawn.y, rest.y) == ((2,), (0,))


def test_every_arm_keeps_its_entry_in_the_legend_and_its_letter() -> None:
    """C gets no more than its floor, and B, which is out, has its letter where it still got somebody; D never did."""
    days = [START, START + timedelta(days=1)]
    shares = {"A": (0.3, 0.4), "B": (0.1, 0.0), "C": (0.6, 0.6), "D": (0.0, 0.0)}
    stack = [
        arms.ArmShares(arm=place, words=name, days=list(zip(days, own, strict=True)), floor=0.6 if name == "C" else 0.0)
        for place, (name, own) in enumerate(shares.items())
    ]
    drawn = arms.share_stack(stack, day="Day", axis="%", floor="always").data
    assert [trace.name for trace in drawn if trace.showlegend] == ["A", "B", "C", "D"]
    letters = {(trace.text[at], trace.y[at]) for trace in drawn for at in (0, 1) if trace.text[at]}
    assert letters == {("A", 40), ("B", 10), ("C", 60)}


def test_chances_are_written_to_the_inner_side_of_a_hill_at_the_edge() -> None:
    """Words in the middle over a mark ran over the edge of a narrow chart: "best: 100 %" had lost its sign."""
    means = {"A": 2.0, "B": 8.0, "C": 5.0}
    beliefs = [
        arms.ArmBelief(arm=place, words=name, mean=mean, sd=0.3, chance=0.3)
        for place, (name, mean) in enumerate(means.items())
    ]
    drawn = arms.belief_ridges(beliefs, axis="%", best="best: %s").data
    sides = [trace.textposition for trace in drawn if trace.text]
    assert sides == ["top right", "top left", "top center"]


def test_no_two_arms_look_alike() -> None:
    assert len({hues.of_arm(place) for place in range(6)}) == 6
    assert len({hues.of_arm(place)[0] for place in range(6)}) == 6
