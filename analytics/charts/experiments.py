"""Figures of experiments: the effect day by day, each metric's interval, and what a plan can find.

Whatever cannot be drawn, an interval without an end, is left out here and said in the table.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import plotly.graph_objects as go

from analytics.charts import hues, marks
from analytics.charts.weights import BETTER, UNCLEAR, WORSE

WANTED = hues.INK
ROW = 34  # pixels
BETWEEN_GROUPS = 0.8  # of a row
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True, kw_only=True)
class LiftDay:
    """Effect of an arm up to a day as a share of the control's, with the two ends of its always-valid interval.

    ``fixed_low`` and ``fixed_high`` are those of an interval that would hold had nobody looked before.
    """

    day: date
    value: float
    low: float
    high: float
    fixed_low: float
    fixed_high: float


@dataclass(frozen=True, kw_only=True)
class MetricEffect:
    """Effect of an arm on a metric as a share of the control's, with its interval; ``group`` says what it is for.

    ``tolerance`` is the share by which a guardrail may become worse.
    """

    group: str
    words: str
    value: float
    low: float
    high: float
    lower_is_better: bool = False
    tolerance: float | None = None

    @property
    def is_certain(self) -> bool:
        """Whether the interval has ends, so that it can be drawn."""
        return all(map(math.isfinite, (self.value, self.low, self.high)))

    @property
    def look(self) -> tuple[int, str]:
        """Hue and symbol: clearly better for the shop, clearly worse, or unclear."""
        if self.low <= 0 <= self.high:
            return UNCLEAR
        return BETTER if (self.low > 0) is not self.lower_is_better else WORSE


@dataclass(frozen=True, kw_only=True)
class PlanLine:
    """Smallest lift, as a share, that a metric shows in four of five cases after so many days."""

    words: str
    lifts: Sequence[tuple[int, float]]


def has_ends(day: LiftDay) -> bool:
    """Whether the interval up to a day has ends, so that it can be drawn."""
    return all(map(math.isfinite, (day.value, day.low, day.high)))


def lift_ribbon(days: Sequence[LiftDay], *, smallest: float, words: Sequence[str], day: str, axis: str) -> go.Figure:
    """The effect by day in its always-valid ribbon, the fixed interval as a thin inner band, zero and ± what is wanted.

    ``words`` name, in this order, the effect, its ribbon, the inner band and the lift that is wanted.
    """
    effect, ribbon, inner, wanted = words
    drawn = [each for each in days if has_ends(each)]
    figure = go.Figure()
    hue, symbol = BETTER[0], "circle"
    figure.add_traces([_ribbon(drawn, name=ribbon, hue=hue), _inner_band(drawn, name=inner, hue=hue)])
    figure.add_scatter(
        x=[each.day.isoformat() for each in drawn],
        y=[marks.percent(each.value) for each in drawn],
        mode="lines+markers",
        name=effect,
        line={"width": 2.5},
        marker={"size": 6, "symbol": symbol},
        meta=hues.meta(hue),
        customdata=[[marks.percent(each.low), marks.percent(each.high)] for each in drawn],
        hovertemplate="%{x}: %{y:+.2f} % [%{customdata[0]:+.2f}, %{customdata[1]:+.2f}]<extra></extra>",
        error_y=_whiskers_of(drawn[0]) if len(drawn) == 1 else None,
    )
    for end in (smallest, -smallest):
        figure.add_trace(_level([each.day for each in days], end, name=wanted, again=end < 0))
    reach = _reach(drawn, smallest=smallest)
    return figure.update_layout(
        height=320,
        margin={"t": 34, "b": 48},
        showlegend=True,
        xaxis={
            "title": {"text": day}, "type": "date", "nticks": 7, "tickangle": 0, "showgrid": False,
            **marks.days_axis([each.day for each in days]),
        },
        yaxis={"title": {"text": axis}, "range": [-reach, reach], "zeroline": True, "zerolinewidth": 2, "nticks": 7},
        meta={"narrow": {"xaxis": {"nticks": 3}}},
    )  # fmt: skip


def _whiskers_of(day: LiftDay) -> dict[str, Any]:
    """The interval of the only day, of which a ribbon shows nothing."""
    up, down = marks.percent(day.high - day.value), marks.percent(day.value - day.low)
    return {"type": "data", "symmetric": False, "array": [up], "arrayminus": [down], "thickness": 2, "width": 6}


def metric_forest(effects: Sequence[MetricEffect], *, axis: str, tolerance: str) -> go.Figure:
    """A mark with its interval per metric, groups apart: ▲ clearly better, ▼ clearly worse, ○ unclear.

    A bar across a guardrail's row is where its tolerance ends; ``tolerance`` says so when it is pointed at.
    """
    figure, places = go.Figure(), _places(effects)
    for look in (BETTER, WORSE, UNCLEAR):
        rows = [(at, each) for at, each in zip(places, effects, strict=True) if each.is_certain and each.look == look]
        figure.add_trace(_whiskers(rows, look))
    limits = [
        (at, each.tolerance * (1 if each.lower_is_better else -1))
        for at, each in zip(places, effects, strict=True)
        if each.tolerance is not None
    ]
    figure.add_scatter(
        x=[marks.percent(limit) for _at, limit in limits],
        y=[at for at, _limit in limits],
        mode="markers",
        cliponaxis=False,
        marker={"size": 20, "symbol": "line-ns-open", "line": {"width": 2}},
        meta=hues.meta(WANTED),
        hovertemplate=f"{marks.plain(tolerance)}: %{{x:+.2f}} %<extra></extra>",
    )
    words = [each.words for each in effects]
    rows_axis = marks.named_rows(words) | {"tickvals": places, "range": [max(places, default=0) + 0.6, -1.1]}
    return figure.update_layout(
        height=80 + round(ROW * (max(places, default=0) + 1)),
        margin={"t": 8, "b": 44, "l": 8, "r": 16},
        xaxis={"title": {"text": axis}, "zeroline": True, "zerolinewidth": 2, "nticks": 7, "tickangle": 0},
        yaxis=rows_axis,
        annotations=_headings(effects, places),
        meta=marks.on_a_phone(words),
    )


def plan_curve(lines: Sequence[PlanLine], *, wanted: float, wanted_words: str, days: str, axis: str) -> go.Figure:
    """A falling line per metric: the smallest lift that shows after so many days, and the level that is wanted."""
    figure = go.Figure()
    furthest = max((day for line in lines for day, _lift in line.lifts), default=0)
    for place, line in enumerate(lines):
        points = [(day, lift) for day, lift in line.lifts if math.isfinite(lift)]
        figure.add_scatter(
            x=[day for day, _lift in points],
            y=[marks.percent(lift) for _day, lift in points],
            mode="lines+markers",
            name=marks.plain(line.words),
            line={"width": 2.5, "dash": DASHES[place % len(DASHES)]},
            marker={"size": 7},
            meta=hues.meta(place % hues.N_HUES + 1),
            hovertemplate="%{x}: ± %{y:.2f} %<extra>%{fullData.name}</extra>",
        )
    figure.add_trace(_level([0, furthest], wanted, name=wanted_words))
    return figure.update_layout(
        height=300,
        margin={"t": 34, "b": 48},
        showlegend=True,
        xaxis={"title": {"text": days}, "tickvals": _whole_weeks(lines)},
        yaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6},
    )


def _ribbon(days: Sequence[LiftDay], *, name: str, hue: int) -> go.Scatter:
    """The area between the ends of the always-valid interval, there along the upper one and back along the lower."""
    x = [each.day.isoformat() for each in days]
    return go.Scatter(
        x=[*x, *reversed(x)],
        y=[marks.percent(each.high) for each in days] + [marks.percent(each.low) for each in reversed(days)],
        mode="lines",
        line={"width": 0},
        fill="toself",
        name=name,
        meta=hues.meta(hue) | {"band": True},
        hoverinfo="skip",
    )


def _inner_band(days: Sequence[LiftDay], *, name: str, hue: int) -> go.Scatter:
    """The two ends of the fixed interval as thin lines."""
    x = [each.day.isoformat() for each in days]
    highs = [marks.percent(each.fixed_high) for each in days]
    lows = [marks.percent(each.fixed_low) for each in days]
    return go.Scatter(
        x=[*x, None, *x],
        y=[*highs, None, *lows],
        mode="lines",
        line={"width": 1, "dash": "dash"},
        name=name,
        meta=hues.meta(hue),
        hoverinfo="skip",
    )


def _level(x: Sequence[date] | Sequence[int], share: float, *, name: str, again: bool = False) -> go.Scatter:
    """A dotted line across at a share; ``again`` where its name stands in the legend already."""
    ends = [each.isoformat() if isinstance(each, date) else each for each in (*x[:1], *x[1:][-1:])]
    return go.Scatter(
        x=ends,
        y=[marks.percent(share)] * len(ends),
        mode="lines",
        line={"dash": "dot", "width": 1.5},
        name=marks.plain(name),
        showlegend=not again,
        meta=hues.meta(WANTED),
        hoverinfo="skip",
    )


def _whole_weeks(lines: Sequence[PlanLine]) -> list[int]:
    return sorted({day for line in lines for day, _lift in line.lifts if day % 7 == 0})


def _reach(days: Sequence[LiftDay], *, smallest: float) -> float:
    """Half the axis in percent: it holds the ribbon of the later half, as the first days would press all else flat."""
    later = days[len(days) // 2 :]
    furthest = max((max(-each.low, each.high) for each in later), default=0.0)
    return round(110 * max(furthest, 2 * smallest), 2)


def _places(effects: Sequence[MetricEffect]) -> list[float]:
    """Where each row stands, from above to below; a new group begins a little further down."""
    places: list[float] = []
    for before, each in zip([None, *effects], effects, strict=False):
        step = 1.0 if before is None or before.group == each.group else 1.0 + BETWEEN_GROUPS
        places.append(round(places[-1] + step, 1) if places else 0.0)
    return places


def _headings(effects: Sequence[MetricEffect], places: Sequence[float]) -> list[dict[str, Any]]:
    """Name of each group above its first row."""
    first: dict[str, float] = {}
    for each, place in zip(effects, places, strict=True):
        first.setdefault(each.group, place)
    look = {"xref": "paper", "x": 0, "xanchor": "left", "yanchor": "bottom", "showarrow": False}
    return [{**look, "y": place - 0.45, "text": marks.plain(group)} for group, place in first.items()]


def _whiskers(rows: Sequence[tuple[float, MetricEffect]], look: tuple[int, str]) -> go.Scatter:
    hue, symbol = look
    return go.Scatter(
        x=[marks.percent(each.value) for _at, each in rows],
        y=[at for at, _each in rows],
        error_x={
            "symmetric": False,
            "array": [marks.percent(each.high - each.value) for _at, each in rows],
            "arrayminus": [marks.percent(each.value - each.low) for _at, each in rows],
            "thickness": 2.5,
            "width": 5,
        },
        mode="markers",
        cliponaxis=False,
        marker={"size": 13, "symbol": symbol, "line": {"width": 2}},
        meta=hues.meta(hue),
        customdata=[[marks.plain(each.words), marks.percent(each.low), marks.percent(each.high)] for _at, each in rows],
        hovertemplate="%{customdata[0]}: %{x:+.2f} % [%{customdata[1]:+.2f}, %{customdata[2]:+.2f}]<extra></extra>",
    )
