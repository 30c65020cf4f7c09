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
class BlendLeaning:
    """Instances of a blend that speak of the person, and what they lean on: those whom the person follows, else all."""

    personal: frozenset[str]
    friends: str
    popular: str


def confidence(n_acts: NDArray[np.integer]) -> FloatArray:
    """c = n / (n + 2) of a history of n acts; 1 from twenty on."""
    n = np.asarray(n_acts, np.float32)
    return np.where(n < FEW, n / (n + np.float32(HALF_KNOWN)), np.float32(1)).astype(np.float32)


def n_acts(histories: Interactions) -> NDArray[np.int64]:
    """Acts in each history that count for something: an item in a basket is one, whatever its quantity."""
    return np.bincount(histories.user[histories.strength > 0], minlength=histories.n_users).astype(np.int64)


def leaned(z: FloatArray, instances: tuple[str, ...], leaning: BlendLeaning, sure: FloatArray) -> FloatArray:
    """c z + (1 − c) z_others for what speaks of the person, [instances, candidates]; what speaks of all stays.

    The others are those whom the person follows, and everybody where they say nothing. Silence stays, too, but where
    those whom the person follows speak: then it is 0. ``sure`` is c, of each candidate or of all. Where c is 1, or
    nobody tells what is popular, nothing changes.
    """
    if leaning.popular not in instances or (sure == 1).all():
        return z
    personal = _personal(instances, leaning)
    theirs, told = others(z, instances, leaning)
    moved = sure * np.where(told, spoken(z), z) + (1 - sure) * theirs
    return np.where(personal[:, None] & (sure < 1), moved, z).astype(np.float32)


def by_leaning(
    contributions: NDArray[np.float64],
    z: Standardised,
    *,
    weights: FloatArray,
    instances: tuple[str, ...],
    leaning: BlendLeaning,
    sure: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The contributions as they were before leaning, [instances, items], and what leaning added to each item.

    Together they are the same score: of α z' with z' = c z + (1 − c) z_others, α (1 − c) / c · (z_others − z') is
    leaning's; of whom nothing is known (c = 0) all is.
    """
    if leaning.popular not in instances or sure == 1:
        return contributions, np.zeros(contributions.shape[1])
    if sure:
        theirs, _told = others(z, instances, leaning)
        weighed = np.asarray(weights, np.float64)[:, None]
        away = (1 - sure) / sure * (theirs - spoken(z).astype(np.float64)) * weighed
    else:
        away = contributions.astype(np.float64)
    away[~_personal(instances, leaning)] = 0
    away[np.isnan(np.asarray(z, np.float32))] = 0
    return contributions - away, away.sum(axis=0)


def others(
    z: Standardised | FloatArray, instances: tuple[str, ...], leaning: BlendLeaning
) -> tuple[FloatArray, BoolArray]:
    """What is leaned on, of each candidate, and where those whom the person follows say it."""
    popular = spoken(z[[instances.index(leaning.popular)]])[0]
    if leaning.friends not in instances:
        return popular, np.zeros(len(popular), np.bool_)
    friends = np.asarray(z[instances.index(leaning.friends)], np.float32)
    told = ~np.isnan(friends)
    return np.where(told, friends, popular).astype(np.float32), told


def _personal(instances: tuple[str, ...], leaning: BlendLeaning) -> BoolArray:
    return np.array([name in leaning.personal for name in instances], np.bool_)
