"""Histogram of the differences between two rows of the quality table, customer by customer."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

BETTER, SAME, WORSE = 1, 6, 3  # hues
STEPS = 10  # bars on either side of the middle one
EDGE = 0.5 / STEPS  # of the middle bar


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Customers whose difference lies between ``low`` and ``high``."""

    low: float
    high: float
    customers: int


def bars(differences: Sequence[float]) -> list[Bar]:
    """Count differences from −1 to 1 in steps of 0.1; the middle bar is around 0, empty ends are left out."""
    places = [round(difference * STEPS) for difference in differences]
    if not places:
        return []
    widest = max(1, *map(abs, places))
    return [
        Bar(low=place / STEPS - EDGE, high=place / STEPS + EDGE, customers=places.count(place))
        for place in range(-widest, widest + 1)
    ]


def histogram(found: Sequence[Bar], *, difference: str, customers: str) -> go.Figure:
    """A bar per step of difference: right of zero the first row is better, left of it the second."""
    middle = [(bar.low + bar.high) / 2 for bar in found]
    figure = go.Figure(
        go.Bar(
            x=[round(x, 2) for x in middle],
            y=[bar.customers for bar in found],
            meta={"hues": [SAME if abs(x) < EDGE else BETTER if x > 0 else WORSE for x in middle]},
            customdata=[[round(bar.low, 2), round(bar.high, 2)] for bar in found],
            hovertemplate="%{customdata[0]} … %{customdata[1]}: %{y:,}<extra></extra>",
        )
    )
    return figure.update_layout(
        height=320,
        bargap=0.08,
        margin={"t": 12, "b": 48, "l": 8, "r": 16},
        xaxis={"title": {"text": difference}, "nticks": 8},
        yaxis={"title": {"text": customers}, "rangemode": "tozero", "nticks": 6},
        meta={"narrow": {"xaxis": {"title": {"text": difference.replace(" · ", "<br>")}}, "margin": {"b": 84}}},
    )
