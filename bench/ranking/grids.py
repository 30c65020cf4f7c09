"""Grids tried for each recommender on a data set: a start, and axes in the order in which they matter.

Half-lives are parts of the data's own span, so that a year of ratings, a month of clicks and an order without dates are
treated alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.ranking.readings import ReadConfig, Reading
from bench.ranking.trials import Change, Grid, Setting
from recommendations.engine.recommenders import (
    als,
    buy_again,
    content,
    ease,
    interests,
    item_knn,
    popularity,
    recent_neighbours,
    segments,
    sequence,
    user_knn,
)
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.terms import Task

SHORT = 10
"""Acts: where the median history has fewer, what follows what, and what goes with what, is tuned first."""

FEW = 200_000
"""Acts: fewer are fitted before two threads have started."""

MANY = 2_000_000
"""Acts: with fewer there is time for a second model of a kind."""

SEARCHED_ITEMS = 4000
"""Users and items on which EASE is searched where there are more."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Shape of a data set; the grids depend on it."""

    n_acts: int
    n_users: int
    n_items: int
    span: float  # days from the first act to the last; 0 where all are at one time
    median_history: float
    sessions: bool  # whether people have more than one basket
    described: bool  # whether items have categories or words
    repeats: bool
    trended: bool  # whether times are dates of one clock, over long enough to know a trend


TREND: Sequence[Change] = ({"trend": 0.0}, {"trend": 0.25}, {"trend": 0.5})
"""Exponents of the trend, for discover alone: what is asked for more than usual leads a discovery up."""


def grids(shape: Shape, task: Task) -> list[Grid]:
    """Grids that the data and the task allow, in the order in which they are tuned."""
    tried = [_ease(shape), _item_knn(shape), _sequence(shape), _recent(shape), _user_knn(shape), _als(shape)]
    if shape.median_history < SHORT:
        tried = [_sequence(shape), _item_knn(shape), *tried[:1], *tried[3:]]
    tried.append(_popularity(shape))
    if shape.span and shape.n_acts < MANY:
        tried.append(_ease_recent(shape))
    if shape.repeats and task is Task.HOME:
        tried.append(_buy_again(shape))
    if shape.described:
        tried += [_content(shape), _interests(shape), _segments(shape)]
    if shape.trended and task is Task.DISCOVER:
        tried = [replace(grid, axes=[*grid.axes, TREND]) for grid in tried]
    return tried


def _over(name: str, *values: Any) -> list[Change]:
    return [{name: value} for value in values]


def _lives(field: str, shape: Shape, *, parts: Sequence[float] = (2, 5, 12, 40)) -> list[Change]:
    """Half-lives to try: no decay, half-lives by the calendar, and by the place in the history."""
    changes: list[Change] = [{field: None, "clock": "calendar"}]
    if shape.span:
        changes += [{field: 40.0, "clock": "share"}, {field: 20.0, "clock": "share"}, {field: 8.0, "clock": "share"}]
        changes += [{field: shape.span / part, "clock": "calendar"} for part in parts]
        changes += [{field: float(acts), "clock": "rank"} for acts in (2, 8, 30)]
    return changes


def _calendar(field: str, shape: Shape, *parts: float) -> list[Change]:
    return [{field: None}, *({field: shape.span / part} for part in parts if shape.span)]


def _setting(kind: type[Recommender], config: Any, **reading: Any) -> Setting:
    return Setting(read=ReadConfig(kind=kind, config=config, reading=Reading(**reading)))


def _grid(name: str, start: Setting, *axes: Sequence[Change]) -> Grid:
    return Grid(name=name, start=start, axes=[axis for axis in axes if len(axis) > 1])


def _ease(shape: Shape) -> Grid:
    start = _setting(ease.Ease, ease.Config(transform="binary", half_life=None, ridge=200.0, profile_half_life=None))
    grid = _grid(
        "ease", start,
        _over("ridge", 20.0, 60.0, 200.0, 600.0, 2000.0),
        _lives("profile_half_life", shape),
        _over("transform", "binary", "sqrt", "log"),
        _calendar("half_life", shape, 2, 5),
        _over("ridge", 35.0, 100.0, 350.0, 1000.0),
    )  # fmt: skip
    return _searched_small(grid, shape)


def _searched_small(grid: Grid, shape: Shape) -> Grid:
    """Search EASE on the most popular items where users and items are many: it costs the cube of either."""
    if min(shape.n_users, shape.n_items) <= SEARCHED_ITEMS:
        return grid
    full = ease.Config()
    small: Change = {"dual_users": SEARCHED_ITEMS, "primal_items": SEARCHED_ITEMS}
    final = {name: getattr(full, name) for name in small}
    return replace(grid, start=grid.start.changed(small), final=final)


def _ease_recent(shape: Shape) -> Grid:
    """Grid of EASE asked by the last few acts only, beside the one that is asked by the whole history."""
    config = ease.Config(transform="binary", half_life=None, ridge=200.0, profile_half_life=4.0)
    grid = _grid(
        "ease_recent", _setting(ease.Ease, config, clock="rank"),
        _over("profile_half_life", 1.5, 4.0, 10.0),
        _over("ridge", 60.0, 200.0, 600.0),
    )  # fmt: skip
    return _searched_small(grid, shape)


