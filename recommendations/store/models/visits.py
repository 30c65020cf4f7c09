"""SampledVisits of the tuning window as arrays of a version, and the share of a visit that was learned on them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.evaluation.visits import KNOWN, SampledVisits
from recommendations.engine.feedback.visit_share import LearnedShare
from recommendations.engine.ranking.candidates import Candidates
from recommendations.models import ModelVersion
from recommendations.store.models.artefacts import load_arrays, matrix_of, matrix_parts, save_arrays
from recommendations.terms import BlendName, Cut

FOLDER, JOINED = "visits", "joined"
PARTS = ("items", "z", "own")


def save_visits(version: ModelVersion, visits: SampledVisits) -> int:
    spent = matrix_parts(f"{FOLDER}/spent", visits.spent)
    return save_arrays(version, Cut.TUNING, {f"{FOLDER}/user": visits.user, f"{FOLDER}/seen": visits.seen, **spent})


def load_visits(version_id: int) -> SampledVisits:
    """The visits that ``save_visits`` saved; none in a version that was begun before visits were cut."""
    arrays = load_arrays(version_id, Cut.TUNING, prefix=tuple(f"{FOLDER}/{part}" for part in ("user", "seen", "spent")))
    if not arrays:
        none = sparse.csr_matrix((0, 0), dtype=np.float32)
        return SampledVisits(user=np.empty(0, np.int32), seen=np.empty((0, KNOWN), np.int32), spent=none)
    return SampledVisits(
        user=arrays[f"{FOLDER}/user"], seen=arrays[f"{FOLDER}/seen"], spent=matrix_of(arrays, f"{FOLDER}/spent")
    )


def save_joined(version: ModelVersion, joined: Mapping[BlendName, Candidates]) -> int:
    """Save the records of the visits' customers with what the recommenders of visits say beside them."""
    arrays: dict[str, NDArray[Any]] = {}
    for blend, records in joined.items():
        arrays |= {f"{FOLDER}/{JOINED}/{blend}/{part}": getattr(records, part) for part in PARTS}
        arrays[f"{FOLDER}/{JOINED}/{blend}/instances"] = np.array(records.instances)
    return save_arrays(version, Cut.TUNING, arrays)


def load_joined(version_id: int) -> dict[BlendName, Candidates]:
    """The records that ``save_joined`` saved; none where there were too few visits."""
    arrays = load_arrays(version_id, Cut.TUNING, prefix=f"{FOLDER}/{JOINED}/")
    return {
        blend: Candidates(
            instances=tuple(str(name) for name in arrays[f"{FOLDER}/{JOINED}/{blend}/instances"]),
            asked=None,
            **{part: arrays[f"{FOLDER}/{JOINED}/{blend}/{part}"] for part in PARTS},
        )
        for blend in BlendName
        if f"{FOLDER}/{JOINED}/{blend}/instances" in arrays
    }


def save_visit_shares(version: ModelVersion, learned: Mapping[BlendName, LearnedShare]) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(
        visit_shares={
            blend: {
                "share": one.share,
                "visits": one.visits,
                "ndcg": [[share, round(value, 6)] for share, value in one.ndcg.items()],
                "gain": one.gain and [round(value, 6) for value in one.gain],
            }
            for blend, one in learned.items()
        }
    )


def visit_shares_of(version_id: int) -> dict[BlendName, LearnedShare]:
    """What a version learned, by blend; of an older one nothing."""
    stored = ModelVersion.objects.values_list("visit_shares", flat=True).get(pk=version_id)
    return {
        BlendName(blend): LearnedShare(
            share=one["share"],
            visits=one["visits"],
            ndcg=dict(one["ndcg"]),
            gain=Measure(*one["gain"]) if one["gain"] else None,
        )
        for blend, one in stored.items()
    }
