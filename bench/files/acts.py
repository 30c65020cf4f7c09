"""Rows of the files as one set of coded acts, and parts of it as histories that the engine reads."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bench.files.tables import ActTable, Codes
from recommendations.engine.frames import Interactions
from recommendations.engine.preprocess.clean import SESSION_GAP
from recommendations.engine.preprocess.matrix import DEFAULT_POINTS
from recommendations.event_types import EventName

SPAN_OF_AN_ORDER = 365.0  # days that the numbers of an order are stretched to
EPOCHS = {"seconds": 86_400.0, "milliseconds": 86_400e3, "microseconds": 86_400e6, "nanoseconds": 86_400e9}
PURCHASES = 0.05  # of the acts: with fewer purchases the truth is taken to be any act of interest
FROM_DAY, TO_DAY = 7305.0, 60_000.0  # 1990 to 2134: numbers that fall there in a unit are times in that unit


@dataclass(frozen=True, kw_only=True)
class Acts:
    """Acts that count, sorted by user and then newest first; of acts at one time the later row is the newer."""

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    at: NDArray[np.float64]  # days
    basket: NDArray[np.int32]  # of one user and of one kind: purchases, or others
    strength: NDArray[np.float32]
    bought: NDArray[np.bool_]
    quantity: NDArray[np.float32]
    amount: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.user)

    def where(self, keep: NDArray[np.bool_]) -> Self:
        """The acts for which ``keep`` is true, in the same order."""
        return replace(self, **{name: column[keep] for name, column in vars(self).items()})

    def interactions(self, *, cut: float, n_users: int, n_items: int) -> Interactions:
        """Make histories with ages before the cut; repeats of an item within a basket are one row, the newest."""
        key = self.basket.astype(np.int64) * max(n_items, 1) + self.item
        _, first, code = np.unique(key, return_index=True, return_inverse=True)
        quantity = self.quantity
        amount = self.amount
        if len(first) < len(key):
            order = np.argsort(first, kind="stable")
            quantity = np.bincount(code, self.quantity)[order].astype(np.float32)
            amount = np.bincount(code, self.amount)[order].astype(np.float32)
            first = first[order]
        else:
            first = np.arange(len(key))
        return Interactions(
            user=self.user[first],
            item=self.item[first],
            basket=self.basket[first],
            age=np.maximum(cut - self.at[first], 0).astype(np.float32),
            quantity=quantity,
            strength=self.strength[first],
            amount=amount,
            bought=self.bought[first],
            n_users=n_users,
            n_items=n_items,
        )


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How the numbers of a timestamp column are read."""

    name: str  # the unit, or "order"
    per_day: float
    offset: float = 0.0

    @property
    def dated(self) -> bool:
        return self.name != "order"

    def days(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        return (times - self.offset) / self.per_day


def clock_of(table: ActTable) -> Clock:
    """Clock of a table: dates, seconds (or finer) since 1970 if that falls in our days, else no more than an order.

    An order is stretched to a year, so that every half-life has a meaning relative to the whole.
    """
    low, high = float(table.time.min()), float(table.time.max())
    if table.dated:
        return Clock(name="dates", per_day=1.0)
    for name, per_day in EPOCHS.items():
        if low / per_day >= FROM_DAY and high / per_day <= TO_DAY:
            return Clock(name=name, per_day=per_day)
    return Clock(name="order", per_day=max(high - low, 1e-9) / SPAN_OF_AN_ORDER, offset=low)


class Vocabulary:
    """Ids of several files under one numbering, in the order in which they are met."""

    def __init__(self) -> None:
        self.values = pa.array([], pa.string())

    def __len__(self) -> int:
        return len(self.values)

    def add(self, codes: Codes) -> NDArray[np.int32]:
        """Number the rows; new ids are taken in."""
        places = pc.index_in(codes.values, value_set=self.values)
        fresh = codes.values.filter(places.is_null())
        self.values = pa.concat_arrays([self.values, fresh])
        return self.rows(codes)

    def rows(self, codes: Codes) -> NDArray[np.int32]:
        """Numbers of the rows, −1 where the id is not known."""
        place = pc.fill_null(pc.index_in(codes.values, value_set=self.values), -1).to_numpy().astype(np.int32)
        return np.append(place, np.int32(-1))[codes.code]


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What an act counts for: α of its event relative to the strongest kind that the training file holds."""

    points: Mapping[str, float]
    bought: frozenset[str]  # the kinds that the truth speaks of

    @classmethod
    def of(cls, training: ActTable) -> Self:
        """Meaning of a table: purchases are the truth unless they are rare, else every act that tells of interest."""
        shares = _event_shares(training)
        points = {name: DEFAULT_POINTS.get(name, 0.0) for name in shares}
        unit = points.get(EventName.PURCHASE) or max(points.values(), default=0) or 1.0
        positive = frozenset(name for name, value in points.items() if value > 0)
        enough = shares.get(EventName.PURCHASE, 0) >= PURCHASES
        bought = frozenset({EventName.PURCHASE.value}) if enough else positive
        return cls(points={name: value / unit for name, value in DEFAULT_POINTS.items()}, bought=bought)


def _event_shares(table: ActTable) -> dict[str, float]:
    """Share of the rows that each kind of event has."""
    if table.event is None:
        return {EventName.PURCHASE.value: 1.0}
    names = [EventName.PURCHASE.value, *table.event.values.to_pylist()]
    shares = np.bincount(table.event.code + 1, minlength=len(names)) / len(table)
    share_of: dict[str, float] = {}
    for name, share in zip(names, shares.tolist(), strict=True):
        if share:
            share_of[name] = share_of.get(name, 0.0) + share
    return share_of


def acts_of(
    table: ActTable, *, user: NDArray[np.int32], item: NDArray[np.int32], clock: Clock, meaning: Meaning
) -> Acts:
    """The acts that count, under the numbers given for their users and items; the rows of ``table`` in its order."""
    strength, bought = _strengths(table, meaning)
    quantity = np.ones(len(table), np.float32) if table.quantity is None else np.nan_to_num(table.quantity, nan=1.0)
    price = np.zeros(len(table), np.float32) if table.price is None else np.nan_to_num(table.price, nan=0.0)
    at = clock.days(table.time)
    keep = np.flatnonzero((strength != 0) & (quantity > 0))
    order = keep[np.lexsort((-keep, -at[keep], user[keep]))]
    session = None if table.session is None else table.session.code[order]
    return Acts(
        user=user[order],
        item=item[order],
        at=at[order],
        basket=baskets(user[order], at[order], bought[order], session=session, gap=SESSION_GAP if clock.dated else 0.0),
        strength=strength[order],
        bought=bought[order],
        quantity=quantity[order],
        amount=(price * quantity)[order],
    )


def _strengths(table: ActTable, meaning: Meaning) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    if table.event is None:
        return np.ones(len(table), np.float32), np.ones(len(table), np.bool_)
    names = [*table.event.values.to_pylist(), EventName.PURCHASE.value]  # code −1: no event is a purchase
    points = np.array([meaning.points.get(name, 0.0) for name in names], np.float32)
    bought = np.array([name in meaning.bought for name in names], np.bool_)
    return points[table.event.code], bought[table.event.code]


def baskets(
    user: NDArray[np.int32],
    at: NDArray[np.float64],
    bought: NDArray[np.bool_],
    *,
    session: NDArray[np.int32] | None,
    gap: float,
) -> NDArray[np.int32]:
    """Number the baskets per (user, session, kind), for rows sorted by user and then newest first.

    Rows without a session are cut where more than ``gap`` days pass.
    """
    begins = np.ones(len(user), np.bool_)
    begins[1:] = (np.diff(user) != 0) | (-np.diff(at) > gap)
    visit = np.cumsum(begins).astype(np.int64)
    if session is not None:
        in_session = session >= 0
        visit = np.where(in_session, len(user) + 1 + session.astype(np.int64), visit)
    key = (visit * 2 + bought) * (int(user.max(initial=0)) + 1) + user
    return np.asarray(np.unique(key, return_inverse=True)[1], np.int32)


def together(first: Acts, second: Acts) -> Acts:
    """Join two sets of acts, without what the second repeats of the first (the same user, item, time and kind)."""
    same = ("user", "item", "at", "bought")
    key = np.stack([np.concatenate([getattr(first, name), getattr(second, name)]) for name in same])
    own = np.zeros(len(first) + len(second), np.bool_)
    own[: len(first)] = True
    order = np.lexsort((~own, *key))
    repeated = np.zeros(len(own), np.bool_)
    repeated[order[1:]] = (np.diff(key[:, order], axis=1) == 0).all(axis=0)
    repeated &= ~own
    shifted = replace(second, basket=second.basket + np.int32(first.basket.max(initial=-1) + 1))
    columns = {name: np.concatenate([column, getattr(shifted, name)]) for name, column in vars(first).items()}
    newest = np.lexsort((-np.arange(len(own)), -columns["at"], columns["user"]))
    newest = newest[~repeated[newest]]
    return Acts(**{name: column[newest] for name, column in columns.items()})
