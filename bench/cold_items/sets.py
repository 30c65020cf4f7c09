"""Data sets in which some items are cold: the catalogue describes them, and no act before the cut is about them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bench.ranking.complete_journey import WINDOW, shop
from recommendations.engine.describe.items import place_vectors, places
from recommendations.engine.describe.text import CountedTexts, count_texts, text_space
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import BoolArray, HalfArray, Queries, TrainingSet
from recommendations.engine.ids import IdMap
from recommendations.engine.preprocess.clean import clean
from recommendations.engine.preprocess.matrix import EventWeights, snapshot
from recommendations.engine.rng import generator
from recommendations.store.vectors.words import word_vectors

MOMENT = 1e-6  # days: so long before the cut a cold item is taken to have been listed
HELD = 0.1  # of the items, where time does not say which are cold


@dataclass(frozen=True, kw_only=True, eq=False)
class ColdSet:
    """``truth`` has nothing but cold items, and the rows of those who took one."""

    name: str
    training: TrainingSet  # cold items have rows, and no acts
    queries: Queries
    truth: Truth
    cold: BoolArray
    vectors: HalfArray  # of the training set's catalogue
    texts: Sequence[str]  # of its items

    def shuffled(self, seed: int) -> "ColdSet":
        """The same set with the vectors of its items dealt out again: what they say is then of somebody else."""
        order = generator(seed, "shuffled texts").permutation(len(self.vectors))
        return replace(self, training=_with(self.training, self.vectors[order]), vectors=self.vectors[order])

    def with_words(self) -> "ColdSet | None":
        """The same set with vectors of words beside those of its texts, as a run has them; None without the extra."""
        rows = np.arange(len(self.texts))
        for known in word_vectors(rows, self.texts):
            placed = place_vectors(known, IdMap(ids=rows))
            if placed is not None:
                both = np.concatenate([self.vectors, placed], axis=1)
                return replace(self, training=_with(self.training, both), vectors=both)
        return None


def complete_journey(cut: float, *, name: str) -> ColdSet:
    """Products first sold in the 28 days after the cut, and the households that bought one of them."""
    data, attributes = shop(), shop().attributes
    first = attributes.listed_at
    listed = np.where((first >= cut) & (first < cut + WINDOW), cut - MOMENT, first)
    cleaned, _ = clean(data.events[data.events["at"].to_numpy() < cut], until=cut)
    made = snapshot(cleaned, replace(attributes, listed_at=listed), cut=cut, weights=EventWeights())
    cold = (first >= cut)[places(attributes.ids, made.items)]
    later = data.events[(data.events["at"] >= cut) & (data.events["at"] < cut + WINDOW)]
    user, item = made.users.rows(later["user"].to_numpy()), made.items.rows(later["item"].to_numpy())
    pairs = (user >= 0) & (item >= 0)
    pairs[pairs] = cold[item[pairs]]
    shape = (made.training.n_users, made.training.n_items)
    spent = sparse.csr_matrix((np.ones(pairs.sum(), np.float32), (user[pairs], item[pairs])), shape=shape)
    at = places(attributes.ids, made.items)
    texts = [data.texts[place] if place >= 0 else "" for place in at]
    vectors = _vectors(data.counted_texts, at, cold)
    return _set(name, made.training, Truth(spent=spent), cold, vectors=vectors, texts=texts)


def with_a_cold_tenth(training: TrainingSet, texts: Sequence[str], *, name: str, seed: int, most: int) -> ColdSet:
    """A random tenth of the items made cold: acts about them become the truth of at most ``most`` people, drawn."""
    draw = generator(seed, "cold items")
    cold = draw.random(training.n_items) < HELD
    acts = training.interactions
    known, taken = acts.where(~cold[acts.item]), acts.where(cold[acts.item]).matrix()
    asked = np.flatnonzero((np.diff(taken.indptr) > 0) & (np.diff(known.matrix().indptr) > 0))
    asked = np.sort(draw.permutation(asked)[:most])
    mine = np.isin(np.arange(training.n_users), asked).astype(np.float32)
    truth = sparse.csr_matrix(sparse.diags_array(mine) @ taken, dtype=np.float32)
    truth.eliminate_zeros()
    truth.sort_indices()
    vectors = _vectors(count_texts(texts), np.arange(training.n_items), cold)
    warm = replace(training, interactions=known)
    return _set(name, warm, Truth(spent=truth), cold, vectors=vectors, texts=texts)


def _set(
    name: str, training: TrainingSet, truth: Truth, cold: BoolArray, *, vectors: HalfArray, texts: Sequence[str]
) -> ColdSet:
    described = _with(training, vectors)
    everybody = described.queries(np.arange(training.n_users))
    return ColdSet(
        name=name, training=described, queries=everybody, truth=truth, cold=cold, vectors=vectors, texts=texts
    )


def _with(training: TrainingSet, vectors: HalfArray) -> TrainingSet:
    return replace(training, catalogue=replace(training.catalogue, vectors=vectors))


def _vectors(counts: CountedTexts, items: NDArray[np.integer], cold: BoolArray) -> HalfArray:
    """Vectors of all items, in what the warm ones have in common."""
    return text_space(counts, items[~cold]).vectors(counts, items)
