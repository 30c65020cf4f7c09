"""Session neighbours: items of sessions like the current one, for visitors known by their last events only."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Interactions, Queries, Sparse
from recommendations.engine.preprocess.blocks import strongest
from recommendations.engine.preprocess.row_terms import RowTerms, column_sums, entries, places_among, row_terms
from recommendations.engine.preprocess.sizes import new_numbers
from recommendations.engine.preprocess.weighting import context_weights, decay
from recommendations.engine.ranking.score_rows import FewScores, KnownItems, ScoreRow, SilentRow
from recommendations.engine.recommenders.protocol import Configured, Evidence, from_context
from recommendations.engine.steps import Arrays, Join, Over, Part, Step, arrays_of, matrix_of
from recommendations.terms import Reason

TINY = np.float32(1e-9)  # rarity is 0 where there is no session at all
AHEAD = 3  # times as many sessions as there are neighbours


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


class _Sessions(NamedTuple):
    """Sessions × items, 1 where the session holds the item; of each its age in days, whose it is and its number."""

    held: Sparse
    age: FloatArray
    person: IntArray
    basket: IntArray

    def of(self, rows: NDArray[np.integer]) -> "_Sessions":
        """These sessions, in the order asked for."""
        return _Sessions(self.held[rows], self.age[rows], self.person[rows], self.basket[rows])

    def newest(self, most: int) -> "_Sessions":
        """Keep so many of the sessions at most, in their order."""
        return self if len(self.age) <= most else self.of(np.sort(np.argsort(self.age, kind="stable")[:most]))


def _sessions(acts: Interactions) -> _Sessions:
    """All sessions by their number; a basket is one person's."""
    wanted = acts.where(acts.strength > 0)
    basket, start, code = np.unique(wanted.basket, return_index=True, return_inverse=True)
    age = np.full(len(basket), np.inf, np.float32)
    np.minimum.at(age, code, wanted.age)
    shape = (len(basket), acts.n_items)
    held = sparse.csr_matrix((np.ones(len(wanted), np.float32), (code, wanted.item)), shape=shape)
    held.sum_duplicates()
    held.data[:] = 1
    return _Sessions(held, age, wanted.user[start], basket)


def _spread(config: Config, held: Sparse) -> tuple[FloatArray, FloatArray]:
    """The number of sessions that hold each item, 1 where none does, and idf^r."""
    holders = np.maximum(np.bincount(held.indices, minlength=held.shape[1]), 1).astype(np.float32)
    return holders, np.log1p(held.shape[0] / holders) ** np.float32(config.rarity)


def _own_sessions(config: Config, before: Arrays, part: Part) -> Arrays:
    """The newest sessions of a part, and the acts on each item, [items]: so many can be among the newest of all."""
    acts = part.own
    own = _sessions(acts).newest(config.sessions)
    return {
        **arrays_of("held", strongest(own.held, config.longest)),
        "age": own.age,
        "person": own.person + np.int32(part.start),
        "basket": own.basket,
        "acts": np.bincount(acts.item[acts.strength > 0], minlength=acts.n_items),
    }


def _newest_sessions(config: Config, before: Arrays, part: Part) -> Arrays:
    every = _Sessions(matrix_of(before, "held"), before["age"], before["person"], before["basket"])
    if (np.diff(every.basket) < 0).any():
        every = every.of(np.argsort(every.basket, kind="stable"))
    held, age, person, _ = every.newest(config.sessions)
    holders, rarity = _spread(config, held)
    length = np.maximum(np.diff(held.indptr), 1).astype(np.float32)
    weight = decay(age, config.half_life) * length ** np.float32(-config.length_power)
    by_item = held.T.tocsr()
    by_item.data = (np.repeat(rarity, np.diff(by_item.indptr)) * weight[by_item.indices]).astype(np.float32)
    data = (holders ** np.float32(-config.target_power))[held.indices]
    return {
        **arrays_of("sessions_", sparse.csr_matrix((data, held.indices, held.indptr), shape=held.shape)),
        **arrays_of("holders_", by_item),
        "person_": person,
        "known_": before["acts"] > 0,
    }


