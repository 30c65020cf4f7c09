"""The protocol of every recommender: r_ij = Σ_k w_ik d_kj with its own meaning of k (``maths.md`` §3).

"Cannot know" is NaN, "no affinity" is 0. A recommender with nothing to say about a query answers a row of NaN.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import (
    BoolArray,
    FloatArray,
    IntArray,
    Interactions,
    Queries,
    Sparse,
    TrainingSet,
    rest,
)
from recommendations.engine.preprocess.blocks import row_sums, silenced
from recommendations.engine.preprocess.rhythm import rhythm
from recommendations.engine.preprocess.row_terms import RowTerms, row_terms
from recommendations.engine.preprocess.weighting import Counts, Statistics, Transform, act_weights, counts_of
from recommendations.engine.ranking.score_rows import DenseRow, FewScores, KnownItems, ScoreRow, SilentRow
from recommendations.engine.steps import Arrays, Join, Over, Part, Step, arrays_of, matrix_of, run_steps
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """One term of the sum that a score is made of, in a form that can be put into words."""

    reason: Reason
    share: float  # part of the score that this term explains, 0 … 1
    item: int | None = None  # dense row of the item that is the evidence
    category: int | None = None  # column of ``Catalogue.categories``
    facts: Mapping[str, float] = field(default_factory=dict)  # numbers for the sentence: times, days, lift …


TERMS_KEPT = 5


def largest(terms: NDArray[np.floating], n: int = TERMS_KEPT) -> list[tuple[int, float]]:
    """Positions of the largest positive terms of a score, with the part of the positive sum that each explains."""
    positive = np.maximum(terms, 0)
    total = float(positive.sum())
    order = np.argsort(-positive, kind="stable")[:n]
    return [(int(at), float(positive[at]) / total) for at in order if positive[at] > 0]


def from_history(
    history: Interactions, item: int, *, sources: NDArray[np.integer], terms: NDArray[np.floating], reason: Reason
) -> list[Evidence]:
    """The largest terms as evidence, where each term comes from one item of a person's history.

    ``reason`` is for items that were bought; what was only looked at is no more than a similar item. The item itself is
    evidence with its rhythm, if it was bought.
    """
    evidence = []
    for at, share in largest(terms):
        source = int(sources[at])
        facts = rhythm(history, source)
        if source == item and not facts:
            continue
        if source == item:
            evidence.append(Evidence(reason=Reason.BOUGHT_BEFORE, share=share, item=item, facts=facts))
        else:
            evidence.append(Evidence(reason=reason if facts else Reason.SIMILAR_ITEM, share=share, item=source))
    return evidence


def from_context(
    item: int, *, sources: NDArray[np.integer], terms: NDArray[np.floating], reason: Reason
) -> list[Evidence]:
    """The largest terms as evidence, where each term comes from one item in view; the item itself is none for it."""
    strongest = [(int(sources[at]), share) for at, share in largest(terms)]
    return [Evidence(reason=reason, share=share, item=source) for source, share in strongest if source != item]


class Recommender(Protocol):
    """Parameters are data (``config``, frozen and JSON-able); what is learned has a trailing underscore."""

    STEPS: ClassVar[tuple[Step, ...]]
    config: Any

    def __init__(self, config: Any) -> None: ...

    def fit(self, training: TrainingSet, *, seed: int) -> Self: ...

    def score(self, queries: Queries) -> FloatArray:
        """Scores, shape [queries, items], in a new array or a read-only one; NaN where the recommender cannot know."""
        ...

    def row(self, query: Queries) -> ScoreRow:
        """The scores of a block of one query, as ``score`` has them."""
        ...

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        """The largest terms of the score of one item for a block of one query, largest first; empty where none are."""
        ...

    @property
    def exact_without(self) -> bool:
        """Whether ``without`` leaves nothing of a person."""
        ...

    def without(self, users: IntArray) -> Self:
        """Another recommender, without these users of the training set; those after them move up."""
        ...


class Configured[C](ABC):
    """Base of every recommender, which is made from its parameters and learns the rest in STEPS.

    PEOPLE says which axes of what is learned count people, or something that belongs to one person. EXACT_WITHOUT says
    that nothing else is learned of a person, so that ``without`` is what a fit of those who remain would be (of those
    whom it compares with, where they are limited); sums over many otherwise stay until the next fit.
    """

    STEPS: ClassVar[tuple[Step, ...]] = ()
    PEOPLE: ClassVar[Mapping[str, tuple[int, ...]]] = {}
    EXACT_WITHOUT: ClassVar[bool] = False

    def __init__(self, config: C) -> None:
        self.config = config

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Learn from a training set: the steps over one part that is everything."""
        _teach(self, run_steps(self.STEPS, self.config, training, seed=seed))
        return self

    @property
    def exact_without(self) -> bool:
        return self.EXACT_WITHOUT

    def without(self, users: IntArray) -> Self:
        """Another recommender, without these users of the training set; what is not about people is shared."""
        return self._without_places(users)

    def _without_places(self, places: NDArray[np.integer]) -> Self:
        """Another recommender, without these places of the axes of people."""
        other = type(self)(self.config)
        for name, value in _attributes(self).items():
            setattr(other, name, _cut(value, places, axes=self.PEOPLE.get(name, ())))
        return other

    def row(self, query: Queries) -> ScoreRow:
        return DenseRow(self.score(query)[0])

    @abstractmethod
    def score(self, queries: Queries) -> FloatArray: ...


