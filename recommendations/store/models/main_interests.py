"""Main interests of a version's customers, in its files: a row per user, for each half-life."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommendations.engine.frames import IdArray, IntArray
from recommendations.engine.ids import IdMap
from recommendations.engine.interests.main_interests import MainInterests, main_interests
from recommendations.engine.interests.profile import HALF_LIVES
from recommendations.models import ModelVersion
from recommendations.store.models.artefacts import load_arrays, save_arrays
from recommendations.store.models.model import load_snapshot
from recommendations.terms import Cut

TASTE, LATELY = HALF_LIVES
_NAMES = tuple(f"profiles/{half_life}/" for half_life in HALF_LIVES)


@dataclass(frozen=True, kw_only=True)
class VersionInterests:
    """Main interests of some customers of a version, by half-life."""

    users: IdArray  # keys of the rows
    categories: IdArray  # keys of the columns
    by_half_life: Mapping[int, MainInterests]
    segments: IntArray  # lasting number of each customer's segment, −1 = none

    def shares(self, row: int, *, half_life: int) -> dict[int, float]:
        """Shares of a row by key of the category, the largest first."""
        own = self.by_half_life[half_life]
        keys = self.categories[own.categories[row]].tolist()
        return dict(zip(keys, own.shares[row].tolist(), strict=True))


def save_main_interests(version: ModelVersion, found: MainInterests, *, half_life: int) -> int:
    return save_arrays(
        version, Cut.LIVE, {f"profiles/{half_life}/{name}": values for name, values in found._asdict().items()}
    )


def load_main_interests(version_id: int, *, customer: int | None = None) -> VersionInterests | None:
    """Main interests of everybody in a version, or of one customer (by key); None where its files know nobody such.

    Versions of before 0.3 have none in their files: these are learned again from what the version knows.
    """
    arrays = load_arrays(version_id, Cut.LIVE, prefix=("ids/users", "ids/categories", "segments/of_users", *_NAMES))
    if "ids/users" not in arrays:
        return None
    users = IdMap(ids=arrays["ids/users"])
    row = None if customer is None else users.row(customer)
    if row == -1:
        return None
    at = slice(None) if row is None else slice(row, row + 1)
    numbers = arrays.get("segments/of_users", np.full(len(users), -1, np.int32))
    if f"{_NAMES[0]}weight" in arrays:
        by_half_life = {
            half_life: MainInterests(*(arrays[f"{name}{part}"][at] for part in MainInterests._fields))
            for half_life, name in zip(HALF_LIVES, _NAMES, strict=True)
        }
    else:
        snapshot, _categories = load_snapshot(version_id, Cut.LIVE)
        by_half_life = {each: main_interests(snapshot, half_life=each, users=at) for each in HALF_LIVES}
    return VersionInterests(
        users=users.ids[at], categories=arrays["ids/categories"], by_half_life=by_half_life, segments=numbers[at],
    )  # fmt: skip
