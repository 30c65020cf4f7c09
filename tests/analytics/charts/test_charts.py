"""Figures are pure: the same records give the same picture, and the numbers in it are those that went in."""

from datetime import date

import plotly.graph_objects as go
import plotly.io as pio
import pytest

from analytics.charts import (
    arms,
    customer,
    differences,
    experiments,
    hues,
    outcomes,
    overlap,
    overview,
    pareto,
    quality,
    runs,
    waterfall,
)
from analytics.charts.marks import MeasuredRow
from recommendations.engine.recommenders.registry import EVERY
from recommendations.event_types import EventName

HYBRID = MeasuredRow(name="hybrid", words="Hybrid", value=0.42, low=0.40, high=0.44)
POPULAR = MeasuredRow(name="popular", words="Popular", value=0.1, low=0.09, high=0.11)
DRAWN_BY_THE_BUNDLE = {"bar", "scatter", "box", "histogram", "violin", "heatmap", "contour", "pie"}


SPOTS = [
    pareto.Spot(name="als", words="ALS", breadth=0.5, accuracy=0.3),
    pareto.Spot(name="hybrid", words="Hybrid", breadth=0.2, accuracy=0.4),
    pareto.Spot(name="popular", words="Popular", breadth=0.1, accuracy=0.1),
]


FALLS = [
    waterfall.Fall(words="Bought often", value=3.0, hue=1),
    waterfall.Fall(words="Segment", value=-1.0, hue=3, pattern="hatch"),
    waterfall.Fall(words="Diversity", value=-0.5, hue=0),
]


REVENUE = [
    overview.DayRevenue(day=date(2026, 9, 1), revenue=12.5, before=0),
    overview.DayRevenue(day=date(2026, 9, 2), revenue=0, before=3.25),
]


def figures() -> dict[str, go.Figure]:
    day = overview.DayCount(day=date(2026, 9, 1), name="purchase", words="Bought", count=3)
    week = customer.WeekCount(week=date(2026, 8, 31), name="purchase", words="Bought", count=3)
    interest = customer.InterestBar(category="Tea", long_term=0.2, lately=0.1)
    span = runs.Span(stage="collect", words="Collect", seconds=1.5)
    lift = experiments.LiftDay(day=date(2026, 9, 1), value=0.1, low=-0.1, high=0.3, fixed_low=0, fixed_high=0.2)
    metric = experiments.MetricEffect(group="Primary", words="Revenue", value=0.1, low=-0.1, high=0.3)
    plan = experiments.PlanLine(words="Revenue", lifts=[(7, 0.2), (14, 0.1)])
    visitors = arms.ArmVisitors(arm=0, words="A", days=[(date(2026, 9, 1), 9)])
    shares = arms.ArmShares(arm=0, words="A", days=[(date(2026, 9, 1), 1.0)], floor=0.1)
    return {
        "revenue": overview.revenue(REVENUE, now="Now", before="Before", day="Day", axis="$"),
        "arrivals": overview.arrivals(
            [day], days="Day", events="Events a day", other="Other", address="?day={day}&name={name}"
        ),
        "timeline": customer.timeline([week], weeks="Week", events="Events a week"),
        "interests": customer.interests([interest], long_term="90 days", lately="7 days", axis="Share, %"),
        "leaders": quality.leaders([HYBRID, POPULAR], axis="NDCG@10"),
        "slices": quality.slices(
            [quality.CustomerSlice(words="Cold", customers=3, few=True, rows=[HYBRID, POPULAR])], axis="NDCG@10"
        ),
        "history": quality.history(
            [quality.FigureHistory(name="hybrid", words="Hybrid", points=[("m1", HYBRID), ("m2", HYBRID)])],
            versions="Version",
            axis="NDCG@10",
        ),
        "pareto": pareto.pareto(SPOTS, breadth="Coverage, %", accuracy="NDCG@10"),
        "overlap": overlap.overlap(["A", "B"], [[1, 0.25], [0.25, 1]], columns="Rows"),
        "differences": differences.histogram(
            differences.bars([0.0, 0.31]), difference="Difference", customers="Customers"
        ),
        "waterfall": waterfall.waterfall(FALLS, total="Final score", axis="Score"),
        "durations": runs.durations([span], seconds="Time, s"),
        "positions": outcomes.by_position(
            [outcomes.PositionRates(position=1, clicks=HYBRID, conversion=POPULAR)],
            clicks="Click-through",
            conversion="Conversion",
            position="Position",
            axis="Share, %",
        ),
        "lift_ribbon": experiments.lift_ribbon([lift], smallest=0.02, words="abcd", day="Day", axis="%"),
        "metric_forest": experiments.metric_forest([metric], axis="%", tolerance="Tolerated"),
        "plan_curve": experiments.plan_curve([plan], wanted=0.1, wanted_words="Wanted", days="Days", axis="%"),
        "visitors_by_day": arms.visitors_by_day([visitors], day="Day", axis="Visitors"),
        "belief_ridges": arms.belief_ridges(
            [arms.ArmBelief(arm=1, words="B", mean=2.4, sd=0.2, chance=0.7)], axis="%", best="best: %s"
        ),
        "share_stack": arms.share_stack([shares], day="Day", axis="%", floor="always"),
    }


