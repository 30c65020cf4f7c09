"""Content ridge: what a history says of items by what they are, so that an item nobody has bought yet has a score."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Queries, Sparse
from recommendations.engine.preprocess.blocks import chosen, silenced
from recommendations.engine.preprocess.weighting import Transform, act_weights, transformed
from recommendations.engine.recommenders.protocol import Configured, Evidence, from_history
from recommendations.engine.steps import Arrays, Over, Part, Step, added
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    transform: Transform = "log"
    half_life: float | None = 90.0  # days
    ridge: float = 10.0  # λ: between 3 and 100 it makes no difference that can be seen
    constant: float = 0.3  # of every described item: what all of them have in common


def _taken(config: Config, before: Arrays, part: Part) -> Arrays:
    """The number of people who took each item, [items]."""
    return {"people": np.bincount(act_weights(part.own).indices, minlength=part.own.n_items)}


def _ridge(config: Config, before: Arrays, part: Part) -> Arrays:
    vectors = part.catalogue.vectors
    if vectors is None:
        vectors = np.zeros((part.catalogue.n_items, 0), np.float16)
    constant = np.where(vectors.any(axis=1), np.float32(config.constant), np.float32(0))
    features = np.column_stack([vectors.astype(np.float32), constant])
    known = features[before["people"] > 0].astype(np.float64)
    gram = known.T @ known + config.ridge * np.eye(known.shape[1])
    return {"features_": features, "whitening_": np.linalg.inv(gram).astype(np.float32)}


class ContentRidge(Configured[Config]):
    """score_ij = x_i F A f_j with A = (F_w'F_w + λI)⁻¹, where F are the items' vectors and F_w those of what was sold.

    This is the ridge regression of each person's history x_i on the vectors, in which every item that they did not
    take counts as 0, in closed form: A has no person in it, so that a history need not be in training.
    """

    STEPS: ClassVar[tuple[Step, ...]] = (
        Step(name="taken", over=Over.CUSTOMERS, work=_taken, join=added),
        Step(name="ridge", over=Over.ONCE, work=_ridge),
    )

    features_: FloatArray  # items × (dimensions + 1): f, all 0 where nothing is known
    whitening_: FloatArray  # A

    def score(self, queries: Queries) -> FloatArray:
        profile = self._profile(queries)
        scores = self._taste(profile) @ self.features_.T
        return silenced(np.asarray(scores, np.float32), profile=profile, known=self._is_described)

    def score_of(self, query: Queries, items: IntArray) -> FloatArray:
        """Scores of one history for some items, as ``score`` has them: [items], NaN where nothing can be said."""
        scores = self._taste(self._profile(query)) @ self.features_[items].T
        return np.where(self._is_described[items] & (scores != 0).any(), scores[0], np.nan).astype(np.float32)

    def scores_of_users(self, queries: Queries, item: int) -> FloatArray:
        """Scores of one item for many histories, as ``score`` has them: [queries], NaN where nothing can be said."""
        profile = self._profile(queries)
        scores = profile @ (self.features_ @ (self.whitening_ @ self.features_[item]))
        known = self._is_described[item] & (np.diff(profile.indptr) > 0)
        return np.where(known, scores, np.nan).astype(np.float32)

    def mean_score(self, queries: Queries) -> FloatArray:
        """Mean score of each item over all histories, [items]; NaN for what is not described."""
        together = sparse.csr_matrix(self._profile(queries).sum(axis=0) / max(len(queries), 1), dtype=np.float32)
        scores = (self._taste(together) @ self.features_.T)[0]
        return np.where(self._is_described, scores, np.nan).astype(np.float32)

    def _taste(self, profile: Sparse) -> FloatArray:
        return np.asarray((profile @ self.features_) @ self.whitening_, np.float32)

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        profile = query.once((self, "profile"), lambda: self._profile(query))
        sources = query.once((self, "sources"), lambda: self.features_[profile.indices])
        terms = profile.data * (sources @ (self.whitening_ @ self.features_[item]))
        return from_history(query.histories, item, sources=profile.indices, terms=terms, reason=Reason.SIMILAR_ITEM)

    def _profile(self, queries: Queries) -> Sparse:
        """What of the histories is described; of the rest the vectors say nothing."""
        weights = transformed(act_weights(queries.histories, half_life=self.config.half_life), self.config.transform)
        return chosen(weights, self._is_described[weights.indices])

    @property
    def _is_described(self) -> BoolArray:
        return np.asarray(self.features_[:, -1] > 0)
