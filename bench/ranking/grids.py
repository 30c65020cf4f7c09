"""Grids tried for each recommender on a data set: a start, and axes in the order in which they matter.

Half-lives are parts of the data's own span, so that a year of ratings, a month of clicks and an order without dates are
treated alike.
"""

from collections.abc import Sequence
from dataclasses import replace

from bench.ranking.axes import Shape, calendar, grid, lives, over, setting
from bench.ranking.trials import Change, Grid
from recommendations.engine.recommenders import (
    als,
    buy_again,
    content,
    content_ridge,
    ease,
    interests,
    item_knn,
    next_item,
    popularity,
    recent_neighbours,
    segments,
    sequence,
    session_knn,
    spectral,
    transformer,
    user_knn,
)
from recommendations.terms import Task

SHORT = 10
"""Acts: where the median history has fewer, what follows what, and what goes with what, is tuned first."""

FEW = 200_000
"""Acts: fewer are fitted before two threads have started."""

NET = transformer.Transformer.NAME

MANY = 2_000_000
"""Acts: with fewer there is time for a second model of a kind."""

COSINE = 1e6
"""Ridge under which nothing is whitened: what is left is the likeness of the texts."""

PEOPLE = (1, 5)
"""How many must carry a pair. A shop asks for five, so as to tell nobody's habits; what is published may tell."""

SEARCHED_ITEMS = 4000
"""Users and items on which EASE is searched where there are more."""


TREND: Sequence[Change] = ({"trend": 0.0}, {"trend": 0.25}, {"trend": 0.5})
"""Exponents of the trend, for discover alone: what is asked for more than usual leads a discovery up."""


def grids(shape: Shape, task: Task) -> list[Grid]:
    """Grids that the data and the task allow, in the order in which they are tuned."""
    tried = [_ease(shape), _item_knn(shape), _sequence(shape), _recent(shape), _user_knn(shape), _als(shape)]
    tried += [_next_item(shape), _spectral(shape)]
    if shape.median_history < SHORT or shape.folded:
        sessions = [_session_knn(shape)] if shape.together else []  # of one act each they tell what goes with nothing
        tried = [_next_item(shape), *sessions, _item_knn(shape), _sequence(shape), *tried[3:6], *tried[7:]]
        tried.append(_ease(shape))
    if shape.net:
        tried.append(grid(NET, setting(transformer.Transformer, transformer.Config())))
    tried.append(_popularity(shape))
    if shape.span and shape.n_acts < MANY:
        tried.append(_ease_recent(shape))
    if shape.repeats and task is Task.HOME:
        tried.append(_buy_again(shape))
    if shape.described:
        tried += [_content(shape), _content_ridge(shape), _interests(shape), _segments(shape)]
    if shape.trended and task is Task.DISCOVER:
        tried = [replace(one, axes=[*one.axes, TREND]) for one in tried]
    return tried


def _ease(shape: Shape) -> Grid:
    start = setting(ease.Ease, ease.Config(transform="binary", half_life=None, ridge=200.0, profile_half_life=None))
    made = grid(
        "ease", start,
        over("ridge", 20.0, 60.0, 200.0, 600.0, 2000.0),
        lives("profile_half_life", shape),
        over("transform", "binary", "sqrt", "log"),
        calendar("half_life", shape, 2, 5),
        over("ridge", 35.0, 100.0, 350.0, 1000.0),
    )  # fmt: skip
    return _searched_small(made, shape)


def _searched_small(whole: Grid, shape: Shape) -> Grid:
    """Search EASE on the most popular items where users and items are many: it costs the cube of either."""
    if min(shape.n_users, shape.n_items) <= SEARCHED_ITEMS:
        return whole
    full = ease.Config()
    small: Change = {"dual_users": SEARCHED_ITEMS, "primal_items": SEARCHED_ITEMS}
    final = {name: getattr(full, name) for name in small}
    return replace(whole, start=whole.start.changed(small), final=final)


