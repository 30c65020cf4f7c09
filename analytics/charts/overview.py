"""Figures of the overview: how good, and what came in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from analytics.charts import hues

OURS, THEIRS = 1, 6  # hues of the hybrid, and of what it is measured against


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A measured value with its 95 % interval."""

    words: str
    value: float
    low: float
    high: float
    ours: bool


@dataclass(frozen=True, kw_only=True)
class DayCount:
    day: date
    name: str
    words: str
    count: int


def quality(dots: Sequence[Dot], *, axis: str) -> go.Figure:
    """A dot per row with its interval, the name above it; ours is the diamond, so colour is not needed to find it."""
    figure = go.Figure()
    for row, dot in enumerate(dots):
        figure.add_scatter(
            x=[round(dot.value, 4)],
            y=[row],
            mode="markers",
            meta=hues.meta(OURS if dot.ours else THEIRS),
            marker={"size": 14 if dot.ours else 10, "symbol": "diamond" if dot.ours else "circle"},
            error_x={
                "symmetric": False,
                "array": [round(dot.high - dot.value, 4)],
                "arrayminus": [round(dot.value - dot.low, 4)],
                "thickness": 3 if dot.ours else 2,
                "width": 6,
            },
            hovertemplate=f"{dot.words}: {dot.value:.4f} [{dot.low:.4f}, {dot.high:.4f}]<extra></extra>",
        )
        figure.add_annotation(
            text=f"{dot.words}: {dot.value:.3f}",
            x=0, xref="paper", xanchor="left", y=row, xshift=6, yshift=19, showarrow=False,
        )  # fmt: skip
    return figure.update_layout(
        height=60 + 52 * len(dots),
        margin={"t": 8, "b": 42, "l": 10, "r": 20},
        xaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6},
        yaxis={"range": [len(dots) - 0.6, -0.75], "showgrid": False, "showticklabels": False, "zeroline": False},
    )


def arrivals(counts: Sequence[DayCount], *, days: str, events: str) -> go.Figure:
    """Events a day, stacked by kind; each kind keeps its hue whatever else occurs."""
    figure = go.Figure()
    for name in sorted({count.name for count in counts}, key=hues.order_of_event):
        of_kind = [count for count in counts if count.name == name]
        figure.add_bar(
            x=[count.day.isoformat() for count in of_kind],
            y=[count.count for count in of_kind],
            name=of_kind[0].words,
            meta=hues.meta(hues.of_event(name)),
            hovertemplate="%{x}: %{y:,} <extra>%{fullData.name}</extra>",
        )
    return figure.update_layout(
        barmode="stack",
        height=300,
        margin={"t": 34, "b": 44},
        showlegend=True,
        xaxis={"title": {"text": days}, "type": "date"},
        yaxis={"title": {"text": events}, "rangemode": "tozero"},
    )
