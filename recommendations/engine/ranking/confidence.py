"""Confidence in what a history says: with few acts a list leans on what everybody takes (``maths.md`` §4)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, Interactions
from recommendations.engine.ranking.scores import Standardised, spoken

LITTLE_KNOWN = "little_known"
"""Name of the term that leaning adds to a score."""

STATED_TASTE = "stated_taste"
"""Name of the scores of what a person says they like, and of the term that leaning on them adds."""

HALF_KNOWN = 2.0
"""Acts of a history that is believed by half."""

FEW = 20
"""From so many acts on a history is believed as it is."""

STATED_ACTS = 3.0
"""Acts that what a person says they like counts for, at first."""

FADED = 10
"""Acts of a history after which what a person says counts for nothing here."""


@dataclass(frozen=True, kw_only=True)
class BlendLeaning:
    """Instances of a blend that speak of the person, and what they lean on: those whom the person follows, else all.

    ``stated`` is the part of leaning that goes to what the person says they like, where they do.
    """

    personal: frozenset[str]
    friends: str
    popular: str
    stated: float = 0.0


def confidence(n_acts: NDArray[np.integer], stated: float = 0.0) -> FloatArray:
    """c = n / (n + s + 2) of a history of n acts beside what counts for s of them; 1 from twenty on."""
    n = np.asarray(n_acts, np.float32)
    return np.where(n < FEW, n / (n + np.float32(stated + HALF_KNOWN)), np.float32(1)).astype(np.float32)


def stated_acts(n_acts: int) -> float:
    """s = 3 (1 − n / 10): the acts that what a person says counts for beside n real ones, at least 0."""
    return STATED_ACTS * max(0.0, 1 - n_acts / FADED)


def stated_part(stated: float) -> float:
    """s / (s + 2): the part of leaning that goes to what a person says, which counts for s acts."""
    return stated / (stated + HALF_KNOWN)


def n_acts(histories: Interactions) -> NDArray[np.int64]:
    """Acts in each history that count for something: an item in a basket is one, whatever its quantity."""
    return np.bincount(histories.user[histories.strength > 0], minlength=histories.n_users).astype(np.int64)


def leaned(z: FloatArray, instances: tuple[str, ...], leaning: BlendLeaning, sure: FloatArray) -> FloatArray:
    """c z + (1 − c) z_others for what speaks of the person, [instances, candidates]; what speaks of all stays.

    The others are those whom the person follows, and everybody where they say nothing; what the person says they like
    comes before both. Silence stays, too, but where that or those whom the person follows speak: then it is 0.
    ``sure`` is c, of each candidate or of all. Where c is 1, or nobody tells what is popular, nothing changes.
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
) -> tuple[NDArray[np.float64], Mapping[str, NDArray[np.float64]]]:
    """The contributions as they were before leaning, [instances, items], and what leaning added to each item, by term.

    Together they are the same score: of α z' with z' = c z + (1 − c) z_others, α (1 − c) / c · (z_others − z') is
    leaning's; of whom nothing is known (c = 0) all is.
    """
    if leaning.popular not in instances or sure == 1:
        return contributions, {LITTLE_KNOWN: np.zeros(contributions.shape[1])}
    mute = ~_personal(instances, leaning)[:, None] | np.isnan(np.asarray(z, np.float32))
    weighed = np.asarray(weights, np.float64)[:, None]
    if sure:
        theirs, _told = others(z, instances, leaning)
        away = (1 - sure) / sure * (theirs - spoken(z).astype(np.float64)) * weighed
    else:
        away = contributions.astype(np.float64)
    away[mute] = 0
    before, little = contributions - away, away.sum(axis=0)
    if not _is_stated(instances, leaning):
        return before, {LITTLE_KNOWN: little}
    moved = weighed * spoken(z[[instances.index(STATED_TASTE)]]) - before
    stated = (1 - sure) * leaning.stated * np.where(mute, 0.0, moved).sum(axis=0)
    return before, {STATED_TASTE: stated, LITTLE_KNOWN: little - stated}


def others(
    z: Standardised | FloatArray, instances: tuple[str, ...], leaning: BlendLeaning
) -> tuple[FloatArray, BoolArray]:
    """What is leaned on, of each candidate, and where those whom the person follows, or the person, say it."""
    theirs = spoken(z[[instances.index(leaning.popular)]])[0]
    told = np.zeros(len(theirs), np.bool_)
    if leaning.friends in instances:
        friends = np.asarray(z[instances.index(leaning.friends)], np.float32)
        told = ~np.isnan(friends)
        theirs = np.where(told, friends, theirs).astype(np.float32)
    if not _is_stated(instances, leaning):
        return theirs, told
    part, said = np.float32(leaning.stated), spoken(z[[instances.index(STATED_TASTE)]])[0]
    return part * said + (1 - part) * theirs, np.ones(len(theirs), np.bool_)


def _is_stated(instances: tuple[str, ...], leaning: BlendLeaning) -> bool:
    return leaning.stated > 0 and STATED_TASTE in instances


def _personal(instances: tuple[str, ...], leaning: BlendLeaning) -> BoolArray:
    return np.array([name in leaning.personal for name in instances], np.bool_)
