"""Scores of items by how like a description they are, times their pull, without a look at all of them.

No item scores more than its pull, so that those with little need no look where enough others score more.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IntArray, Sparse
from recommendations.engine.preprocess.blocks import chosen
from recommendations.engine.preprocess.row_terms import entries, row_terms
from recommendations.engine.ranking.selection import among

STRIP = 32_768  # items that are looked at in one go
HEAD = 4_096  # of the first strip, a bound for all others
FREQUENT, FREQUENT_TERMS = 0.04, 16  # of all items have a frequent term; so many terms at the most
NOWHERE = np.iinfo(np.int64).max
ROUNDED = 1.00001  # a product of unit vectors may be a little above 1


class _Strip(NamedTuple):
    """Features of items whose pull is about alike."""

    often: FloatArray  # [frequent terms, items]
    seldom: Sparse  # terms × items, all other terms


class ItemsByPull:
    """Items with features, those with the largest pull first, of equals the lower row."""

    def __init__(self, features: Sparse, pull: FloatArray) -> None:
        order = np.argsort(-pull, kind="stable").astype(np.int32)
        self.features = features  # of all items × terms
        self.items = order[np.diff(features.indptr)[order] > 0]
        self.pull = pull[self.items]
        self.place = np.full(len(pull), NOWHERE)  # [all items] among these
        self.place[self.items] = np.arange(len(self.items))
        often = _frequent_terms(features)
        self.frequent = np.full(features.shape[1], -1)  # [terms] row among the frequent ones
        self.frequent[often] = np.arange(len(often))
        self.strips = [self._strip(start, often) for start in range(0, len(self.items), STRIP)]

    def _strip(self, start: int, often: NDArray[np.int64]) -> _Strip:
        by_term = self.features[self.items[start : start + STRIP]].T.tocsr()
        seldom = np.repeat(self.frequent < 0, np.diff(by_term.indptr))
        return _Strip(by_term[often].toarray(), chosen(by_term, seldom))


class DescribedRow:
    """The scores of one description. It keeps those of the items that it looked at."""

    def __init__(self, ranked: ItemsByPull, description: FloatArray) -> None:
        self._ranked = ranked
        self._description = description  # [terms], of unit length
        self._scores = np.empty(0, np.float32)  # of the first items

    def best(self, n: int, *, but: IntArray) -> IntArray:
        ranked, wanted = self._ranked, n + len(but)
        least, places, scores = -np.inf, np.empty(0, np.int64), np.empty(0, np.float32)
        for start in range(0, len(ranked.items), STRIP):
            if ranked.pull[start] * ROUNDED < least:
                break
            own = self._alike(ranked.strips[start // STRIP]) * ranked.pull[start : start + STRIP]
            if not start:
                least = _at_least(own[:HEAD], wanted)
            scores, places = np.append(scores, own), np.append(places, start + np.flatnonzero(own >= least))
            least = max(least, _at_least(scores[places], wanted))
        self._scores = scores
        items = ranked.items[places]
        items = items[np.lexsort((items, -scores[places]))]
        return np.asarray(items[~among(items, but)][:n])

    def at(self, items: IntArray) -> FloatArray:
        place, scored, scores = self._ranked.place[items], self._scores, np.full(len(items), np.nan, np.float32)
        near = np.flatnonzero(place < len(scored))
        scores[near] = scored[place[near]]
        far = np.flatnonzero((place >= len(scored)) & (place < NOWHERE))
        if len(far):
            scores[far] = self._one_by_one(items[far])
        return scores

    def _alike(self, strip: _Strip) -> FloatArray:
        """How like the description each item of a strip is."""
        terms = np.flatnonzero(self._description)
        frequent, weights = self._ranked.frequent[terms], self._description[terms]
        often = frequent >= 0
        rare = row_terms(strip.seldom, terms[~often], weights[~often])
        alike = np.bincount(rare.column, rare.value, minlength=strip.seldom.shape[1]).astype(np.float32)
        for row, weight in zip(frequent[often].tolist(), weights[often], strict=True):
            alike += strip.often[row] * weight
        return alike

    def _one_by_one(self, items: IntArray) -> FloatArray:
        features = self._ranked.features
        at, row = entries(features, items)
        alike = np.bincount(row, features.data[at] * self._description[features.indices[at]], minlength=len(items))
        return np.asarray(alike * self._ranked.pull[self._ranked.place[items]], np.float32)


def _at_least(scores: FloatArray, n: int) -> float:
    """The n-th largest score, −inf where there are fewer."""
    return float(np.partition(scores, len(scores) - n)[len(scores) - n]) if 0 < n <= len(scores) else -np.inf


def _frequent_terms(features: Sparse) -> NDArray[np.int64]:
    """Terms that so many items have that a column of all items is shorter than a list of those."""
    times = np.bincount(features.indices, minlength=features.shape[1])
    most = np.argsort(-times, kind="stable")[:FREQUENT_TERMS]
    return np.sort(most[times[most] > FREQUENT * features.shape[0]])
