"""Purchase rhythms, for many keys at once: of a customer and item, a customer and category, or a customer.

``rhythm.py`` gives the same of one item, as facts for a sentence.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IdArray
from recommendations.engine.preprocess.weighting import decay

RECENT_DAYS = (7, 14, 28, 56, 112)
HALF_LIVES = (14, 60)

HABIT_DAYS, HABIT_GAPS = 60, 2
"""Prior habit of a key before it was bought twice: so many gaps that last so many days together."""


class Rhythms:
    """Purchases grouped by key. A key without purchases has 0 for a count and NaN for a time."""

    def __init__(self, keys: IdArray, age: FloatArray) -> None:
        """Group the purchases; each has one key and one age (days before the moment of asking)."""
        self.order = np.lexsort((age, keys))  # newest first within a key
        self.age: FloatArray = age[self.order]
        self.keys, self.starts = np.unique(keys[self.order], return_index=True)
        self.stops: IdArray = np.append(self.starts, len(keys))[1:]

    def total(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Sum per key of one value per purchase, which come in the order of the purchases given."""
        sums = np.zeros(len(values) + 1)
        np.cumsum(values[self.order], dtype=np.float64, out=sums[1:])
        return np.asarray(sums[self.stops] - sums[self.starts])

    def mean(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Mean per key of one value per purchase."""
        return np.asarray(self.total(values) / self.times)

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Purchases of each key."""
        return (self.stops - self.starts).astype(np.float64)

    @cached_property
    def newest(self) -> FloatArray:
        """Days since the last purchase of each key."""
        return self.age[self.starts]

    @cached_property
    def oldest(self) -> FloatArray:
        """Days since the first purchase of each key."""
        ages: FloatArray = self.age[self.stops - 1]
        return ages

    @cached_property
    def gap(self) -> NDArray[np.float64]:
        """Mean days from one purchase to the next; NaN under two purchases."""
        span = (self.oldest - self.newest).astype(np.float64)
        gaps: NDArray[np.float64] = np.full(len(self.keys), np.nan)
        return np.divide(span, self.times - 1, out=gaps, where=self.times > 1)

    @cached_property
    def gap_deviation(self) -> NDArray[np.float64]:
        """Standard deviation of the gaps; NaN under two gaps."""
        gaps = np.diff(self.age, append=np.float32(0)).astype(np.float64)
        gaps[self.stops - 1] = 0  # from the oldest of a key to the newest of the next
        squares = np.concatenate([[0], np.cumsum(gaps * gaps)])
        mean = np.full(len(self.keys), np.nan)
        np.divide(squares[self.stops] - squares[self.starts], self.times - 1, out=mean, where=self.times > 2)
        return np.asarray(np.sqrt(np.maximum(mean - self.gap**2, 0)), np.float64)

    @cached_property
    def last_gap(self) -> FloatArray:
        """Days between the last two purchases; NaN under two."""
        second = np.minimum(self.starts + 1, self.stops - 1)
        return np.where(self.times > 1, self.age[second] - self.newest, np.float32(np.nan))

    def recent(self, days: float) -> NDArray[np.float64]:
        """Purchases of each key in the last ``days``."""
        before = np.concatenate([[0], np.cumsum(self.age < days)])
        return np.asarray(before[self.stops] - before[self.starts], np.float64)

    def decayed(self, half_life: float) -> NDArray[np.float64]:
        """Σ λ_h(age) of each key."""
        sums = np.concatenate([[0], np.cumsum(decay(self.age, half_life), dtype=np.float64)])
        return np.asarray(sums[self.stops] - sums[self.starts])

    def of(self, wanted: IdArray, values: NDArray[np.floating], *, missing: float = np.nan) -> FloatArray:
        """Look up one value per key for the wanted keys; ``missing`` where there is no such key."""
        if not len(self.keys):
            return np.full(len(wanted), missing, np.float32)
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[at] == wanted, values[at], missing).astype(np.float32)

    def columns(self, wanted: IdArray) -> dict[str, FloatArray]:
        """Features of the wanted keys by name. ``due`` is 1 where as many days have gone by as usual between two."""
        counts = {"times": self.times}
        counts |= {f"times_{days}d": self.recent(days) for days in RECENT_DAYS}
        counts |= {f"decayed_{days}d": self.decayed(days) for days in HALF_LIVES}
        habit = (self.oldest - self.newest + HABIT_DAYS) / (self.times - 1 + HABIT_GAPS)
        days: dict[str, NDArray[np.floating]] = {
            "since": self.newest,
            "first": self.oldest,
            "gap": self.gap,
            "gap_deviation": self.gap_deviation,
            "last_gap": self.last_gap,
            "due": self.newest / np.maximum(self.gap, 1),
            "late": (self.newest - self.gap) / (self.gap_deviation + 1),
            "due_by_habit": self.newest / habit,
        }
        columns = {name: self.of(wanted, values, missing=0) for name, values in counts.items()}
        return columns | {name: self.of(wanted, values) for name, values in days.items()}
