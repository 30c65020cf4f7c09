"""Figure of the shares of good, odd and wrong among staff's judgements, with their intervals."""

from collections.abc import Sequence

import plotly.graph_objects as go

from analytics.charts import hues, marks
from analytics.charts.marks import MeasuredRow

LOOKS = {"good": (2, "circle"), "odd": (4, "diamond"), "wrong": (5, "x")}
"""Hue and symbol of each judgement."""


def shares(rows: Sequence[MeasuredRow], *, axis: str) -> go.Figure:
    """A mark per judgement with its interval, from 0 to 100 %."""
    figure = go.Figure()
    for place, row in enumerate(rows):
        hue, symbol = LOOKS[row.name]
        value, low, high = (marks.percent(share) for share in (row.value, row.low, row.high))
        scaled = MeasuredRow(name=row.name, words=row.words, value=value, low=low, high=high)
        figure.add_scatter(
            x=[value],
            y=[place],
            error_x=marks.interval([scaled]),
            hovertemplate=f"{marks.plain(row.words)}: {value:.0f}% [{low:.0f}, {high:.0f}]<extra></extra>",
            mode="markers",
            cliponaxis=False,
            meta=hues.meta(hue),
            marker={"size": marks.QUIET, "symbol": symbol, "line": {"width": 1.5}},
        )
    return figure.update_layout(
        height=70 + 34 * len(rows),
        margin={"t": 8, "b": 44, "l": 8, "r": 16},
        xaxis={"title": {"text": axis}, "range": [0, 100], "nticks": 6, "tickangle": 0},
        yaxis=marks.named_rows([row.words for row in rows]),
        meta=marks.on_a_phone([row.words for row in rows]),
    )
