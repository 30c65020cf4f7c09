"""Scores of one query, held as each recommender comes by them: of the few items that it speaks of, or of all.

An answer that nobody had before is made of these while the shop waits, so nothing is as long as the catalogue that
need not be. Pool and scores are those of ``hybrid.candidates``, where a block of queries is worth dense rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.engine.preprocess.row_terms import places_among, union, values_at
from recommendations.engine.ranking.scores import largest, standardised
from recommendations.engine.ranking.selection import among

NOTHING: IntArray = np.empty(0, np.int32)
WHOLE = np.array([0])  # the start of the one segment


class ScoreRow(Protocol):
    """A recommender's scores of one query."""

    def best(self, n: int, *, but: IntArray) -> IntArray:
        """The n items with the highest scores, in any order, but for these (ascending); of equals the lower rows."""
        ...

    def at(self, items: IntArray) -> FloatArray:
        """Scores of these items; NaN where the recommender cannot know."""
        ...


@dataclass(frozen=True)
class DenseRow:
    scores: FloatArray  # [items]

    def best(self, n: int, *, but: IntArray) -> IntArray:
        scores = self.scores
        if len(but):
            scores = scores.copy()
            scores[but] = np.nan
        columns = largest(scores[None, :], n)[0]
        return np.asarray(columns[columns >= 0], np.int32)

    def at(self, items: IntArray) -> FloatArray:
        return self.scores[items]


@dataclass(frozen=True)
class KnownItems:
    """Items that a recommender knows."""

    mask: BoolArray  # [items]

    @cached_property
    def rows(self) -> IntArray:
        return np.flatnonzero(self.mask).astype(np.int32)

    @cached_property
    def silence(self) -> FloatArray:
        """0 of an item that is known, NaN of all others."""
        return np.where(self.mask, np.float32(0), np.float32(np.nan))


@dataclass(frozen=True)
class FewScores:
    """Scores of a few items; of all others that the recommender knows it is 0."""

    items: IntArray  # in no order
    values: FloatArray
    known: KnownItems

    @classmethod
    def of(cls, items: IntArray, values: FloatArray, known: KnownItems) -> "FewScores":
        spoken = known.mask[items]
        spoken &= values != 0
        return cls(items[spoken], values[spoken], known)

    def best(self, n: int, *, but: IntArray) -> IntArray:
        liked = self.values > 0
        first = _best_of(self.items[liked], self.values[liked], n, but=but)
        if len(first) < n:
            first = np.append(first, self._silent(n - len(first), but=but))
        if len(first) < n:
            disliked = self.values < 0
            worst = _best_of(self.items[disliked], self.values[disliked], n - len(first), but=but)
            first = np.append(first, worst)
        return first

    def at(self, items: IntArray) -> FloatArray:
        return values_at(items, self.items, self.values, width=len(self.known.mask)) + self.known.silence[items]

    def _silent(self, n: int, *, but: IntArray) -> IntArray:
        """The first n known items with a score of 0."""
        rows = self.known.rows[: n + len(self.items) + len(but)]
        spoken = places_among(rows, self.items, width=len(self.known.mask)) >= 0
        return rows[~spoken & ~among(rows, but)][:n]


@dataclass(frozen=True)
class SilentRow:
    """The row of who has nothing to say about a query."""

    def best(self, n: int, *, but: IntArray) -> IntArray:  # noqa: ARG002 - as the protocol has it
        return NOTHING

    def at(self, items: IntArray) -> FloatArray:
        return np.full(len(items), np.nan, np.float32)


@dataclass(frozen=True)
class SameForAll:
    """Scores that are those of every query, ranked once."""

    scores: FloatArray  # [items]

    @cached_property
    def order(self) -> IntArray:
        """All known items, the best first, of equals the lower row."""
        order = np.argsort(-self.scores, kind="stable").astype(np.int32)
        return order[~np.isnan(self.scores[order])]

    def best(self, n: int, *, but: IntArray) -> IntArray:
        ahead = self.order[: n + len(but)]
        return ahead[~among(ahead, but)][:n]

    def at(self, items: IntArray) -> FloatArray:
        return self.scores[items]


def nominees(rows: Sequence[ScoreRow], *, nominated: int, but: IntArray, width: int) -> IntArray:
    """The items that each row has among its best, ascending."""
    best = [row.best(nominated, but=but) for row in rows]
    return union(best, width=width) if best else NOTHING


def standing(rows: Sequence[ScoreRow], items: IntArray) -> NDArray[np.float16]:
    """Scores of these items, standardised over them and rounded, [rows, items]."""
    if not len(items) or not rows:
        return np.empty((len(rows), len(items)), np.float16)
    return standardised(np.array([row.at(items) for row in rows]), WHOLE).astype(np.float16)


def _best_of(items: IntArray, values: FloatArray, n: int, *, but: IntArray) -> IntArray:
    """The n items with the highest values, in no order, but for these; of equals the lower rows."""
    items, values = _largest(items, values, n + len(but))
    barred = among(items, but)
    if barred.any():
        items, values = items[~barred], values[~barred]
    return _largest(items, values, n)[0]


def _largest(items: IntArray, values: FloatArray, n: int) -> tuple[IntArray, FloatArray]:
    if len(items) <= n:
        return items, values
    least = np.partition(values, len(values) - n)[len(values) - n]
    above, equal = np.flatnonzero(values > least), np.flatnonzero(values == least)
    if len(above) + len(equal) > n:
        equal = equal[np.argsort(items[equal])][: n - len(above)]
    chosen = np.concatenate([above, equal])
    return items[chosen], values[chosen]