@pytest.mark.parametrize("name", figures())
def test_every_trace_is_in_the_vendored_bundle(name: str) -> None:
    """A type that the bundle lacks is drawn as a scatter, without an error."""
    assert {trace.type for trace in figures()[name].data} <= DRAWN_BY_THE_BUNDLE


@pytest.mark.parametrize("name", figures())
def test_axes_are_named_and_no_colour_is_fixed(name: str) -> None:
    """Colours come from the theme: a trace carries only the number of its hue."""
    figure = figures()[name]
    assert figure.layout.xaxis.title.text
    text = figure.to_json(engine="orjson")
    assert "rgb" not in text
    assert "#" not in text
    assert all({"hue", "hues"} & set(trace.meta) for trace in figure.data)
    assert not figure.layout.template.layout.to_plotly_json()


def test_the_interval_is_drawn_around_the_value() -> None:
    (dot,) = quality.leaders([HYBRID], axis="NDCG@10").data
    assert dot.x == (0.42,)
    assert dot.error_x.array == pytest.approx((0.02,))
    assert dot.error_x.arrayminus == pytest.approx((0.02,))


def test_the_hybrid_has_another_symbol_than_the_baselines() -> None:
    drawn = quality.leaders([HYBRID, POPULAR], axis="NDCG@10").data
    assert [trace.marker.symbol for trace in drawn] == ["diamond", "triangle-up"]


def test_revenue_is_drawn_over_the_days_that_it_is_compared_with() -> None:
    before, now = figures()["revenue"].data
    assert before.x == now.x == ("2026-09-01", "2026-09-02")
    assert (before.y, now.y) == ((0, 3.25), (12.5, 0))


def test_without_words_for_clicks_only_what_was_bought_is_drawn() -> None:
    rates = [outcomes.PositionRates(position=1, clicks=HYBRID, conversion=POPULAR)]
    (drawn,) = outcomes.by_position(rates, clicks="", conversion="In it", position="Position", axis="%").data
    assert (drawn.name, drawn.x) == ("In it", (1,))


def test_kinds_of_events_keep_hue_and_order() -> None:
    week = date(2026, 8, 31)
    counts = [
        customer.WeekCount(week=week, name=name, words=name, count=1) for name in ("search", "purchase", "view_item")
    ]
    drawn = customer.timeline(counts, weeks="Week", events="Events").data
    assert [trace.name for trace in drawn] == ["purchase", "view_item", "search"]
    assert [trace.meta["hue"] for trace in drawn] == [1, 2, 5]


