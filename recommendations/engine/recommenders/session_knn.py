"""Session neighbours: items of sessions like the current one, for visitors known by their last events only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Interactions, Queries, Sparse, TrainingSet
from recommendations.engine.preprocess.blocks import chosen, silenced, strongest
from recommendations.engine.preprocess.weighting import context_weights, decay
from recommendations.engine.recommenders.protocol import Configured, Evidence, from_context
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    profile: Literal["context"] = "context"  # the session is what is in view
    sessions: int = 200_000  # kept, the newest ones
    longest: int = 200  # items of a session that count
    neighbours: int = 500  # sessions that speak, the most alike
    of_person: int = 25  # of these
    rarity: float = 1.0  # r: exponent of the idf of an item that both sessions hold
    length_power: float = 0.3  # b: ½ is the cosine, 0 prefers long sessions
    target_power: float = 0.05  # a: 0 is the plain sum over the neighbours, more is kinder to rare items
    half_life: float | None = None  # days, of a session


class SessionKnn(Configured[Config]):
    """score_j = Σ_s sim(s) x_sj / n_j^a over the nearest sessions, sim(s) = λ(age_s) / |s|^b · Σ_k p_k idf_k^r x_sk.

    x_sj = 1 where session s holds j, n_j = sessions with j, p = the items of the session that asks, the newer the
    heavier (values of the context). A basket is a session, and so is a visit (Ludewig and Jannach 2018: V-SKNN). A
    person speaks for an item once, with the session that is most alike, and is at most ``of_person`` of the neighbours.
    """

    sessions_: Sparse  # sessions × items: n_j^−a
    holders_: Sparse  # items × sessions: idf_k^r · λ(age_s) / |s|^b
    person_: IntArray | None = None  # whose each session is; None = not known (models of before)
    known_: BoolArray

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        held, age, self.person_ = _sessions(training.teaching, most=self.config.sessions)
        held = strongest(held, self.config.longest)
        holders = np.maximum(np.bincount(held.indices, minlength=training.n_items), 1).astype(np.float32)
        rarity = np.log1p(held.shape[0] / holders) ** np.float32(self.config.rarity)
        length = np.maximum(np.diff(held.indptr), 1).astype(np.float32)
        weight = decay(age, self.config.half_life) * length ** np.float32(-self.config.length_power)
        by_item = held.T.tocsr()
        by_item.data = (np.repeat(rarity, np.diff(by_item.indptr)) * weight[by_item.indices]).astype(np.float32)
        held.data = (holders ** np.float32(-self.config.target_power))[held.indices]
        self.sessions_, self.holders_ = held, by_item
        self.known_ = np.bincount(training.teaching.item, minlength=training.n_items) > 0
        return self

    def score(self, queries: Queries) -> FloatArray:
        profile = context_weights(queries)
        nearest = self._nearest(profile)
        votes = nearest @ self.sessions_ if self.person_ is None else self._votes(nearest, self.person_)
        scores = votes.toarray().astype(np.float32, copy=False)
        return silenced(scores, profile=profile, known=self.known_)

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        """Items of the session as evidence: a neighbour's likeness, and so its vote, is a sum over items it shares."""
        profile = context_weights(query)
        nearest = query.once((self, "nearest"), lambda: self._nearest(profile))
        says = self._says(nearest, item)
        terms = profile.data * (self.holders_[profile.indices][:, nearest.indices] @ says)
        return from_context(item, sources=profile.indices, terms=terms, reason=Reason.BECAUSE_YOU_VIEWED)

    def _nearest(self, profile: Sparse) -> Sparse:
        """Likeness [queries, sessions] of the nearest sessions."""
        alike = sparse.csr_matrix(profile @ self.holders_)
        if self.person_ is not None:
            alike = _few_each(alike, self.person_, self.config.of_person)
        return strongest(alike, self.config.neighbours)

    def _votes(self, nearest: Sparse, person: IntArray) -> Sparse:
        """The votes for each item, queries × items: of each person the one of the most alike session that holds it."""
        held = sparse.csr_matrix(self.sessions_[nearest.indices])
        lengths = np.diff(held.indptr)
        query = np.repeat(np.arange(nearest.shape[0]), np.diff(nearest.indptr))
        voice = np.repeat(query * (int(person.max(initial=0)) + 1) + person[nearest.indices], lengths)
        votes = held.data * np.repeat(nearest.data, lengths)
        order = np.lexsort((-votes, held.indices, voice))
        voice, item = voice[order], held.indices[order]
        first = order[np.concatenate([[True], (np.diff(voice) != 0) | (np.diff(item) != 0)])] if len(order) else order
        places = (np.repeat(query, lengths)[first], held.indices[first])
        return sparse.csr_matrix((votes[first], places), shape=(nearest.shape[0], held.shape[1]))

    def _says(self, nearest: Sparse, item: int) -> FloatArray:
        """What each of the nearest sessions of one query adds to an item's votes, per unit of likeness."""
        says = self.sessions_[nearest.indices, item].toarray().ravel()
        if self.person_ is not None:
            order = np.lexsort((-nearest.data * (says > 0), self.person_[nearest.indices]))
            again = np.diff(self.person_[nearest.indices][order], prepend=-1) == 0
            says[order[again]] = 0
        return says


def _few_each(alike: Sparse, person: IntArray, most: int) -> Sparse:
    """The most alike sessions of each person, per query."""
    row = np.repeat(np.arange(alike.shape[0]), np.diff(alike.indptr))
    key = row * (int(person.max(initial=0)) + 1) + person[alike.indices]
    order = np.lexsort((-alike.data, key))
    rank = np.arange(alike.nnz) - np.searchsorted(key[order], key[order])
    near = np.zeros(alike.nnz, np.bool_)
    near[order[rank < most]] = True
    return chosen(alike, near)


def _sessions(acts: Interactions, *, most: int) -> tuple[Sparse, FloatArray, IntArray]:
    """The newest sessions × items, 1 where the session holds the item, oldest number first; their ages in days; whose.

    A basket is one person's.
    """
    wanted = acts.where(acts.strength > 0)
    _, start, code = np.unique(wanted.basket, return_index=True, return_inverse=True)
    person = wanted.user[start]
    n_sessions = int(code.max(initial=-1)) + 1
    age = np.full(n_sessions, np.inf, np.float32)
    np.minimum.at(age, code, wanted.age)
    held = sparse.csr_matrix((np.ones(len(wanted), np.float32), (code, wanted.item)), shape=(n_sessions, acts.n_items))
    held.sum_duplicates()
    held.data[:] = 1
    if n_sessions <= most:
        return held, age, person
    newest = np.sort(np.argsort(age, kind="stable")[:most])
    return held[newest], age[newest], person[newest]
