"""Figures of one customer: interests, timeline, and what each recommender adds to a score."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from analytics.charts import hues, marks
from analytics.charts.marks import plain, short

LONGEST_NAME = 22
LONG_TERM, LATELY = 1, 3  # hues of the two horizons


@dataclass(frozen=True, kw_only=True)
class InterestBar:
    """Share of a customer's acts in a category, over the long term and lately."""

    category: str
    long_term: float
    lately: float


@dataclass(frozen=True, kw_only=True)
class WeekCount:
    week: date
    name: str
    words: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What one recommender adds, as a piece of a bar drawn as SVG: position and width in percent of its whole width."""

    instance: str
    value: float
    x: float
    width: float
    hue: int
    pattern: str


@dataclass(frozen=True, kw_only=True)
class ScoreBar:
    pieces: Sequence[Piece]
    zero: float  # where positive and negative part, in percent


def interests(found: Sequence[InterestBar], *, long_term: str, lately: str, axis: str) -> go.Figure:
    """Two bars a category; the largest interest on top."""
    figure = go.Figure()
    for words, hue, values in (
        (long_term, LONG_TERM, [interest.long_term for interest in found]),
        (lately, LATELY, [interest.lately for interest in found]),
    ):
        figure.add_bar(
            y=list(range(len(found))),
            customdata=[plain(interest.category) for interest in found],
            x=[round(100 * value, 2) for value in values],
            name=words,
            orientation="h",
            meta=hues.meta(hue),
            hovertemplate="%{customdata}: %{x:.1f} % <extra>%{fullData.name}</extra>",
        )
    return figure.update_layout(
        height=90 + 25 * len(found),
        margin={"t": 34, "b": 44},
        showlegend=True,
        xaxis={"title": {"text": axis}, "rangemode": "tozero"},
        yaxis={
            "autorange": "reversed",
            "showgrid": False,
            "tickvals": list(range(len(found))),
            "ticktext": [f"{short(interest.category, LONGEST_NAME)} " for interest in found],
        },
    )


def timeline(counts: Sequence[WeekCount], *, weeks: str, events: str) -> go.Figure:
    """Events and messages a week, stacked by the kinds that occur."""
    figure = go.Figure()
    for name in sorted({count.name for count in counts}, key=hues.TIMELINE.index):
        of_kind = [count for count in counts if count.name == name]
        hue, shape = hues.of_event(name)
        figure.add_bar(
            x=[count.week.isoformat() for count in of_kind],
            y=[count.count for count in of_kind],
            name=of_kind[0].words,
            marker={"pattern": {"shape": shape, "fillmode": "overlay"}},
            meta=hues.meta(hue),
            hovertemplate="%{x}: %{y:,} <extra>%{fullData.name}</extra>",
        )
    return figure.update_layout(
        barmode="stack",
        height=290,
        margin={"t": 34, "b": 44},
        showlegend=True,
        xaxis={"title": {"text": weeks}, "type": "date", **marks.days_axis([each.week for each in counts], step=7)},
        yaxis={"title": {"text": events}, "rangemode": "tozero"},
    )


def score_bars(contributions: Sequence[Sequence[tuple[str, float]]]) -> list[ScoreBar]:
    """A bar per list of (instance, value): positive parts right of zero, negative ones left of it, all on one scale."""
    right = max((sum(value for _, value in parts if value > 0) for parts in contributions), default=0.0)
    left = max((-sum(value for _, value in parts if value < 0) for parts in contributions), default=0.0)
    unit = 100 / (right + left) if right + left else 0.0
    zero = left * unit
    return [ScoreBar(pieces=_pieces(parts, zero=zero, unit=unit), zero=round(zero, 3)) for parts in contributions]


def _pieces(parts: Sequence[tuple[str, float]], *, zero: float, unit: float) -> list[Piece]:
    pieces, right, left = [], zero, zero
    for instance, value in parts:
        width = abs(value) * unit
        left -= width if value < 0 else 0
        hue, pattern = hues.of_recommender(instance)
        x = right if value >= 0 else left
        pieces.append(
            Piece(instance=instance, value=value, x=round(x, 3), width=round(width, 3), hue=hue, pattern=pattern)
        )
        right += width if value >= 0 else 0
    return pieces
