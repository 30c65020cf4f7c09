"""Figures of the overview: quality, and events that came in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from analytics.charts import hues, marks
from analytics.charts.marks import MeasuredRow


@dataclass(frozen=True, kw_only=True)
class DayCount:
    day: date
    name: str
    words: str
    count: int


def quality(rows: Sequence[MeasuredRow], *, axis: str) -> go.Figure:
    """A mark per row with its interval, the name above it."""
    figure = go.Figure()
    marks.add_rows(figure, rows)
    for place, row in enumerate(rows):
        figure.add_annotation(
            text=f"{marks.plain(row.words)}: {row.value:.3f}",
            x=0, xref="paper", xanchor="left", y=place, xshift=6, yshift=19, showarrow=False,
        )  # fmt: skip
    return figure.update_layout(
        height=60 + 52 * len(rows),
        margin={"t": 8, "b": 42, "l": 10, "r": 20},
        xaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6},
        yaxis={"range": [len(rows) - 0.6, -0.75], "showgrid": False, "showticklabels": False, "zeroline": False},
    )


def arrivals(counts: Sequence[DayCount], *, days: str, events: str, address: str) -> go.Figure:
    """Events a day, stacked by kind; each kind keeps its hue whatever else occurs.

    ``address`` of the list behind a bar, with {day} and {name} in it.
    """
    figure = go.Figure()
    for name in sorted({count.name for count in counts}, key=hues.EVENTS.index):
        of_kind = [count for count in counts if count.name == name]
        hue, shape = hues.of_event(name)
        figure.add_bar(
            x=[count.day.isoformat() for count in of_kind],
            y=[count.count for count in of_kind],
            name=of_kind[0].words,
            customdata=[address.format(day=count.day.isoformat(), name=count.name) for count in of_kind],
            marker={"pattern": {"shape": shape, "fillmode": "overlay"}},
            meta=hues.meta(hue) | {"links": True},
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
