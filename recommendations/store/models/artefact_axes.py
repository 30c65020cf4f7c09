"""Every array of a version, by its name: where people are on its first axis, and whether its values lead to them.

Nothing is saved that is not described here: who is erased would stay in it. What recommenders learned is described by
their own classes (``Configured.PEOPLE``). A star stands for any one part of a name.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from recommendations.engine.recommenders.registry import EVERY

RECOMMENDERS = "recommenders"
MATRIX_PARTS = ("data", "indices", "indptr", "shape")


class PeopleAxis(StrEnum):
    """What the first axis of an array is counted by."""

    USERS = "users"  # rows of ids/users
    ASKED = "asked"  # rows of candidates/users
    RECORDS = "records"  # these, or where there are none all users, and a last one for who has no history
    ACTS = "acts"  # rows of the interactions
    ITEMS = "items"  # which all stay: people are in what the rows hold
    FOLLOWERS = "followers"  # rows of links/followers
    TRUTH = "truth"  # users who have truth: of the task in the array's name, or of the task of its blend
    LESSONS = "lessons"  # candidates of these, so many of each as the lesson says
    VISITS = "visits"  # rows of visits/user
    POINTS = "points"  # users who are drawn in the picture
    BURSTS = "bursts"  # days of customers
    DIRECTORY = "directory"  # everybody who was there as the version was begun


class Leads(StrEnum):
    """What the values of an array are, where they lead to people; of a matrix its columns."""

    USER_ROWS = "user_rows"
    CUSTOMER_KEYS = "customer_keys"  # of a table its first column


class ArrayLayout(NamedTuple):
    """People in an array. A matrix has four arrays below its name: its rows are counted by ``counted``."""

    counted: PeopleAxis | None = None
    leads: Leads | None = None
    is_matrix: bool = False


OF_NOBODY = ArrayLayout()
"""Items, categories, segments, sums over many."""

_OF_USERS = ArrayLayout(PeopleAxis.USERS)
_OF_VISITS = ArrayLayout(PeopleAxis.VISITS)
_OF_TRUTH = ArrayLayout(PeopleAxis.TRUTH)
_RECORDS = ArrayLayout(PeopleAxis.RECORDS)
_ACTS = ArrayLayout(PeopleAxis.ACTS)

LAYOUTS: Mapping[str, ArrayLayout] = {
    "cut": OF_NOBODY,
    "ids/users": ArrayLayout(PeopleAxis.USERS, Leads.CUSTOMER_KEYS),
    "ids/items": OF_NOBODY,
    "ids/categories": OF_NOBODY,
    "interactions/user": ArrayLayout(PeopleAxis.ACTS, Leads.USER_ROWS),
    "interactions/*": _ACTS,
    "catalogue/*": OF_NOBODY,
    "catalogue/*/*": OF_NOBODY,
    "promotions/*": OF_NOBODY,
    "net/*": OF_NOBODY,
    "*/lift": OF_NOBODY,
    "bought/of_user": ArrayLayout(PeopleAxis.USERS, is_matrix=True),
    "bought/of_item": ArrayLayout(PeopleAxis.ITEMS, Leads.USER_ROWS, is_matrix=True),
    "items/*": OF_NOBODY,
    "items/weights/*": OF_NOBODY,
    "disliked": ArrayLayout(PeopleAxis.USERS, is_matrix=True),
    "followed": ArrayLayout(PeopleAxis.USERS, is_matrix=True),
    "links/followers": ArrayLayout(PeopleAxis.FOLLOWERS, Leads.CUSTOMER_KEYS),
    "links/follows": ArrayLayout(PeopleAxis.FOLLOWERS, Leads.USER_ROWS, is_matrix=True),
    "truth/*": ArrayLayout(PeopleAxis.USERS, is_matrix=True),
    "levels/of_users": _OF_USERS,
    "cleaning/bursts": ArrayLayout(PeopleAxis.BURSTS, Leads.CUSTOMER_KEYS),
    "directory/layers": OF_NOBODY,
    "directory/read_at": OF_NOBODY,
    "directory/key": ArrayLayout(PeopleAxis.DIRECTORY, Leads.CUSTOMER_KEYS),
    "directory/owner": ArrayLayout(PeopleAxis.DIRECTORY, Leads.CUSTOMER_KEYS),
    "directory/*": ArrayLayout(PeopleAxis.DIRECTORY),
    "candidates/users": ArrayLayout(PeopleAxis.ASKED, Leads.USER_ROWS),
    "candidates/*/instances": OF_NOBODY,
    "candidates/*/*": _RECORDS,
    "visits/user": ArrayLayout(PeopleAxis.VISITS, Leads.USER_ROWS),
    "visits/seen": _OF_VISITS,
    "visits/spent": ArrayLayout(PeopleAxis.VISITS, is_matrix=True),
    "visits/joined/*/instances": OF_NOBODY,
    "visits/joined/*/*": _OF_VISITS,
    "second_stage/*/trees/*": OF_NOBODY,
    "second_stage/*/lesson/names": OF_NOBODY,
    "second_stage/*/lesson/groups": OF_NOBODY,
    "second_stage/*/lesson/counts": _OF_TRUTH,
    "second_stage/*/lesson/values": ArrayLayout(PeopleAxis.LESSONS),
    "second_stage/*/lesson/relevant": ArrayLayout(PeopleAxis.LESSONS),
    "evaluation/*/*": _OF_TRUTH,
    "lists/*/*": _OF_TRUTH,
    "profiles/*/*": _OF_USERS,
    "segments/of_users": _OF_USERS,
    "segments/interests": OF_NOBODY,
    "segments/numbers": OF_NOBODY,
    "segments/categories": OF_NOBODY,
    "segments/moves": OF_NOBODY,
    "picture/overall": OF_NOBODY,
    "picture/projection/centres": OF_NOBODY,
    "picture/projection/users": ArrayLayout(PeopleAxis.POINTS, Leads.USER_ROWS),
    "picture/projection/points": ArrayLayout(PeopleAxis.POINTS),
    "picture/behaviour/*": OF_NOBODY,
    "picture/drift/*": OF_NOBODY,
}
"""The first that fits holds: what is of people stands before a star that it would fit."""


class UndescribedArrayError(Exception):
    """Nobody has said whether people are in an array of this name, so it may not be saved."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Array {name} is not described: whoever is erased would stay in it. Say whether people are in it in "
            "recommendations/store/models/artefact_axes.py; of a recommender, register its instance and declare PEOPLE."
        )
        self.name = name


@lru_cache(10_000)
def layout_of(name: str) -> ArrayLayout:
    """The layout of an array, or of the matrix that it is a part of. Raises UndescribedArrayError."""
    stem, _, last = name.rpartition("/")
    of_matrix = _listed(stem) if last in MATRIX_PARTS else None
    if of_matrix is not None and of_matrix.is_matrix:
        return of_matrix
    layout = _listed(name)
    if layout is not None and not layout.is_matrix:
        return layout
    parts = name.split("/")
    if parts[0] == RECOMMENDERS and len(parts) == 3 and parts[1] in _RECOMMENDERS:
        return OF_NOBODY  # whatever is of people in it, its class takes out
    raise UndescribedArrayError(name)


_RECOMMENDERS = frozenset(instance.name for instance in EVERY)


def _listed(name: str) -> ArrayLayout | None:
    parts = name.split("/")
    return next((layout for pattern, layout in LAYOUTS.items() if _fits(pattern.split("/"), parts)), None)


def _fits(pattern: list[str], parts: list[str]) -> bool:
    return len(pattern) == len(parts) and all(star in ("*", part) for star, part in zip(pattern, parts, strict=True))