class Sparing[C](Configured[C]):
    """Base of a recommender whose score is Σ_k p_k · m_kj over few items j; of all others that it knows it is 0."""

    known_: BoolArray

    def score(self, queries: Queries) -> FloatArray:
        profile = self._profile(queries)
        scores, own = profile @ self._matrix, self._own_terms(queries, profile)
        if own is not None:
            scores = scores + row_sums(profile, own)
        return silenced(scores.toarray().astype(np.float32, copy=False), profile=profile, known=self.known_)

    def row(self, query: Queries) -> ScoreRow:
        terms = self._terms(query)
        return FewScores.of(*terms.sums(len(self.known_)), self._known_items) if terms.n_rows else SilentRow()

    def _terms(self, query: Queries) -> RowTerms:
        """The terms p_k · m_kj of one query; its rows are the entries of the profile."""
        return query.once((self, "terms"), lambda: self._made_terms(query))

    def _made_terms(self, query: Queries) -> RowTerms:
        profile, own = self._profile_of(query), self._terms_of_own(query)
        terms = row_terms(self._matrix, profile.indices, profile.data)
        return terms if own is None else terms.and_those(own)

    def _terms_of_own(self, query: Queries) -> RowTerms | None:
        """The part of the terms of one query that counts for who asks alone."""
        return query.once((self, "own"), lambda: self._made_own(query))

    def _made_own(self, query: Queries) -> RowTerms | None:
        profile = self._profile_of(query)
        own = self._own_terms(query, profile)
        return None if own is None else row_terms(own, np.arange(profile.nnz), profile.data)

    def _profile_of(self, query: Queries) -> Sparse:
        return query.once((self, "profile"), lambda: self._profile(query))

    @cached_property
    def _known_items(self) -> KnownItems:
        return KnownItems(np.asarray(self.known_))

    @property
    @abstractmethod
    def _matrix(self) -> Sparse:
        """What each item of a profile says for each other: items × items."""
        ...

    @abstractmethod
    def _profile(self, queries: Queries) -> Sparse:
        """What the queries are about, queries × items."""
        ...

    def _own_terms(self, queries: Queries, profile: Sparse) -> Sparse | None:
        """What more counts for who asks alone: entries of the profile × items."""
        return None


class Profiled(Protocol):
    """Settings that say what a query is about: the history of who asks, or what is in view."""

    @property
    def profile(self) -> Literal["history", "context"]: ...


class Successions[C: Profiled](Sparing[C]):
    """Base of a recommender whose m_kj says how often j comes after k."""

    transitions_: Sparse  # from × to

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        sources, terms = self._profile_of(query).indices, self._terms(query).of(item)
        if self.config.profile == "context":
            return from_context(item, sources=sources, terms=terms, reason=Reason.BOUGHT_NEXT)
        return from_history(query.histories, item, sources=sources, terms=terms, reason=Reason.BOUGHT_NEXT)

    @property
    def _matrix(self) -> Sparse:
        return self.transitions_


def _weights(config: Any, before: Arrays, part: Part) -> Arrays:
    weights = act_weights(part.own, half_life=config.half_life)
    return {**arrays_of("weights", weights), **counts_of(weights)._asdict()}


WEIGHTS = Step(name="weights", over=Over.CUSTOMERS, work=_weights, join=Join(sums=Counts._fields))
"""The weights of all customers, and what statistics of them are made of."""


def statistics_of(before: Arrays, transform: Transform) -> Statistics:
    """The statistics of weights whose counts steps before left."""
    return Counts(*(before[name] for name in Counts._fields)).statistics(transform)


def learned(recommender: Recommender) -> dict[str, NDArray[Any]]:
    """Learned parameters as named arrays, as steps leave them."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, value in _attributes(recommender).items():
        arrays |= arrays_of(name, value) if isinstance(value, sparse.csr_matrix) else {name: np.asarray(value)}
    return arrays


def _attributes(recommender: object) -> dict[str, Any]:
    """What is learned, by name."""
    return {name: value for name, value in vars(recommender).items() if name.endswith("_") and not name.startswith("_")}


def _cut(value: Any, places: NDArray[np.integer], *, axes: tuple[int, ...]) -> Any:
    """An array or a sparse matrix without these places of its axes."""
    for axis in axes:
        others = rest(value.shape[axis], places)
        value = value[others] if axis == 0 else value[:, others]
    return value


def restored[R: Recommender](kind: type[R], config: Any, arrays: Arrays) -> R:
    """The recommender that ``learned`` was taken from; memory-mapped arrays stay mapped."""
    recommender = kind(config)
    _teach(recommender, arrays)
    return recommender


def _teach(recommender: object, arrays: Arrays) -> None:
    """Put what was learned into its place."""
    for name, value in arrays.items():
        stem, _, part = name.partition(".")
        if not part:
            setattr(recommender, name, value)
        elif part == "data":
            setattr(recommender, stem, matrix_of(arrays, stem))
