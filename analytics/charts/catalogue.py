"""Figures of the catalogue: Lorenz curves of the long tail, and how new items warm up."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from analytics.charts import hues
from analytics.charts.marks import percent

EQUAL = 6  # hue
HEIGHT = 340


@dataclass(frozen=True, kw_only=True)
class ConcentrationCurve:
    """A Lorenz curve; ``points``: share of items, share of the whole, both from 0 to 1 and growing."""

    words: str
    hue: int
    dash: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class AgeGroup:
    """Items of one age: the shares of them that were bought and that are recommended."""

    words: str
    brief: str  # for a phone
    bought: float
    recommended: float


def lorenz(lines: Sequence[ConcentrationCurve], *, items: str, whole: str, equal: str) -> go.Figure:
    """Lorenz curves under the line of equality; the further below it, the more falls to a few items."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", name=equal, line={"dash": "dot", "width": 1.5},
        meta=hues.meta(EQUAL), hoverinfo="skip",
    )  # fmt: skip
    for line in lines:
        figure.add_scatter(
            x=[percent(x) for x, _ in line.points],
            y=[percent(y) for _, y in line.points],
            mode="lines",
            name=line.words,
            line={"dash": line.dash, "width": 2.5},
            meta=hues.meta(line.hue),
            hovertemplate="%{x:.1f} % → %{y:.1f} %<extra>%{fullData.name}</extra>",
        )
    axis = {"range": [0, 100.5], "nticks": 6, "zeroline": False}
    return figure.update_layout(
        height=HEIGHT,
        margin={"t": 40, "b": 48, "l": 8, "r": 16},
        showlegend=True,
        xaxis=axis | {"title": {"text": items}, "tickangle": 0},
        yaxis=axis | {"title": {"text": whole}},
    )


def warming(groups: Sequence[AgeGroup], *, age: str, share: str, bought: str, recommended: str) -> go.Figure:
    """Two bars for each age, from the newest to the oldest items."""
    figure = go.Figure()
    for words, hue, values in (
        (bought, 1, [each.bought for each in groups]),
        (recommended, 3, [each.recommended for each in groups]),
    ):
        figure.add_bar(
            x=list(range(len(groups))),
            y=[percent(value) for value in values],
            name=words,
            meta=hues.meta(hue),
            customdata=[each.words for each in groups],
            hovertemplate="%{customdata}: %{y:.1f} %<extra>%{fullData.name}</extra>",
        )
    return figure.update_layout(
        height=HEIGHT,
        margin={"t": 40, "b": 48, "l": 8, "r": 16},
        showlegend=True,
        xaxis={
            "title": {"text": age},
            "tickvals": list(range(len(groups))),
            "ticktext": [each.words for each in groups],
            "tickangle": 0,
        },
        yaxis={"title": {"text": share}, "rangemode": "tozero", "nticks": 6},
        meta={"narrow": {"xaxis": {"ticktext": [each.brief for each in groups]}}},
    )
