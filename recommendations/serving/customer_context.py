"""Context of a customer: what an answer may take into account of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.confidence import FADED
from recommendations.engine.ranking.selection import NOTHING
from recommendations.event_types import EventName
from recommendations.serving.candidates import CandidateSource
from recommendations.serving.history import History, HistoryEvent
from recommendations.serving.taste.likings import liked_items
from recommendations.serving.types import ResolvedRequest
from recommendations.serving.visit import visit
from recommendations.store.domain import shop_domain
from recommendations.store.live.state import Liking, LiveState
from recommendations.store.serving.series import Watched
from recommendations.store.serving.snapshot import ServedPlacement, Snapshot
from recommendations.terms import Fallback

NOBODY = -1
NEVER = -np.inf


@dataclass(frozen=True, kw_only=True)
class CustomerContext:
    """The customer of an answer; rows are those of the stock and ascend. Without a history it is everybody's answer."""

    history: History | None = None
    why_not: Fallback | None = None
    row: int = NOBODY  # of the customer in the model
    known: bool = False  # to the model
    visit: tuple[int, ...] = ()  # rows of the model: what was seen since it was made, the newest first
    followed: tuple[Liking, ...] = ()  # brands, categories, creators and collections
    watched: Watched = field(default_factory=Watched)  # in domains that go on with what was begun
    segment: int = NOBODY
    audiences: tuple[int, ...] = ()  # keys, the first of the list first
    bought: IntArray = field(default_factory=lambda: NOTHING)
    resting: IntArray = field(default_factory=lambda: NOTHING)
    disliked: IntArray = field(default_factory=lambda: NOTHING)


def context_of(
    request: ResolvedRequest,
    placement: ServedPlacement,
    *,
    snapshot: Snapshot,
    candidates: CandidateSource | None,
    state: LiveState,
    now: datetime,
) -> CustomerContext:
    """Context of a request's customer; ``state`` may say that they object to personalisation, else the snapshot."""
    if objects(request.customer, snapshot, state) or not request.personalise:
        return CustomerContext(why_not=Fallback.NOT_PERSONALISED)
    audiences = snapshot.audiences.of(request.customer)
    followed = tuple(liking for liking in state.liked if liking.followed)
    if candidates is None:
        watched = Watched().with_plays(state.begun, snapshot.stock)
        return CustomerContext(why_not=Fallback.NO_MODEL, audiences=audiences, followed=followed, watched=watched)
    model = candidates.model
    row = snapshot.row_of(request.customer, anew=state.anew)
    history = (
        candidates.history_of(row)
        if row != NOBODY and not request.folded
        else _folded(candidates, state, row=row, customer=request.customer, now=now)
    )
    told = _telling(history, candidates, snapshot, state, row=row, customer=request.customer, now=now)
    history = told or history
    trade = _Purchases.of(history, candidates, with_taken(state))
    disliked = set(state.disliked)
    learned = row != NOBODY and not (request.folded and now < model.as_of)  # what was learned is of a later time
    if learned:
        own = slice(*model.disliked.indptr[row : row + 2])
        disliked.update(model.items.ids[model.disliked.indices[own]].tolist())
    return CustomerContext(
        history=history,
        why_not=Fallback.NO_HISTORY if history is None else None,
        row=NOBODY if request.folded else row,
        known=row != NOBODY,
        visit=visit(candidates, state, known=row != NOBODY) if _has_visit(request, row, told) else (),
        segment=int(model.segments[row]) if learned else NOBODY,
        audiences=audiences,
        followed=followed,
        watched=trade.watched(snapshot).with_plays(state.begun, snapshot.stock) if shop_domain().goes_on else Watched(),
        bought=trade.bought(snapshot),
        resting=trade.resting(snapshot, now=now, share=placement.cool_down),
        disliked=_rows(snapshot, disliked),
    )


def objects(customer: int | None, snapshot: Snapshot, state: LiveState) -> bool:
    """Whether a customer does not want to be known; the live state has the newer word."""
    return customer in snapshot.objectors if state.objected is None else state.objected


def is_unmeasured(customer: int | None, snapshot: Snapshot, state: LiveState) -> bool:
    """Whether a customer does not want to be measured, so that their answers are nobody's."""
    return customer in snapshot.unmeasured if state.objected is None else state.unmeasured


def _has_visit(request: ResolvedRequest, row: int, told: History | None) -> bool:
    """Whether what was seen since the model stands beside the history; else it is in it."""
    return told is None and (not request.folded or row == NOBODY)


