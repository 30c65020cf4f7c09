"""What an answer may take into account of the person who gets it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.selection import NOTHING
from recommendations.loop.answer import Ask
from recommendations.loop.pools import Past, PastAct, Pools
from recommendations.loop.session import visit
from recommendations.store.live import LiveState
from recommendations.store.serving import ServedPlacement, Snapshot
from recommendations.terms import EventName, Fallback

NOBODY = -1
MINUTE = 60.0
NEVER = -np.inf


@dataclass(frozen=True, kw_only=True)
class Person:
    """Rows are those of the stock and ascend. Without a past the answer is the one for everybody."""

    past: Past | None = None
    why_not: Fallback | None = None
    record: int = NOBODY  # row of the customer in the model
    known: bool = False  # to the model
    visit: tuple[int, ...] = ()  # rows of the model: what was seen since it was made, the newest first
    segment: int = NOBODY
    bought: IntArray = field(default_factory=lambda: NOTHING)
    resting: IntArray = field(default_factory=lambda: NOTHING)
    disliked: IntArray = field(default_factory=lambda: NOTHING)


def person_of(
    ask: Ask, placement: ServedPlacement, *, snapshot: Snapshot, pools: Pools | None, state: LiveState, now: datetime
) -> Person:
    """``state`` may say that the customer objects to personalisation, else the snapshot does."""
    if pools is None:
        return Person(why_not=Fallback.NO_MODEL)
    objects = ask.customer in snapshot.objectors if state.objected is None else state.objected
    if objects or not ask.personalise:
        return Person(why_not=Fallback.NOT_PERSONALISED)
    model = pools.model
    row = NOBODY if ask.customer is None else int(model.users.rows(np.array([ask.customer]))[0])
    past = pools.past_of(row) if row != NOBODY and not ask.folded else _folded(pools, state, row=row, now=now)
    last = _last_bought(past, pools, state)
    disliked = set(state.disliked)
    known = row != NOBODY and not (ask.folded and now < model.as_of)  # what was learned is of a later time
    if known:
        disliked.update(model.items.ids[model.disliked[row].indices].tolist())
    return Person(
        past=past,
        why_not=Fallback.NO_HISTORY if past is None else None,
        record=NOBODY if ask.folded else row,
        known=row != NOBODY,
        visit=visit(pools, state, known=row != NOBODY) if not ask.folded or row == NOBODY else (),
        segment=int(model.segments[row]) if known else NOBODY,
        bought=_rows(snapshot, last),
        resting=_rows(snapshot, _resting(past, pools, last, now=now, share=placement.cool_down)),
        disliked=_rows(snapshot, disliked),
    )


def _folded(pools: Pools, state: LiveState, *, row: int, now: datetime) -> Past | None:
    """The past up to now: of somebody whom the model does not know (row −1) the live state, and nothing else."""
    bought = [(item, EventName.PURCHASE, at) for item, at in state.bought.items()]
    acts = [*(act for act in bought if act[2] >= state.refunded.get(act[0], NEVER)), *state.recent]
    rows = pools.model.items.rows(np.array([item for item, _, _ in acts], np.int64)).tolist()
    known = tuple(PastAct(row, name, at) for row, (_, name, at) in zip(rows, acts, strict=True) if row >= 0)
    until = now.timestamp() // MINUTE * MINUTE
    if row == NOBODY:
        return pools.folded(known, until) if known else None
    past = pools.past_at(row, tuple(act for act in known if act.at >= pools.until), until)
    return past if len(past.query.histories) else None


def _last_bought(past: Past | None, pools: Pools, state: LiveState) -> dict[int, float]:
    """Item → last purchase, as far as it was not taken back later."""
    last: dict[int, float] = {}
    if past is not None:
        last = dict(zip(pools.model.items.ids[past.rows].tolist(), past.last.tolist(), strict=True))
    for item, at in state.bought.items():
        last[item] = max(at, last.get(item, at))
    return {item: at for item, at in last.items() if at >= state.refunded.get(item, NEVER)}


def _resting(past: Past | None, pools: Pools, last: Mapping[int, float], *, now: datetime, share: float) -> list[int]:
    """What was bought so lately that only a small share of the person's own rhythm has gone by."""
    if past is None or share <= 0:
        return []
    keys = pools.model.items.ids[past.rows].tolist()
    rhythm = zip(keys, past.every.tolist(), strict=True)
    return [item for item, every in rhythm if now.timestamp() - last.get(item, NEVER) < share * every]


def _rows(snapshot: Snapshot, items: Iterable[int]) -> IntArray:
    rows = snapshot.stock.ids.rows(np.fromiter(items, np.int64))
    return np.unique(rows[rows >= 0]).astype(np.int32)
