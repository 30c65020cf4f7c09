"""Next item: what is taken shortly after what, within a window of places and both ways, in closed form."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Interactions, Queries, Sparse
from recommendations.engine.preprocess.blocks import chosen
from recommendations.engine.preprocess.sizes import MOST_ROWS, thinned
from recommendations.engine.preprocess.weighting import context_weights
from recommendations.engine.privacy.smallest import PEOPLE
from recommendations.engine.recommenders.protocol import Successions
from recommendations.engine.steps import Arrays, Over, Part, Step, added, arrays_of


@dataclass(frozen=True, kw_only=True)
class Config:
    profile: Literal["history", "context"] = "history"
    window: int = 7  # places after an item that still count
    fading: float = 0.6  # of each place more
    back: float = 0.25  # what the way back counts beside the way ahead
    source_power: float = 0.5
    target_power: float = 0.35  # 0 is kind to what many take, more is kinder to rare items
    damping: float = 3.0  # added to the counts, so that few observations do not make a strong transition
    recency: float = 0.75  # weight of an act against the one after it
    acts: int = 50  # of the person, the newest ones
    people: int = PEOPLE
    most: int = MOST_ROWS  # acts that teach; of more, those of every second person, or third


class Near(NamedTuple):
    """Pairs of acts of one person that lie near one another, the earlier one first."""

    user: IntArray
    before: IntArray  # items
    after: IntArray
    weight: FloatArray


def _in_order(acts: Interactions) -> tuple[IntArray, IntArray]:
    """User and item of the acts that count, each one's oldest first; of one moment, the later row is the older."""
    wanted = acts.where(acts.strength > 0)
    order = np.lexsort((-np.arange(len(wanted)), -wanted.age, wanted.user))
    return wanted.user[order], wanted.item[order]


def _near(config: Config, user: IntArray, item: IntArray) -> Near:
    parts = []
    for gap in range(1, config.window + 1):
        same = np.flatnonzero(user[:-gap] == user[gap:])
        weight = np.full(len(same), config.fading ** (gap - 1), np.float32)
        parts.append(Near(user[same], item[same], item[same + gap], weight))
    return Near(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _people(near: Near, source: NDArray[np.integer], target: NDArray[np.integer], *, n_items: int) -> IntArray:
    """The number of people who have had each pair of items near one another, whichever came first."""
    low, high = np.minimum(near.before, near.after), np.maximum(near.before, near.after)
    pairs, code = np.unique(low.astype(np.int64) * n_items + high, return_inverse=True)
    n_users = int(near.user.max(initial=0)) + 1
    carriers = np.unique(code * n_users + near.user) // n_users
    people = np.bincount(carriers, minlength=len(pairs)).astype(np.int32)
    wanted = np.minimum(source, target).astype(np.int64) * n_items + np.maximum(source, target)
    counted: IntArray = people[np.searchsorted(pairs, wanted)]
    return counted


def _acts(config: Config, before: Arrays, part: Part) -> Arrays:
    return {"rows": np.asarray([len(part.own)]), "acts": np.bincount(part.own.item, minlength=part.own.n_items)}


def _sequences(config: Config, before: Arrays, part: Part) -> Arrays:
    """What those of the part who teach took, in order."""
    user, item = _in_order(thinned(part.own, config.most, of=int(before["rows"][0]), start=part.start))
    return {"user": user + np.int32(part.start), "item": item}


def _transitions(config: Config, before: Arrays, part: Part) -> Arrays:
    """The transitions of all sequences, which ``most`` keeps few."""
    n_items = part.catalogue.n_items
    taken = np.bincount(before["item"], minlength=n_items)
    near = _near(config, before["user"], before["item"])
    ahead = sparse.csr_matrix((near.weight, (near.before, near.after)), shape=(n_items, n_items))
    both = sparse.csr_matrix(ahead + config.back * ahead.T)
    row = np.repeat(np.arange(n_items), np.diff(both.indptr))
    source, target = ((taken + config.damping) ** -power for power in (config.source_power, config.target_power))
    values = (both.data * source[row] * target[both.indices]).astype(np.float32)
    shared = _people(near, row, both.indices, n_items=n_items) >= config.people
    every, few = (chosen(both, part, values=values) for part in (shared, ~shared))
    return {
        **arrays_of("transitions_", every),
        **arrays_of("own_transitions_", few),
        "known_": before["acts"] > 0,
    }


class NextItem(Successions[Config]):
    """score_j = Σ_k .75^rank(k) T_kj / ((n_k + 3)^½ (n_j + 3)^.35).

    T_kj = Σ over people, and over pairs k before j that are g ≤ 7 places apart, of .6^(g − 1), and a quarter of T_jk;
    n = acts on the item. What fewer than five people have had so near counts for those alone who have. Acts are in the
    order of time, and those of one moment in any.
    """

    STEPS: ClassVar[tuple[Step, ...]] = (
        Step(name="acts", over=Over.CUSTOMERS, work=_acts, join=added),
        Step(name="sequences", over=Over.CUSTOMERS, work=_sequences),
        Step(name="transitions", over=Over.ONCE, work=_transitions),
    )

    own_transitions_: Sparse  # the same of a few people
    known_: BoolArray

    def _own_terms(self, queries: Queries, profile: Sparse) -> Sparse | None:
        """Transitions of a few from each item of the profile, where who asks has had both so near; entries × items."""
        if not self.own_transitions_.nnz or not profile.nnz or not len(queries.histories):
            return None
        near, n_items = _near(self.config, *_in_order(queries.histories)), profile.shape[1]
        user, source, target = (np.concatenate(pair) for pair in (
            (near.user, near.user), (near.before, near.after), (near.after, near.before)
        ))  # fmt: skip
        wanted = np.repeat(np.arange(len(queries)), np.diff(profile.indptr)) * n_items + profile.indices
        order = np.argsort(wanted)
        had = user.astype(np.int64) * n_items + source
        at = order[np.minimum(np.searchsorted(wanted[order], had), len(wanted) - 1)]
        there = wanted[at] == had
        ones = np.ones(np.count_nonzero(there), np.float32)
        theirs = sparse.csr_matrix((ones, (at[there], target[there])), shape=(len(wanted), n_items))
        theirs.data[:] = 1
        return sparse.csr_matrix(theirs.multiply(self.own_transitions_[profile.indices]))

    def _profile(self, queries: Queries) -> Sparse:
        if self.config.profile == "context":
            return context_weights(queries)
        user, item = _in_order(queries.histories)
        newest = np.cumsum(np.bincount(user, minlength=len(queries))) - 1
        rank = newest[user] - np.arange(len(user))
        weights = np.where(rank < self.config.acts, self.config.recency**rank, 0).astype(np.float32)
        profile = sparse.csr_matrix((weights, (user, item)), shape=(len(queries), queries.histories.n_items))
        profile.eliminate_zeros()
        return profile
