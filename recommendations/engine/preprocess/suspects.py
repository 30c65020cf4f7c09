"""Customers who act as if one hand moved them, and items that they push (``maths.md`` §1).

Only newcomers can be suspected: who is not confirmed, and of twins and of rush who bought first within four weeks. What
was found is set aside, not thrown away: somebody looks at it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from recommendations.engine.frames import BoolArray, FloatArray, IdArray, IntArray, Sparse
from recommendations.engine.preprocess.held import Held
from recommendations.engine.preprocess.influence import drawn
from recommendations.engine.preprocess.levels import Levels
from recommendations.event_types import EventName
from recommendations.terms import Level, SuspicionRule, Trust

WEEK, MONTH = 7, 28  # days
ENOUGH = 100  # established customers, without whom nothing is unusual
LEAST_SHARE = 0.5 / 2_000  # of what nobody established has
RARE = 0.02  # share of the established; what more of them have accuses nobody
SURPRISE = 18.0  # Σ −ln p over what two share
GROUP = 5  # people who hang together
LOOKED_AT = 3_000  # people who are compared pair by pair; of more the others are held against what was found
REFERENCES = 300  # items most asked for by the established, of which the usual ratio is taken
SPREAD, CHANCE = 2.0, 1e-6  # size of the negative binomial, and how seldom it may be wrong
OF_ALL = 1 / 3  # share of a person's items
MOMENTS, STEADY = 30, 0.1  # of one day, and the variation of their gaps

_DEMAND = tuple(name for name in EventName if (name.facts.points or 0) > 0)


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """What a rule found. ``items`` are what it is about; without people, what is held of all who are not confirmed."""

    rule: SuspicionRule
    people: IdArray
    items: IdArray = field(default_factory=lambda: np.empty(0, np.int64))
    since: int | None = None  # the first day of which the acts are held

    @property
    def held(self) -> Held:
        """What it sets aside."""
        if self.since is None:
            return Held(people=self.people)
        return Held(people=self.people, items=self.items, since=np.full(len(self.items), self.since, np.int64))


class _AskedItems(NamedTuple):
    """Who asked for what: each customer and item once, with the first and the last day."""

    user: IntArray  # rows of the people
    item: IdArray | IntArray  # keys in a part, columns in the whole shop
    first: IntArray
    last: IntArray


@dataclass(frozen=True)
class _Shop:
    """Who asked for what: people × items, with the keys of both."""

    users: IdArray
    items: IdArray
    level: NDArray[np.int8]
    first: NDArray[np.int64]  # first day of each person by the shop's own word; the largest number where there is none
    asked: _AskedItems
    today: int

    def matrix(self, people: BoolArray, *, days: int | None = None) -> Sparse:
        """1 where one of these people asked for the item, in the last days."""
        rows = people[self.asked.user] & ((self.asked.last > self.today - days) if days else True)
        places, shape = (self.asked.user[rows], self.asked.item[rows]), (len(self.users), len(self.items))
        matrix = sparse.csr_matrix((np.ones(rows.sum(), np.float32), places), shape=shape)
        matrix.sort_indices()
        return matrix


def suspicions(parts: Iterable[pd.DataFrame], people: Levels, *, until: float) -> Sequence[Suspicion]:
    """Look for suspects in clean events (columns and parts as in ``clean.py``) of people with a level."""
    shop, paced = _whole_shop(parts, people, today=int(np.floor(until)))
    established = (shop.level == Level.CONFIRMED) & (shop.first <= shop.today - MONTH)
    cases = [Suspicion(rule=SuspicionRule.PACE, people=paced)] if len(paced) else []
    if established.sum() < ENOUGH:
        return cases
    share = _counts(shop.matrix(established)) / np.float32(established.sum())
    young = shop.level == Level.SEEN
    newcomers = young | ((shop.level == Level.CONFIRMED) & (shop.first > shop.today - MONTH))
    return [*cases, *_twins(shop, newcomers, share), *_rushes(shop, newcomers, established, share)]


def _whole_shop(parts: Iterable[pd.DataFrame], people: Levels, *, today: int) -> tuple[_Shop, IdArray]:
    """What all parts tell, and whose pace is no hand's."""
    first, told, steady = np.full(len(people.users), np.iinfo(np.int64).max), [], []
    for part in parts:
        told.append(_asked(part, people, first))
        steady.append(_paced(part, people))
    items = np.unique(np.concatenate([np.unique(part.item) for part in told]))
    told = [part._replace(item=np.searchsorted(items, part.item).astype(np.int32)) for part in told]
    asked = _AskedItems(*map(np.concatenate, zip(*told, strict=True)))
    return _Shop(people.users, items, people.level, first, asked, today), np.concatenate(steady)


