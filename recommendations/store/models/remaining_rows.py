"""Arrays of a cut as they are without some customers: shorter, and with the rows of users renumbered.

So they are what they would be of a cut that never knew these people, but for what counts over many.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import BoolArray, IdArray, Sparse
from recommendations.engine.preprocess.links import FEWEST
from recommendations.store.events.directory import NOBODY_ELSE
from recommendations.store.models.artefact_axes import ArrayLayout, Leads, PeopleAxis, UndescribedArrayError, layout_of
from recommendations.store.models.artefacts import matrix_of, matrix_parts
from recommendations.terms import TASKS, BlendName, Task

type Arrays = Mapping[str, NDArray[Any]]

USERS, FOLLOWERS, BURSTS = "ids/users", "links/followers", "cleaning/bursts"
KNOWN, OWNERS = "directory/key", "directory/owner"
NAMING = (USERS, FOLLOWERS, BURSTS, KNOWN, OWNERS)
"""Arrays that name customers by key; all others name rows of the users."""

_NOBODY: IdArray = np.empty(0, np.int64)


def keys_in(arrays: Arrays) -> IdArray:
    """Keys of customers in the arrays of a cut, once for each entry that names them."""
    owners = arrays.get(OWNERS, _NOBODY)
    named = [*(arrays.get(name, _NOBODY) for name in (USERS, FOLLOWERS, KNOWN)), owners[owners != NOBODY_ELSE]]
    named.append(_burst_customers(arrays))
    return np.concatenate(named).astype(np.int64)


def remaining(arrays: Arrays, gone: IdArray) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays that differ without these customers, one after another; what recommenders learned is not among them.

    Arrays that nobody describes, of an older release, are left out.
    """
    rows = RemainingRows(arrays, gone)
    for name, layout in described(arrays).items():
        if layout.counted is None:
            continue
        stays = rows.of(layout.counted, name)
        renumbers = layout.leads is Leads.USER_ROWS and not rows.users.all()
        if stays.all() and not renumbers:
            continue
        if layout.is_matrix:
            stem, _, part = name.rpartition("/")
            if part == "shape":  # all parts, once
                matrix = rows_of_matrix(matrix_of(arrays, stem), stays)
                yield from matrix_parts(stem, columns_of_matrix(matrix, rows.users) if renumbers else matrix).items()
            continue
        yield name, rows.renumbered(arrays[name][stays]) if renumbers else arrays[name][stays]


def described(arrays: Arrays) -> dict[str, ArrayLayout]:
    """The layouts of the arrays that this release describes."""
    layouts = {}
    for name in arrays:
        try:
            layouts[name] = layout_of(name)
        except UndescribedArrayError:
            continue
    return layouts


class RemainingRows:
    """The rows of the arrays of a cut that stay when some customers go, as masks."""

    def __init__(self, arrays: Arrays, gone: IdArray) -> None:
        self._arrays, self._gone = arrays, gone

    @cached_property
    def users(self) -> BoolArray:
        return ~np.isin(self._arrays.get(USERS, _NOBODY), self._gone)

    def renumbered(self, rows: NDArray[Any]) -> NDArray[Any]:
        """These rows of users, all of whom stay, by their new numbers."""
        renumbered: NDArray[Any] = (np.cumsum(self.users) - 1)[rows].astype(rows.dtype)
        return renumbered

    def of(self, counted: PeopleAxis, name: str) -> BoolArray:
        """The mask for the first axis of the array of this name."""
        return self._masks[counted](name)

    @cached_property
    def _masks(self) -> Mapping[PeopleAxis, Callable[[str], BoolArray]]:
        return {
            PeopleAxis.USERS: lambda _name: self.users,
            PeopleAxis.ASKED: lambda _name: self._asked,
            PeopleAxis.RECORDS: lambda _name: np.append(self._asked, True),
            PeopleAxis.ACTS: lambda _name: self.users[self._arrays["interactions/user"]],
            PeopleAxis.ITEMS: lambda _name: np.ones(len(self._arrays["ids/items"]), np.bool_),
            PeopleAxis.FOLLOWERS: lambda _name: self._followers,
            PeopleAxis.TRUTH: lambda name: self._truth(_task_in(name)),
            PeopleAxis.LESSONS: self._lessons,
            PeopleAxis.VISITS: lambda _name: self.users[self._arrays["visits/user"]],
            PeopleAxis.POINTS: lambda _name: self.users[self._arrays["picture/projection/users"]],
            PeopleAxis.BURSTS: lambda _name: ~np.isin(_burst_customers(self._arrays), self._gone),
            PeopleAxis.DIRECTORY: lambda _name: self._directory,
        }

    @cached_property
    def _asked(self) -> BoolArray:
        asked = self._arrays.get("candidates/users")
        return self.users if asked is None else self.users[asked]

    @cached_property
    def _directory(self) -> BoolArray:
        """Whoever was merged into somebody who goes has to be looked up again, if they stay."""
        return ~(np.isin(self._arrays[KNOWN], self._gone) | np.isin(self._arrays[OWNERS], self._gone))

    def _lessons(self, name: str) -> BoolArray:
        counts = self._arrays[f"{name.rpartition('/')[0]}/counts"]
        return np.repeat(self._truth(_task_in(name)), counts)

    def _truth(self, task: Task) -> BoolArray:
        return self.users[Truth(spent=matrix_of(self._arrays, f"truth/{task}")).users]

    @cached_property
    def _followers(self) -> BoolArray:
        """Whoever follows too few of those who stay has no links, as when links are read (``links_at``)."""
        follows = columns_of_matrix(matrix_of(self._arrays, "links/follows"), self.users)
        return ~np.isin(self._arrays[FOLLOWERS], self._gone) & (np.diff(follows.indptr) >= FEWEST)


def rows_of_matrix(matrix: Sparse, stays: BoolArray) -> Sparse:
    """The rows that stay; stored zeros stay stored."""
    return matrix[np.flatnonzero(stays)]


def columns_of_matrix(matrix: Sparse, stays: BoolArray) -> Sparse:
    """The columns that stay, renumbered; stored zeros stay stored."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    entries = stays[matrix.indices]
    column = (np.cumsum(stays) - 1)[matrix.indices[entries]].astype(matrix.indices.dtype)
    starts = np.concatenate([[0], np.cumsum(np.bincount(row[entries], minlength=matrix.shape[0]))])
    shape = (matrix.shape[0], int(np.count_nonzero(stays)))
    return sparse.csr_matrix((matrix.data[entries], column, starts), shape=shape)


def _burst_customers(arrays: Arrays) -> IdArray:
    bursts = arrays.get(BURSTS)
    return _NOBODY if bursts is None else bursts[:, 0]


def _task_in(name: str) -> Task:
    """The task that an array is of: by its name, else by its blend."""
    folder, _, rest = name.partition("/")
    part = rest.partition("/")[0]
    if folder == "second_stage":
        return next(task for task, blend in TASKS.items() if blend is BlendName(part))
    return Task(part)
