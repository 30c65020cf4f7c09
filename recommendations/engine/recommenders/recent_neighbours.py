"""Recent neighbours: the last baskets of the user and of all who buy alike (UP-CF@r, Faggioli et al. 2020)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Interactions, Queries, Sparse
from recommendations.engine.preprocess.blocks import dense_product, entry, rows_of, silenced
from recommendations.engine.preprocess.rhythm import rhythm
from recommendations.engine.preprocess.sizes import BASE, BASE_USERS, base_of_all, base_of_part, new_numbers, places
from recommendations.engine.preprocess.weighting import act_weights, transformed
from recommendations.engine.recommenders.protocol import Configured, Evidence, largest
from recommendations.engine.steps import Arrays, Over, Part, Step, arrays_of, matrix_of
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    baskets: int = 15  # r: the newest ones count
    power: float = 3.0  # q: above 1 the nearest count more
    asymmetry: float = 0.5  # a: ½ is the cosine; less forgives the query, more the other user, for a long list of items
    base_users: int = BASE_USERS  # so many can be neighbours: of more, the most recently active
    own: bool = True  # the person's own last baskets count as those of a neighbour with likeness 1


def _ever(acts: Interactions) -> Sparse:
    """Matrix users × items, 1 where bought."""
    return transformed(act_weights(acts.where(acts.bought)), "binary")


def _recent(config: Config, acts: Interactions) -> Sparse:
    """Matrix users × items: the share of each user's last r baskets that hold the item."""
    bought = acts.where(acts.bought)
    baskets = np.minimum(bought.n_baskets, config.baskets)[bought.user]
    within = bought.basket_rank < config.baskets
    matrix = bought.matrix(within * np.maximum(bought.strength, 0) / np.maximum(baskets, 1))
    matrix.eliminate_zeros()
    return matrix


def _baskets(config: Config, before: Arrays, part: Part) -> Arrays:
    """What those of the part bought who can be neighbours."""
    acts, base = base_of_part(part, config.base_users)
    return {**base, **arrays_of("ever", _ever(acts)), **arrays_of("recent", _recent(config, acts))}


def _neighbours(config: Config, before: Arrays, part: Part) -> Arrays:
    """The possible neighbours are chosen among those of all parts."""
    base = base_of_all(before, config.base_users)
    ever = rows_of(matrix_of(before, "ever"), base)
    owners = ever.T.tocsr()
    return {
        "base_": before["base"][base],
        **arrays_of("owners_", owners),
        "sizes_": np.asarray(ever.sum(axis=1), np.float32).ravel(),
        **arrays_of("recent_", rows_of(matrix_of(before, "recent"), base).T.tocsr()),
        "known_": np.diff(owners.indptr) > 0,
    }


class RecentNeighbours(Configured[Config]):
    """score_ij = Σ_k (common_ik / (n_i^a n_k^(1−a)))^q · (share of k's last r baskets that hold j)."""

    STEPS: ClassVar[tuple[Step, ...]] = (
        Step(name="baskets", over=Over.CUSTOMERS, work=_baskets, join=BASE),
        Step(name="neighbours", over=Over.ONCE, work=_neighbours),
    )
    PEOPLE: ClassVar = {"base_": (0,), "owners_": (1,), "sizes_": (0,), "recent_": (1,)}
    EXACT_WITHOUT: ClassVar = True

    base_: IntArray | None = None  # training rows of possible neighbours, ascending; None = all (models of before)
    owners_: Sparse  # items × base users: who ever bought it
    sizes_: FloatArray  # items that each base user ever bought
    recent_: Sparse  # items × base users: share of the last baskets
    known_: BoolArray

    def without(self, users: IntArray) -> Self:
        other = self._without_places(places(users, self.base_)[1])
        if other.base_ is not None:
            other.base_ = new_numbers(other.base_, users)
        other.known_ = np.diff(other.owners_.indptr) > 0
        return other

    def score(self, queries: Queries) -> FloatArray:
        ever = _ever(queries.histories)
        scores = dense_product(self._likeness(ever, queries), self.recent_)
        if self.config.own:
            own = _recent(self.config, queries.histories)
            scores[np.repeat(np.arange(len(queries)), np.diff(own.indptr)), own.indices] += own.data
        return silenced(scores, profile=ever, known=self.known_)

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        ever = query.once((self, "ever"), lambda: _ever(query.histories))
        if not ever.nnz:
            return []
        row = slice(*self.recent_.indptr[item : item + 2])
        likeness = query.once((self, "likeness"), lambda: self._likeness(ever, query)[0])
        terms = likeness[self.recent_.indices[row]] * self.recent_.data[row]
        recent = query.once((self, "recent"), lambda: _recent(self.config, query.histories))
        own = entry(recent, item) if self.config.own else 0.0
        others = {"neighbours": float((terms > 0).sum()), "of": float((likeness > 0).sum())}
        evidence = []
        for at, share in largest(np.asarray([own, terms.sum()])):
            if at == 0:
                facts = rhythm(query.histories, item)
                evidence.append(Evidence(reason=Reason.BOUGHT_BEFORE, share=share, item=item, facts=facts))
            else:
                evidence.append(Evidence(reason=Reason.SIMILAR_CUSTOMERS, share=share, facts=others))
        return evidence

    def _likeness(self, ever: Sparse, queries: Queries) -> FloatArray:
        """Likeness [queries, base users]; 0 for the user's own row in training."""
        common = (ever @ self.owners_).toarray()
        mine = np.asarray(ever.sum(axis=1), np.float32).reshape(-1, 1)
        scale = mine**self.config.asymmetry * self.sizes_ ** (1 - self.config.asymmetry)
        likeness = np.divide(common, scale, out=np.zeros(scale.shape, np.float32), where=scale > 0)
        likeness[places(queries.training_rows, self.base_)] = 0
        return np.power(likeness, np.float32(self.config.power), dtype=np.float32)
