"""Readings of a history: what its age means, what a basket is, and whose history it is.

A shop's purchases age by the calendar; ratings given in one evening age by their place in the person's history; and a
stream of clicks has neither baskets nor people. Which reading serves a recommender is chosen on the validation part.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from recommendations.engine.frames import FloatArray, Interactions, Queries, Sparse, TrainingSet
from recommendations.engine.ranking.score_rows import ScoreRow
from recommendations.engine.recommenders.protocol import Evidence, Recommender

WHOLE = 100.0  # age of the oldest act of a history that is read by share


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A reading; ``clock``: age in days, in newer acts of the person, or in hundredths of the person's history.

    ``view``: the history is what is in view, and each item weighs so many times as much as the one after it.
    """

    clock: Literal["calendar", "rank", "share"] = "calendar"
    basket: Literal["given", "act"] = "given"  # act: each act is a basket
    history: Literal["user", "session"] = "user"  # session: each basket is a history, and the newest asks
    view: float | None = None

    @property
    def plain(self) -> bool:
        return self == Reading()

    def training(self, training: TrainingSet) -> TrainingSet:
        acts = training.interactions
        return training if self.plain else replace(training, interactions=self._read(self._regrouped(acts)))

    def queries(self, queries: Queries) -> Queries:
        if self.plain:
            return queries
        histories, rows = queries.histories, queries.training_rows
        if self.history == "session":
            histories = histories.where(histories.basket_rank == 0)
            rows = np.full(len(queries), -1, np.int32)
        context = queries.context if self.view is None else in_view(histories, fading=self.view)
        return Queries(histories=self._read(histories), training_rows=rows, context=context)

    def _regrouped(self, acts: Interactions) -> Interactions:
        """Regroup to a history per basket, where sessions are the histories."""
        if self.history == "user" or not len(acts):
            return acts
        order = np.lexsort((np.arange(len(acts)), acts.basket))
        rows = acts.where(np.ones(len(acts), np.bool_))
        names = ("user", "item", "basket", "age", "quantity", "strength", "amount", "bought")
        columns = {name: getattr(rows, name)[order] for name in names}
        _, user = np.unique(columns["basket"], return_inverse=True)
        return replace(rows, **(columns | {"user": user.astype(np.int32)}), n_users=int(user.max()) + 1)

    def _read(self, acts: Interactions) -> Interactions:
        """Read histories; rows of a user are newest first."""
        changes: dict[str, Any] = {}
        if self.clock != "calendar":
            counts = np.diff(acts.offsets)
            newer = np.arange(len(acts)) - np.repeat(acts.offsets[:-1], counts)
            scale = np.repeat(WHOLE / np.maximum(counts, 1), counts) if self.clock == "share" else 1.0
            changes["age"] = (newer * scale).astype(np.float32)
        if self.basket == "act":
            changes["basket"] = np.arange(len(acts), dtype=np.int32)
        return replace(acts, **changes) if changes else acts


def in_view(histories: Interactions, *, fading: float) -> Sparse:
    """Matrix histories × items: the newest item 1, every other one ``fading`` times the one after it; 0 is left out.

    Rows of a user are newest first, and hold an item once.
    """
    newer = np.arange(len(histories)) - np.repeat(histories.offsets[:-1], np.diff(histories.offsets))
    matrix = histories.matrix(np.power(fading, newer, dtype=np.float64))
    matrix.eliminate_zeros()
    return matrix


@dataclass(frozen=True, kw_only=True)
class ReadConfig:
    """A recommender, its configuration and the reading that it gets."""

    kind: type[Recommender]
    config: Any
    reading: Reading = Reading()


class Read:
    """A recommender whose histories are read in a way of its own."""

    inner_: Recommender

    def __init__(self, config: ReadConfig) -> None:
        self.config = config
        self.seconds: list[float] = []  # of each block scored so far, by whatever thread

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        self.inner_ = self.config.kind(self.config.config).fit(self.config.reading.training(training), seed=seed)
        return self

    def reconfigured(self, config: ReadConfig) -> Self:
        """Copy of the fitted model under settings that only its scores depend on."""
        inner = object.__new__(config.kind)
        vars(inner).update(vars(self.inner_))
        inner.config = config.config
        other = type(self)(config)
        other.inner_ = inner
        return other

    def score(self, queries: Queries) -> FloatArray:
        started = time.perf_counter()
        scores = self.inner_.score(self.config.reading.queries(queries))
        self.seconds.append(time.perf_counter() - started)
        return scores

    def row(self, query: Queries) -> ScoreRow:
        return self.inner_.row(self.config.reading.queries(query))

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        return self.inner_.evidence(self.config.reading.queries(query), item)
