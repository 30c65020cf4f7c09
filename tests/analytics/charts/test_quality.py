"""Figures of the quality page against numbers known by hand."""

import pytest

from analytics.charts import differences, hues, marks, overlap, pareto, quality
from analytics.charts.marks import MeasuredRow
from recommendations.engine.recommenders.registry import EVERY


def measured(name: str, value: float) -> MeasuredRow:
    return MeasuredRow(name=name, words=name.title(), value=value, low=value - 0.02, high=value + 0.03)


ROWS = [measured("hybrid", 0.4), measured("als", 0.3), measured("popular", 0.2)]


def test_leaders_stand_in_the_order_given_and_a_line_goes_through_the_hybrid() -> None:
    figure = quality.leaders(ROWS, axis="NDCG@10")
    assert [(trace.x[0], trace.y[0]) for trace in figure.data] == [(0.4, 0), (0.3, 1), (0.2, 2)]
    assert figure.layout.yaxis.ticktext == ("Hybrid ", "Als ", "Popular ")
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # from above to below
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(0.4, 0.4)]
    assert figure.data[0].error_x.array == pytest.approx((0.03,))
    assert figure.data[0].error_x.arrayminus == pytest.approx((0.02,))


def test_leaders_without_a_hybrid_have_no_line() -> None:
    assert quality.leaders(ROWS[1:], axis="NDCG@10").layout.shapes == ()


def test_marks_of_one_slice_do_not_lie_on_one_another_and_few_customers_are_open() -> None:
    groups = [
        quality.CustomerSlice(words="Cold", customers=12, few=True, rows=ROWS),
        quality.CustomerSlice(words="Warm", customers=900, few=False, rows=[ROWS[0], ROWS[2]]),
    ]
    hybrid, als, popular = quality.slices(groups, axis="NDCG@10").data
    assert hybrid.y == (-0.24, 0.76)
    assert als.y == (0,)
    assert popular.y == (0.24, 1.24)
    assert hybrid.marker.symbol == ("diamond-open", "diamond")
    assert popular.marker.symbol == ("triangle-up-open", "triangle-up")
    assert hybrid.customdata == ("Cold", "Warm")


# On paper: b has the most breadth, a the most accuracy, c lies between and is beaten by d in both; e equals d.
SPOTS = [
    pareto.Spot(name=name, words=name, breadth=breadth, accuracy=accuracy)
    for name, breadth, accuracy in (
        ("a", 0.1, 0.9), ("b", 0.9, 0.1), ("c", 0.4, 0.4), ("d", 0.5, 0.5), ("e", 0.5, 0.5),
    )
]  # fmt: skip


def test_the_frontier_has_the_spots_that_no_other_beats_in_both() -> None:
    assert [spot.name for spot in pareto.frontier(SPOTS)] == ["b", "d", "a"]
    assert pareto.frontier([]) == []


def test_the_hybrid_and_the_baselines_have_their_texts_placed_first() -> None:
    spots = [*SPOTS, pareto.Spot(name="popular", words="Popular", breadth=0.2, accuracy=0.2)]
    _line, first, *others = pareto.pareto(spots, breadth="%", accuracy="NDCG@10").data
    assert first.text == ("Popular",)
    assert first.x == (20.0,)
    assert len(others) == len(SPOTS)
    assert all(trace.meta["label"] for trace in (first, *others))


def test_the_overlap_leaves_out_its_diagonal() -> None:
    (drawn,) = overlap.overlap(["A", "B"], [[1, 0.256], [0.25, 1]], columns="Rows").data
    assert [list(row) for row in drawn.z] == [[None, 25.6], [25.0, None]]
    assert drawn.customdata[0][1] == "A · B"


def test_history_is_a_band_and_a_line_per_row() -> None:
    lines = [
        quality.FigureHistory(name="hybrid", words="Hybrid", points=[("m1", ROWS[0]), ("m3", ROWS[1])]),
        quality.FigureHistory(name="popular", words="Popular", points=[("m3", ROWS[2])]),
    ]
    figure = quality.history(lines, versions="Version", axis="NDCG@10")
    band, line, *_rest = figure.data
    assert band.meta["band"]
    assert band.x == ("m1", "m3", "m3", "m1")
    assert band.y == pytest.approx((0.43, 0.33, 0.28, 0.38))
    assert (line.x, line.y) == (("m1", "m3"), (0.4, 0.3))
    assert figure.layout.xaxis.categoryarray == ("m1", "m3")


def test_bars_are_steps_of_a_tenth_around_zero() -> None:
    bars = differences.bars([0.0, 0.04, -0.04, 0.06, -0.32, 0.3])
    assert [bar.customers for bar in bars] == [1, 0, 0, 3, 1, 0, 1]
    assert (bars[0].low, bars[0].high) == pytest.approx((-0.35, -0.25))
    assert (bars[3].low, bars[3].high) == pytest.approx((-0.05, 0.05))
    assert sum(bar.customers for bar in bars) == 6
    assert differences.bars([]) == []


def test_better_same_and_worse_have_hues_of_their_own() -> None:
    (drawn,) = differences.histogram(differences.bars([0.1, -0.1]), difference="", customers="").data
    assert drawn.meta["hues"] == [differences.WORSE, differences.SAME, differences.BETTER]


def test_every_row_of_the_table_has_a_mark_that_tells_it_from_the_baselines() -> None:
    looks = {instance.name: hues.of_measured(instance.name) for instance in EVERY}
    assert {symbol for _hue, symbol in looks.values()} <= {"circle", "circle-open", "circle-x-open"}
    assert len(set(hues.MEASURED.values())) == len(hues.MEASURED)
    assert marks.mark("hybrid")["marker"]["size"] > marks.mark("als")["marker"]["size"]


def test_names_from_the_shop_are_no_markup() -> None:
    group = quality.CustomerSlice(words="<b>Tea</b>", customers=1, few=False, rows=ROWS)
    text = quality.slices([group], axis="").to_json(engine="orjson")
    assert "<b>" not in text
    assert "&lt;b>" in text or "&lt;b&gt;" in text