def test_one_day_or_week_alone_is_marked_by_its_date() -> None:
    start, day = date(2026, 8, 31), 24 * 60 * 60 * 1_000
    week = customer.WeekCount(week=start, name="purchase", words="Bought", count=1)
    axis = customer.timeline([week], weeks="Week", events="Events").layout.xaxis
    assert (axis.dtick, axis.range) == (7 * day, ("2026-08-27T12:00:00", "2026-09-17T12:00:00"))
    one = overview.DayCount(day=start, name="purchase", words="Bought", count=1)
    axis = overview.arrivals([one], days="Day", events="Events", other="Other", address="").layout.xaxis
    assert (axis.dtick, axis.range) == (day, ("2026-08-30T12:00:00", "2026-09-02T12:00:00"))


def test_no_two_kinds_of_events_look_alike() -> None:
    assert set(hues.EVENTS) == set(EventName)
    assert len({hues.of_event(name) for name in hues.TIMELINE}) == len(hues.TIMELINE) > len(EventName)


def test_interests_are_percent_and_long_names_are_cut() -> None:
    long_name = "Refrigerated dinners and something more"
    interests = [customer.InterestBar(category=long_name, long_term=0.25, lately=0.125)]
    figure = customer.interests(interests, long_term="90 days", lately="7 days", axis="Share, %")
    assert [trace.x for trace in figure.data] == [(25.0,), (12.5,)]
    assert figure.data[0].customdata == (long_name,)
    assert figure.layout.yaxis.ticktext == ("Refrigerated dinners… ",)


def test_names_from_the_shop_are_no_markup() -> None:
    interests = [customer.InterestBar(category="<a href='x'>A</a>", long_term=0.1, lately=0)]
    text = customer.interests(interests, long_term="", lately="", axis="").to_json(engine="orjson")
    assert "<a" not in text
    assert "&lt;a" in text


def test_a_figure_cannot_end_its_script_element() -> None:
    week = customer.WeekCount(week=date(2026, 8, 31), name="purchase", words="</script><script>", count=1)
    text = customer.timeline([week], weeks="Week", events="Events").to_json(engine="orjson")
    assert "</script" not in text
    assert pio.from_json(text).data[0].name == "</script><script>"


# Scores on paper: +3 and −1 on the first bar, +1 on the second. Together the scale has 3 to the right and 1 to the
# left of zero, so one point of score is 25 % of the width and zero stands at 25 %.


def test_each_term_of_a_waterfall_begins_where_the_last_one_ends() -> None:
    """3 − 1 − 0.5 = 1.5: the bars stand at 0, 3 and 2, and the sum begins at 0 again."""
    (bars,) = figures()["waterfall"].data
    assert bars.x == (3.0, -1.0, -0.5, 1.5)
    assert bars.base == (0.0, 3.0, 2.0, 0.0)
    assert bars.meta["hues"] == [1, 3, 0, 0]
    assert bars.marker.pattern.shape == ("", "/", "", "")
    assert [shape.x0 for shape in figures()["waterfall"].layout.shapes] == [3.0, 2.0, 1.5]


def test_a_waterfall_without_terms_is_its_sum() -> None:
    (bars,) = waterfall.waterfall([], total="Final score", axis="Score").data
    assert bars.x == (0,)


def test_score_bars_share_one_scale() -> None:
    first, second = customer.score_bars([[("ease_home", 3.0), ("als", -1.0)], [("ease_home", 1.0)]])
    assert first.zero == second.zero == 25
    assert [(piece.x, piece.width) for piece in first.pieces] == [(25, 75), (0, 25)]
    assert [(piece.x, piece.width) for piece in second.pieces] == [(25, 25)]


