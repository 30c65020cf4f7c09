"""Figure of the agent's week: messages by channel and part of the day, as the rule and as the agent has them."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from analytics.charts import hues, marks

ROW = 46  # pixels
RULE, AGENT = 6, 1  # hues


@dataclass(frozen=True, kw_only=True)
class WayBar:
    """A channel in a part of the day, or *not now*, with decisions of the rule and of the agent."""

    words: str
    rule: int
    agents: int


def week_figure(bars: Sequence[WayBar], *, rule: str, agent: str, axis: str) -> go.Figure:
    """Two bars a way, the agent's hatched, so that they are told apart without colour."""
    figure = go.Figure()
    words, places = [bar.words for bar in bars], list(range(len(bars)))
    for name, hue, shape, counts in (
        (rule, RULE, "", [bar.rule for bar in bars]),
        (agent, AGENT, "/", [bar.agents for bar in bars]),
    ):
        figure.add_bar(
            x=counts, y=places, orientation="h", name=name, meta=hues.meta(hue),
            marker={"pattern": {"shape": shape, "size": 6}}, customdata=[marks.plain(each) for each in words],
            hovertemplate="%{customdata}: %{x} <extra>%{fullData.name}</extra>",
        )  # fmt: skip
    return figure.update_layout(
        height=110 + ROW * len(bars),
        barmode="group",
        bargap=0.3,
        showlegend=True,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"t": 8, "b": 44, "l": 8, "r": 16},
        xaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6},
        yaxis=marks.named_rows(words),
        meta=marks.on_a_phone(words),
    )


@dataclass(frozen=True, kw_only=True)
class PracticeTrack:
    """A figure of an arm of a practice by fortnight; the agent's is the last."""

    words: str
    values: Sequence[float]


TRACKS = ((RULE, "circle-open", "dot"), (3, "square-open", "dash"), (AGENT, "diamond", "solid"))
"""Hue, mark and dash of each arm, so that they are told apart without colour."""


def practice_figure(tracks: Sequence[PracticeTrack], *, x: str, y: str) -> go.Figure:
    """A line an arm over the fortnights of a practice."""
    figure = go.Figure()
    for track, (hue, symbol, dash) in zip(tracks, TRACKS, strict=True):
        figure.add_scatter(
            x=list(range(1, len(track.values) + 1)), y=[round(each, 4) for each in track.values], mode="lines+markers",
            name=marks.plain(track.words), line={"width": 2, "dash": dash}, marker={"size": 9, "symbol": symbol},
            meta=hues.meta(hue), cliponaxis=False, hovertemplate="%{x}: %{y:.3f}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    return figure.update_layout(
        height=260,
        showlegend=True,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"t": 8, "b": 44},
        xaxis={"title": {"text": x}, "dtick": 1, "showgrid": False},
        yaxis={"title": {"text": y}, "rangemode": "tozero", "nticks": 6},
    )
