"""Who follows whom at a cut: the last word of each about each, those who follow by the users of the training set."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from recommendations.engine.frames import Sparse
from recommendations.engine.ids import IdMap, id_map

MOST = 300
"""Others that one person follows, at most: of more the newest count."""

FEWEST = 3
"""Others whom a person has to follow before anything is lent: a list made of one or two would tell what these did."""


class Follows(NamedTuple):
    """People who follow somebody, whether they have a history or not, and whom: followers × users, 1 for each."""

    followers: IdMap
    follows: Sparse

    def of_users(self, users: IdMap) -> Sparse:
        """Whom each of these users follows, users × users of the training set."""
        row = self.followers.rows(users.ids)
        chosen = np.append(self.follows.indptr[1:] - self.follows.indptr[:-1], 0)[row]  # −1 takes the last: nobody
        starts = np.concatenate([[0], np.cumsum(chosen)])
        taken = [self.follows.indices[self.follows.indptr[at] : self.follows.indptr[at + 1]] for at in row[row >= 0]]
        indices = np.concatenate([np.empty(0, np.int32), *taken])
        ones = np.ones(len(indices), np.float32)
        return sparse.csr_matrix((ones, indices, starts), shape=(len(users), self.follows.shape[1]))


def links_at(said: pd.DataFrame, users: IdMap, *, cut: float, most: int = MOST, fewest: int = FEWEST) -> Follows | None:
    """The links before a cut to those who have a history; None where there are none.

    ``said`` has a row per time that somebody (``follower``) began or ceased (``follows``) to follow somebody
    (``followed``), in the order of time (``at``, days). Nobody follows themselves.
    """
    past = said[said["at"].to_numpy() < cut].drop_duplicates(["follower", "followed"], keep="last")
    row = users.rows(past["followed"].to_numpy(np.int64))
    counts = past["follows"].to_numpy(np.bool_) & (row >= 0) & (past["follower"] != past["followed"]).to_numpy()
    past = past[counts].assign(row=row[counts]).groupby("follower", sort=True).tail(most)
    past = past[past.groupby("follower")["row"].transform("size") >= fewest]
    if past.empty:
        return None
    followers = id_map(past["follower"].to_numpy(np.int64))
    at = followers.rows(past["follower"].to_numpy(np.int64)), past["row"].to_numpy(np.int64)
    ones = np.ones(len(past), np.float32)
    return Follows(followers, sparse.csr_matrix((ones, at), shape=(len(followers), len(users))))
