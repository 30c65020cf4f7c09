"""How alike the buyers of items are, asked for one item at a time."""

import numpy as np

from recommendations.engine.frames import FloatArray, Interactions


class SharedBuyers:
    """Cosine of the buyers of two items: those of both, divided by √(those of one · those of the other).

    Fewer than ``people`` of an item, or of both, count as nobody, so that it tells of none of them.
    """

    def __init__(self, acts: Interactions, *, people: int = 1) -> None:
        self._people = people
        bought = acts.where(acts.bought)
        self._of_user = bought.matrix()
        self._of_item = self._of_user.tocsc()
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