def _item_knn(shape: Shape) -> Grid:
    start = _setting(item_knn.ItemKnn, item_knn.Config(transform="bm25", neighbours=100))
    visits: list[Change] = [{"history": "user"}, {"history": "session"}] if shape.sessions else []
    return _grid(
        "item_knn", start,
        visits,
        _lives("profile_half_life", shape),
        [
            {"target_power": target, "source_power": source}
            for target, source in ((0.4, 0.2), (0.5, 0.5), (0.3, 0.3), (0.2, 0.5), (0.5, 0.2), (0.3, 0.7), (0.2, 0.2))
        ],
        _over("transform", "bm25", "tfidf", "binary"),
        _over("neighbours", 30, 100, 300),
        _over("shrinkage", 0.0, 10.0, 100.0),
        _over("profile_transform", "log", "binary", "count"),
    )  # fmt: skip


def _sequence(shape: Shape) -> Grid:
    start = _setting(sequence.Transitions, sequence.Config(baskets=5, fading=0.8, target_power=0.3, min_together=2))
    given: list[Change] = [{"basket": "act"}, {"basket": "given"}] if shape.sessions else []
    return _grid(
        "sequence", start.changed({"basket": "act"}),
        given,
        _over("fading", 0.5, 0.8, 0.9, 0.97),
        _over("target_power", 0.0, 0.3, 0.5, 0.7),
        _over("min_together", 1, 2, 4),
    )  # fmt: skip


def _recent(shape: Shape) -> Grid:
    config = recent_neighbours.Config(baskets=20, power=3.0, own=shape.repeats)
    start = _setting(recent_neighbours.RecentNeighbours, config, basket="given" if shape.repeats else "act")
    return _grid(
        "recent_neighbours", start,
        _over("power", 1.0, 2.0, 3.0, 5.0),
        _over("baskets", 1, 5, 20, 60, 100_000),
        _over("asymmetry", 0.3, 0.5, 0.7),
    )  # fmt: skip


def _user_knn(shape: Shape) -> Grid:
    config = user_knn.Config(transform="log", neighbours=100, power=2.0, taste_half_life=None)
    visits: list[Change] = [{"history": "user"}, {"history": "session"}] if shape.sessions else []
    return _grid(
        "user_knn", _setting(user_knn.UserKnn, config),
        visits if shape.median_history < SHORT else [],
        _over("neighbours", 30, 100, 300),
        _over("power", 1.0, 2.0, 4.0),
        _calendar("taste_half_life", shape, 4, 12, 40),
        _lives("half_life", shape, parts=(5,)),
        _over("transform", "log", "binary"),
    )  # fmt: skip


def _als(shape: Shape) -> Grid:
    threads = 1 if shape.n_acts < FEW else 2  # threads that wait for one another cost more than they do
    config = als.Config(confidence=2.0, transform="binary", half_life=None, threads=threads)
    start = _setting(als.Als, config)
    return _grid(
        "als", start,
        _over("ridge", 3.0, 10.0, 30.0),
        _over("confidence", 1.0, 2.0, 6.0, 20.0),
        _over("factors", 24, 64, 128),
        [*_over("transform", "binary", "log"), *_lives("half_life", shape, parts=(3,))[1:]],
    )  # fmt: skip


def _popularity(shape: Shape) -> Grid:
    start = _setting(popularity.Popularity, popularity.Config(half_life=None))
    return _grid("popularity", start, _calendar("half_life", shape, 4, 12, 50, 200))


def _buy_again(shape: Shape) -> Grid:
    start = _setting(buy_again.BuyAgain, buy_again.Config(half_life=None, prior=0.3, prior_half_life=None))
    return _grid(
        "buy_again", start,
        _lives("half_life", shape, parts=(2, 5, 12, 40)),
        _over("prior", 1e-4, 0.1, 0.3, 1.0),
        _calendar("prior_half_life", shape, 5, 50),
    )  # fmt: skip


def _content(shape: Shape) -> Grid:
    start = _setting(content.Content, content.Config(popularity_half_life=None, popularity_power=3.0))
    return _grid(
        "content", start,
        _over("popularity_power", 0.5, 1.0, 3.0, 5.0),
        _calendar("popularity_half_life", shape, 12, 50),
        _lives("half_life", shape, parts=(5, 40)),
    )  # fmt: skip


def _interests(shape: Shape) -> Grid:
    start = _setting(interests.Interests, interests.Config(half_life=None, popularity_half_life=None, shrinkage=20.0))
    return _grid(
        "interests", start,
        _over("shrinkage", 5.0, 20.0, 100.0),
        _calendar("popularity_half_life", shape, 12, 50),
        _over("popularity_power", 1.0, 1.4),
        _lives("half_life", shape, parts=(4,)),
    )  # fmt: skip


def _segments(shape: Shape) -> Grid:
    start = _setting(segments.Segments, segments.Config(half_life=None, affinity_half_life=None))
    return _grid("segments", start, _calendar("affinity_half_life", shape, 12, 50))
