"""Parts of the scores of an answer by who says them, and what is there because little is known of who asks."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.candidates import weight_vector
from recommendations.engine.ranking.confidence import by_leaning
from recommendations.engine.ranking.selection import Selection
from recommendations.serving.candidate_choice import ChosenCandidates
from recommendations.serving.candidates import CandidatePool

type Parts = Mapping[str, NDArray[np.float64]]


def parts_of(selection: Selection, chosen: ChosenCandidates, items: IntArray) -> Parts:
    """The contributions to what is shown, by instance; what leaning adds stands apart, where anything leans.

    ``items`` are rows of the model, −1 where it does not know what is shown. The parts add up to the same scores.
    """
    pool, parts = chosen.pool, selection.contributions
    if pool is None:
        return {}
    if pool.leaning is None or pool.sure == 1:
        return dict(zip(pool.instances, parts, strict=True))
    before, added = by_leaning(
        parts,
        _z_of(pool, items),
        weights=weight_vector(pool.instances, chosen.weights),
        instances=pool.instances,
        leaning=pool.leaning,
        sure=pool.sure,
    )
    return {**dict(zip(pool.instances, before, strict=True)), **added}


def _z_of(pool: CandidatePool, items: IntArray) -> NDArray[np.float32]:
    """Standardised scores of these items; NaN for what is no candidate, as a rule may pin it."""
    at = np.minimum(np.searchsorted(pool.items, items), max(len(pool.items) - 1, 0))
    z = np.full((len(pool.instances), len(items)), np.nan, np.float32)
    there = np.flatnonzero(pool.items[at] == items) if len(pool.items) else np.empty(0, np.int64)
    z[:, there] = pool.z[:, at[there]]
    return z
