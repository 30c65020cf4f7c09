"""What the acts of all people together say of each item; nothing else of these acts is asked for by most answers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IdArray, TrainingSet
from recommendations.engine.interests.profile import HALF_LIVES
from recommendations.engine.preprocess.popularity import recent_buyers, recent_popularity, trend
from recommendations.engine.preprocess.weighting import act_weights

POPULAR_HALF_LIFE = 7.0  # days
POPULAR_DAYS = 7.0  # of buyers


@dataclass(frozen=True, kw_only=True)
class ItemSums:
    """Sums by item row at the end of a history."""

    popularity: FloatArray  # Σ over people of what they did lately, each 1 at most
    buyers: FloatArray  # different ones in the last POPULAR_DAYS
    acts: IdArray  # that count for something, also of people from whom nothing is learned
    trend: FloatArray  # 1 = asked for as usual, 2 = twice as much
    weights: Mapping[int, NDArray[np.float32]]  # of all acts, by half-life in days


def item_sums(training: TrainingSet) -> ItemSums:
    """Add up the acts of a training set."""
    acts, teaching = training.interactions, training.teaching
    weights = {days: act_weights(teaching, half_life=days).sum(axis=0, dtype=np.float64) for days in HALF_LIVES}
    return ItemSums(
        popularity=recent_popularity(teaching, half_life=POPULAR_HALF_LIFE),
        buyers=recent_buyers(teaching, days=POPULAR_DAYS),
        acts=np.bincount(acts.item[acts.strength > 0], minlength=acts.n_items).astype(np.int64),
        trend=trend(teaching),
        weights={days: np.asarray(row, np.float32).reshape(-1) for days, row in weights.items()},
    )
