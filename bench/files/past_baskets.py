"""Questions for baskets before the last: more to learn from, of the same people, where the question is what comes next.

One fit serves them all, on a training set in which nothing that is asked for teaches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.files.parts import Part, pairs_of, part
from recommendations.engine.frames import COLUMNS, Interactions, Queries

BASKETS = 3
"""Baskets before the last that each person is asked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PastBaskets:
    """A part of such questions."""

    part: Part
    asked: NDArray[np.int64]  # question of the validation part that is of the same person


def past_baskets(acts: Interactions, validation: Part, users: NDArray[np.int64], *, folded: bool) -> PastBaskets | None:
    """Ask the validation part's ``users`` for what they had before its truth; None where nobody had so much.

    ``acts`` are everyone's, also what is held out. Ages count back from as long after a basket as the validation part
    is asked after its own.
    """
    own = acts.of_users(users)
    rank, newest = own.basket_rank, _ages(own)
    asked, histories, pairs = [], [], []
    for back in range(1, BASKETS + 1):
        people = np.flatnonzero(own.n_baskets > back + 1)
        later = np.where(own.n_baskets > back, newest[:, back] - newest[:, 0], 0)[own.user]
        before = replace(own, age=np.maximum(own.age - later, 0).astype(np.float32)).where(rank > back)
        asked.append(people)
        histories.append(before.of_users(people))
        pairs.append(own.where((rank == back) & own.bought).of_users(people))
    if not sum(map(len, asked)):
        return None
    everyone, truth = np.concatenate(asked), _joined(pairs)
    known = validation.training
    if not folded:
        is_asked = np.zeros(acts.n_users, np.bool_)
        is_asked[users] = True
        known = replace(known, interactions=acts.where(~is_asked[acts.user] | (acts.basket_rank > BASKETS)))
    questions = Queries(histories=_joined(histories), training_rows=validation.queries.training_rows[everyone])
    held = pairs_of(truth.user, truth.item, shape=(len(everyone), acts.n_items))
    asking = part(known, questions, held, tasks=validation.tasks, repeats=validation.repeats)
    return PastBaskets(part=asking, asked=everyone)


def _ages(acts: Interactions) -> NDArray[np.float64]:
    """Age in days of each user's newest baskets, [users, 1 + BASKETS]; inf where there is none."""
    ages = np.full((acts.n_users, BASKETS + 1), np.inf)
    late = acts.basket_rank <= BASKETS
    np.minimum.at(ages, (acts.user[late], acts.basket_rank[late]), acts.age[late])
    return ages


def _joined(parts: Sequence[Interactions]) -> Interactions:
    """Histories of consecutive blocks of users as one; each block has baskets of its own."""
    first = np.cumsum([0, *(one.n_users for one in parts)])
    apart = max(int(one.basket.max(initial=-1)) for one in parts) + 1
    moved = [
        replace(one, user=one.user + np.int32(first[at]), basket=one.basket + np.int32(at * apart))
        for at, one in enumerate(parts)
    ]
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in moved]) for name in ("user", *COLUMNS)
    }
    return replace(parts[0], n_users=int(first[-1]), **columns)
