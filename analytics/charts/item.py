"""Figures of one item: its price over time, and its events week by week."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import plotly.graph_objects as go

from analytics.charts import hues

BOUGHT, OTHERS = 1, 2  # hues
BAR = 0.8 * 7 * 86_400_000  # milliseconds: of a week, with a gap beside it
FEW, ROOM = 6, timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class PricePoint:
    """The price from a moment on."""

    since: datetime
    price: float


@dataclass(frozen=True, kw_only=True)
class WeekActs:
    """Events of one week with an item; ``week``: its first day; ``others``: acts that are no purchases."""

    week: date
    bought: int
    others: int


def prices(points: Sequence[PricePoint], *, until: datetime, time: str, price: str) -> go.Figure:
    """Prices over time in steps: each holds until the next one."""
    held = [*points, PricePoint(since=until, price=points[-1].price)] if points else []
    figure = go.Figure(
        go.Scatter(
            x=[point.since.isoformat() for point in held],
            y=[point.price for point in held],
            mode="lines+markers",
            line={"shape": "hv", "width": 2},
            marker={"size": [7] * len(points) + [0]},
            meta=hues.meta(BOUGHT),
            hovertemplate="%{x|%Y-%m-%d}: %{y:,.2f}<extra></extra>",
        )
    )
    return figure.update_layout(
        height=240,
        margin={"t": 12, "b": 48},
        xaxis={"title": {"text": time}, "type": "date", "nticks": 6},
        yaxis={"title": {"text": price}, "rangemode": "tozero", "nticks": 6},
    )


def weeks(acts: Sequence[WeekActs], *, time: str, events: str, bought: str, others: str) -> go.Figure:
    """Events a week as stacked bars; a kind that never occurs is left out."""
    figure = go.Figure()
    for words, hue, counts in (
        (bought, BOUGHT, [each.bought for each in acts]),
        (others, OTHERS, [each.others for each in acts]),
    ):
        if any(counts):
            figure.add_bar(
                x=[each.week.isoformat() for each in acts],
                y=counts,
                width=BAR,
                name=words,
                meta=hues.meta(hue),
                hovertemplate="%{x}: %{y:,} <extra>%{fullData.name}</extra>",
            )
    return figure.update_layout(
        barmode="stack",
        height=260,
        margin={"t": 34, "b": 48},
        showlegend=True,
        xaxis={"title": {"text": time}, "type": "date", "nticks": 6, **_around(acts)},
        yaxis={"title": {"text": events}, "rangemode": "tozero", "nticks": 6},
    )


def _around(acts: Sequence[WeekActs]) -> dict[str, Any]:
    """Room around the few weeks of a young item: a bar alone would be as wide as the figure, with hours on its axis."""
    if not acts or len(acts) >= FEW:
        return {}
    return {"range": [(acts[0].week - ROOM).isoformat(), (acts[-1].week + ROOM).isoformat()]}