def _ease_recent(shape: Shape) -> Grid:
    """Grid of EASE asked by the last few acts only, beside the one that is asked by the whole history."""
    config = ease.Config(transform="binary", half_life=None, ridge=200.0, profile_half_life=4.0)
    made = grid(
        "ease_recent", setting(ease.Ease, config, clock="rank"),
        over("profile_half_life", 1.5, 4.0, 10.0),
        over("ridge", 60.0, 200.0, 600.0),
    )  # fmt: skip
    return _searched_small(made, shape)


def _item_knn(shape: Shape) -> Grid:
    start = setting(item_knn.ItemKnn, item_knn.Config(transform="bm25", neighbours=100))
    visits: list[Change] = [{"history": "user"}, {"history": "session"}] if shape.sessions else []
    return grid(
        "item_knn", start,
        visits,
        lives("profile_half_life", shape),
        [
            {"target_power": target, "source_power": source}
            for target, source in ((0.4, 0.2), (0.5, 0.5), (0.3, 0.3), (0.2, 0.5), (0.5, 0.2), (0.3, 0.7), (0.2, 0.2))
        ],
        over("transform", "bm25", "tfidf", "binary"),
        over("neighbours", 30, 100, 300),
        over("shrinkage", 0.0, 10.0, 100.0),
        over("profile_transform", "log", "binary", "count"),
    )  # fmt: skip


def _sequence(shape: Shape) -> Grid:
    start = setting(
        sequence.Transitions, sequence.Config(baskets=5, fading=0.8, target_power=0.3, min_together=2, people=1)
    )
    given: list[Change] = [{"basket": "act"}, {"basket": "given"}] if shape.sessions else []
    return grid(
        "sequence", start.changed({"basket": "act"}),
        given,
        over("fading", 0.5, 0.8, 0.9, 0.97),
        over("target_power", 0.0, 0.3, 0.5, 0.7),
        over("min_together", 1, 2, 4),
        over("people", *PEOPLE),
    )  # fmt: skip


def _next_item(shape: Shape) -> Grid:
    visits: list[Change] = [{"history": "user"}, {"history": "session"}] if shape.sessions else []
    return grid(
        "next_item", setting(next_item.NextItem, next_item.Config(people=1)),
        over("recency", 0.6, 0.75, 0.9, 0.97),
        visits,
        over("target_power", 0.2, 0.35, 0.5, 0.7),
        over("fading", 0.3, 0.6, 0.9),
        over("back", 0.0, 0.25, 0.5, 1.0),
        over("source_power", 0.3, 0.5, 0.8),
        over("window", 3, 7, 15),
        over("people", *PEOPLE),
    )  # fmt: skip


def _session_knn(shape: Shape) -> Grid:
    start = setting(session_knn.SessionKnn, session_knn.Config(length_power=0.5, target_power=0.3), view=0.6)
    visits: list[Change] = [{"history": "user"}, {"history": "session"}] if shape.sessions else []
    return grid(
        "session_knn", start,
        [{"view": fading} for fading in (0.4, 0.6, 0.8, 1.0)],
        visits,
        over("target_power", 0.1, 0.2, 0.3, 0.5),
        over("length_power", 0.3, 0.5, 0.8),
        over("neighbours", 200, 500, 2000),
        over("rarity", 0.0, 1.0, 2.0),
    )  # fmt: skip


def _spectral(shape: Shape) -> Grid:
    return grid(
        "spectral", setting(spectral.Spectral, spectral.Config()),
        over("smooth", 0.0, 0.1, 0.3, 1.0, 3.0),
        over("factors", 32, 128, 320, 640),
        lives("profile_half_life", shape),
        over("power", 0.3, 0.5, 0.7),
        over("transform", "binary", "sqrt", "log"),
        calendar("half_life", shape, 2, 5),
    )  # fmt: skip