def test_pieces_of_a_bar_stand_side_by_side() -> None:
    (bar,) = customer.score_bars([[("a", 1.0), ("b", 1.0), ("c", -1.0), ("d", -1.0)]])
    assert [(piece.x, piece.width) for piece in bar.pieces] == [(50, 25), (75, 25), (25, 25), (0, 25)]


@pytest.mark.parametrize("parts", [[], [[]], [[("a", 0.0)]]])
def test_score_bars_without_contributions(parts: list[list[tuple[str, float]]]) -> None:
    assert [piece.width for bar in customer.score_bars(parts) for piece in bar.pieces] == [
        0 for part in parts for _ in part
    ]


def test_stage_bar_fills_its_width() -> None:
    spans = [
        runs.Span(stage="collect", words="Collect", seconds=1),
        runs.Span(stage="adjust", words="Adjust", seconds=3),
    ]
    assert [(part.x, part.width, part.hue) for part in runs.stage_bar(spans)] == [(0, 25, 1), (25, 75, 6)]


def test_stage_bar_of_a_run_that_has_not_begun() -> None:
    assert runs.stage_bar([]) == []
    assert runs.stage_bar([runs.Span(stage="collect", words="Collect", seconds=0)]) == []


def test_every_recommender_has_a_look_of_its_own() -> None:
    """Hue and pattern tell any two recommenders apart; instances of one look alike."""
    looks = {name: hues.of_recommender(name) for name in hues.RECOMMENDERS}
    assert len(set(looks.values())) == len(looks) == len(hues.RECOMMENDERS)
    assert hues.of_recommender("ease_home") == hues.of_recommender("ease_discover") == looks["ease"]


def test_plan_and_second_stage_look_like_no_recommender_and_unlike_each_other() -> None:
    looks = {name: hues.of_recommender(name) for name in (*hues.RECOMMENDERS, "promotion", "second_stage")}
    assert len(set(looks.values())) == len(looks)
    marks = {hues.of_measured(name) for name in (*hues.RECOMMENDERS, *hues.MEASURED)}
    assert len(marks) == len(hues.RECOMMENDERS) + len(hues.MEASURED)


def test_what_a_list_of_somebody_new_is_made_of_can_be_told_apart() -> None:
    parts = ("popularity_home", "segments", "stated_taste", "little_known", "social", "content")
    assert len({hues.of_recommender(name) for name in parts}) == len(parts)


def test_a_shared_hue_never_stands_beside_its_owner() -> None:
    for one, owner in hues.SHARED.items():
        blends = [
            {blend for part in EVERY if part.name.startswith(name) for blend in part.blends} for name in (one, owner)
        ]
        assert all(blends)
        assert not blends[0] & blends[1]


def test_every_instance_of_a_recommender_has_a_hue() -> None:
    unknown = [instance.name for instance in EVERY if hues.of_recommender(instance.name) == (hues.OTHER, "hatch")]
    assert [name for name in unknown if not name.startswith("popularity")] == []


def test_arrivals_tell_the_five_most_frequent_kinds_apart() -> None:
    names = ["purchase", "view_item", "add_to_cart", "select_item", "search", "refund", "share"]
    counts = [
        overview.DayCount(day=date(2026, 9, 1 + place % 2), name=name, words=name, count=100 - place)
        for place, name in enumerate(names)
    ]
    figure = overview.arrivals(counts, days="", events="", other="Other", address="?day={day}&name={name}")
    assert [bar.name for bar in figure.data] == [
        "purchase",
        "view_item",
        "add_to_cart",
        "select_item",
        "search",
        "Other",
    ]
    assert dict(zip(figure.data[-1].x, figure.data[-1].y, strict=True)) == {"2026-09-01": 94, "2026-09-02": 95}
    assert figure.data[-1].customdata == ("?day=2026-09-01&name=", "?day=2026-09-02&name=")
    six = overview.arrivals(counts[:6], days="", events="", other="Other", address="")
    assert [bar.name for bar in six.data] == names[:6]  # nothing is won by calling one kind other
