"""The method of the article that this project began with, made runnable as the historical baseline.

Users are clustered by k-means on their rows of counts; a user's score of an item is what the others bought of it, each
weighted by how alike the two behave and how alike their clusters are (``maths.md`` §8). As printed it multiplies
scalars that it never defines; this keeps its two ideas.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import KMeans

from recommendations.engine.evaluation.backtest import ranked_in_blocks
from recommendations.engine.frames import FloatArray, IntArray, Sparse, TrainingSet
from recommendations.engine.preprocess.blocks import unit_rows

CLUSTERS = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Article:
    """score_uj = Σ_{v≠u} cos(x_u, x_v) · cos(c_u, c_v) · x_vj; x = counts, c = centroid of the user's cluster."""

    counts: Sparse  # users × items: baskets in which the user bought the item
    cluster: IntArray  # of each user
    affinity: FloatArray  # cosines of the centroids, clusters × clusters

    @classmethod
    def fit(cls, training: TrainingSet, *, seed: int = 0) -> Self:
        purchases = training.interactions.where(training.interactions.bought)
        counts = purchases.matrix()
        clusters = KMeans(n_clusters=min(CLUSTERS, training.n_users), random_state=seed).fit(counts)
        centroids = unit_rows(sparse.csr_matrix(clusters.cluster_centers_.astype(np.float32)))
        return cls(
            counts=counts,
            cluster=clusters.labels_.astype(np.int32),
            affinity=(centroids @ centroids.T).toarray(),
        )

    @cached_property
    def directions(self) -> Sparse:
        """Rows of counts at length 1: their products are the cosines."""
        return unit_rows(self.counts)

    def scores(self, users: NDArray[np.int64]) -> FloatArray:
        """Scores [users, items]; 0 where no one alike has bought the item."""
        alike = (self.directions[users] @ self.directions.T).toarray()
        alike *= self.affinity[np.ix_(self.cluster[users], self.cluster)]
        alike[np.arange(len(users)), users] = 0
        return np.asarray(alike @ self.counts, np.float32)

    def ranked(self, users: NDArray[np.int64], *, excluded: Sparse | None) -> IntArray:
        """Rank item rows [users, 20], best first, in blocks of users; ``excluded`` has a row per training user."""
        return ranked_in_blocks(self.scores, users, excluded=excluded)
