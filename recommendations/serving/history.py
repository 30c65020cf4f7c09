"""A customer's history in the form in which recommenders are queried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import IntArray, Interactions, Queries
from recommendations.engine.ranking.confidence import confidence, n_acts, stated_acts, stated_part
from recommendations.engine.recommenders.protocol import Evidence, Recommender
from recommendations.event_types import EventName
from recommendations.serving.taste.liked_items import LikedItems
from recommendations.store.domain import shop_domain

DAY = 86_400.0
SESSION_GAP = 1_800.0  # seconds
MOMENT = 1e-6  # days; between acts that are newer than the moment that ages count back from, which is a full tick


class HistoryEvent(NamedTuple):
    """What a customer did that the model did not learn from; ``at`` in seconds since 1970-01-01 UTC."""

    item: int  # row of the model
    name: EventName
    at: float


@dataclass(frozen=True, kw_only=True, eq=False)
class History:
    """A customer's history as a query, and what was bought: item rows, ascending, with the last time of each."""

    query: Queries
    until: float  # the moment that ages count back from, seconds since 1970-01-01 UTC
    rows: IntArray
    last: NDArray[np.float64]  # seconds since 1970-01-01 UTC
    every: NDArray[np.float64]  # mean gap in seconds, NaN where bought once
    liked: LikedItems | None = None  # what the customer says they like, as long as that counts
    evidence_by_item: dict[tuple[str, int], Sequence[Evidence]] = field(default_factory=dict)  # by instance and item

    @classmethod
    def of(cls, query: Queries, *, until: float, liked: LikedItems | None = None) -> Self:
        purchases = query.histories.purchases
        gaps = purchases.oldest - purchases.newest
        every = np.where(purchases.times > 1, gaps / np.maximum(purchases.times - 1, 1), np.nan)
        return cls(
            query=query, until=until, rows=purchases.items, last=until - purchases.newest * DAY, every=every * DAY,
            liked=liked,
        )  # fmt: skip

    @cached_property
    def n_acts(self) -> int:
        return int(n_acts(self.query.histories)[0])

    @property
    def stated(self) -> float:
        """Acts that what the customer says they like counts for."""
        return 0.0 if self.liked is None else stated_acts(self.n_acts)

    @property
    def stated_part(self) -> float:
        """The part of leaning that goes to what the customer says they like."""
        return stated_part(self.stated)

    @cached_property
    def sure(self) -> float:
        """How far the history is believed, 0 … 1."""
        return float(confidence(np.array([self.n_acts]), self.stated)[0])

    def asking(self, query: Queries) -> Self:
        """Ask this history about items in view; the evidence is that of the new query alone."""
        return replace(self, query=query, evidence_by_item={})

    def evidence(self, recommenders: Mapping[str, Recommender], instance: str, item: int) -> Sequence[Evidence]:
        """The instance's evidence for the item, which is asked for once."""
        key = (instance, item)
        if key not in self.evidence_by_item:
            self.evidence_by_item[key] = recommenders[instance].evidence(self.query, item)
        return self.evidence_by_item[key]


def interactions_of(acts: Sequence[HistoryEvent], *, until: float, n_items: int) -> Interactions:
    """Interactions of one customer; of several acts on an item in a session the strongest counts.

    An older act has the higher age, though both are newer than ``until``: some recommenders ask what came last.
    """
    domain = shop_domain()
    points, unit = domain.points, domain.points[domain.unit]
    rows: dict[tuple[int, int], HistoryEvent] = {}
    session, before = 0, -np.inf
    for act in sorted((act for act in acts if act.name in points), key=lambda act: act.at):
        session += act.at - before > SESSION_GAP
        before = act.at
        bought = act.name in domain.taken
        strongest = rows.get((2 * session + bought, act.item))
        if strongest is None or points[act.name] >= points[strongest.name]:
            rows[2 * session + bought, act.item] = act
    counting = list(rows.values())
    strength = np.array([points[act.name] / unit for act in counting], np.float32)
    at = np.array([act.at for act in counting])
    newer = np.empty(len(at))
    newer[np.argsort(-at, kind="stable")] = np.arange(len(at))
    return Interactions(
        user=np.zeros(len(counting), np.int32),
        item=np.array([act.item for act in counting], np.int32),
        basket=np.array([basket for basket, _ in rows], np.int32),
        age=np.maximum((until - at) / DAY, MOMENT * newer).astype(np.float32),
        quantity=np.ones(len(counting), np.float32),
        strength=strength,
        amount=np.zeros(len(counting), np.float32),
        bought=np.array([act.name in domain.taken for act in counting], np.bool_),
        n_users=1,
        n_items=n_items,
    )


def appended(known: Interactions, late: Interactions) -> Interactions:
    """One customer's interactions behind one another; their baskets stay apart."""
    late = replace(late, basket=late.basket + np.int32(known.basket.max(initial=-1) + 1))
    rows = [column.name for column in fields(Interactions) if column.name not in {"n_users", "n_items"}]
    both: dict[str, Any] = {name: np.concatenate([getattr(known, name), getattr(late, name)]) for name in rows}
    return replace(known, **both)
