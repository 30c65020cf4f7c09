"""Figures of quality: leaders, slices, gaps and history of measured rows, with 95 % intervals; settings; calibrations.

A trace that says ``band`` in its meta is an area that the browser fills with its hue.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from analytics.charts import hues, marks
from analytics.charts.marks import MeasuredRow

SAID_AND_SO = 3  # hue of the marks
CALIBRATION_HEIGHT = 260  # pixels
DODGE = 0.24  # of a group's height, between the marks of one group
LEARNED, AFTER = "circle-open", "circle"
APART = 0.14  # of a row's height, between the marks of one row


@dataclass(frozen=True, kw_only=True)
class CustomerSlice:
    """A slice of the customers; ``rows`` as many as were measured in it."""

    words: str
    customers: int
    few: bool  # too few customers to be sure of anything
    rows: Sequence[MeasuredRow]


@dataclass(frozen=True, kw_only=True)
class FigureHistory:
    """Figures of one row over the versions, the oldest first."""

    name: str
    words: str
    points: Sequence[tuple[str, MeasuredRow]]  # what the version is called, and its figure
    chance: Sequence[tuple[str, float]] = ()  # versions, and how far either way other seeds lead there


@dataclass(frozen=True, kw_only=True)
class TunedCurve:
    """Figures of a setting that were tried, the smallest first, and the one that was chosen, if it is among them."""

    points: Sequence[tuple[float, float]]
    chosen: tuple[float, float] | None


def leaders(rows: Sequence[MeasuredRow], *, axis: str) -> go.Figure:
    """A mark per row with its interval; a line through the hybrid shows who is beyond it."""
    figure = go.Figure()
    marks.add_rows(figure, rows)
    for row in rows:
        if row.name == "hybrid":
            figure.add_vline(x=row.value, line={"dash": "dot", "width": 1.5}, layer="below")
    return figure.update_layout(
        height=70 + 27 * len(rows),
        margin={"t": 8, "b": 44, "l": 8, "r": 16},
        xaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6, "tickangle": 0},
        yaxis=marks.named_rows([row.words for row in rows]),
        meta=marks.on_a_phone([row.words for row in rows]),
    )


def slices(groups: Sequence[CustomerSlice], *, axis: str) -> go.Figure:
    """A line of marks per group, one below the other so that their intervals do not cover one another.

    Groups of few customers are drawn open.
    """
    figure = go.Figure()
    names = list(dict.fromkeys((row.name, row.words) for group in groups for row in group.rows))
    for number, (name, words) in enumerate(names):
        entries = [(at, group, row) for at, group in enumerate(groups) for row in group.rows if row.name == name]
        mark = marks.mark(name)
        symbol = mark["marker"]["symbol"]
        mark["marker"]["symbol"] = [f"{symbol}-open" if group.few else symbol for _, group, _ in entries]
        figure.add_scatter(
            x=[row.value for _, _, row in entries],
            y=[round(at + (number - (len(names) - 1) / 2) * DODGE, 3) for at, _, _ in entries],
            error_x=marks.interval([row for _, _, row in entries]),
            name=words,
            customdata=[marks.plain(group.words) for _, group, _ in entries],
            hovertemplate="%{customdata}: %{x:.3f} <extra>%{fullData.name}</extra>",
            **mark,
        )
    return figure.update_layout(
        height=100 + 46 * len(groups),
        margin={"t": 34, "b": 44, "l": 8, "r": 16},
        showlegend=True,
        xaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6, "tickangle": 0},
        yaxis=marks.named_rows([group.words for group in groups]),
        meta=marks.on_a_phone([group.words for group in groups]),
    )


def history(lines: Sequence[FigureHistory], *, versions: str, axis: str, chance: str = "") -> go.Figure:
    """A line with its band per row; the versions stand in the order in which they were measured.

    ``chance`` names a second band, of what differs by seed alone, where that is known of a row.
    """
    figure = go.Figure()
    order = list(dict.fromkeys(version for line in lines for version, _ in line.points))
    for line in lines:
        names, rows = [version for version, _ in line.points], [row for _, row in line.points]
        mark = marks.mark(line.name)
        figure.add_scatter(
            x=[*names, *reversed(names)],
            y=[*(row.high for row in rows), *(row.low for row in reversed(rows))],
            mode="lines",
            line={"width": 0},
            fill="toself",
            meta=mark["meta"] | {"band": True},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=names,
            y=[row.value for row in rows],
            **mark | {"mode": "lines+markers"},
            name=line.words,
            line={"width": 2},
            customdata=[f"{row.value:.4f} [{row.low:.4f}, {row.high:.4f}]" for row in rows],
            hovertemplate="%{x}: %{customdata} <extra>%{fullData.name}</extra>",
        )
        if line.chance:
            _add_chance(figure, line, name=chance)
    return figure.update_layout(
        height=400,
        margin={"t": 34, "b": 48, "l": 8, "r": 16},
        showlegend=True,
        xaxis={
            "title": {"text": versions},
            "type": "category",
            "categoryorder": "array",
            "categoryarray": order,
            "nticks": 8,
        },
        yaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6},
    )


def _add_chance(figure: go.Figure, line: FigureHistory, *, name: str) -> None:
    """Add the band of what differs by seed alone around the figures of a row."""
    value = {version: row.value for version, row in line.points}
    names, reach = zip(*line.chance, strict=True)
    ends = [[round(value[each] + sign * far, 5) for each, far in line.chance] for sign in (1, -1)]
    figure.add_scatter(
        x=[*names, *reversed(names)],
        y=[*ends[0], *reversed(ends[1])],
        mode="lines",
        line={"width": 0},
        fill="toself",
        meta=hues.meta(hues.OTHER) | {"band": True},
        name=name,
        text=[f"± {far:.4f}" for far in (*reach, *reversed(reach))],
        hovertemplate="%{x}: %{text} <extra>%{fullData.name}</extra>",
    )


def gaps(rows: Sequence[tuple[MeasuredRow, MeasuredRow]], *, learned: str, after: str, axis: str) -> go.Figure:
    """Two marks with their intervals per row, on what was learned and on what came after, and a line between them."""
    figure = go.Figure()
    for place, (one, other) in enumerate(rows):
        figure.add_scatter(
            x=[one.value, other.value], y=[place - APART, place + APART], mode="lines", line={"width": 1},
            meta=hues.meta(hues.OTHER), hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    for side, (name, symbol) in enumerate(((learned, LEARNED), (after, AFTER))):
        own = [row[side] for row in rows]
        figure.add_scatter(
            x=[row.value for row in own],
            y=[round(place + (2 * side - 1) * APART, 3) for place in range(len(own))],
            error_x=marks.interval(own),
            mode="markers",
            marker={"size": marks.QUIET, "symbol": symbol, "line": {"width": 1.5}},
            meta=hues.meta(SAID_AND_SO),
            cliponaxis=False,
            name=name,
            customdata=[marks.plain(row.words) for row in own],
            hovertemplate="%{customdata}: %{x:.3f} <extra>%{fullData.name}</extra>",
        )
    words = [one.words for one, _ in rows]
    return figure.update_layout(
        height=90 + 32 * len(rows),
        margin={"t": 34, "b": 44, "l": 8, "r": 16},
        showlegend=True,
        xaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6, "tickangle": 0},
        yaxis=marks.named_rows(words),
        meta=marks.on_a_phone(words),
    )


def tuned(curve: TunedCurve, *, setting: str, axis: str, chosen: str) -> go.Figure:
    """The figures of a setting as a line, and a diamond where the choice lies."""
    figure = go.Figure()
    figure.add_scatter(
        x=[marks.percent(value) for value, _ in curve.points], y=[round(reached, 5) for _, reached in curve.points],
        mode="lines+markers", line={"width": 2}, marker={"size": marks.QUIET}, meta=hues.meta(hues.OTHER),
        showlegend=False, hovertemplate="%{x} %: %{y:.4f}<extra></extra>",
    )  # fmt: skip
    if curve.chosen:
        figure.add_scatter(
            x=[marks.percent(curve.chosen[0])], y=[round(curve.chosen[1], 5)], mode="markers", name=chosen,
            marker={"size": marks.LOUD, "symbol": "diamond"}, meta=hues.meta(1), cliponaxis=False, hoverinfo="skip",
        )  # fmt: skip
    return figure.update_layout(
        height=CALIBRATION_HEIGHT,
        margin={"t": 34, "b": 48, "l": 8, "r": 16},
        showlegend=True,
        xaxis={"title": {"text": setting}, "rangemode": "tozero", "nticks": 8},
        yaxis={"title": {"text": axis}, "nticks": 5},
    )


@dataclass(frozen=True, kw_only=True)
class CalibrationPart:
    """Rows of about equal chance: the share that was said, the share that was so with its interval, and words of it."""

    said: float
    was: float
    low: float
    high: float
    words: str


def calibration(parts: Sequence[CalibrationPart], *, said: str, was: str) -> go.Figure:
    """A mark with its interval for each part, and the line on which what is said is so."""
    most = max((max(part.said, part.high) for part in parts), default=1.0) * 1.05
    figure = go.Figure(
        go.Scatter(
            x=[0, most],
            y=[0, most],
            mode="lines",
            line={"width": 1, "dash": "dash"},
            hoverinfo="skip",
            meta=hues.meta(hues.INK),
        )
    )
    figure.add_scatter(
        x=[part.said for part in parts],
        y=[part.was for part in parts],
        error_y={
            "symmetric": False, "array": [part.high - part.was for part in parts],
            "arrayminus": [part.was - part.low for part in parts], "thickness": 1.75, "width": 4,
        },
        mode="markers",
        marker={"size": 8},
        cliponaxis=False,
        hovertext=[part.words for part in parts],
        hovertemplate="%{hovertext}<extra></extra>",
        meta=hues.meta(SAID_AND_SO),
    )  # fmt: skip
    axis = {"range": [0, most], "tickformat": ".0%", "nticks": 5}
    return figure.update_layout(
        height=CALIBRATION_HEIGHT, showlegend=False, margin={"t": 6, "b": 48, "l": 56, "r": 12},
        xaxis={**axis, "title": {"text": said}}, yaxis={**axis, "title": {"text": was}},
    )  # fmt: skip
