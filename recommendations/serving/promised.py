"""What of an answer may go to a new item: the open promises of its placement, as they fit the customer."""

from datetime import datetime

import numpy as np
from numpy.random import Generator

from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.ranking.graduation import graduated
from recommendations.engine.ranking.offers import PromiseOffer
from recommendations.engine.ranking.promise import Budget
from recommendations.engine.rng import generator
from recommendations.serving.candidates import CandidateSource
from recommendations.serving.customer_context import CustomerContext
from recommendations.serving.history import DAY
from recommendations.store.serving.snapshot import ServedPlacement, Snapshot

BEHAVIOUR = "ease_home"
"""Instance that says how well an item fits by what people do."""


def offer_of(
    placement: ServedPlacement,
    *,
    snapshot: Snapshot,
    candidates: CandidateSource | None,
    customer: CustomerContext,
    now: datetime,
) -> PromiseOffer | None:
    """The open promises of a placement to items that the stock has; None where there are none."""
    promised = placement.promised
    if promised is None or candidates is None:
        return None
    keys = np.array(promised.items, np.int64)
    rows = snapshot.stock.ids.rows(keys)
    there = rows >= 0
    if not there.any():
        return None
    age = np.maximum(now.timestamp() - np.array(promised.since), 0) / DAY
    return PromiseOffer(
        rows=rows[there],
        age=age[there].astype(np.float32),
        fit=_fit(candidates.model.items.rows(keys[there]), candidates, customer),
        budget=Budget(share=promised.share, load=promised.load),
    )


def promise_draw(recommendation_id: str) -> Generator:
    """The random generator that settles whether an answer shows a new item, and which: apart from what it explores."""
    return generator(0, recommendation_id, "promise")


def _fit(items: IntArray, candidates: CandidateSource, customer: CustomerContext) -> FloatArray:
    """How well each of these rows of the model fits a customer: by its texts while nobody has taken it, and the more it
    was taken the more by what people do; NaN where nobody can say.
    """
    fit = np.full(len(items), np.nan, np.float32)
    known = items >= 0
    if customer.history is None or not known.any():
        return fit
    rows, query = items[known], customer.history.query
    content = fit[known] if candidates.descriptions is None else candidates.descriptions.score_of(query, rows)
    n_acts, behaviour = candidates.sums.acts[rows], candidates.model.recommenders.get(BEHAVIOUR)
    fit[known] = content
    if behaviour is not None and n_acts.any():
        fit[known] = graduated(behaviour.row(query).at(rows), content, n_acts)
    return fit
