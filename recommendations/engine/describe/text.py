"""Texts of items as vectors: tf-idf of words and of their parts, and what the catalogue has in common of them.

Latent semantic analysis (Deerwester et al. 1990) of words and of their parts of 3 to 5 letters, which find an item that
is spelt or bent otherwise. Nothing is downloaded, and no language is assumed: where words are written without spaces
the parts do the work. An item that is described by nothing known has a row of zeros.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import FloatArray, HalfArray, IdArray, IntArray, Sparse
from recommendations.engine.preprocess.blocks import unit_rows

COLUMNS = 2**20
"""Places that words and parts are hashed to: no vocabulary is kept, and a collision in a million does no harm."""

MOST_TOKENS = 200_000
WORD = r"(?u)\b\w+\b"
SHORTEST, LONGEST = 3, 5  # letters of a part
FEWEST_ITEMS = 2  # that have a token: what only one has connects nothing
DIMENSIONS = 512
ITEMS_A_DIMENSION = 6  # a small catalogue has less in common than it has words
FEWEST_DIMENSIONS = 8
POWER_ITERATIONS = 2
SEED = 0
TINY = 1e-6
"""A shorter vector is rounding noise: the text has nothing in common with the others."""


class CountedTexts(NamedTuple):
    """What each different text is made of, and which one each item has."""

    tokens: Sparse  # texts × (words, then parts): how often
    text: IntArray  # [items]: row of ``tokens``; −1 where the item has no text


def count_texts(texts: Sequence[str]) -> CountedTexts:
    """Count the words and parts of the texts of all items, each different text once."""
    from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415 - a second to import

    different = {text: place for place, text in enumerate(dict.fromkeys(text for text in texts if text))}
    place = np.fromiter((different.get(text, -1) for text in texts), np.int32, count=len(texts))
    if not different:
        return CountedTexts(sparse.csr_matrix((0, 2 * COLUMNS), dtype=np.float32), place)
    shared = {"n_features": COLUMNS, "norm": None, "alternate_sign": False, "dtype": np.float32}
    words = HashingVectorizer(token_pattern=WORD, **shared)
    parts = HashingVectorizer(analyzer="char_wb", ngram_range=(SHORTEST, LONGEST), **shared)
    both = [one.transform(different) for one in (words, parts)]
    return CountedTexts(sparse.csr_matrix(sparse.hstack(both)), place)


class TextSpace(NamedTuple):
    """What some items' texts have in common: as vectors in it any text can be placed."""

    columns: IdArray  # of the tokens that count, words before parts
    idf: FloatArray  # of each column
    n_words: int  # columns of words
    directions: FloatArray  # columns × dimensions

    def vectors(self, counts: CountedTexts, items: NDArray[np.integer]) -> HalfArray:
        """Unit vectors of these items, [items, dimensions]; 0 where they have no text, or only unknown words.

        ``items`` are places among those that were counted; −1 is an item that was not.
        """
        of_item = text_of(counts, items)
        texts, row = np.unique(of_item[of_item >= 0], return_inverse=True)
        vectors = np.zeros((len(items), self.directions.shape[1]), np.float16)
        placed = self._weighted(counts.tokens[texts]) @ self.directions
        lengths = np.linalg.norm(placed, axis=1, keepdims=True)
        units = np.divide(placed, lengths, out=np.zeros_like(placed), where=lengths > TINY)
        vectors[of_item >= 0] = units.astype(np.float16)[row]
        return vectors

    def _weighted(self, tokens: Sparse) -> Sparse:
        """Unit rows of (1 + log tf) · idf, in which words and parts have equal weight."""
        taken = sparse.csr_matrix(tokens[:, self.columns], dtype=np.float32)
        taken.data = ((1 + np.log(taken.data)) * self.idf[taken.indices]).astype(np.float32)
        halves = [unit_rows(sparse.csr_matrix(half)) for half in (taken[:, : self.n_words], taken[:, self.n_words :])]
        return unit_rows(sparse.csr_matrix(sparse.hstack(halves)))


def text_of(counts: CountedTexts, items: NDArray[np.integer]) -> IntArray:
    """The text of each of these items, as a row of the counts; −1 where there is none."""
    known = np.append(counts.text, np.int32(-1))  # what is taken at −1
    return np.asarray(known[items], np.int32)


def text_space(counts: CountedTexts, items: NDArray[np.integer]) -> TextSpace:
    """Learn what the texts of these items have in common; other items may be placed in it, and leave no trace."""
    from sklearn.utils.extmath import randomized_svd  # noqa: PLC0415 - a second to import

    of_item = text_of(counts, items)
    texts, times = np.unique(of_item[of_item >= 0], return_counts=True)
    space = _without_directions(counts.tokens[texts], times)
    # Items of one text are that text as often: the root stands on both sides of the product that is decomposed.
    weighted = space._weighted(counts.tokens[texts])  # noqa: SLF001
    stretched = sparse.csr_matrix(sparse.diags_array(np.sqrt(times).astype(np.float32)) @ weighted)
    size = min(DIMENSIONS, max(int(times.sum()) // ITEMS_A_DIMENSION, FEWEST_DIMENSIONS), *stretched.shape)
    if not size:
        return space
    _, _, directions = randomized_svd(stretched, size, n_iter=POWER_ITERATIONS, random_state=SEED)
    return space._replace(directions=np.ascontiguousarray(directions.T, np.float32))


def _without_directions(tokens: Sparse, times: NDArray[np.integer]) -> TextSpace:
    """The tokens that count, and idf = log((1 + n) / (1 + df)) + 1 over all items, of which a text may have several."""
    n, ones = int(times.sum()), np.repeat(times, np.diff(tokens.indptr))
    frequency = np.bincount(tokens.indices, ones, minlength=2 * COLUMNS)
    columns = [_most_frequent(frequency[first : first + COLUMNS], n=n) + first for first in (0, COLUMNS)]
    every = np.concatenate(columns)
    idf = np.log((1 + n) / (1 + frequency[every])) + 1
    return TextSpace(every, idf.astype(np.float32), len(columns[0]), np.zeros((len(every), 0), np.float32))


def _most_frequent(frequency: NDArray[np.float64], *, n: int) -> IdArray:
    """Columns of the tokens of at least two items, at most so many as count, in order."""
    columns = np.flatnonzero(frequency >= min(FEWEST_ITEMS, max(n, 1)))
    return np.sort(columns[np.argsort(-frequency[columns], kind="stable")][:MOST_TOKENS])
