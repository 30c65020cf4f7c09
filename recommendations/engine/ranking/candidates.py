"""Candidate records for evaluation and serving: a few hundred items per query with their rounded scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.ranking.scores import blend, gathered, promoted, top


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Records, one per query. Evaluation, panel and serving all read these rounded numbers, never finer ones."""

    instances: tuple[str, ...]
    items: IntArray  # [queries, candidates]: item rows, ascending, −1 after the last
    z: NDArray[np.float16]  # [queries, instances, candidates]: standardised over the pool; NaN = the instance is silent
    own: IntArray  # [queries, instances, own]: each instance's best by its raw scores, best first, −1 after the last

    def __len__(self) -> int:
        return len(self.items)

    def of(self, queries: NDArray[np.integer]) -> Self:
        """The records of these queries, in the order asked for."""
        return replace(self, items=self.items[queries], z=self.z[queries], own=self.own[queries])

    def blended(
        self, weights: Mapping[str, float], *, lift: FloatArray | None = None, promotion: float = 0.0
    ) -> FloatArray:
        """Blended scores, shape [queries, candidates]; −inf where there is no candidate.

        ``lift`` [items] is what the promotion plan makes of demand, ``promotion`` its exponent; 0 leaves it out.
        """
        scores = blend(self.z, weight_vector(self.instances, weights))
        if lift is not None and promotion:
            scores += promoted(scores, lift[np.maximum(self.items, 0)], promotion)
        scores[self.items < 0] = -np.inf
        return scores

    def ranked(
        self, weights: Mapping[str, float], k: int, *, lift: FloatArray | None = None, promotion: float = 0.0
    ) -> IntArray:
        """Item rows, best first, shape [queries, k], −1 after the last; ties go to the lower item row."""
        scores = self.blended(weights, lift=lift, promotion=promotion)
        ranked: IntArray = gathered(self.items, top(scores, k), missing=-1)
        return ranked


def joined(parts: Sequence[Candidates]) -> Candidates:
    """The records of consecutive blocks of queries as one."""
    return Candidates(
        instances=parts[0].instances,
        items=np.concatenate([part.items for part in parts]),
        z=np.concatenate([part.z for part in parts]),
        own=np.concatenate([part.own for part in parts]),
    )


def with_plane(candidates: Candidates, name: str, z: NDArray[np.float16]) -> Candidates:
    """The records with one more instance, whose z [queries, candidates] is given; its own best are of the record."""
    scores = np.where(np.isnan(z) | (candidates.items < 0), -np.inf, z).astype(np.float32)
    own: IntArray = gathered(candidates.items, top(scores, candidates.own.shape[2]), missing=-1)
    return replace(
        candidates,
        instances=(*candidates.instances, name),
        z=np.concatenate([candidates.z, z[:, None]], axis=1),
        own=np.concatenate([candidates.own, own[:, None]], axis=1),
    )


def without_plane(candidates: Candidates, name: str) -> Candidates:
    """The records as they were before ``with_plane``."""
    others = [m for m, instance in enumerate(candidates.instances) if instance != name]
    return replace(
        candidates,
        instances=tuple(candidates.instances[m] for m in others),
        z=candidates.z[:, others],
        own=candidates.own[:, others],
    )


def weight_vector(instances: Sequence[str], weights: Mapping[str, float]) -> FloatArray:
    """Weights in the order of the instances: 0 for an instance without weight; a weight without instance is dropped."""
    return np.array([weights.get(name, 0.0) for name in instances], np.float32)
