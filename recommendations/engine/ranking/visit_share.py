"""Share of a visit: what it makes of a known customer's score, beside their record."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from recommendations.engine.frames import IntArray
from recommendations.engine.preprocess.row_terms import union
from recommendations.engine.ranking.score_rows import ScoreRow, standing
from recommendations.engine.ranking.scores import Standardised

SHARE = 0.2
"""The share where none was learned, and from which only a measurable gain leads away."""


class ScoredItems(NamedTuple):
    """Candidates with what each instance says of them."""

    items: IntArray  # ascending
    z: Standardised  # [instances, candidates]


def with_visit(record: ScoredItems, scores: Sequence[ScoreRow], items: IntArray, *, width: int) -> ScoredItems:
    """A record with a visit's candidates ``items`` beside its own, and the visit's ``scores`` of all of them behind.

    The recommenders of the record do not know the visit's candidates: these are as good as the average one.
    """
    every, own = union((record.items, items), width=width), len(record.z)
    z = np.full((own + len(scores), len(every)), np.nan, np.float16)
    z[:own, np.searchsorted(every, record.items)] = record.z
    z[own:] = standing(scores, every)
    return ScoredItems(every, z)


def mixed(
    weights: Mapping[str, float], session: Mapping[str, float], *, visiting: Collection[str], share: float
) -> Mapping[str, float]:
    """The weights of a record with a visit beside it; those of the record alone where nothing of the visit counts.

    ``session`` are the weights of visits, of which those of ``visiting`` count. What both weigh stays with the record.
    """
    own = {name: session.get(name, 0.0) for name in visiting}
    total = sum(own.values())
    if not total:
        return weights
    shared = {name: (1 - share) * weight for name, weight in weights.items()}
    return shared | {name: share * weight / total for name, weight in own.items()}
