"""ALS: weighted matrix factorisation by alternating least squares (Hu, Koren and Volinsky 2008)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommendations.engine.frames import BoolArray, FloatArray, Queries, Sparse
from recommendations.engine.preprocess.blocks import silenced
from recommendations.engine.preprocess.weighting import (
    Statistics,
    Transform,
    act_weights,
    transformed,
)
from recommendations.engine.recommenders.protocol import WEIGHTS, Configured, Evidence, from_history, statistics_of
from recommendations.engine.steps import Arrays, Over, Part, Step, matrix_of
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    factors: int = 64
    ridge: float = 10.0
    confidence: float = 1.0  # α: how much more a weight of 1 counts than an unknown pair
    iterations: int = 8
    transform: Transform = "log"
    half_life: float | None = 180.0  # days
    threads: int = 2  # of the fit


def _factors(config: Config, before: Arrays, part: Part) -> Arrays:
    """Factors of all items from all weights: people and items are solved in turn, each from all of the others."""
    from implicit.cpu.als import AlternatingLeastSquares  # noqa: PLC0415 - slow to load

    weights = matrix_of(before, "weights")
    statistics = statistics_of(before, config.transform)
    taught = transformed(weights, config.transform, statistics)
    if not taught.indices.flags.writeable:  # implicit asks for memory that it could write to
        taught = taught.copy()
    with threadpool_limits(limits=1, user_api="blas"):  # implicit has threads of its own
        model = AlternatingLeastSquares(
            factors=config.factors,
            regularization=config.ridge,
            alpha=config.confidence,
            iterations=config.iterations,
            random_state=part.seed,
            num_threads=config.threads,
        )
        model.fit(taught, show_progress=False)
    factors = np.ascontiguousarray(model.item_factors, np.float32)
    exact = factors.astype(np.float64)
    return {
        "factors_": factors,
        "gram_": exact.T @ exact + config.ridge * np.eye(config.factors),
        "idf_": statistics.idf,
        "mean_length_": statistics.mean_length,
        "known_": before["df"] > 0,
    }


class Als(Configured[Config]):
    """score_ij = y_j · A⁻¹ Σ_k c_k y_k with A = Y'Y + Σ_k (c_k − 1) y_k y_k' + λI and confidence c = α w.

    A person's factors are solved from the history at hand, so that a folded-in history is treated as one in training.
    """

    STEPS: ClassVar[tuple[Step, ...]] = (
        WEIGHTS,
        Step(name="factors", over=Over.ONCE, work=_factors),
    )

    factors_: FloatArray  # Y, items × factors
    gram_: NDArray[np.float64]  # Y'Y + λI
    idf_: FloatArray
    mean_length_: FloatArray
    known_: BoolArray

    def score(self, queries: Queries) -> FloatArray:
        profile = self._profile(queries)
        systems, sums = self._systems(profile)
        people = np.linalg.solve(systems, sums[:, :, None])[:, :, 0].astype(np.float32)
        return silenced(people @ self.factors_.T, profile=profile, known=self.known_)

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        profile = query.once((self, "profile"), lambda: self._profile(query))
        if not self.known_[item]:
            return []
        inverse = query.once((self, "inverse"), lambda: np.linalg.inv(self._systems(profile)[0][0]))
        factors = query.once((self, "factors"), lambda: self.factors_[profile.indices])
        pull = factors @ (inverse @ self.factors_[item].astype(np.float64))
        terms = self.config.confidence * profile.data * pull
        reason = Reason.BECAUSE_YOU_BOUGHT
        return from_history(query.histories, item, sources=profile.indices, terms=terms, reason=reason)

    def _systems(self, profile: Sparse) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A, shape [queries, factors, factors], and Σ c y, shape [queries, factors]."""
        systems = np.repeat(self.gram_[None, :, :], profile.shape[0], axis=0)
        for row in range(profile.shape[0]):
            held = slice(profile.indptr[row], profile.indptr[row + 1])
            factors = self.factors_[profile.indices[held]]
            systems[row] += factors.T @ (factors * (self.config.confidence * profile.data[held] - 1)[:, None])
        return systems, np.asarray(self.config.confidence * (profile @ self.factors_), np.float64)

    def _profile(self, queries: Queries) -> Sparse:
        return self._transformed(act_weights(queries.histories, half_life=self.config.half_life))

    def _transformed(self, weights: Sparse) -> Sparse:
        return transformed(weights, self.config.transform, Statistics(self.idf_, self.mean_length_))
