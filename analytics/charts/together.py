"""The network of items that are bought together."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from analytics.charts import hues
from analytics.charts.marks import plain, short

ITEM, PAIR = 1, hues.OTHER  # hues
LONGEST_NAME = 26
SMALLEST, PER_LINK, LARGEST = 9, 2, 22  # size of a node


@dataclass(frozen=True, kw_only=True)
class Node:
    """An item of the network; ``links``: how many of the drawn pairs it is in; ``x``, ``y`` in lengths of an edge."""

    key: int
    words: str
    links: int
    x: float
    y: float


def network(nodes: Sequence[Node], edges: Sequence[tuple[int, int, float]], *, pairs: str, lift: str) -> go.Figure:
    """Items as marks, the more pairs the larger; pairs as lines, whose middle tells their lift."""
    figure = go.Figure()
    ends = [(nodes[a], nodes[b]) for a, b, _ in edges]
    figure.add_scatter(
        x=[place for one, other in ends for place in (one.x, other.x, None)],
        y=[place for one, other in ends for place in (one.y, other.y, None)],
        mode="lines",
        line={"width": 1.5},
        meta=hues.meta(PAIR),
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[(one.x + other.x) / 2 for one, other in ends],
        y=[(one.y + other.y) / 2 for one, other in ends],
        mode="markers",
        marker={"size": 9, "opacity": 0},
        meta=hues.meta(PAIR),
        customdata=[
            [plain(one.words), plain(other.words), value]
            for (one, other), (_, _, value) in zip(ends, edges, strict=True)
        ],
        hovertemplate=f"%{{customdata[0]}}<br>%{{customdata[1]}}<br>{lift} %{{customdata[2]:,.1f}}<extra></extra>",
    )
    for node in sorted(nodes, key=lambda node: (-node.links, node.key)):
        figure.add_scatter(
            x=[round(node.x, 3)],
            y=[round(node.y, 3)],
            mode="markers+text",
            marker={"size": min(SMALLEST + PER_LINK * (node.links - 1), LARGEST)},
            text=[short(node.words, LONGEST_NAME)],
            textposition="top center",
            textfont={"size": 13},
            meta=hues.meta(ITEM) | {"label": True},
            hovertemplate=f"{plain(node.words)}<br>{pairs}: {node.links}<extra></extra>",
        )
    axis = {"visible": False, "fixedrange": True}
    return figure.update_layout(height=560, margin={"t": 8, "b": 8, "l": 8, "r": 8}, xaxis=axis, yaxis=axis)
