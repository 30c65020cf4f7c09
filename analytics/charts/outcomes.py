"""Figure of how often an item is clicked and bought at each position of a slate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import plotly.graph_objects as go

from analytics.charts import hues
from analytics.charts.marks import percent

CLICKS, CONVERSION = 2, 1  # hues
APART = 0.12  # of a position, between the two marks of it


class Interval(Protocol):
    """A share with the ends of its 95 % interval."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class PositionRates:
    position: int
    clicks: Interval
    conversion: Interval


def by_position(rates: Sequence[PositionRates], *, clicks: str, conversion: str, position: str, axis: str) -> go.Figure:
    """Two marks with their intervals at each position, the first position on the left; no clicks without words."""
    figure = go.Figure()
    for words, hue, symbol, shift, shares in (
        (clicks, CLICKS, "circle", -APART, [each.clicks for each in rates]),
        (conversion, CONVERSION, "diamond", APART if clicks else 0, [each.conversion for each in rates]),
    ):
        if not words:
            continue
        figure.add_scatter(
            x=[each.position + shift for each in rates],
            y=[percent(share.value) for share in shares],
            error_y=_whiskers(shares),
            customdata=[[each.position, percent(share.low), percent(share.high)]
                        for each, share in zip(rates, shares, strict=True)],
            name=words,
            mode="markers",
            cliponaxis=False,
            marker={"size": 9, "symbol": symbol},
            meta=hues.meta(hue),
            hovertemplate="%{customdata[0]}: %{y:.2f} % [%{customdata[1]:.2f}, %{customdata[2]:.2f}] "
            "<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    return figure.update_layout(
        height=300,
        margin={"t": 34, "b": 44},
        showlegend=True,
        xaxis={"title": {"text": position}, "tickvals": [each.position for each in rates], "showgrid": False},
        yaxis={"title": {"text": axis}, "rangemode": "tozero"},
    )


def _whiskers(shares: Sequence[Interval]) -> dict[str, Any]:
    return {
        "symmetric": False,
        "array": [percent(share.high - share.value) for share in shares],
        "arrayminus": [percent(share.value - share.low) for share in shares],
        "thickness": 1.75,
        "width": 4,
    }