class SessionKnn(Configured[Config]):
    """score_j = Σ_s sim(s) x_sj / n_j^a over the nearest sessions, sim(s) = λ(age_s) / |s|^b · Σ_k p_k idf_k^r x_sk.

    x_sj = 1 where session s holds j, n_j = sessions with j, p = the items of the session that asks, the newer the
    heavier (values of the context). A basket is a session, and so is a visit (Ludewig and Jannach 2018: V-SKNN). A
    person speaks for an item once, with the session that is most alike, and is at most ``of_person`` of the neighbours.
    """

    STEPS: ClassVar[tuple[Step, ...]] = (
        Step(name="own sessions", over=Over.CUSTOMERS, work=_own_sessions, join=Join(sums=("acts",))),
        Step(name="newest sessions", over=Over.ONCE, work=_newest_sessions),
    )
    PEOPLE: ClassVar = {"sessions_": (0,), "holders_": (1,), "person_": (0,)}
    EXACT_WITHOUT: ClassVar = True

    sessions_: Sparse  # sessions × items: n_j^−a
    holders_: Sparse  # items × sessions: idf_k^r · λ(age_s) / |s|^b
    person_: IntArray | None = None  # whose each session is; None = not known (models of before)
    known_: BoolArray

    @property
    def exact_without(self) -> bool:
        return self.person_ is not None

    def without(self, users: IntArray) -> Self:
        """The sessions of all others; of a model of before it was known whose they are, all of them stay."""
        if self.person_ is None:
            return self._without_places(np.empty(0, np.int32))
        gone = np.flatnonzero(np.isin(self.person_, users))
        other = self._without_places(gone)
        held, by_item = other.sessions_, other.holders_
        (holders, rarity), (_, before) = (_spread(self.config, one) for one in (held, self.sessions_))
        data = (holders ** np.float32(-self.config.target_power))[held.indices]
        other.sessions_ = sparse.csr_matrix((data, held.indices, held.indptr), shape=held.shape)
        again = by_item.data * np.repeat(rarity / np.maximum(before, TINY), np.diff(by_item.indptr))
        other.holders_ = sparse.csr_matrix((again, by_item.indices, by_item.indptr), shape=by_item.shape)
        lost = (np.diff(self.holders_.indptr) > 0) & (np.diff(by_item.indptr) == 0)
        other.person_, other.known_ = new_numbers(np.delete(self.person_, gone), users), self.known_ & ~lost
        return other

    def score(self, queries: Queries) -> FloatArray:
        every = np.arange(self.sessions_.shape[1], dtype=np.int32)
        rows = (self.row(queries.of(np.array([place]))) for place in range(len(queries)))
        return np.array([row.at(every) for row in rows], np.float32).reshape(len(queries), len(every))

    def row(self, query: Queries) -> ScoreRow:
        if not context_weights(query).nnz:
            return SilentRow()
        votes = self._votes(query)
        items, likeness = column_sums(votes.item, votes.likeness, width=self.sessions_.shape[1])
        return FewScores.of(items, likeness * self._target[items], self._known_items)

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        """Items of the session as evidence: a neighbour's likeness, and so its vote, is a sum over items it shares."""
        votes = self._votes(query)
        speaks = np.zeros(votes.n_sessions)
        speaks[votes.session[votes.item == item]] = 1
        shared = votes.shared
        terms = np.bincount(shared.row, shared.value * speaks[shared.column], minlength=shared.n_rows)
        sources = context_weights(query).indices
        return from_context(item, sources=sources, terms=terms, reason=Reason.BECAUSE_YOU_VIEWED)

    @cached_property
    def _known_items(self) -> KnownItems:
        return KnownItems(np.asarray(self.known_))

    @cached_property
    def _target(self) -> FloatArray:
        """n_j^−a of every item; 0 of an item that no session holds."""
        target = np.zeros(self.sessions_.shape[1], np.float32)
        target[self.sessions_.indices] = self.sessions_.data
        return target

    def _votes(self, query: Queries) -> "_Votes":
        return query.once((self, "votes"), lambda: self._votes_for(context_weights(query)))

    def _votes_for(self, profile: Sparse) -> "_Votes":
        terms = row_terms(self.holders_, profile.indices, profile.data)
        sessions, alike = terms.sums(self.holders_.shape[1])
        nearest = self._nearest(sessions, alike)
        sessions, alike = sessions[nearest], alike[nearest]
        place = places_among(terms.column, sessions, width=self.holders_.shape[1])
        shared = terms.where(place >= 0)._replace(column=place[place >= 0])
        held = entries(self.sessions_, sessions)
        item, session = self.sessions_.indices[held.at], held.row
        if self.person_ is not None:
            item, session = _once_each(item, session, voice=_codes(self.person_[sessions]))
        return _Votes(session, item, alike[session], shared, len(sessions))

    def _nearest(self, sessions: IntArray, alike: FloatArray) -> NDArray[np.int64]:
        """Places of the sessions that speak, the most alike first: among three times as many as there are neighbours
        hardly a person has too many.
        """
        wanted = min(self.config.neighbours, len(alike))
        for ahead in (wanted, AHEAD * wanted, len(alike)):
            near = _best(alike, ahead)
            if self.person_ is not None:
                near = near[_rank_within(self.person_[sessions[near]]) < self.config.of_person]
            if len(near) >= wanted:
                break
        return near[:wanted]


