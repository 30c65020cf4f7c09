"""Figures of what other weights do: each metric against live, and what is lost without each recommender."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import plotly.graph_objects as go

from analytics.charts import hues, marks
from analytics.charts.marks import MeasuredRow

REACHES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Ends of the axis in percent: it moves by steps, so that a mark moves when a slider does, and not the axis."""

BETTER, WORSE, UNCLEAR = (1, "triangle-up"), (3, "triangle-down"), (6, "circle-open")  # hue and symbol
ROW = 34  # pixels
ROOM = 0.35  # for the number beside the longest bar, in parts of the axis without it


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Difference of a figure to live's, with its 95 % interval, as shares of live's figure."""

    words: str
    value: float
    low: float
    high: float


_SIDES: Mapping[tuple[int, str], Callable[[Effect], bool]] = {
    BETTER: lambda effect: effect.low > 0,
    WORSE: lambda effect: effect.high < 0,
    UNCLEAR: lambda effect: effect.low <= 0 <= effect.high,
}


def effects(found: Sequence[Effect], *, axis: str) -> go.Figure:
    """A mark with its interval per figure around the zero of "as live": ▲ clearly more, ▼ clearly less, ○ unclear."""
    return go.Figure(effect_parts(found, axis=axis))


def effect_parts(found: Sequence[Effect], *, axis: str) -> dict[str, Any]:
    """``effects`` as it is sent to the browser on every move: Plotly's checks would take longer than all the rest."""
    reach, words = _reach(found), [effect.words for effect in found]
    layout = {
        "height": 60 + ROW * len(found),
        "margin": {"t": 6, "b": 44, "l": 8, "r": 16},
        "xaxis": {"title": {"text": axis}, "range": [-reach, reach], "nticks": 7, "zerolinewidth": 2, "tickangle": 0},
        "yaxis": marks.named_rows(words),
        "meta": marks.on_a_phone(words),
    }
    return {"data": [_side(found, side) for side in _SIDES], "layout": layout}


def losses(parts: Sequence[MeasuredRow], *, axis: str) -> go.Figure:
    """A bar with its interval per recommender: what share of live's accuracy the customers would lose without it."""
    figure = go.Figure()
    rows = [
        replace(part, value=marks.percent(part.value), low=marks.percent(part.low), high=marks.percent(part.high))
        for part in parts
    ]
    for place, part in enumerate(rows):
        hue, pattern = hues.of_recommender(part.name)
        figure.add_bar(
            x=[part.value],
            y=[place],
            orientation="h",
            meta=hues.meta(hue),
            marker={"pattern": {"shape": hues.PATTERNS[pattern], "fillmode": "overlay"}},
            error_x=marks.interval([part]),
            hovertemplate=f"{marks.plain(part.words)}: {part.value:.2f} % [{part.low:.2f}, {part.high:.2f}]"
            "<extra></extra>",
        )
    lowest, furthest = min([0.0, *(part.low for part in rows)]), max([0.0, *(part.high for part in rows)])
    figure.add_scatter(
        x=[max(part.high, 0) for part in rows],
        y=list(range(len(rows))),
        mode="text",
        text=[f" {part.value:+.1f}%" for part in rows],
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
    )
    return figure.update_layout(
        height=60 + ROW * len(parts),
        bargap=0.35,
        barmode="overlay",
        margin={"t": 6, "b": 44, "l": 8, "r": 16},
        xaxis={
            "title": {"text": axis},
            "range": [lowest * 1.1, furthest + ROOM * (furthest - lowest or 1.0)],
            "showticklabels": False,
            "zerolinewidth": 2,
        },
        yaxis=marks.named_rows([part.words for part in parts]),
        meta=marks.on_a_phone([part.words for part in parts]),
    )


def _side(found: Sequence[Effect], side: tuple[int, str]) -> dict[str, Any]:
    """The marks of one side: better, worse or unclear."""
    (hue, symbol), holds = side, _SIDES[side]
    rows = [(place, effect) for place, effect in enumerate(found) if holds(effect)]
    return {
        "type": "scatter",
        "x": [marks.percent(effect.value) for _, effect in rows],
        "y": [place for place, _ in rows],
        "error_x": {
            "symmetric": False,
            "array": [marks.percent(effect.high - effect.value) for _, effect in rows],
            "arrayminus": [marks.percent(effect.value - effect.low) for _, effect in rows],
            "thickness": 2.5,
            "width": 5,
        },
        "mode": "markers",
        "cliponaxis": False,
        "meta": hues.meta(hue),
        "marker": {"size": 13, "symbol": symbol, "line": {"width": 2}},
        "customdata": [_hover_text(effect) for _, effect in rows],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _reach(found: Sequence[Effect]) -> float:
    """The first end of the axis that holds all intervals."""
    furthest = max((100 * max(abs(effect.low), abs(effect.high)) for effect in found), default=0.0)
    return next((float(end) for end in REACHES if end >= furthest), furthest)


def _hover_text(effect: Effect) -> str:
    numbers: tuple[Any, ...] = tuple(100 * number for number in (effect.value, effect.low, effect.high))
    return marks.plain(effect.words) + ": {:+.2f} % [{:+.2f}, {:+.2f}]".format(*numbers)
