"""Scatter of accuracy against breadth.

A trace that says ``label`` in its meta has a text for which the browser finds a place that covers no other one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from analytics.charts import hues, marks

FRONT_HUE = 6


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A row between two figures: breadth to the right, accuracy upwards."""

    name: str
    words: str
    breadth: float  # share of the catalogue
    accuracy: float


def pareto(spots: Sequence[Spot], *, breadth: str, accuracy: str, in_percent: bool = False) -> go.Figure:
    """Accuracy against breadth; the line joins those that no other one beats in both.

    ``in_percent``: accuracy is a share, too, such as a change against live.
    """
    height = marks.percent if in_percent else float
    digits = ".2f" if in_percent else ".4f"
    front = frontier(spots)
    figure = go.Figure()
    figure.add_scatter(
        x=[marks.percent(spot.breadth) for spot in front],
        y=[height(spot.accuracy) for spot in front],
        mode="lines",
        line={"dash": "dot", "width": 1.5},
        meta=hues.meta(FRONT_HUE),
        hoverinfo="skip",
    )
    for spot in sorted(spots, key=lambda spot: spot.name not in hues.MEASURED):  # their texts find a place first
        mark = marks.mark(spot.name)
        figure.add_scatter(
            x=[marks.percent(spot.breadth)],
            y=[height(spot.accuracy)],
            customdata=[spot.name],  # who clicks learns which one it was
            **mark | {"mode": "markers+text", "meta": mark["meta"] | {"label": True}},
            text=[marks.short(spot.words)],
            textposition="top center",
            textfont={"size": 13},
            hovertemplate=f"{breadth}: %{{x:.1f}}<br>{accuracy}: %{{y:{digits}}}"
            f"<extra>{marks.plain(spot.words)}</extra>",
        )
    return figure.update_layout(
        height=400,
        margin={"t": 12, "b": 48, "l": 8, "r": 24},
        xaxis={"title": {"text": breadth}, "nticks": 6, "tickangle": 0, "zeroline": False},
        yaxis={"title": {"text": accuracy}, "nticks": 6, "zeroline": False},
    )


def frontier(spots: Sequence[Spot]) -> list[Spot]:
    """Spots that no other one beats in accuracy and in breadth, from the broadest."""
    best: list[Spot] = []
    for spot in sorted(spots, key=lambda spot: (-spot.breadth, -spot.accuracy)):
        if not best or spot.accuracy > best[-1].accuracy:
            best.append(spot)
    return best
