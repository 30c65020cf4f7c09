"""Content-based recommender: items described like those that the user bought or is looking at."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, Queries, Sparse
from recommendations.engine.preprocess.blocks import dense_product, silenced, unit_rows
from recommendations.engine.preprocess.popularity import recent_demand, relative
from recommendations.engine.preprocess.row_terms import RowTerms, places_among, row_terms
from recommendations.engine.preprocess.weighting import (
    Statistics,
    Transform,
    act_weights,
    context_weights,
    counts_of,
    transformed,
)
from recommendations.engine.ranking.described_row import DescribedRow, ItemsByPull
from recommendations.engine.ranking.score_rows import ScoreRow, SilentRow
from recommendations.engine.recommenders.protocol import Configured, Evidence, from_context, from_history, statistics_of
from recommendations.engine.steps import Arrays, Over, Part, Step, added, arrays_of
from recommendations.terms import Reason

POPULARITY_SCALE = 1000.0  # relative popularity is stretched before its logarithm, so that rare items differ
FLOOR = 1e-3  # an item without sales keeps a little, to be ranked by its description


@dataclass(frozen=True, kw_only=True)
class Config:
    profile: Literal["history", "context"] = "history"
    transform: Transform = "tfidf"
    half_life: float | None = None  # days
    popularity_half_life: float | None = 7.0  # days
    popularity_power: float = 5.0
    new_days: float = 28.0  # an unsold item listed so lately counts as popular as the average item


def _sums(config: Config, before: Arrays, part: Part) -> Arrays:
    counts = counts_of(act_weights(part.own, half_life=config.half_life))
    return {**counts._asdict(), "demand": recent_demand(part.own, half_life=config.popularity_half_life)}


def _described(config: Config, before: Arrays, part: Part) -> Arrays:
    statistics = statistics_of(before, config.transform)
    new = (before["df"] == 0) & (part.catalogue.listed_age <= config.new_days)
    return {
        **arrays_of("features_", _features(part.catalogue.terms)),
        "idf_": statistics.idf,
        "mean_length_": statistics.mean_length,
        "pull_": _pull(config, before["demand"].astype(np.float32), new=new),
    }


def _pull(config: Config, popularity: FloatArray, *, new: BoolArray) -> FloatArray:
    stretched = np.log1p(POPULARITY_SCALE * relative(popularity)) + FLOOR
    if new.any() and not new.all():
        stretched[new] = stretched[~new].mean()
    return (stretched**config.popularity_power).astype(np.float32)


def _features(terms: Sparse) -> Sparse:
    """Unit rows of (1 + log tf) · (log((1 + n) / (1 + df)) + 1)."""
    n = terms.shape[0]
    df = np.bincount(terms.indices[terms.data > 0], minlength=terms.shape[1])
    idf = np.log((1 + n) / (1 + df)) + 1
    values = (1 + np.log(np.maximum(terms.data, 1))) * idf[terms.indices]
    weighted = sparse.csr_matrix((np.where(terms.data > 0, values, 0), terms.indices, terms.indptr), shape=terms.shape)
    return unit_rows(weighted)


class Content(Configured[Config]):
    """score_ij = cos(Σ_k p_ik f_k, f_j) · (log(1 + 1000 pop_j) + ε)^p with tf-idf terms f of unit length."""

    STEPS: ClassVar[tuple[Step, ...]] = (
        Step(name="sums", over=Over.CUSTOMERS, work=_sums, join=added),
        Step(name="described", over=Over.ONCE, work=_described),
    )

    features_: Sparse  # items × terms
    pull_: FloatArray  # popularity factor, [items]
    idf_: FloatArray
    mean_length_: FloatArray

    def score(self, queries: Queries) -> FloatArray:
        profile = self._profile(queries)
        described = unit_rows(profile @ self.features_).toarray().astype(np.float32, copy=False)
        scores = dense_product(described, self.features_)
        scores *= self.pull_
        return silenced(scores, profile=profile, known=np.diff(self.features_.indptr) > 0)

    def row(self, query: Queries) -> ScoreRow:
        if not self._profile_of(query).nnz:
            return SilentRow()
        terms = self._terms(query)
        described = np.bincount(terms.column, terms.value, minlength=self.features_.shape[1])
        length = np.sqrt(np.square(described).sum())
        return DescribedRow(self._by_pull, (described / (length or 1)).astype(np.float32))

    @cached_property
    def _by_pull(self) -> ItemsByPull:
        return ItemsByPull(self.features_, self.pull_)

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        described, own = self._terms(query), slice(*self.features_.indptr[item : item + 2])
        place = places_among(described.column, self.features_.indices[own], width=self.features_.shape[1])
        shared = place >= 0
        alike = described.value[shared] * self.features_.data[own][place[shared]]
        terms = np.bincount(described.row[shared], alike, minlength=described.n_rows)
        sources, reason = self._profile_of(query).indices, Reason.SIMILAR_ITEM
        if self.config.profile == "context":
            return from_context(item, sources=sources, terms=terms, reason=reason)
        return from_history(query.histories, item, sources=sources, terms=terms, reason=reason)

    def _terms(self, query: Queries) -> RowTerms:
        """What each item of the profile of one query is described by, times its weight."""
        profile = self._profile_of(query)
        return query.once((self, "terms"), lambda: row_terms(self.features_, profile.indices, profile.data))

    def _profile_of(self, query: Queries) -> Sparse:
        return query.once((self, "profile"), lambda: self._profile(query))

    def _profile(self, queries: Queries) -> Sparse:
        if self.config.profile == "context":
            return context_weights(queries)
        weights = act_weights(queries.histories, half_life=self.config.half_life)
        return transformed(weights, self.config.transform, Statistics(self.idf_, self.mean_length_))
