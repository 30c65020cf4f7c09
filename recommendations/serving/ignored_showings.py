"""What a customer was shown and did not click, as the selection lets it go down (``maths.md`` §12)."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np

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
    rows = snapshot.stock.ids.rows(np.array([each.item for each in state.shown], np.int64))
    answered = _answered(customer, candidates, state)
    oldest = state.recent[-1].at if len(state.recent) >= RECENT_ACTS else NEVER
    times = np.array([max(answered.get(each.item, NEVER), oldest) for each in state.shown])
    there = rows >= 0
    showings = Showings(
        item=rows[there].astype(np.int32),
        slot=np.array([each.slot for each in state.shown], np.int32)[there],
        at=np.array([each.at for each in state.shown])[there] / DAY,
        answered=times[there] / DAY,
    )
    learned = candidates.model.feedback
    return ignored_items(showings, now=now.timestamp() / DAY, eta=learned.eta, kappa=learned.kappa, beta=beta)


def _answered(customer: CustomerContext, candidates: CandidateSource, state: LiveState) -> Mapping[int, float]:
    """When each item that was shown was last clicked or bought, in seconds since 1970-01-01 UTC."""
    last = dict(state.bought)
    for item, _name, at in state.recent:
        last[item] = max(at, last.get(item, at))
    if customer.history is not None:
        items = list({each.item for each in state.shown})
        bought = customer.history.rows
        for item, row in zip(items, candidates.model.items.rows(np.array(items, np.int64)).tolist(), strict=True):
            place = int(np.searchsorted(bought, row))
            if row >= 0 and place < len(bought) and bought[place] == row:
                at = float(customer.history.last[place])
                last[item] = max(at, last.get(item, at))
    return last
