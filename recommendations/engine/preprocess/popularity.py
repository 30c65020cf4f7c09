"""Recent popularity of items, and whether it is more than usual: numbers that recommenders share."""

import numpy as np

from recommendations.engine.frames import FloatArray, Interactions
from recommendations.engine.preprocess.weighting import act_weights, decay, transformed


def recent_popularity(interactions: Interactions, *, half_life: float | None, per_user: bool = False) -> FloatArray:
    """Σ strength · λ_h(age) of each item, shape [items], never negative.

    With ``per_user`` a user counts at most once, so that one person's many purchases do not make an item popular.
    """
    if per_user:
        capped = transformed(act_weights(interactions, half_life=half_life), "binary")
        return np.bincount(capped.indices, capped.data, minlength=interactions.n_items).astype(np.float32)
    weights = interactions.strength * decay(interactions.age, half_life)
    sums = np.bincount(interactions.item, weights, minlength=interactions.n_items)
    return np.maximum(sums, 0).astype(np.float32)


def relative(popularity: FloatArray) -> FloatArray:
    """Popularity over that of the most popular item; all zero where nothing is popular."""
    top = popularity.max(initial=0)
    return popularity / top if top > 0 else popularity.copy()


def recent_buyers(interactions: Interactions, *, days: float) -> FloatArray:
    """Number of different users who bought each item in the last ``days``, shape [items]."""
    recent = interactions.where(interactions.bought & (interactions.age < days)).matrix()
    return np.bincount(recent.indices, minlength=interactions.n_items).astype(np.float32)


def trend(interactions: Interactions, *, days: float = 21.0, smoothing: float = 3.0) -> FloatArray:
    """trend_j = (acts in the last ``days`` + s) / (acts expected in so many days from the whole history + s), [items].

    1 = as usual, 2 = twice as much as usual. A history shorter than ``days`` knows no trend: 1 everywhere.
    """
    if not len(interactions) or interactions.age.max() <= days:
        return np.ones(interactions.n_items, np.float32)
    acts = np.maximum(interactions.strength, 0)
    recent = np.bincount(interactions.item, acts * (interactions.age < days), minlength=interactions.n_items)
    whole = np.bincount(interactions.item, acts, minlength=interactions.n_items)
    expected = whole * (days / float(interactions.age.max()))
    return ((recent + smoothing) / (expected + smoothing)).astype(np.float32)
