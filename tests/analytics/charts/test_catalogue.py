"""Figures of catalogue, item and segments against numbers known by hand."""

from datetime import UTC, date, datetime

import pytest

from analytics.charts import catalogue, hues, item, quarantine, segments, together


def test_lorenz_curves_lie_over_the_line_of_equality() -> None:
    line = catalogue.ConcentrationCurve(words="Slots", hue=3, dash="dash", points=[(0, 0), (0.5, 0.1), (1, 1)])
    equal, drawn = catalogue.lorenz([line], items="Items", whole="Whole", equal="Equal").data
    assert (equal.x, equal.y) == ((0, 100), (0, 100))
    assert (drawn.x, drawn.y) == ((0, 50, 100), (0, 10, 100))
    assert drawn.line.dash == "dash"  # not by colour alone


def test_warming_has_two_bars_for_each_age() -> None:
    groups = [catalogue.AgeGroup(words="under 1", brief="0", bought=0.5, recommended=0.125)]
    bought, recommended = catalogue.warming(groups, age="Age", share="%", bought="b", recommended="r").data
    assert (bought.y, recommended.y) == ((50,), (12.5,))
    assert bought.customdata == ("under 1",)


def test_a_price_holds_until_the_next_one_and_until_now() -> None:
    start, now = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    points = [item.PricePoint(since=start, price=2.0)]
    (drawn,) = item.prices(points, until=now, time="t", price="p").data
    assert drawn.y == (2.0, 2.0)
    assert drawn.line.shape == "hv"
    assert item.prices([], until=now, time="t", price="p").data[0].x == ()


def test_a_kind_of_act_that_never_occurs_is_not_drawn() -> None:
    acts = [item.WeekActs(week=date(2026, 1, 5), bought=2, others=0)]
    (drawn,) = item.weeks(acts, time="t", events="e", bought="Bought", others="Others").data
    assert (drawn.name, drawn.y) == ("Bought", (2,))


def test_demand_of_who_bought_before_and_of_all_others_is_told_apart_by_more_than_colour() -> None:
    days = [quarantine.DayDemand(day=date(2026, 1, day), established=1, others=9 * day) for day in (5, 6)]
    known, rest = quarantine.demand(days, time="t", acts="a", established="Before", others="Others").data
    assert (known.x, known.y, known.name) == (("2026-01-05", "2026-01-06"), (1, 1), "Before")
    assert (rest.y, rest.line.dash) == ((45, 54), "dash")


def test_segments_look_the_same_everywhere_and_never_by_colour_alone() -> None:
    looks = [segments.look(number) for number in range(1, 37)]
    assert len(set(looks)) == 36
    assert looks[0] == (1, "circle")
    assert looks[hues.N_HUES] == (1, "square")


def test_the_area_of_a_centre_is_its_size_and_the_largest_is_named_first() -> None:
    centres = [
        segments.Centre(number=1, words="Small", size=1, x=0, y=0),
        segments.Centre(number=2, words="Large <b> " + 20 * "long ", size=4, x=1, y=1),
    ]
    points = [segments.MapPoint(number=2, x=0.9, y=0.9), segments.MapPoint(number=9, x=0, y=0)]
    dots, large, small = segments.segment_map(centres, points, customers="customers").data
    assert dots.x == (0.9,)  # a segment without a centre has no dots
    assert large.text == ("2",)
    assert large.meta["label"] == ["2 Large &lt;b&gt; " + 9 * "long " + "lo…", "2 Large &lt;b&gt; long long l…", "2"]
    reach = segments.LARGEST - segments.SMALLEST
    assert (large.marker.size, small.marker.size) == (
        segments.LARGEST,
        pytest.approx(segments.SMALLEST + reach / 2),
    )
    assert all(trace.meta["label"] for trace in (large, small))
    assert segments.segment_map([], [], customers="c").data == ()


def test_leanings_of_a_segment_stand_beside_those_of_everybody() -> None:
    rows = [segments.Leaning(words="Tea", share=0.4, overall=0.1)]
    mine, everybody = segments.leanings(rows, segment="Tea people", everybody="Everybody", axis="%").data
    assert (mine.x, everybody.x) == ((40,), (10,))


def test_a_pair_is_a_line_and_its_middle_tells_its_lift() -> None:
    nodes = [
        together.Node(key=1, words="Tea", links=2, x=0, y=0),
        together.Node(key=2, words="Cups", links=1, x=2, y=0),
        together.Node(key=3, words="Milk", links=1, x=0, y=4),
    ]
    lines, middles, *marks = together.network(nodes, [(0, 1, 3.5), (0, 2, 2.0)], pairs="Pairs", lift="Lift").data
    assert lines.x == (0, 2, None, 0, 0, None)
    assert (middles.x, middles.y) == ((1, 0), (0, 2))
    assert middles.customdata[0] == ["Tea", "Cups", 3.5] or tuple(middles.customdata[0]) == ("Tea", "Cups", 3.5)
    assert [mark.text[0] for mark in marks] == ["Tea", "Cups", "Milk"]  # the hub is named first
    assert marks[0].marker.size > marks[1].marker.size