def _asked(events: pd.DataFrame, people: Levels, first: NDArray[np.int64]) -> _AskedItems:
    """What the customers of a part asked for; ``first`` is told their first days by the shop's own word."""
    named = events[(events["user"].to_numpy() >= 0)]
    own_word = named["trust"].to_numpy() >= Trust.SERVER
    row = np.searchsorted(people.users, named["user"].to_numpy()[own_word])
    np.minimum.at(first, row, named["day"].to_numpy(np.int64)[own_word])
    asked = named[(named["item"].to_numpy() >= 0) & named["name"].isin(_DEMAND).to_numpy()]
    user = np.searchsorted(people.users, asked["user"].to_numpy(np.int64)).astype(np.int32)
    item, day = asked["item"].to_numpy(np.int64), asked["day"].to_numpy(np.int32)
    order = np.lexsort((day, item, user))
    user, item, day = user[order], item[order], day[order]
    other = (np.diff(user) != 0) | (np.diff(item) != 0)
    begins, ends = np.append(True, other)[: len(user)], np.append(other, True)[: len(user)]
    return _AskedItems(user[begins], item[begins], day[begins], day[ends])


def _twins(shop: _Shop, newcomers: BoolArray, share: FloatArray) -> list[Suspicion]:
    """Groups of newcomers who share at least two rare items, so many that chance would not bring them together."""
    rare = share < RARE
    surprise = np.where(rare, -np.log(np.maximum(share, LEAST_SHARE)), 0).astype(np.float32)
    rows = np.flatnonzero(newcomers)
    held = sparse.csr_matrix(shop.matrix(newcomers)[rows].multiply(rare[None, :].astype(np.float32)))
    held.eliminate_zeros()
    looked = np.sort(np.argsort(drawn(shop.users[rows].astype(np.uint64)), kind="stable")[:LOOKED_AT])
    label = _groups(held[looked], surprise)
    cases = []
    for number in range(int(label.max(initial=-1)) + 1):
        group = looked[label == number]
        shared = _counts(held[group]) >= GROUP
        alike = np.asarray(held @ np.where(shared, surprise, 0)).ravel() >= SURPRISE
        alike &= np.asarray(held @ shared.astype(np.float32)).ravel() >= 2
        alike[looked] = False  # these were compared one by one
        members = np.union1d(group, np.flatnonzero(alike))
        cases.append(
            Suspicion(
                rule=SuspicionRule.TWINS, people=shop.users[rows[members]], items=shop.items[np.flatnonzero(shared)]
            )
        )
    return cases


def _groups(held: Sparse, surprise: FloatArray) -> NDArray[np.int64]:
    """The number of each person's group, −1 without one."""
    close = sparse.csr_matrix(sparse.csr_matrix(held.multiply(surprise[None, :])) @ held.T)
    both = sparse.csr_matrix(held @ held.T)  # the same places, in the same order
    close.sort_indices()
    both.sort_indices()
    linked = (close.data >= SURPRISE) & (both.data >= 2)
    row = np.repeat(np.arange(close.shape[0]), np.diff(close.indptr))
    linked &= row != close.indices
    graph = sparse.csr_matrix((np.ones(linked.sum(), np.int8), (row[linked], close.indices[linked])), shape=close.shape)
    _, label = connected_components(graph, directed=False)
    degree = np.diff(graph.indptr)
    member = degree >= GROUP - 1
    member &= np.bincount(label, member, minlength=len(label))[label] >= GROUP
    numbers = np.full(len(label), -1)
    numbers[member] = np.unique(label[member], return_inverse=True)[1]
    return numbers


