"""Figures of what moves: a rate in the band that is usual, shifts with each run, and what changed the lists."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import plotly.graph_objects as go

from analytics.charts import hues, marks
from analytics.charts.weights import BETTER, WORSE

NOW, BAND, ONSET = BETTER[0], hues.OTHER, WORSE[0]
LIMIT = hues.INK


@dataclass(frozen=True, kw_only=True)
class RatePoint:
    """A rate in an hour or a day, and between what it usually lies; NaN where that is unknown."""

    at: datetime
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class ShiftBar:
    """Shift of a distribution with a run, what two random halves of one run would give, and where alarm begins."""

    words: str
    psi: float
    noise: float
    limit: float


@dataclass(frozen=True, kw_only=True)
class ChurnBar:
    """Share of the lists that changed with a run, by what changed them, and what chance alone would have changed."""

    words: str
    parts: Mapping[str, float]
    noise: float | None = None


def rate_band(points: Sequence[RatePoint], onset: datetime | None, *, words: Sequence[str], axis: str) -> go.Figure:
    """The rate as a line in its usual band, and a mark where an alarm began; ``words`` name line, band and mark."""
    line, band, begin = words
    known = [each for each in points if math.isfinite(each.low) and math.isfinite(each.high)]
    figure = go.Figure()
    figure.add_scatter(
        x=[each.at.isoformat() for each in (*known, *reversed(known))],
        y=[round(each.high, 5) for each in known] + [round(each.low, 5) for each in reversed(known)],
        mode="lines", line={"width": 0}, fill="toself", name=band, meta=hues.meta(BAND) | {"band": True},
        hoverinfo="skip",
    )  # fmt: skip
    drawn = [each for each in points if math.isfinite(each.value)]
    figure.add_scatter(
        x=[each.at.isoformat() for each in drawn], y=[round(each.value, 5) for each in drawn], mode="lines", name=line,
        line={"width": 2}, meta=hues.meta(NOW), hovertemplate="%{x|%d.%m. %H:%M}: %{y}<extra></extra>",
    )  # fmt: skip
    first = next((each for each in drawn if onset is not None and each.at >= onset), None)
    if first is not None:
        figure.add_scatter(
            x=[first.at.isoformat()], y=[round(first.value, 5)], mode="markers", name=begin, cliponaxis=False,
            marker={"size": 14, "symbol": "triangle-down"}, meta=hues.meta(ONSET), hoverinfo="skip",
        )  # fmt: skip
    return figure.update_layout(
        height=320,
        margin={"t": 34, "b": 40},
        showlegend=True,
        xaxis={"type": "date", "nticks": 8, "tickangle": 0, "showgrid": False},
        yaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6},
        meta={"narrow": {"xaxis": {"nticks": 4}}},
    )


def shift_bars(bars: Sequence[ShiftBar], *, words: Sequence[str], axis: str) -> go.Figure:
    """A bar per shift, one for its noise, and across both a mark where its alarm begins; ``words`` name all three."""
    shift, noise, line = words
    figure = go.Figure()
    names = [marks.short(each.words) for each in bars]
    for name, values, hue, shape in (
        (shift, [each.psi for each in bars], NOW, ""), (noise, [each.noise for each in bars], BAND, "/"),
    ):  # fmt: skip
        figure.add_bar(
            x=[round(value, 4) for value in values], y=names, orientation="h", name=name, meta=hues.meta(hue),
            marker={"pattern": {"shape": shape}}, hovertemplate="%{y}: %{x:.3f} <extra>%{fullData.name}</extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[round(each.limit, 4) for each in bars], y=names, mode="markers", name=line, meta=hues.meta(LIMIT),
        marker={"symbol": "line-ns", "size": 26, "line": {"width": 2}}, cliponaxis=False,
        hovertemplate="%{y}: %{x:.3f} <extra>%{fullData.name}</extra>",
    )  # fmt: skip
    return figure.update_layout(
        height=110 + 56 * len(bars),
        margin={"t": 34, "b": 44},
        showlegend=True,
        barmode="group",
        xaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6},
        yaxis={"autorange": "reversed", "showgrid": False},
    )


def churn_bars(bars: Sequence[ChurnBar], parts: Sequence[tuple[str, str]], *, chance: str, axis: str) -> go.Figure:
    """A stacked bar per run: percent of the lists that each part changed, and across it what chance alone would have.

    ``parts`` are codes and their words, ``chance`` names the mark of chance.
    """
    figure = go.Figure()
    for place, (code, words) in enumerate(parts):
        hue, shape = place % hues.N_HUES + 1, hues.ARM_SHAPES[place % len(hues.ARM_SHAPES)]
        figure.add_bar(
            x=[each.words for each in bars], y=[marks.percent(each.parts.get(code, 0.0)) for each in bars],
            name=words, meta=hues.meta(hue), marker={"pattern": {"shape": shape}},
            hovertemplate="%{x}: %{y:.1f} % <extra>%{fullData.name}</extra>",
        )  # fmt: skip
    measured = [(each.words, marks.percent(each.noise)) for each in bars if each.noise is not None]
    if measured:
        figure.add_scatter(
            x=[words for words, _ in measured], y=[value for _, value in measured], mode="lines+markers", name=chance,
            meta=hues.meta(LIMIT), line={"dash": "dot", "width": 1.5}, marker={"symbol": "diamond", "size": 9},
            hovertemplate="%{x}: %{y:.1f} % <extra>%{fullData.name}</extra>",
        )  # fmt: skip
    return figure.update_layout(
        height=320,
        margin={"t": 34, "b": 44},
        showlegend=True,
        barmode="relative",
        xaxis={"type": "category", "tickangle": 0, "nticks": 10},
        yaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6},
    )