class _Votes(NamedTuple):
    """What the nearest sessions say of their items; sessions are numbered from the most alike on."""

    session: NDArray[np.integer]  # [votes]
    item: IntArray  # [votes]
    likeness: FloatArray  # [votes] of the session to the one that asks
    shared: RowTerms  # what each item in view adds to the likeness of each session; columns are sessions
    n_sessions: int


def _best(values: FloatArray, n: int) -> NDArray[np.int64]:
    """Places of the n largest values, the largest first."""
    places = np.argpartition(values, len(values) - n)[len(values) - n :] if n < len(values) else np.arange(len(values))
    return places[np.argsort(-values[places], kind="stable")]


def _rank_within(person: IntArray) -> NDArray[np.int64]:
    """How many of the same person stand before each place."""
    order = np.argsort(person, kind="stable")
    start = np.diff(person[order], prepend=-1) != 0
    rank = np.empty(len(person), np.int64)
    place = np.arange(len(person))
    rank[order] = place - np.maximum.accumulate(np.where(start, place, 0))
    return rank


def _codes(person: IntArray) -> NDArray[np.int64]:
    """Small numbers for persons."""
    order = np.argsort(person)
    codes = np.empty(len(person), np.int64)
    codes[order] = np.cumsum(np.diff(person[order], prepend=-1) != 0) - 1
    return codes


def _once_each(
    item: IntArray, session: NDArray[np.int64], *, voice: NDArray[np.int64]
) -> tuple[IntArray, NDArray[np.int64]]:
    """The most alike session alone where several of one voice hold an item.

    All three are sorted as one number, voice, item and session, which is several times as fast as an order of each.
    """
    of_session = max(len(voice), 1).bit_length()
    of_item = int(item.max(initial=0)).bit_length()
    whole = voice[session] << of_item
    whole |= item
    whole <<= of_session
    whole |= session
    whole.sort()
    first = np.diff(whole >> of_session, prepend=-1) != 0
    whole = whole[first]
    return ((whole >> of_session) & ((1 << of_item) - 1)).astype(np.int32), whole & ((1 << of_session) - 1)
