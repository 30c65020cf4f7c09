"""What a customer was shown and did not click, as the selection lets it go down (``maths.md`` §12)."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.ranking.fatigue import IgnoredItems, Showings, ignored_items
from recommendations.serving.candidates import CandidateSource
from recommendations.serving.customer_context import CustomerContext
from recommendations.serving.history import DAY
from recommendations.store.live.state import RECENT_ACTS, LiveState
from recommendations.store.serving.snapshot import Snapshot
from recommendations.terms import Fallback

NEVER = -np.inf


def ignored_showings(
    customer: CustomerContext,
    *,
    beta: float,
    snapshot: Snapshot,
    candidates: CandidateSource,
    state: LiveState,
    now: datetime,
) -> IgnoredItems | None:
    """The items that were shown to a customer and not clicked or bought since, by row of the stock.

    None where there are none, or nothing about the customer may count. Of who did more than the fifty newest acts tell,
    a showing from before the oldest of them does not count: the click may be among those that are forgotten.
    """
    if not state.shown or customer.why_not not in {None, Fallback.NO_HISTORY}:
        return None
    items = np.array([each.item for each in state.shown], np.int64)
    oldest = state.recent[-1].at if len(state.recent) >= RECENT_ACTS else NEVER
    rows = snapshot.stock.ids.rows(items)
    there = rows >= 0
    showings = Showings(
        item=rows[there],
        slot=np.array([each.slot for each in state.shown], np.int32)[there],
        at=np.array([each.at for each in state.shown])[there] / DAY,
        answered=np.maximum(_answered(items, customer, candidates, state), oldest)[there] / DAY,
    )
    learned = candidates.model.feedback
    return ignored_items(showings, now=now.timestamp() / DAY, eta=learned.eta, kappa=learned.kappa, beta=beta)


def _answered(
    items: NDArray[np.int64], customer: CustomerContext, candidates: CandidateSource, state: LiveState
) -> NDArray[np.float64]:
    """When each item was last clicked or bought, in seconds since 1970-01-01 UTC; −inf: never."""
    last = dict(state.bought)
    for item, _name, at in state.recent:
        last[item] = max(at, last.get(item, at))
    times = np.array([last.get(item, NEVER) for item in items.tolist()])
    history = customer.history
    if history is None or not len(history.rows):
        return times
    rows = candidates.model.items.rows(items)
    place = np.minimum(np.searchsorted(history.rows, rows), len(history.rows) - 1)
    return np.where(history.rows[place] == rows, np.maximum(times, history.last[place]), times)