def _rushes(shop: _Shop, newcomers: BoolArray, established: BoolArray, share: FloatArray) -> list[Suspicion]:
    """Items that more newcomers asked for in a week than the established bear out, and who came for them."""
    from scipy.stats import nbinom  # noqa: PLC0415 - slow to load

    lately = shop.matrix(newcomers, days=WEEK)
    asked, known = _counts(lately), _counts(shop.matrix(established, days=MONTH)) / np.float32(MONTH / WEEK)
    best = np.argsort(-known, kind="stable")[:REFERENCES]
    best = best[known[best] > 0]
    ratio = float(np.median(asked[best] / known[best])) if len(best) else 0.0
    mean = ratio * known + 1
    hot = (asked > nbinom.ppf(1 - CHANCE, SPREAD, SPREAD / (SPREAD + mean))) & (share < RARE)
    if not hot.any():
        return []
    people, items = shop.users[_came_for(hot, shop, lately)], shop.items[hot]
    cases = [Suspicion(rule=SuspicionRule.RUSH, people=people, items=items)] if len(people) else []
    nobody = np.empty(0, np.int64)
    since = shop.today - WEEK + 1
    return [*cases, Suspicion(rule=SuspicionRule.RUSH, people=nobody, items=items, since=since)]


def _came_for(hot: BoolArray, shop: _Shop, lately: Sparse) -> BoolArray:
    """Who asked for two such items, or for little else; no buyer of what is new in the shop, where a rush is usual."""
    first = np.full(len(shop.items), shop.today)
    np.minimum.at(first, shop.asked.item, shop.asked.first)
    buyer = shop.level == Level.CONFIRMED
    of_hot = np.asarray(lately @ hot.astype(np.float32)).ravel()
    of_old = np.asarray(lately @ (hot & (first <= shop.today - MONTH)).astype(np.float32)).ravel()
    counted = np.where(buyer, of_old, of_hot)
    came: BoolArray = (counted >= 2) | (counted > OF_ALL * np.diff(lately.indptr))
    return came & (counted > 0)


def _paced(events: pd.DataFrame, people: Levels) -> IdArray:
    """Who is not confirmed and on some day acted at thirty moments or more, as evenly as no hand does."""
    user = events["user"].to_numpy(np.int64)
    rows = (user >= 0) & (people.of(user) == Level.SEEN)
    at = events["at"].to_numpy()[rows]
    moments = np.unique(np.column_stack([user[rows], at]), axis=0)
    if len(moments) < MOMENTS:
        return np.empty(0, np.int64)
    who, when = moments[:, 0].astype(np.int64), moments[:, 1]
    same = (np.diff(who) == 0) & (np.diff(np.floor(when)) == 0)
    begins = np.concatenate([[True], ~same])
    code = np.cumsum(begins) - 1
    gap, of_gap = np.diff(when)[same], code[1:][same]
    n = np.bincount(of_gap, minlength=code[-1] + 1)
    mean = np.bincount(of_gap, gap, minlength=len(n)) / np.maximum(n, 1)
    variance = np.bincount(of_gap, gap**2, minlength=len(n)) / np.maximum(n, 1) - mean**2
    steady = (n >= MOMENTS - 1) & (np.sqrt(np.maximum(variance, 0)) < STEADY * mean)
    return np.unique(who[begins][steady])


def _counts(matrix: Sparse) -> FloatArray:
    """People by item."""
    return np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.float32)
