"""Social: a profile that is completed by those whom the person follows, then asked of the regression of EASE."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from recommendations.engine.frames import FloatArray, Queries, Sparse, TrainingSet
from recommendations.engine.preprocess.blocks import unit_rows
from recommendations.engine.preprocess.links import FEWEST
from recommendations.engine.preprocess.weighting import act_weights, transformed
from recommendations.engine.recommenders.item_regression import OF_EACH, ItemRegression, RegressionConfig
from recommendations.engine.recommenders.protocol import Evidence
from recommendations.engine.steps import Arrays, Over, Part, Step, arrays_of, matrix_of
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config(RegressionConfig):
    prior: float = 1.0  # acts of one's own that those who are followed count as much as
    share: float = 1.0
    stranger: float = 0.02  # weight of somebody of another taste, to which the likeness of tastes is added


def _tastes(config: Config, before: Arrays, part: Part) -> Arrays:
    weights = act_weights(part.own, half_life=config.profile_half_life)
    return arrays_of("tastes_", transformed(weights, config.transform) if config.transform in OF_EACH else weights)


def _all_tastes(config: Config, before: Arrays, part: Part) -> Arrays:
    """The tastes, transformed where that hangs on the histories of all."""
    if config.transform in OF_EACH:
        return {}
    return arrays_of("tastes_", transformed(matrix_of(before, "tastes_"), config.transform))


class Social(ItemRegression[Config]):
    """p'_u = p_u + share · prior / (n_u + prior) Σ_v s_uv p_v over those v whom u follows, and then score = p' B.

    s_uv is .02 plus the cosine of the tastes, adding up to 1 over v; n_u are the different items of one's own history,
    so that a person of whom more is known is completed less. Who follows nobody gets no score.
    """

    STEPS: ClassVar[tuple[Step, ...]] = (
        *ItemRegression.STEPS,
        Step(name="tastes", over=Over.CUSTOMERS, work=_tastes),
        Step(name="all tastes", over=Over.ONCE, work=_all_tastes),
    )
    PEOPLE: ClassVar = {**ItemRegression.PEOPLE, "tastes_": (0,)}

    tastes_: Sparse  # users × items: p_v

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Learn from a training set; where nobody follows anybody, there is nothing to learn and no step is done."""
        if training.links is None:
            self.known_ = np.zeros(training.n_items, np.bool_)
            self.tastes_ = sparse.csr_matrix((training.n_users, training.n_items), dtype=np.float32)
            return self
        return super().fit(training, seed=seed)

    def score(self, queries: Queries) -> FloatArray:
        if queries.links is None or not queries.links.nnz or not self.known_.any():
            return np.full((len(queries), len(self.known_)), np.nan, np.float32)
        return super().score(queries)

    def profile(self, queries: Queries) -> Sparse:
        """The completed profiles; nothing of who follows nobody."""
        if queries.links is None:
            return sparse.csr_matrix((len(queries), len(self.known_)), dtype=np.float32)
        own, linked = super().profile(queries), np.diff(queries.links.indptr) > 0
        completed = own + sparse.diags_array(self._need(own)) @ (self._trust(queries.links, own) @ self.tastes_)
        return sparse.csr_matrix(sparse.diags_array(linked.astype(np.float32)) @ completed, dtype=np.float32)

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        """How many of those whom the person follows took the item; nothing where they are fewer than three."""
        if query.links is None or not self.known_[item]:
            return []
        people = int(np.count_nonzero(self.tastes_[query.links.indices][:, [item]].toarray() > 0))
        if people < FEWEST:
            return []
        return [Evidence(reason=Reason.FOLLOWING, share=1.0, facts={"people": float(people)})]

    def _need(self, own: Sparse) -> FloatArray:
        """How much each profile is completed."""
        n_acts = np.diff(own.indptr).astype(np.float32)
        return np.asarray(self.config.share * self.config.prior / (n_acts + self.config.prior), np.float32)

    def _trust(self, links: Sparse, own: Sparse) -> Sparse:
        """s, queries × users; its rows add up to 1."""
        row = np.repeat(np.arange(links.shape[0]), np.diff(links.indptr))
        tastes, theirs = unit_rows(own), unit_rows(self.tastes_)
        alike = np.asarray(tastes[row].multiply(theirs[links.indices]).sum(axis=1)).ravel()
        weights = alike.astype(np.float32) + np.float32(self.config.stranger)
        total = np.bincount(row, weights, minlength=links.shape[0])
        return sparse.csr_matrix(
            (weights / total[row], links.indices, links.indptr), shape=links.shape, dtype=np.float32
        )
