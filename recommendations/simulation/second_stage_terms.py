"""Terms of the second stage's part of a score, for staff: groups of features by TreeSHAP, and the base.

Nothing is stored for it but the trees: the features of one customer are made again on demand.
"""

from collections.abc import Mapping

import numpy as np

from recommendations.engine.ranking.candidates import without_plane
from recommendations.engine.ranking.features import features
from recommendations.engine.ranking.second_stage import NAME, SecondStageUnavailableError
from recommendations.serving.candidates import CandidateSource
from recommendations.terms import BlendName

BASE = "base"
"""Name of the term that any candidate gets."""


def broken_down(
    candidates: CandidateSource, blend: BlendName, row: int, parts: Mapping[int, float]
) -> dict[int, list[tuple[str, float]]]:
    """Break down the second stage's contributions to items; ``parts`` (by row of the model, none 0) are of one record.

    For each item its (group, term), the largest first and the base last; they add up to the contribution. Nothing
    where LightGBM is not installed here, or the trees were trained on a feature that this release does not make.
    """
    stage = candidates.second_stage(blend)
    if stage is None or not parts:
        return {}
    records = candidates.model.candidates[blend].of(np.array([row]))
    query, before = candidates.model.training.queries(np.array([row])), without_plane(records, NAME)
    table = features(before, query, candidates.facts)
    try:
        table = stage.own(table)
    except ValueError:
        return {}
    items = np.array(list(parts))
    places = np.searchsorted(records.items[0, : len(table.values)], items)
    z = records.z[0, records.instances.index(NAME), places]
    try:
        scale = stage.plane(table, before).scale[0]
        terms = stage.terms(table.values[places], z=z, scale=scale)
    except SecondStageUnavailableError:
        return {}
    weight = np.array(list(parts.values())) / z.astype(np.float64)
    values, base = terms.values * weight[:, None], terms.base * weight
    return {
        item: [
            *sorted(zip(terms.groups, values[at].tolist(), strict=True), key=lambda term: -abs(term[1])),
            (BASE, float(base[at])),
        ]
        for at, item in enumerate(parts)
    }