def _recent(shape: Shape) -> Grid:
    config = recent_neighbours.Config(baskets=20, power=3.0, own=shape.repeats)
    start = setting(recent_neighbours.RecentNeighbours, config, basket="given" if shape.repeats else "act")
    return grid(
        "recent_neighbours", start,
        over("power", 1.0, 2.0, 3.0, 5.0),
        over("baskets", 1, 5, 20, 60, 100_000),
        over("asymmetry", 0.3, 0.5, 0.7),
    )  # fmt: skip


def _user_knn(shape: Shape) -> Grid:
    config = user_knn.Config(transform="log", neighbours=100, power=2.0, taste_half_life=None)
    visits: list[Change] = [{"history": "user"}, {"history": "session"}] if shape.sessions else []
    return grid(
        "user_knn", setting(user_knn.UserKnn, config),
        visits if shape.median_history < SHORT else [],
        over("neighbours", 30, 100, 300),
        over("power", 1.0, 2.0, 4.0),
        calendar("taste_half_life", shape, 4, 12, 40),
        lives("half_life", shape, parts=(5,)),
        over("transform", "log", "binary"),
    )  # fmt: skip


def _als(shape: Shape) -> Grid:
    threads = 1 if shape.n_acts < FEW else 2  # threads that wait for one another cost more than they do
    config = als.Config(confidence=2.0, transform="binary", half_life=None, threads=threads)
    start = setting(als.Als, config)
    return grid(
        "als", start,
        over("ridge", 3.0, 10.0, 30.0),
        over("confidence", 1.0, 2.0, 6.0, 20.0),
        over("factors", 24, 64, 128),
        [*over("transform", "binary", "log"), *lives("half_life", shape, parts=(3,))[1:]],
    )  # fmt: skip


def _popularity(shape: Shape) -> Grid:
    start = setting(popularity.Popularity, popularity.Config(half_life=None))
    return grid("popularity", start, calendar("half_life", shape, 4, 12, 50, 200))


def _buy_again(shape: Shape) -> Grid:
    start = setting(buy_again.BuyAgain, buy_again.Config(half_life=None, prior=0.3, prior_half_life=None))
    return grid(
        "buy_again", start,
        lives("half_life", shape, parts=(2, 5, 12, 40)),
        over("prior", 1e-4, 0.1, 0.3, 1.0),
        calendar("prior_half_life", shape, 5, 50),
    )  # fmt: skip


def _content(shape: Shape) -> Grid:
    start = setting(content.Content, content.Config(popularity_half_life=None, popularity_power=3.0))
    return grid(
        "content", start,
        over("popularity_power", 0.0, 0.5, 1.0, 3.0, 5.0),
        lives("half_life", shape, parts=(5, 40)),
        calendar("popularity_half_life", shape, 12, 50),
        over("popularity_power", 0.0, 0.3, 0.7, 2.0),
    )  # fmt: skip


def _content_ridge(shape: Shape) -> Grid:
    config = content_ridge.Config(transform="log", half_life=4.0)
    return grid(
        "content_ridge", setting(content_ridge.ContentRidge, config, clock="rank"),
        lives("half_life", shape),
        over("ridge", 1.0, 10.0, 100.0, COSINE),
        over("constant", 0.0, 0.3),
    )  # fmt: skip


def _interests(shape: Shape) -> Grid:
    start = setting(interests.Interests, interests.Config(half_life=None, popularity_half_life=None, shrinkage=20.0))
    return grid(
        "interests", start,
        over("shrinkage", 5.0, 20.0, 100.0),
        calendar("popularity_half_life", shape, 12, 50),
        over("popularity_power", 1.0, 1.4),
        lives("half_life", shape, parts=(4,)),
    )  # fmt: skip


def _segments(shape: Shape) -> Grid:
    start = setting(segments.Segments, segments.Config(half_life=None, affinity_half_life=None))
    return grid("segments", start, calendar("affinity_half_life", shape, 12, 50))
