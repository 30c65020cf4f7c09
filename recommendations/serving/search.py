"""Items that match a search term by words of title, brand and categories, from memory."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.stock import Stock, of_categories

MOST_WORDS = 12
_WORD = re.compile(r"\w+")


def matching(term: str, snapshot: Snapshot) -> IntArray:
    """Rows of the stock, ascending, that match as many words of the term as any row does; none where none matches.

    A word matches the beginning of a word; one in a script without spaces any part.
    """
    stock = snapshot.stock
    counts = np.zeros(len(stock), np.int32)
    for word in _words(term)[:MOST_WORDS]:
        counts += _with_word(word, snapshot)
    best = counts.max(initial=0)
    return np.flatnonzero(counts == best).astype(np.int32) if best else np.empty(0, np.int32)


def _with_word(word: str, snapshot: Snapshot) -> BoolArray:
    stock, index = snapshot.stock, _index(snapshot.stock)
    mask = np.zeros(len(stock), np.bool_)
    for match in _like(word, index):
        mask[index[match]] = True
    names = snapshot.names.categories.items()
    keys = frozenset(key for key, (path, _) in names if any(_like(word, _words(path))))
    return mask | of_categories(stock, keys) if keys else mask


def _like(word: str, known: Iterable[str]) -> Iterable[str]:
    inside = not word.isascii()
    return (one for one in known if one.startswith(word) or (inside and word in one))


@lru_cache(maxsize=2)
def _index(stock: Stock) -> Mapping[str, IntArray]:
    """Index from word to rows, made when somebody searches a stock for the first time."""
    rows: dict[str, list[int]] = {}
    for row, product in enumerate(stock.products):
        for word in _words(f"{product.title} {product.brand}"):
            rows.setdefault(word, []).append(row)
    return {word: np.array(places, np.int32) for word, places in rows.items()}


def _words(text: str) -> list[str]:
    """Words of a text, each once."""
    return list(dict.fromkeys(_WORD.findall(text.casefold())))
