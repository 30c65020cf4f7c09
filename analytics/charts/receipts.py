"""Figure of imported campaigns: the share of people who answered each, with its interval, in the order of time."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from analytics.charts import hues, marks

ROW = 24  # pixels
SYMBOLS = ("circle", "square", "triangle-up", "star", "diamond", "cross", "triangle-down")
HUES = (3, 4, 6, 5, 1, 2)
"""Marks and hues go round at different lengths, so that no two of forty-two kinds look the same."""


@dataclass(frozen=True, kw_only=True)
class AnsweredShare:
    """A campaign by its name and kind: the share that answered, with the ends of its interval."""

    words: str
    kind: str
    value: float
    low: float
    high: float


def answers_figure(shares: Sequence[AnsweredShare], *, axis: str) -> go.Figure:
    """A mark with whiskers a campaign, the kinds told apart by mark and hue."""
    figure = go.Figure()
    for number, kind in enumerate(sorted({each.kind for each in shares})):
        own = [(place, each) for place, each in enumerate(shares) if each.kind == kind]
        figure.add_scatter(
            x=[marks.percent(each.value) for _place, each in own],
            y=[place for place, _each in own],
            mode="markers",
            name=marks.plain(kind),
            error_x={
                "symmetric": False,
                "array": [marks.percent(each.high - each.value) for _place, each in own],
                "arrayminus": [marks.percent(each.value - each.low) for _place, each in own],
                "thickness": 1.75,
                "width": 3,
            },
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": marks.QUIET},
            meta=hues.meta(HUES[number % len(HUES)]),
            customdata=[marks.plain(each.words) for _place, each in own],
            hovertemplate="%{customdata}: %{x:.1f} %<extra></extra>",
        )
    words = [each.words for each in shares]
    return figure.update_layout(
        height=110 + ROW * len(shares),
        showlegend=True,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"t": 8, "b": 44, "l": 8, "r": 16},
        xaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 7},
        yaxis=marks.named_rows(words),
        meta=marks.on_a_phone(words),
    )
