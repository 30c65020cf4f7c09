"""How much each customer teaches the others (``maths.md`` §1).

Who is confirmed does, who was merely seen as far as the confirmed bear it out, who is new not at all.
"""

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, Interactions
from recommendations.engine.preprocess.weighting import act_weights, transformed
from recommendations.terms import Level

HALF_LIFE = 28.0  # days
REFERENCES = 300  # items most bought by the confirmed, of which the usual ratio is taken
SLACK = 3.0  # times the usual ratio that may be new on an item
FREE = 3.0  # people that an item needs no bearing out for
ENOUGH, SHARE = 100, 0.2
"""The confirmed bound the others where they are so many, or such a share of the customers."""


def is_bounded(level: NDArray[np.integer]) -> bool:
    """Whether enough customers are confirmed to bound the others by them."""
    confirmed = int((level == Level.CONFIRMED).sum())
    return confirmed >= max(1, min(ENOUGH, SHARE * len(level)))


def borne_out(acts: Interactions, level: NDArray[np.integer]) -> BoolArray:
    """Mask of the rows that teach: all of the confirmed, and of the seen no more people an item than those bear out.

    An item may be new to 3 × ratio × confirmed + 3 of the seen. Confirmed are its confirmed people, each at most once
    and decayed by 28 days; the ratio is the median of seen to confirmed people over the 300 items with most confirmed
    ones. Who is believed is drawn
    by a hash of person and item, so that it is the same for all that is learned. ``level`` is one per user.
    """
    keep = np.ones(len(acts), np.bool_)
    seen = level[acts.user] == Level.SEEN
    if not seen.any() or not is_bounded(level):
        return keep
    weights = transformed(act_weights(acts, half_life=HALF_LIFE), "binary")
    known = np.asarray(weights[np.flatnonzero(level == Level.CONFIRMED)].sum(axis=0)).ravel()
    new = np.asarray(weights[np.flatnonzero(level == Level.SEEN)].sum(axis=0)).ravel()
    best = np.argsort(-known, kind="stable")[:REFERENCES]
    best = best[known[best] > 0]
    usual = float(np.median(new[best] / known[best])) if len(best) else 0.0
    most = np.floor(SLACK * usual * known + FREE)
    pair = acts.user[seen].astype(np.uint64) * np.uint64(acts.n_items) + acts.item[seen].astype(np.uint64)
    said, row = np.unique(pair, return_inverse=True)
    item = (said % np.uint64(acts.n_items)).astype(np.int64)
    order = np.lexsort((drawn(said), item))
    place = np.empty(len(said), np.int64)
    place[order] = np.arange(len(said)) - np.searchsorted(item[order], item[order])
    keep[seen] = (place < most[item])[row]
    return keep


def drawn(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A number per key that nobody can choose a key for: splitmix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        mixed = keys + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
