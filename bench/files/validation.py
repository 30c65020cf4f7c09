"""Validation part that settings and weights are chosen on, carved from the training file.

It looks like the question. Where that is the next basket, some people are asked for their last one while the others
keep all of theirs, as everybody's last basket teaches in use. Else by time, where enough users act on both sides; else
the last basket or act of each user; else, where no time tells what was last, a seeded fifth of each user's items.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.files.acts import Acts
from recommendations.engine.frames import BoolArray
from recommendations.engine.rng import generator

type Rule = Literal["time", "last_basket_or_act", "random_items", "none"]

ENOUGH_USERS = 500
ENOUGH_SHARE = 0.05
ASKED_SHARE = 0.5  # of more than 500 users, at most: the others are to teach by their last baskets
BEFORE = (0.9, 0.8)  # share of the acts before the cut: the later cut first
HELD_SHARE = 0.2  # of each user's items, where there is no order
MOST_USERS = 5000
MOMENT = 1e-6  # days after the newest act at which is asked

SAID: dict[Rule, str] = {
    "time": "acts after a cut in time are held out; users have acts on both sides of it",
    "last_basket_or_act": "the last basket of some users is held out, or the last act where they have one basket only; "
    "all others keep theirs",
    "random_items": "a seeded fifth of each user's items is held out: no time tells which came last",
    "none": "nobody has two different items: nothing could be held out, so settings and weights are the shipped ones",
}


@dataclass(frozen=True, kw_only=True)
class Carving:
    """Carving of acts into known and held-out ones; ``cut`` is the moment of asking in days."""

    rule: Rule
    known: BoolArray
    held: BoolArray
    users: NDArray[np.int64]  # who is asked about: known acts and held ones
    cut: float


def carve(acts: Acts, *, n_users: int, seed: int, most_users: int = MOST_USERS, next_basket: bool = False) -> Carving:
    """Carve by the first rule that gives enough users, with at most ``most_users`` of them (seeded).

    ``next_basket``: whether the question is what comes next, not what comes after a moment.
    """
    enough = max(1, min(ENOUGH_USERS, int(np.ceil(ENOUGH_SHARE * n_users))))
    rules = (_by_last, _by_time) if next_basket else (_by_time, _by_last)
    splits = (rule(acts, n_users=n_users, enough=enough) for rule in rules)
    split = next((one for one in splits if one is not None), None) or _at_random(acts, n_users=n_users, seed=seed)
    if split.rule == "last_basket_or_act":
        most_users = min(most_users, max(int(ASKED_SHARE * len(split.users)), ENOUGH_USERS))
    if len(split.users) > most_users:
        draw = generator(seed, "validation users")
        users = np.sort(draw.choice(split.users, most_users, replace=False))
        chosen = np.zeros(n_users, np.bool_)
        chosen[users] = True
        # By time nobody's later acts may teach; by user the others keep theirs.
        past = split.known if split.rule == "time" else split.known | ~chosen[acts.user]
        split = Carving(rule=split.rule, known=past, held=split.held & chosen[acts.user], users=users, cut=split.cut)
    return split


def _by_time(acts: Acts, *, n_users: int, enough: int) -> Carving | None:
    if not len(acts) or acts.at.min() == acts.at.max() or _counts_per_user(acts):
        return None
    for share in BEFORE:
        cut = float(np.quantile(acts.at, share, method="higher"))
        past = acts.at < cut
        held = ~past & acts.bought
        users = _on_both_sides(acts, past, held, n_users=n_users)
        if len(users) >= enough:
            return Carving(rule="time", known=past, held=held, users=users, cut=cut)
    return None


def _counts_per_user(acts: Acts) -> bool:
    """Whether the times only number each user's own acts, 0, 1, 2 …: they tell nothing of one user against another."""
    same = acts.user[1:] == acts.user[:-1]
    oldest, newest = np.append(~same, [True]), np.append([True], ~same)
    steps = (acts.at[:-1] - acts.at[1:])[same]
    if not len(steps) or np.ptp(acts.at[newest]) == 0:
        return False
    return bool((acts.at[oldest] == acts.at.min()).all() and np.allclose(steps, steps[0]))


def _by_last(acts: Acts, *, n_users: int, enough: int) -> Carving | None:
    """Hold out, of users with two different times, the last basket, or the last act of those with one basket only."""
    if not len(acts):
        return None
    newest = np.concatenate([[True], acts.user[1:] != acts.user[:-1]])
    first = np.maximum.accumulate(np.where(newest, np.arange(len(acts)), 0))
    several, timed = np.zeros(n_users, np.bool_), np.zeros(n_users, np.bool_)
    several[acts.user[acts.basket != acts.basket[first]]] = True
    timed[acts.user[acts.at < acts.at[first]]] = True
    last = np.where(several[acts.user], acts.basket == acts.basket[first], newest) & timed[acts.user]
    users = _on_both_sides(acts, ~last, last & acts.bought, n_users=n_users)
    if len(users) < enough:
        return None
    cut = float(acts.at.max()) + MOMENT
    return Carving(rule="last_basket_or_act", known=~last, held=last & acts.bought, users=users, cut=cut)


def _at_random(acts: Acts, *, n_users: int, seed: int) -> Carving:
    """Hold out a fifth of the different items of each user who has two, at least one and never all."""
    n_items = int(acts.item.max(initial=0)) + 1
    key, code = np.unique(acts.user.astype(np.int64) * n_items + acts.item, return_inverse=True)
    user = (key // n_items).astype(np.int64)
    order = np.lexsort((generator(seed, "validation items").random(len(key)), user))
    counts = np.bincount(user, minlength=n_users)
    place = np.arange(len(key)) - np.repeat(np.cumsum(counts) - counts, counts)
    n_held = np.where(counts > 1, np.maximum(np.round(counts * HELD_SHARE), 1), 0)
    chosen = np.zeros(len(key), np.bool_)
    chosen[order[place < n_held[user[order]]]] = True
    held = chosen[code]
    users = _on_both_sides(acts, ~held, held & acts.bought, n_users=n_users)
    return Carving(
        rule="random_items" if len(users) else "none",
        known=~held,
        held=held & acts.bought,
        users=users,
        cut=float(acts.at.max()) + MOMENT,
    )


def _on_both_sides(acts: Acts, known: BoolArray, held: BoolArray, *, n_users: int) -> NDArray[np.int64]:
    before = np.bincount(acts.user[known], minlength=n_users) > 0
    after = np.bincount(acts.user[held], minlength=n_users) > 0
    return np.flatnonzero(before & after)
