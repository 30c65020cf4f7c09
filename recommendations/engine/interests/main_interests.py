"""Main interests: the categories with the largest shares of each customer's profile (``maths.md`` §2)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IntArray, Sparse
from recommendations.engine.interests.dislikes import Dislikes
from recommendations.engine.interests.profile import (
    SHRINKAGE,
    USERS_AT_ONCE,
    interest_shares,
    interest_weights,
    overall_interest,
    shares_of,
)
from recommendations.engine.preprocess.matrix import TrainingSnapshot
from recommendations.engine.preprocess.weighting import act_weights

MOST = 12  # categories of a customer
LEAST = 1.0  # weight of acts within the last days from which they say something
EVERYBODY = slice(None)


class MainInterests(NamedTuple):
    """The largest shares of each user, the largest first; as many for everybody."""

    categories: IntArray  # [users, n]: columns of the catalogue's categories
    shares: FloatArray  # [users, n]
    weight: NDArray[np.float64]  # [users]: of all acts

    def of(self, rows: IntArray) -> "MainInterests":
        """Main interests of some of the users, by their rows."""
        return MainInterests(categories=self.categories[rows], shares=self.shares[rows], weight=self.weight[rows])


def main_interests(snapshot: TrainingSnapshot, *, half_life: int, users: slice = EVERYBODY) -> MainInterests:
    """Main interests of some users; the profiles of 65,536 are held at a time."""
    training, categories = snapshot.training, snapshot.training.catalogue.categories
    weights = act_weights(training.interactions, half_life=half_life)
    prior = shares_of(overall_interest(act_weights(training.teaching, half_life=half_life), categories))
    first, end, _step = users.indices(weights.shape[0])
    blocks = [
        _main(weights[at], snapshot.disliked[at], categories, prior=prior, half_life=half_life)
        for start in range(first, max(end, first + 1), USERS_AT_ONCE)
        for at in [slice(start, min(start + USERS_AT_ONCE, end))]
    ]
    return MainInterests(
        categories=np.concatenate([block.categories for block in blocks]),
        shares=np.concatenate([block.shares for block in blocks]),
        weight=np.concatenate([block.weight for block in blocks]),
    )


def _main(acts: Sparse, disliked: Sparse, categories: Sparse, *, prior: FloatArray, half_life: int) -> MainInterests:
    dislikes = Dislikes.of(disliked)
    weights = dislikes.lessened(interest_weights(acts, categories), categories, half_life=half_life)
    shares = interest_shares(weights, prior=prior, strength=SHRINKAGE[half_life])
    filled = np.nan_to_num(dislikes.halved(shares, categories))
    columns = np.argsort(-filled, axis=1, kind="stable")[:, :MOST]
    return MainInterests(
        categories=columns.astype(np.int32),
        shares=np.round(np.take_along_axis(filled, columns, axis=1), 6),
        weight=weights.sum(axis=1, dtype=np.float64),
    )


def taste_shift(long_term: MainInterests, lately: MainInterests) -> NDArray[np.float64]:
    """How much the leading category of each user's last days has gained in share: 0.3 says from, say, 10 % to 40 %.

    Whoever did next to nothing lately has a profile made of everybody's habits, which says nothing about them: 0.
    """
    if not lately.categories.shape[1]:
        return np.zeros(len(lately.weight))
    same = long_term.categories == lately.categories[:, :1]
    before = np.where(same, long_term.shares, 0).sum(axis=1, dtype=np.float64)
    gained = lately.shares[:, 0].astype(np.float64) - before
    return np.where(lately.weight >= LEAST, np.maximum(gained, 0), 0)
