"""Shifts of interests and popularity from one model version to the next, beside what chance alone would give."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.shift import js, psi
from recommendations.engine.frames import BoolArray, IdArray, Sparse
from recommendations.engine.interests.profile import HALF_LIVES
from recommendations.engine.preprocess.weighting import act_weights, transformed
from recommendations.engine.rng import generator
from recommendations.models import ModelVersion
from recommendations.store.models import model
from recommendations.terms import Cut
from recommendations.watch_terms import WatchedRate

WORTH_A_LOOK = 0.1
TIMES_NOISE = 3.0
POPULAR_HALF_LIFE = 7.0  # days, as what is served for trending


class Amounts(NamedTuple):
    """What customers want, a row for each: ``parts`` are the keys of the columns."""

    parts: IdArray
    by_customer: Sparse

    def total(self, rows: BoolArray | None = None) -> NDArray[np.float64]:
        chosen = self.by_customer if rows is None else self.by_customer[rows]
        return np.asarray(chosen.sum(axis=0), np.float64).ravel()


class Shift(NamedTuple):
    """Shift of a distribution between two versions; ``noise`` is the PSI between two random halves of the customers."""

    psi: float
    js: float
    noise: float

    @property
    def is_notable(self) -> bool:
        return self.psi > alarm_limit(self.noise)


def alarm_limit(noise: float) -> float:
    """The PSI above which a shift raises an alarm, beside what chance alone gives."""
    return max(WORTH_A_LOOK, TIMES_NOISE * noise)


def shifts(now: ModelVersion, before: ModelVersion, *, seed: int) -> Mapping[WatchedRate, Shift]:
    """Shift of each distribution; none of what one of the versions has nothing of."""
    measured = {rate: _shift(_amounts(now)[rate], _amounts(before)[rate], seed=seed) for rate in _RATES}
    return {rate: shift for rate, shift in measured.items() if np.isfinite(shift).all()}


_RATES = (WatchedRate.INTERESTS, WatchedRate.POPULARITY)


def _amounts(version: ModelVersion) -> Mapping[WatchedRate, Amounts]:
    """Interests by category and popularity by item, each customer's own."""
    snapshot, categories = model.load_snapshot(version.pk, Cut.LIVE)
    teaching = snapshot.training.teaching
    wanted = act_weights(teaching, half_life=HALF_LIVES[0]) @ snapshot.training.catalogue.categories
    popular = transformed(act_weights(teaching, half_life=POPULAR_HALF_LIFE), "binary")
    return {
        WatchedRate.INTERESTS: Amounts(categories.ids, wanted.tocsr()),
        WatchedRate.POPULARITY: Amounts(snapshot.items.ids, popular),
    }


def _shift(now: Amounts, before: Amounts, *, seed: int) -> Shift:
    parts = np.union1d(now.parts, before.parts)
    aligned = [_at(parts, one.parts, one.total()) for one in (before, now)]
    half = np.zeros(now.by_customer.shape[0], np.bool_)
    half[generator(seed, "halves").permutation(len(half))[: len(half) // 2]] = True
    noise = psi(now.total(half), now.total(~half))
    return Shift(psi(*aligned), js(*aligned), noise)


def _at(parts: IdArray, own: IdArray, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Amounts of a version's own parts in the order of all parts."""
    placed = np.zeros(len(parts))
    placed[np.searchsorted(parts, own)] = amounts
    return placed
