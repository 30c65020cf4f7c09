"""Figures of the weights page against numbers known by hand."""

import json

import pytest

from analytics.charts import weights
from analytics.charts.marks import MeasuredRow
from analytics.charts.pareto import Spot, pareto
from analytics.charts.weights import Effect


def effect(words: str, value: float, low: float, high: float) -> Effect:
    return Effect(words=words, value=value, low=low, high=high)


MORE = effect("Coverage", 0.03, 0.03, 0.03)
LESS = effect("Recall", -0.02, -0.03, -0.01)
UNCLEAR = effect("NDCG", 0.01, -0.005, 0.025)


def test_more_less_and_unclear_differ_by_symbol_not_by_colour_alone() -> None:
    better, worse, unclear = weights.effects([UNCLEAR, LESS, MORE], axis="%").data
    assert [trace.marker.symbol for trace in (better, worse, unclear)] == [
        "triangle-up", "triangle-down", "circle-open",
    ]  # fmt: skip
    assert [(trace.x, trace.y) for trace in (better, worse, unclear)] == [((3,), (2,)), ((-2,), (1,)), ((1,), (0,))]
    assert unclear.error_x.array == pytest.approx((1.5,))
    assert unclear.error_x.arrayminus == pytest.approx((1.5,))
    assert worse.customdata == ("Recall: -2.00 % [-3.00, -1.00]",)


def test_effect_parts_equal_the_figure_that_plotly_makes() -> None:
    figure = json.loads(weights.effects([UNCLEAR, LESS, MORE], axis="%").to_json(engine="orjson"))
    figure["layout"].pop("template")  # the browser has its own
    assert figure == json.loads(json.dumps(weights.effect_parts([UNCLEAR, LESS, MORE], axis="%")))


def test_an_interval_that_ends_at_zero_is_unclear() -> None:
    edges = [effect("a", 0.01, 0.0, 0.02), effect("b", -0.01, -0.02, 0.0), effect("c", 0.0, 0.0, 0.0)]
    assert [len(trace.x) for trace in weights.effects(edges, axis="%").data] == [0, 0, 3]


@pytest.mark.parametrize(("furthest", "end"), [(0.0, 1), (0.01, 1), (0.0101, 2), (0.3, 50), (12.0, 1200)])
def test_the_axis_moves_by_steps_and_holds_every_interval(furthest: float, end: float) -> None:
    figure = weights.effects([effect("a", 0.0, -furthest, 0.0)], axis="%")
    assert figure.layout.xaxis.range == (-end, end)


def test_without_effects_the_figure_is_empty() -> None:
    assert all(not trace.x for trace in weights.effects([], axis="%").data)


def test_losses_have_the_hue_of_their_recommender_and_an_interval() -> None:
    parts = [
        MeasuredRow(name="buy_again", words="Buys <again>", value=0.02, low=0.01, high=0.04),
        MeasuredRow(name="sequence", words="Next", value=-0.001, low=-0.002, high=0.0),
        MeasuredRow(name="promotion", words="Plan", value=0.0, low=0.0, high=0.0),
    ]
    figure = weights.losses(parts, axis="lost")
    *bars, numbers = figure.data
    assert [(bar.x, bar.y, bar.meta["hue"]) for bar in bars] == [
        ((2.0,), (0,), 1), ((-0.1,), (1,), 5), ((0.0,), (2,), 0),  # percent
    ]  # fmt: skip
    assert [bar.marker.pattern.shape for bar in bars] == ["", "/", ""]
    assert numbers.text == (" +2.0%", " -0.1%", " +0.0%")
    assert numbers.x == (4.0, 0, 0)  # beyond the interval
    assert figure.data[0].error_x.array == pytest.approx((2.0,))
    assert "Buys &lt;again&gt;" in figure.data[0].hovertemplate


def test_the_number_beside_a_bar_has_room_where_all_go_to_the_left() -> None:
    parts = [MeasuredRow(name="sequence", words="Next", value=-0.04, low=-0.05, high=-0.03)]
    left, right = weights.losses(parts, axis="lost").layout.xaxis.range
    assert right / (right - left) > 0.2  # of the axis is beyond the zero, where the number stands
    assert weights.losses([], axis="lost").layout.xaxis.range[1] > 0


def test_a_mark_of_the_scatter_names_the_point_that_it_loads() -> None:
    spots = [Spot(name=name, words=name, breadth=0.1, accuracy=0.4) for name in ("live", "draft", "12", "sliders")]
    traces = pareto(spots, breadth="x", accuracy="y").data[1:]
    assert {trace.customdata[0]: trace.marker.symbol for trace in traces} == {
        "live": "diamond", "draft": "diamond-open", "12": "circle-open", "sliders": "star",
    }  # fmt: skip
