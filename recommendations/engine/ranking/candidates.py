"""Candidate records for evaluation and serving: a few hundred items per query with their rounded scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.ids import IdMap
from recommendations.engine.ranking.scores import Exponents, Lifts, blend, gathered, lifted, top


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Records, one per query. Evaluation, panel and serving all read these rounded numbers, never finer ones."""

    instances: tuple[str, ...]
    items: IntArray  # [queries, candidates]: item rows, ascending, −1 after the last
    z: NDArray[np.float16]  # [queries, instances, candidates]: standardised over the pool; NaN = the instance is silent
    own: IntArray  # [queries, instances, own]: each instance's best by its raw scores, best first, −1 after the last
    asked: IdMap | None = None  # numbers of the queries that have a record, of more; None: all have one

    def __len__(self) -> int:
        return len(self.items)

    def rows(self, queries: NDArray[np.integer]) -> NDArray[np.integer]:
        """The rows of the records of these queries. Raises LookupError where one has none."""
        if self.asked is None:
            return queries
        rows = self.asked.rows(queries)
        if len(rows) and rows.min() < 0:
            raise LookupError("a query has no record")
        return rows

    def of(self, queries: NDArray[np.integer]) -> Self:
        """The records of these queries, in the order asked for. Raises LookupError where one has none."""
        rows = self.rows(queries)
        return replace(self, items=self.items[rows], z=self.z[rows], own=self.own[rows], asked=None)

    def row(self, query: int) -> int:
        """The row of a query's record; −1 where it has none."""
        return query if self.asked is None else self.asked.row(query)

    def blended(
        self, weights: Mapping[str, float], *, lifts: Lifts | None = None, exponents: Exponents | None = None
    ) -> FloatArray:
        """Blended scores, shape [queries, candidates]; −inf where there is no candidate.

        ``lifts`` are those of the items; ``exponents`` say how much each counts.
        """
        scores = blend(self.z, weight_vector(self.instances, weights))
        counting = {name: lift for name, lift in (lifts or {}).items() if (exponents or {}).get(name)}
        rows = np.maximum(self.items, 0)
        for added in lifted(scores, {name: lift[rows] for name, lift in counting.items()}, exponents or {}).values():
            scores += added
        scores[self.items < 0] = -np.inf
        return scores

    def ranked(
        self, weights: Mapping[str, float], k: int, *, lifts: Lifts | None = None, exponents: Exponents | None = None
    ) -> IntArray:
        """Item rows, best first, shape [queries, k], −1 after the last; ties go to the lower item row."""
        scores = self.blended(weights, lifts=lifts, exponents=exponents)
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
