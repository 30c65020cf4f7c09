"""Figures of stability against numbers known by hand."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from analytics.charts import stability
from analytics.charts.stability import ChurnBar, RatePoint, ShiftBar

START = datetime(2026, 9, 15, 10, tzinfo=UTC)


def point(number: int, value: float, low: float = 1.0, high: float = 3.0) -> RatePoint:
    return RatePoint(at=START + timedelta(hours=number), value=value, low=low, high=high)


def test_the_band_is_drawn_where_it_is_known_and_the_onset_is_marked() -> None:
    points = [point(0, 2, math.nan, math.nan), point(1, 2.5), point(2, math.nan), point(3, 0.5)]
    figure = stability.rate_band(points, START + timedelta(hours=2), words=("Clicks", "usual", "since"), axis="%")
    band, line, onset = figure.data
    assert band.y == pytest.approx((3, 3, 3, 1, 1, 1))
    assert line.y == pytest.approx((2, 2.5, 0.5))
    assert (onset.x, onset.y) == (((START + timedelta(hours=3)).isoformat(),), (0.5,))
    assert len(stability.rate_band(points, None, words=("a", "b", "c"), axis="%").data) == 2


def test_a_shift_stands_beside_its_noise_and_its_own_limit() -> None:
    bars = [ShiftBar(words="A", psi=0.2, noise=0.03, limit=0.1), ShiftBar(words="B", psi=1.5, noise=4.7, limit=14.1)]
    figure = stability.shift_bars(bars, words=("a", "b", "c"), axis="")
    assert [trace.x for trace in figure.data] == [(0.2, 1.5), (0.03, 4.7), (0.1, 14.1)]


def test_parts_of_a_change_are_stacked_in_percent() -> None:
    bars = [ChurnBar(words="m2", parts={"model": 0.08, "rules": 0.012})]
    parts = [("model", "New data"), ("rules", "Rules"), ("weights", "Weights")]
    figure = stability.churn_bars(bars, parts, chance="Chance", axis="%")
    assert [(trace.name, trace.y) for trace in figure.data] == [
        ("New data", (8.0,)), ("Rules", (1.2,)), ("Weights", (0.0,)),
    ]  # fmt: skip
    assert figure.layout.barmode == "relative"


def test_what_chance_alone_would_change_is_marked_where_it_is_known() -> None:
    bars = [ChurnBar(words=name, parts={"model": 0.08}, noise=noise) for name, noise in (("m2", None), ("m3", 0.031))]
    _, chance = stability.churn_bars(bars, [("model", "New data")], chance="Chance", axis="%").data
    assert (chance.name, chance.x, chance.y) == ("Chance", ("m3",), (3.1,))
