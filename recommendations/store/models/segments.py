"""The picture of a version's segments: where they lie, how their members buy, what became of them since the last run.

Arrays of the live cut, a row per segment in the order of ``segments/numbers``; older versions have none.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IdArray, IntArray
from recommendations.engine.interests.behaviour import Behaviour
from recommendations.engine.interests.drift import Drift
from recommendations.engine.interests.projection import Projection
from recommendations.models import ModelVersion
from recommendations.store.models.artefacts import load_arrays, save_arrays
from recommendations.terms import Cut

PICTURE = "picture/"
MOVES = "segments/moves"


@dataclass(frozen=True, kw_only=True)
class Picture:
    numbers: IntArray  # lasting number of each segment
    interests: FloatArray  # [segments, categories]
    categories: IdArray  # keys of the columns
    overall: FloatArray  # [categories]: mean share of interest of everybody
    projection: Projection
    behaviour: Behaviour
    drift: Drift
    users: IdArray  # customer keys of the rows
    of_users: IntArray  # lasting number of each customer's segment, −1 = none


def save_picture(
    version: ModelVersion,
    *,
    projection: Projection,
    behaviour: Behaviour,
    drift: Drift,
    moves: IntArray,
    overall: FloatArray,
) -> int:
    """Save the picture beside the segments themselves (``interests.save_segments``); bytes written."""
    arrays = {
        f"{PICTURE}{part}/{field.name}": getattr(values, field.name)
        for part, values in (("projection", projection), ("behaviour", behaviour), ("drift", drift))
        for field in fields(values)
    }
    return save_arrays(version, Cut.LIVE, arrays | {f"{PICTURE}overall": overall, MOVES: moves})


def load_picture(version_id: int) -> Picture | None:
    """The picture of a version; None where it has none."""
    arrays = load_arrays(version_id, Cut.LIVE, prefix=(PICTURE, "segments/", "ids/users"))
    if f"{PICTURE}overall" not in arrays:
        return None

    def part(name: str) -> dict[str, NDArray[Any]]:
        start = f"{PICTURE}{name}/"
        return {key.removeprefix(start): values for key, values in arrays.items() if key.startswith(start)}

    return Picture(
        numbers=arrays["segments/numbers"],
        interests=arrays["segments/interests"],
        categories=arrays["segments/categories"],
        overall=arrays[f"{PICTURE}overall"],
        projection=Projection(**part("projection")),
        behaviour=Behaviour(**part("behaviour")),
        drift=Drift(**part("drift")),
        users=arrays["ids/users"],
        of_users=arrays["segments/of_users"],
    )


def load_moves(version_id: int) -> IntArray:
    """The ways between the segments of the version before and of this one; none for the first."""
    return load_arrays(version_id, Cut.LIVE, prefix=MOVES).get(MOVES, np.empty((0, 3), np.int32))


def centres_before(version_id: int, numbers: IntArray) -> FloatArray:
    """Where the segments of these numbers lay in a version's picture, [numbers, 2]; NaN where they did not."""
    before = np.full((len(numbers), 2), np.nan, np.float32)
    arrays = load_arrays(version_id, Cut.LIVE, prefix=f"{PICTURE}projection/centres")
    if arrays:
        previous = load_arrays(version_id, Cut.LIVE, prefix="segments/numbers")["segments/numbers"]
        at = {number: row for row, number in enumerate(previous.tolist())}
        centres = arrays[f"{PICTURE}projection/centres"]
        for row, number in enumerate(numbers.tolist()):
            if number in at:
                before[row] = centres[at[number]]
    return before
