"""Items that are nearest to another one by their vectors: exact, without an index."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from recommendations.engine.frames import BoolArray, FloatArray, HalfArray, IntArray, Space

ITEMS_AT_ONCE = 8_192
PICTURE = "picture"
LOOKS, READS = 0.7, 0.3  # what pictures and texts count for where items look alike
ALL = "all"


class Neighbourhood:
    """Vectors of items, asked which of them are alike: by the mean cosine over the spaces that both stand in.

    Where spaces are given, only they are looked at.
    """

    def __init__(self, vectors: HalfArray | FloatArray, spaces: Sequence[Space] = ()) -> None:
        self._vectors, self._spaces = vectors, spaces or (Space(ALL, 0, vectors.shape[1]),)

    @classmethod
    def of_texts(cls, vectors: HalfArray | FloatArray, spaces: Sequence[Space]) -> "Neighbourhood":
        """The neighbourhood by what is said of items: by every space but that of pictures."""
        return cls(vectors, [space for space in spaces if space.name != PICTURE])

    @classmethod
    def of_pictures(cls, vectors: HalfArray | FloatArray, spaces: Sequence[Space]) -> "Neighbourhood | None":
        """The neighbourhood by pictures; None where none is known."""
        own = [space for space in spaces if space.name == PICTURE]
        return cls(vectors, own) if own else None

    @cached_property
    def membership(self) -> BoolArray:
        """Membership of the items in each space, [spaces, items]."""
        return np.array([self._vectors[:, space.first : space.last].any(axis=1) for space in self._spaces], np.bool_)

    def cosines(self, row: int) -> FloatArray:
        """Likeness of every item to one, [items]; NaN where they share no space."""
        own = np.zeros(self._vectors.shape[1], np.float32)
        for space in self._spaces:
            own[space.first : space.last] = self._vectors[row, space.first : space.last]
        total = np.empty(len(self._vectors), np.float32)
        for start in range(0, len(self._vectors), ITEMS_AT_ONCE):
            block = slice(start, start + ITEMS_AT_ONCE)
            total[block] = self._vectors[block].astype(np.float32, copy=False) @ own
        shared = (self.membership & self.membership[:, [row]]).sum(axis=0, dtype=np.float32)
        return np.divide(total, shared, out=np.full(len(total), np.nan, np.float32), where=shared > 0)

    def nearest(self, row: int, *, most: int) -> tuple[IntArray, FloatArray]:
        """Rows of the items most like one, the nearest first, and their cosines; of equals the lower row first.

        None for an item that nothing is known of; what has nothing in common with it (cosine ≤ 0) is left out.
        """
        cosines = np.nan_to_num(self.cosines(row))
        cosines[row] = 0
        order = np.argsort(-cosines, kind="stable")[:most]
        order = order[cosines[order] > 0]
        return order.astype(np.int32), np.minimum(cosines[order], np.float32(1))
