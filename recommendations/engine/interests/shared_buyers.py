"""How alike the buyers of items are, asked for one item at a time."""

from typing import NamedTuple, Self

import numpy as np
from scipy import sparse

from recommendations.engine.frames import FloatArray, Interactions, Sparse


class Bought(NamedTuple):
    """Who bought what, both ways round."""

    of_user: Sparse  # users × items: how often
    of_item: Sparse  # items × users: likewise

    @classmethod
    def of(cls, acts: Interactions) -> Self:
        of_user = acts.where(acts.bought).matrix()
        return cls(of_user, sparse.csr_matrix(of_user.T))


class SharedBuyers:
    """Cosine of the buyers of two items: those of both, divided by √(those of one · those of the other).

    Fewer than ``people`` of an item, or of both, count as nobody, so that it tells of none of them. ``bought`` may be
    mapped: of it is read what an item asks for.
    """

    def __init__(self, bought: Bought, *, people: int = 1) -> None:
        self._people, (self._of_user, self._of_item) = people, bought
        self._buyers = np.diff(self._of_item.indptr)

    def cosines(self, row: int) -> FloatArray:
        """Likeness of every item to one, [items]; NaN where one of the two was bought by nobody."""
        users = self._of_item.indices[slice(*self._of_item.indptr[row : row + 2])]
        common = np.bincount(self._of_user[users].indices, minlength=len(self._buyers))
        common = np.where(common >= self._people, common, 0)
        buyers, own = (np.where(number >= self._people, number, 0) for number in (self._buyers, len(users)))
        both = np.sqrt(buyers.astype(np.float64) * own)
        likeness = np.divide(common, both, out=np.full(len(both), np.nan), where=both > 0)
        return np.asarray(likeness, np.float32)
