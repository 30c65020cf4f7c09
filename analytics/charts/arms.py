"""Figures of an experiment's arms by day: who came, and what share of the visitors a bandit gave to each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from analytics.charts import hues, marks

FLOOR = "/"  # pattern of the share that an arm has whatever happens
HILL = 0.85  # of a row
MIDDLE = 0.7  # of the way to the right; beyond, words to both sides of a mark run over the edge of a narrow chart


@dataclass(frozen=True, kw_only=True)
class ArmVisitors:
    """Visitors who came to an arm for the first time, by day; ``arm`` is its place, the control's is 0."""

    arm: int
    words: str
    days: Sequence[tuple[date, int]]


@dataclass(frozen=True, kw_only=True)
class ArmShares:
    """Share of the visitors that a bandit gave an arm, by day, and the share below which it does not fall."""

    arm: int
    words: str
    days: Sequence[tuple[date, float]]
    floor: float = 0.0


BAR, WHOLE_BAR = 0.8 * marks.DAY, 0.95 * marks.DAY
"""Widths of a day's bar: a single one has no neighbour to be measured by."""


def visitors_by_day(arms: Sequence[ArmVisitors], *, day: str, axis: str) -> go.Figure:
    """New visitors a day, the arms stacked in their order."""
    figure = go.Figure()
    for arm in arms:
        hue, shape = hues.of_arm(arm.arm)
        figure.add_bar(
            x=[each.isoformat() for each, _count in arm.days],
            y=[count for _day, count in arm.days],
            width=BAR,
            name=marks.plain(arm.words),
            marker={"pattern": {"shape": shape, "fillmode": "overlay"}},
            meta=hues.meta(hue),
            hovertemplate="%{x}: %{y:,}<extra>%{fullData.name}</extra>",
        )
    return _stacked(figure, days=[each for arm in arms for each, _value in arm.days], day=day, axis=axis)


def share_stack(arms: Sequence[ArmShares], *, day: str, axis: str, floor: str) -> go.Figure:
    """Shares of a bandit's arms day by day, stacked to the whole; what an arm always gets is hatched, as ``floor``."""
    figure = go.Figure()
    for arm in arms:
        hue, _shape = hues.of_arm(arm.arm)
        least = [min(share, arm.floor) for _day, share in arm.days]
        rest = [share - low for (_day, share), low in zip(arm.days, least, strict=True)]
        name = marks.plain(arm.words)
        lettered = max((at for at, (_day, share) in enumerate(arm.days) if share > 0), default=None)
        in_rest = lettered is None or rest[lettered] >= least[lettered]  # where there is more room for the letter
        for part, shape, words in ((least, FLOOR, f"{name}, {marks.plain(floor)}"), (rest, "", name)):
            if shape and not any(part):
                continue  # while the rest is drawn always: it has the entry of the legend
            figure.add_bar(
                x=[each.isoformat() for each, _share in arm.days],
                y=[marks.percent(share) for share in part],
                width=WHOLE_BAR,
                name=words,
                marker={"pattern": {"shape": shape, "fillmode": "overlay"}},
                meta=hues.meta(hue),
                customdata=[marks.percent(share) for _day, share in arm.days],
                text=[name if at == lettered and in_rest is not bool(shape) else "" for at in range(len(part))],
                textposition="inside",
                textangle=0,
                hovertemplate="%{x}: %{customdata:.1f} %<extra>%{fullData.name}</extra>",
                legendgroup=name,
                showlegend=not shape,
            )
    return _stacked(figure, days=[each for arm in arms for each, _value in arm.days], day=day, axis=axis).update_layout(
        bargap=0.05, yaxis={"range": [0, 100]}
    )


def _stacked(figure: go.Figure, *, days: Sequence[date], day: str, axis: str) -> go.Figure:
    return figure.update_layout(
        barmode="stack",
        height=300,
        margin={"t": 34, "b": 48},
        showlegend=True,
        xaxis={
            "title": {"text": day}, "type": "date", "nticks": 7, "tickangle": 0, **marks.days_axis(days),
        },
        yaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6},
        meta={"narrow": {"xaxis": {"nticks": 3}}},
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ArmBelief:
    """What a bandit believes of an arm, in the unit of the axis, and its chance to be the best."""

    arm: int
    words: str
    mean: float
    sd: float
    chance: float


def belief_ridges(arms: Sequence[ArmBelief], *, axis: str, best: str) -> go.Figure:
    """A hill per arm, the control's above: where its worth lies; ``best`` names the chance, with a place for it."""
    figure, steps = go.Figure(), [each / 10 for each in range(-35, 36)]
    low = min((each.mean + steps[0] * each.sd for each in arms), default=0.0)
    high = max((each.mean + steps[-1] * each.sd for each in arms), default=0.0)
    for row, arm in enumerate(arms):
        hue, shape = hues.of_arm(arm.arm)
        foot = len(arms) - 1 - row
        x = [round(arm.mean + step * arm.sd, 6) for step in steps]
        y = [round(foot + HILL * math.exp(-step * step / 2), 4) for step in steps]
        name = marks.plain(arm.words)
        figure.add_scatter(
            x=[*x, x[0]], y=[*y, y[0]], mode="lines", line={"width": 2}, fill="toself",
            fillpattern={"shape": shape}, name=name, meta=hues.meta(hue), hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        figure.add_scatter(
            x=[arm.mean], y=[foot + HILL / 2], mode="markers+text", text=[best % f"{100 * arm.chance:.0f} %"],
            textposition=f"top {_side((arm.mean - low) / (high - low))}", marker={"size": 8}, meta=hues.meta(hue),
            showlegend=False, hovertemplate=f"{name}: %{{x:.3g}}<extra></extra>",
        )  # fmt: skip
    return figure.update_layout(
        height=90 + 80 * len(arms),
        margin={"t": 8, "b": 48},
        xaxis={"title": {"text": axis}, "nticks": 6},
        yaxis={
            "tickvals": [len(arms) - 1 - row for row in range(len(arms))], "showgrid": False, "zeroline": False,
            "ticktext": [marks.plain(arm.words) for arm in arms], "range": [-0.1, len(arms)],
        },
    )  # fmt: skip


def _side(part: float) -> str:
    """The side of a mark on which words have room, by its part of the way from left to right."""
    if part > MIDDLE:
        return "left"
    return "right" if part < 1 - MIDDLE else "center"
