"""Items that a customer says they like: a list leans on them where little is known of what the customer does."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.score_rows import FewScores, KnownItems
from recommendations.engine.ranking.selection import among
from recommendations.store.live.state import Liking


@dataclass(frozen=True)
class LikedItems:
    """Items that somebody's likings mean; two of the same content are equal."""

    likings: tuple[Liking, ...]
    items: bytes  # rows of the model, ascending, int32
    scores: bytes  # of each, above 0, float32
    strongest: bytes  # the place of the liking that says most of each, int32

    @cached_property
    def rows(self) -> IntArray:
        return np.frombuffer(self.items, np.int32)

    def row(self, n_items: int) -> "LikedRow":
        """Scores of all items of the model."""
        known = KnownItems(np.ones(n_items, np.bool_))
        return LikedRow(self.rows, np.frombuffer(self.scores, np.float32), known)

    def liking_of(self, item: int) -> Liking | None:
        """The liking that says most of an item; None where none says anything."""
        at = int(np.searchsorted(self.rows, item))
        if at == len(self.rows) or self.rows[at] != item:
            return None
        return self.likings[int(np.frombuffer(self.strongest, np.int32)[at])]


class LikedRow(FewScores):
    """Scores of what somebody says they like; of all the rest 0, and none of it is among the best."""

    def best(self, n: int, *, but: IntArray) -> IntArray:
        return super().best(min(n, int(np.count_nonzero(~among(self.items, but)))), but=but)
