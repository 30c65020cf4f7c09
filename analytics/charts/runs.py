"""Figures of how long the stages of runs took."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from analytics.charts import hues


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stage of a run, on one cut or on none."""

    stage: str
    words: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class StageSpan:
    """A piece of a bar that is drawn as SVG, in percent of its whole width."""

    x: float
    width: float
    hue: int
    words: str


def stage_bar(spans: Sequence[Span]) -> list[StageSpan]:
    """The spans side by side; together they fill the bar."""
    total = sum(span.seconds for span in spans)
    parts, x = [], 0.0
    for span in spans:
        width = 100 * span.seconds / total if total else 0.0
        parts.append(StageSpan(x=round(x, 2), width=round(width, 2), hue=hues.of_stage(span.stage), words=span.words))
        x += width
    return [part for part in parts if part.width > 0]


def durations(spans: Sequence[Span], *, seconds: str) -> go.Figure:
    """One bar per stage and cut, in the order in which they ran."""
    figure = go.Figure(
        go.Bar(
            y=[span.words for span in spans],
            x=[round(span.seconds, 2) for span in spans],
            orientation="h",
            meta={"hues": [hues.of_stage(span.stage) for span in spans]},
            text=[f"{span.seconds:.1f}" for span in spans],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1f} s<extra></extra>",
        )
    )
    return figure.update_layout(
        height=70 + 27 * len(spans),
        margin={"t": 8, "b": 44, "r": 48},
        xaxis={"title": {"text": seconds}, "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "showgrid": False, "dtick": 1},
    )
