"""Figure of promises to new items: how old each is, how much of it is kept, and the pace that keeps it in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from analytics.charts import hues
from analytics.charts.marks import plain
from analytics.charts.weights import BETTER, WORSE
from recommendations.promise_terms import NewItemState

PACE = hues.OTHER
LOOKS: Mapping[NewItemState, tuple[int, str]] = {
    NewItemState.PROMISED: (hues.INK, "circle-open"),
    NewItemState.KEPT: (BETTER[0], "circle"),
    NewItemState.LATE: (WORSE[0], "triangle-down"),
}


@dataclass(frozen=True, kw_only=True)
class PromisePoint:
    """A promise: how many days it is old, or was at its end, and how often the item was shown."""

    title: str
    days: float
    shown: int
    state: NewItemState


def promise_paces(
    points: Sequence[PromisePoint],
    *,
    impressions: int,
    days: int,
    planned: float,
    words: Mapping[NewItemState, str],
    pace: str,
    axes: tuple[str, str],
) -> go.Figure:
    """A mark per promise by its age and its impressions, over the planned pace; what is promised is the line above.

    ``planned`` is the share of the days by which a promise is to be kept.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, planned * days, days], y=[0, impressions, impressions], mode="lines", name=pace,
        line={"width": 2, "dash": "dash"}, meta=hues.meta(PACE), hoverinfo="skip",
    )  # fmt: skip
    for state, (hue, symbol) in LOOKS.items():
        own = [point for point in points if point.state is state]
        if own:
            figure.add_scatter(
                x=[round(point.days, 3) for point in own], y=[point.shown for point in own], mode="markers",
                name=words[state], meta=hues.meta(hue), cliponaxis=False,
                marker={"size": 10, "symbol": symbol, "line": {"width": 1.5}},
                hovertext=[plain(point.title) for point in own],
                hovertemplate="%{hovertext}: %{y}<extra></extra>",
            )  # fmt: skip
    return figure.update_layout(
        height=300,
        margin={"t": 34, "b": 44},
        showlegend=True,
        xaxis={"title": {"text": axes[0]}, "range": [0, days * 1.03], "nticks": 8, "showgrid": False},
        yaxis={"title": {"text": axes[1]}, "rangemode": "tozero", "nticks": 6},
        meta={"narrow": {"xaxis": {"nticks": 4}}},
    )
