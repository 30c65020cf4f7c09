"""Sequence recommender: transitions from one basket to the next."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy import sparse

from recommendations.engine.frames import BoolArray, Interactions, Queries, Sparse
from recommendations.engine.preprocess.blocks import chosen, frequent
from recommendations.engine.preprocess.carriers import Together, carried, own
from recommendations.engine.preprocess.weighting import context_weights
from recommendations.engine.privacy.smallest import PEOPLE
from recommendations.engine.recommenders.protocol import Successions
from recommendations.engine.steps import Arrays, Join, Over, Part, Step, arrays_of, matrix_of

DAMPING = 5.0  # added to the expected count, so that few observations do not make a strong transition


@dataclass(frozen=True, kw_only=True)
class Config:
    profile: Literal["history", "context"] = "history"
    baskets: int = 20  # of the person, the newest ones
    fading: float = 0.95  # g: weight of a basket against the one after it
    target_power: float = 0.7  # a: 0 is the plain probability, more is kinder to rare items
    min_together: int = 3  # times seen
    people: int = PEOPLE


def _successions(acts: Interactions) -> Together:
    """Baskets that have a successor, and, row by row, that successor."""
    wanted = acts.where(acts.strength > 0)
    first = np.concatenate([[0], np.cumsum(wanted.n_baskets)])[:-1]  # the newest basket of each user; older ones follow
    row = first[wanted.user] + wanted.basket_rank
    shape = (int(wanted.n_baskets.sum()), wanted.n_items)
    baskets = sparse.csr_matrix((np.ones(len(wanted), np.float32), (row, wanted.item)), shape=shape)
    baskets.sum_duplicates()
    baskets.data[:] = 1
    oldest = np.cumsum(wanted.n_baskets)[wanted.n_baskets > 0] - 1
    followed = np.setdiff1d(np.arange(shape[0]), oldest)
    user = np.repeat(np.arange(acts.n_users, dtype=np.int32), np.maximum(wanted.n_baskets - 1, 0))
    return Together(baskets[followed + 1], baskets[followed], user)


def _own_successions(config: Config, before: Arrays, part: Part) -> Arrays:
    held = _successions(part.own)
    return {
        **arrays_of("first", held.first),
        **arrays_of("second", held.second),
        "user": held.user + np.int32(part.start),
        "acts": np.bincount(part.own.item, minlength=part.own.n_items),
    }


def _turned(config: Config, before: Arrays, part: Part) -> Arrays:
    return arrays_of("sources", matrix_of(before, "first").T.tocsr())


def _counts(config: Config, before: Arrays, part: Part) -> Arrays:
    """How often each of a range of items was followed by each other one."""
    sources, second = part.cut(matrix_of(before, "sources")), matrix_of(before, "second")
    return arrays_of("counts", frequent(sources, second, at_least=config.min_together))


def _transitions(config: Config, before: Arrays, part: Part) -> Arrays:
    held = Together(matrix_of(before, "first"), matrix_of(before, "second"), before["user"])
    n_from, n_to = (np.bincount(one.indices, minlength=one.shape[1]) for one in (held.first, held.second))
    counts, power = matrix_of(before, "counts"), config.target_power
    source = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    values = counts.data / (n_from[source] ** (1 - power) * n_to[counts.indices] ** power + DAMPING)
    shared = carried(held, counts, people=config.people)
    every, few = (chosen(counts, part, values=values.astype(np.float32)) for part in (shared, ~shared))
    return {
        **arrays_of("transitions_", every),
        **arrays_of("own_transitions_", few),
        "known_": before["acts"] > 0,
    }


class Transitions(Successions[Config]):
    """score_j = Σ_k p_k · T_kj / (n_k^(1−a) m_j^a + 5), T_kj = times that k in a basket was followed by j in the next.

    What fewer than five people have done counts for those alone who have.

    n and m count the baskets with k that have a successor, and the successors with j; p_k = Σ g^rank over the last
    baskets with k. A basket is a purchase or a session, so views lead to purchases.
    """

    STEPS: ClassVar[tuple[Step, ...]] = (
        Step(name="successions", over=Over.CUSTOMERS, work=_own_successions, join=Join(sums=("acts",))),
        Step(name="sources", over=Over.ONCE, work=_turned),
        Step(name="counts", over=Over.ITEMS, work=_counts, product=("sources", "second"), spent=("sources",)),
        Step(name="transitions", over=Over.ONCE, work=_transitions),
    )

    own_transitions_: Sparse | None = None  # the same of a few people; None = not told apart (models of before)
    known_: BoolArray

    def _own_terms(self, queries: Queries, profile: Sparse) -> Sparse | None:
        """Transitions of a few from each item of the profile, where who asks has done them; entries × items."""
        if self.own_transitions_ is None or not profile.nnz or not len(queries.histories):
            return None
        row = np.repeat(np.arange(len(queries)), np.diff(profile.indptr))
        theirs = own(_successions(queries.histories), users=row, items=profile.indices)
        return sparse.csr_matrix(theirs.multiply(self.own_transitions_[profile.indices]))

    def _profile(self, queries: Queries) -> Sparse:
        if self.config.profile == "context":
            return context_weights(queries)
        acts = queries.histories
        fading = np.power(np.float32(self.config.fading), acts.basket_rank, dtype=np.float32)
        lately = acts.basket_rank < self.config.baskets
        matrix = acts.matrix(np.where(lately, fading, 0) * np.maximum(acts.strength, 0))
        matrix.eliminate_zeros()
        return matrix
