"""Index from words, and the beginnings of words, to the rows of the texts in which they stand."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Self

import numpy as np

from recommendations.engine.frames import BoolArray, IdArray, IntArray

MOST_YOUNG = 2_000
"""Rows beside the index; with more than that it is made anew, a second for each 300,000 texts."""

_CHUNK = 1_000  # texts that are cut into words while no other thread gets in
_BETWEEN = "\x00"  # no text of PostgreSQL holds it
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(rf"\w+|{_BETWEEN}")
_LAST = "\U0010ffff"  # above every letter, and none itself


def words_of(text: str) -> list[str]:
    """Words of a text, each once."""
    return list(dict.fromkeys(_WORD.findall(text.casefold())))


class _Postings:
    """Rows by word. The words are sorted, so that those with one beginning are one slice."""

    def __init__(self, texts: Sequence[str], rows: IntArray) -> None:
        known, numbers, places = _numbered(texts)
        self._words = sorted(known)
        rank = np.empty(len(known), np.int64)
        rank[[known[word] for word in self._words]] = np.arange(len(known))
        pairs = rank[numbers] * max(len(texts), 1) + places
        pairs.sort()
        word, place = np.divmod(pairs, max(len(texts), 1))
        self._rows = rows[place]
        self._ends: IdArray = np.searchsorted(word, np.arange(len(known) + 1))
        # Scripts without spaces have words inside of words: these are looked through as one text.
        self._wide = np.array([at for at, one in enumerate(self._words) if not one.isascii()], np.int64)
        wide = [self._words[at] for at in self._wide]
        self._text = _BETWEEN.join(wide)
        self._text_ends = np.cumsum(np.array([len(one) + 1 for one in wide], np.int64))

    def mark(self, word: str, mask: BoolArray) -> None:
        """Set ``mask`` in the rows that have a word which begins with this one; in other scripts than ASCII, holds."""
        if word.isascii():
            first, last = bisect_left(self._words, word), bisect_left(self._words, word + _LAST)
            mask[self._rows[self._ends[first] : self._ends[last]]] = True
            return
        at = np.array([match.start() for match in re.finditer(re.escape(word), self._text)], np.int64)
        holds = np.zeros(len(self._words), np.bool_)
        holds[self._wide[np.searchsorted(self._text_ends, at, side="right")]] = True
        mask[self._rows[np.repeat(holds, np.diff(self._ends))]] = True


@dataclass(frozen=True, kw_only=True)
class WordIndex:
    """Index of the texts of rows 0 … n − 1. What was edited since it was made stands beside it."""

    n: int
    _size: int  # rows of the postings; those from n on are left out
    _old: _Postings
    _young: _Postings
    _edited: Mapping[int, str]  # row → text, of all that is young

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        old = _Postings(texts, np.arange(len(texts), dtype=np.int32))
        return cls(n=len(texts), _size=len(texts), _old=old, _young=_Postings([], np.empty(0, np.int32)), _edited={})

    def updated(self, edited: Mapping[int, str], *, texts: Iterable[str], n: int) -> Self:
        """The index of n rows with these for the old ones; ``texts`` of all are read where it is made anew."""
        if not edited:
            return self
        young = {**self._edited, **edited}
        if len(young) > MOST_YOUNG:
            return type(self).of(list(texts))
        postings = _Postings(list(young.values()), np.fromiter(young, np.int32, len(young)))
        size = max(n, self._size)
        return type(self)(n=n, _size=size, _old=self._old, _young=postings, _edited=young)

    def first(self, n: int) -> Self:
        """The index of the first n rows."""
        return replace(self, n=n)

    def with_word(self, word: str) -> BoolArray:
        """Mask of the rows that have a word which begins with this one; in other scripts than ASCII, which holds it."""
        mask = np.zeros(self._size, np.bool_)
        self._old.mark(word, mask)
        if self._edited:
            mask[list(self._edited)] = False
            self._young.mark(word, mask)
        return mask[: self.n]


def _numbered(texts: Sequence[str]) -> tuple[dict[str, int], IntArray, IntArray]:
    """Number of each word; of every word in the texts, one after the other, the number and the place of its text."""
    known: defaultdict[str, int] = defaultdict(count().__next__)
    between = known[_BETWEEN]
    numbers, places = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    for first in range(0, len(texts), _CHUNK):
        tokens = _TOKEN.findall(_BETWEEN.join(texts[first : first + _CHUNK]).casefold())
        codes = np.fromiter(map(known.__getitem__, tokens), np.int32, len(tokens))
        ends = codes == between
        numbers.append(codes[~ends] - 1)
        places.append((first + np.cumsum(ends)[~ends]).astype(np.int32))
    del known[_BETWEEN]
    words = {word: number - 1 for word, number in known.items()}
    return words, np.concatenate(numbers), np.concatenate(places)
