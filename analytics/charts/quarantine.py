"""Figure of a quarantine: what its items were asked for day by day, by whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from analytics.charts import hues

ESTABLISHED, OTHERS = 2, 5  # hues


@dataclass(frozen=True, kw_only=True)
class DayDemand:
    """Acts of one day on the items: of customers who had bought before, and of all others."""

    day: date
    established: int
    others: int


def demand(days: Sequence[DayDemand], *, time: str, acts: str, established: str, others: str) -> go.Figure:
    """Two lines, so that a rush of the others stands out however much the established do."""
    figure = go.Figure()
    for words, hue, dash, counts in (
        (established, ESTABLISHED, "solid", [each.established for each in days]),
        (others, OTHERS, "dash", [each.others for each in days]),
    ):
        figure.add_scatter(
            x=[each.day.isoformat() for each in days], y=counts, mode="lines+markers", name=words,
            line={"dash": dash, "width": 2.5}, marker={"size": 6}, meta=hues.meta(hue),
            hovertemplate="%{x}: %{y:,}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    return figure.update_layout(
        height=280,
        margin={"t": 34, "b": 48},
        showlegend=True,
        meta={"narrow": {"xaxis": {"nticks": 3}}},
        xaxis={"title": {"text": time}, "type": "date", "nticks": 6, "tickangle": 0},
        yaxis={"title": {"text": acts}, "rangemode": "tozero", "nticks": 6},
    )
