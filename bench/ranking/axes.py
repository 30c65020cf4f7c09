"""Axes that a grid is made of, and the shape of the data that they depend on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.ranking.readings import ReadConfig, Reading
from bench.ranking.trials import Change, Grid, Setting
from recommendations.engine.recommenders.protocol import Recommender


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Shape of a data set; the grids depend on it."""

    n_acts: int
    n_users: int
    n_items: int
    span: float  # days from the first act to the last; 0 where all are at one time
    median_history: float
    sessions: bool  # whether people have more than one basket
    folded: bool  # whether those who are asked about are unknown to training
    described: bool  # whether items have categories or words
    repeats: bool
    trended: bool  # whether times are dates of one clock, over long enough to know a trend
    together: bool = True  # whether baskets hold more than one act
    net: bool = False  # whether the transformer has one


def over(name: str, *values: Any) -> list[Change]:
    return [{name: value} for value in values]


def lives(field: str, shape: Shape, *, parts: Sequence[float] = (2, 5, 12, 40)) -> list[Change]:
    """Half-lives to try: no decay, half-lives by the calendar, and by the place in the history."""
    changes: list[Change] = [{field: None, "clock": "calendar"}]
    if shape.span:
        changes += [{field: 40.0, "clock": "share"}, {field: 20.0, "clock": "share"}, {field: 8.0, "clock": "share"}]
        changes += [{field: shape.span / part, "clock": "calendar"} for part in parts]
        changes += [{field: float(acts), "clock": "rank"} for acts in (2, 8, 30)]
    return changes


def calendar(field: str, shape: Shape, *parts: float) -> list[Change]:
    return [{field: None}, *({field: shape.span / part} for part in parts if shape.span)]


def setting(kind: type[Recommender], config: Any, **reading: Any) -> Setting:
    return Setting(read=ReadConfig(kind=kind, config=config, reading=Reading(**reading)))


def grid(name: str, start: Setting, *axes: Sequence[Change]) -> Grid:
    return Grid(name=name, start=start, axes=[axis for axis in axes if len(axis) > 1])
