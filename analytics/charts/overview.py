"""Figures of the overview: revenue by day, and events that came in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from analytics.charts import hues, marks

HUE = 1  # of this period
KINDS = 5  # of events that a bar tells apart
OTHER = ""
ON_A_PHONE = {"height": 360, "legend": {"x": -0.3, "xanchor": "left"}}
"""The legend begins left of the bars, where two columns of it fit, and never is taller than they are."""


@dataclass(frozen=True, kw_only=True)
class DayRevenue:
    """Revenue of a day, and of the day as far into the period before."""

    day: date
    revenue: float
    before: float


@dataclass(frozen=True, kw_only=True)
class DayCount:
    day: date
    name: str
    words: str
    count: int


def _frequent(counts: Sequence[DayCount], *, other: str) -> tuple[dict[str, list[DayCount]], list[DayCount]]:
    """Days of the most frequent kinds, by kind, and of all others together. One kind alone is not called other."""
    totals = Counter[str]()
    for count in counts:
        totals[count.name] += count.count
    shown = len(totals) if len(totals) <= KINDS + 1 else KINDS
    kinds = {name for name, _total in totals.most_common(shown)}
    rest = Counter[date]()
    for count in counts:
        if count.name not in kinds:
            rest[count.day] += count.count
    days = [DayCount(day=day, name=OTHER, words=other, count=rest[day]) for day in sorted(rest)]
    return {name: [count for count in counts if count.name == name] for name in kinds}, days


def revenue(days: Sequence[DayRevenue], *, now: str, before: str, day: str, axis: str) -> go.Figure:
    """A line by day, and over it the period before, dashed, at the days that it is compared with."""
    x = [each.day.isoformat() for each in days]
    figure = go.Figure()
    for words, values, hue, look in (
        (before, [each.before for each in days], hues.OTHER, {"dash": "dot", "width": 1.5}),
        (now, [each.revenue for each in days], HUE, {"width": 2.5}),
    ):
        figure.add_scatter(
            x=x, y=[round(value, 2) for value in values], name=words, mode="lines", line=look, meta=hues.meta(hue),
            hovertemplate="%{x}: %{y:,.2f} <extra>%{fullData.name}</extra>",
        )  # fmt: skip
    return figure.update_layout(
        height=180,
        margin={"t": 26, "b": 36, "l": 8, "r": 12},
        showlegend=True,
        xaxis={"title": {"text": day}, "type": "date", "showgrid": False, "nticks": 6},
        yaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 4},
    )


def arrivals(counts: Sequence[DayCount], *, days: str, events: str, other: str, address: str) -> go.Figure:
    """Events a day, stacked by kind; each kind keeps its hue whatever else occurs. The rare kinds are ``other``.

    ``address`` of the list behind a bar, with {day} and {name} in it; that of ``other`` has no name.
    """
    figure = go.Figure()
    frequent, rest = _frequent(counts, other=other)
    for name in sorted(frequent, key=hues.EVENTS.index) + [OTHER] * bool(rest):
        of_kind = frequent.get(name, rest)
        hue, shape = hues.of_event(name) if name != OTHER else (hues.OTHER, ".")
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
        xaxis={"title": {"text": days}, "type": "date", **marks.days_axis([each.day for each in counts])},
        yaxis={"title": {"text": events}, "rangemode": "tozero"},
        meta={"narrow": ON_A_PHONE},
    )
