"""Items that match a search term by words of title, brand and categories, from memory."""

import numpy as np

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.stock import of_categories
from recommendations.store.serving.word_index import words_of

MOST_WORDS = 12


def matching(term: str, snapshot: Snapshot) -> IntArray:
    """Rows of the stock, ascending, that match as many words of the term as any row does; none where none matches.

    A word matches the beginning of a word; one in a script without spaces any part. Words after the twelfth do not
    count, so that no term takes long.
    """
    counts = np.zeros(len(snapshot.stock), np.int32)
    for word in words_of(term)[:MOST_WORDS]:
        counts += _with_word(word, snapshot)
    best = counts.max(initial=0)
    return np.flatnonzero(counts == best).astype(np.int32) if best else np.empty(0, np.int32)


def _with_word(word: str, snapshot: Snapshot) -> BoolArray:
    stock, names = snapshot.stock, snapshot.names
    mask = stock.words.with_word(word)
    named = np.flatnonzero(names.words.with_word(word))
    if not len(named):
        return mask
    keys = list(names.categories)
    return mask | of_categories(stock, frozenset(keys[place] for place in named))
