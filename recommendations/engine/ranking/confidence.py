"""Confidence in what a history says: with few acts a list leans on what everybody takes (``maths.md`` §4)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, Interactions
from recommendations.engine.ranking.scores import Standardised, spoken

LITTLE_KNOWN = "little_known"
"""Name of the term that leaning adds to a score."""

HALF_KNOWN = 2.0
"""Acts of a history that is believed by half."""

FEW = 20
"""From so many acts on a history is believed as it is."""


@dataclass(frozen=True, kw_only=True)
class PopularityLeaning:
    """Instances of a blend that speak of the person, and the one that says what everybody takes."""

    personal: frozenset[str]
    popular: str


def confidence(n_acts: NDArray[np.integer]) -> FloatArray:
    """c = n / (n + 2) of a history of n acts; 1 from twenty on."""
    n = np.asarray(n_acts, np.float32)
    return np.where(n < FEW, n / (n + np.float32(HALF_KNOWN)), np.float32(1)).astype(np.float32)


def n_acts(histories: Interactions) -> NDArray[np.int64]:
    """Acts in each history that count for something: an item in a basket is one, whatever its quantity."""
    return np.bincount(histories.user[histories.strength > 0], minlength=histories.n_users).astype(np.int64)


def leaned(z: FloatArray, instances: tuple[str, ...], leaning: PopularityLeaning, sure: FloatArray) -> FloatArray:
    """c z + (1 − c) z_popular for what speaks of the person, [instances, candidates]; the others, and silence, stay.

    ``sure`` is c, of each candidate or of all. Where c is 1, or nobody tells what is popular, nothing changes.
    """
    if leaning.popular not in instances or (sure == 1).all():
        return z
    personal, popular = _rows(instances, leaning)
    moved = sure * z + (1 - sure) * spoken(z[popular])
    return np.where(personal[:, None] & (sure < 1), moved, z).astype(np.float32)


def by_leaning(
    contributions: NDArray[np.float64],
    z: Standardised,
    *,
    weights: FloatArray,
    instances: tuple[str, ...],
    leaning: PopularityLeaning,
    sure: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The contributions as they were before leaning, [instances, items], and what leaning added to each item.

    Together they are the same score: of α z' with z' = c z + (1 − c) z_popular, α (1 − c) / c · (z_popular − z') is
    leaning's.
    """
    added = np.zeros(contributions.shape[1])
    if leaning.popular not in instances or sure in {0, 1}:
        return contributions, added
    personal, popular = _rows(instances, leaning)
    values = spoken(z).astype(np.float64)
    away = (1 - sure) / sure * (values[popular] - values) * np.asarray(weights, np.float64)[:, None]
    away[~personal] = 0
    away[np.isnan(np.asarray(z, np.float32))] = 0
    return contributions - away, away.sum(axis=0)


def _rows(instances: tuple[str, ...], leaning: PopularityLeaning) -> tuple[BoolArray, int]:
    return np.array([name in leaning.personal for name in instances], np.bool_), instances.index(leaning.popular)