def _telling(
    history: History | None,
    candidates: CandidateSource,
    snapshot: Snapshot,
    state: LiveState,
    *,
    row: int,
    customer: int | None,
    now: datetime,
) -> History | None:
    """The history up to now of a customer who says what they like; None where they say nothing, or it has faded."""
    if not state.liked or (history is not None and history.n_acts >= FADED):
        return None
    liked = liked_items(state.liked, candidates.popularity, snapshot)
    whole = _folded(candidates, state, row=row, customer=customer, now=now)
    whole = whole or candidates.folded((), now.timestamp(), customer)
    return None if liked is None or whole.n_acts >= FADED else candidates.liking(whole, liked)


def with_taken(state: LiveState) -> LiveState:
    """The state with the items that were taken lately by other acts than a purchase as bought."""
    taken = shop_domain().taken
    late = {act.item: act.at for act in reversed(state.recent) if act.name in taken}
    if not late:
        return state
    bought = {item: max(at, state.bought.get(item, NEVER)) for item, at in late.items()}
    return replace(state, bought={**state.bought, **bought})


def _folded(
    candidates: CandidateSource, state: LiveState, *, row: int, customer: int | None, now: datetime
) -> History | None:
    """The history up to now; of a customer whom the model does not know (row −1) the live state, and whom they
    follow.
    """
    bought = [(item, EventName.PURCHASE, at) for item, at in state.bought.items()]
    acts = [*(act for act in bought if act[2] >= state.refunded.get(act[0], NEVER)), *state.recent]
    rows = candidates.model.items.rows(np.array([item for item, _, _ in acts], np.int64)).tolist()
    events = tuple(HistoryEvent(row, name, at) for row, (_, name, at) in zip(rows, acts, strict=True) if row >= 0)
    until = now.timestamp()
    if row == NOBODY:
        if candidates.follows(customer):
            return candidates.folded(events, until, customer)
        return candidates.folded(events, until) if events else None
    history = candidates.history_at(row, tuple(act for act in events if act.at >= candidates.until), until)
    return history if len(history.query.histories) else None


@dataclass(frozen=True, kw_only=True)
class _Purchases:
    """Purchases that were not refunded later: item rows of the model, ascending, each with the last time and the usual
    gap in seconds; and keys of items that are not in the customer's history.
    """

    rows: IntArray
    last: NDArray[np.float64]
    every: NDArray[np.float64]
    others: Sequence[int] = ()

    @classmethod
    def of(cls, history: History | None, candidates: CandidateSource, state: LiveState) -> "_Purchases":
        past = history or candidates.nobody
        rows, last = past.rows, past.last
        if not state.bought and not state.refunded:
            return cls(rows=rows, last=last, every=past.every)
        last, others = last.copy(), []
        for item, at in state.bought.items():
            place = _place(rows, candidates, item)
            if place is not None:
                last[place] = max(last[place], at)
            elif at >= state.refunded.get(item, NEVER):
                others.append(item)
        mask = np.ones(len(rows), np.bool_)
        for item, at in state.refunded.items():
            place = _place(rows, candidates, item)
            if place is not None and last[place] < at:
                mask[place] = False
        return cls(rows=rows[mask], last=last[mask], every=past.every[mask], others=others)

    def bought(self, snapshot: Snapshot) -> IntArray:
        own = _present(snapshot.stock_rows[self.rows])
        return np.union1d(own, _rows(snapshot, self.others)).astype(np.int32) if self.others else own

    def watched(self, snapshot: Snapshot) -> Watched:
        """What was taken before the live state begins, by row of the stock."""
        times = zip(snapshot.stock_rows[self.rows].tolist(), self.last.tolist(), strict=True)
        return Watched({row: at for row, at in times if row >= 0})

    def resting(self, snapshot: Snapshot, *, now: datetime, share: float) -> IntArray:
        """Rows of items bought so lately that less than ``share`` of the customer's usual gap has gone by."""
        if share <= 0:
            return NOTHING
        return _present(snapshot.stock_rows[self.rows[now.timestamp() - self.last < share * self.every]])


def _place(rows: IntArray, candidates: CandidateSource, item: int) -> int | None:
    """Where an item, by its key, stands among ascending rows of the model."""
    row = candidates.model.items.row(item)
    place = int(np.searchsorted(rows, row))
    return place if row >= 0 and place < len(rows) and rows[place] == row else None


def _present(rows: IntArray) -> IntArray:
    """Rows without −1; those of the stock ascend as those of the model do."""
    return rows[rows >= 0]


def _rows(snapshot: Snapshot, items: Collection[int]) -> IntArray:
    if not items:
        return NOTHING
    rows = snapshot.stock.ids.rows(np.fromiter(items, np.int64))
    return np.unique(rows[rows >= 0]).astype(np.int32)
