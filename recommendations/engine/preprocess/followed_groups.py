"""What people follow beside people, at a cut: brands, categories, creators and collections, as interests."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from recommendations.engine.frames import Sparse
from recommendations.engine.ids import IdMap

ACTS = 3.0
"""Acts that a link counts as much as."""

MOST = 100
"""Links of one person that count, at most: of more the newest."""


class GroupFollows(NamedTuple):
    """Who began or ceased to follow which group, and in which categories the items of each group stand.

    ``said`` has a row per time (``follower``, ``group``, ``at`` in days, ``follows``), the oldest first; ``members``
    [groups, categories] are the shares of a group's items, a row of which sums to 1, or to 0 where it has none.
    """

    said: pd.DataFrame
    members: Sparse

    def of_users(self, users: IdMap, *, cut: float) -> Sparse | None:
        """Acts that the links before a cut count as much as, [users, categories]; None where nobody has any."""
        past = self.said[self.said["at"].to_numpy() < cut].drop_duplicates(["follower", "group"], keep="last")
        past = past.assign(row=users.rows(past["follower"].to_numpy(np.int64)))
        past = past[past["follows"].to_numpy(np.bool_) & (past["row"].to_numpy() >= 0)]
        past = past.groupby("row", sort=False).tail(MOST)
        acts = np.full(len(past), ACTS, np.float32)
        shape = (len(users), self.members.shape[0])
        links = sparse.csr_matrix((acts, (past["row"].to_numpy(), past["group"].to_numpy())), shape=shape)
        interests: Sparse = sparse.csr_matrix(links @ self.members, dtype=np.float32)
        return interests if interests.nnz else None
