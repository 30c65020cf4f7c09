"""Space that a search walks over: settings, axes of changes, and which changes need a new fit."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bench.ranking.readings import ReadConfig
from recommendations.engine.recommenders import (
    buy_again,
    content_ridge,
    ease,
    item_knn,
    next_item,
    recent_neighbours,
    sequence,
    session_knn,
    spectral,
    user_knn,
)
from recommendations.engine.recommenders.protocol import Recommender

type Change = Mapping[str, Any]
"""New values of fields of the configuration or of the reading, or of ``trend``."""

OF_READING = frozenset({"clock", "basket", "history", "view"})


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting to try: a reading, a configuration, and for discover an exponent of the trend."""

    read: ReadConfig
    trend: float = 0.0

    def changed(self, change: Change) -> "Setting":
        reading = {name: value for name, value in change.items() if name in OF_READING}
        config = {name: value for name, value in change.items() if name not in OF_READING | {"trend"}}
        read = replace(
            self.read,
            config=replace(self.read.config, **config),
            reading=replace(self.read.reading, **reading),
        )
        return Setting(read=read, trend=change.get("trend", self.trend))


@dataclass(frozen=True, kw_only=True)
class Grid:
    name: str
    start: Setting
    axes: Sequence[Sequence[Change]]  # of the changes along an axis one is kept
    final: Change = field(default_factory=dict)  # of what was found: what was left small for the search

    def only(self, field: str) -> "Grid":
        """Grid without the axes that change anything else."""
        return replace(self, axes=[axis for axis in self.axes if all(set(change) == {field} for change in axis)])


SCORED: Mapping[type[Recommender], frozenset[str]] = {
    ease.Ease: frozenset({"profile_half_life"}),
    item_knn.ItemKnn: frozenset({"profile_half_life", "profile_transform"}),
    sequence.Transitions: frozenset({"baskets", "fading"}),
    recent_neighbours.RecentNeighbours: frozenset({"power", "asymmetry", "own"}),
    user_knn.UserKnn: frozenset({"neighbours", "power"}),
    buy_again.BuyAgain: frozenset({"half_life"}),
    session_knn.SessionKnn: frozenset({"neighbours"}),
    next_item.NextItem: frozenset({"recency", "acts"}),
    spectral.Spectral: frozenset({"profile_half_life"}),
    content_ridge.ContentRidge: frozenset({"half_life", "transform"}),
}
"""Fields that only the scores depend on: a model that is fitted need not be fitted again for them."""


def taught(read: ReadConfig) -> Hashable:
    """Key that is equal for two configurations that learn the same from the same training set."""
    learned = {
        name: value for name, value in asdict(read.config).items() if name not in SCORED.get(read.kind, frozenset())
    }
    decays = any(value is not None for name, value in learned.items() if name.endswith("half_life"))
    clock = read.reading.clock if decays else None
    return read.kind, read.reading.basket, read.reading.history, clock, tuple(learned.items())
