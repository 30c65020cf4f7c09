"""Who carries a pair of items: habits of a few are theirs, and nobody else learns them (``maths.md`` §1)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import BoolArray, IntArray, Sparse
from recommendations.engine.preprocess.blocks import strips
from recommendations.engine.privacy.smallest import PEOPLE

COUNTED_AT_ONCE = 2_000_000  # entries of a product whose parts are counted person by person, so some times as many


class Together(NamedTuple):
    """Rows × items, 1 where it has the item: of what came first, and of what came with it or next; the rows by user."""

    first: Sparse
    second: Sparse
    user: IntArray


def carried(held: Together, pairs: Sparse, *, people: int = PEOPLE, stored: int = COUNTED_AT_ONCE) -> BoolArray:
    """Whether so many different people carry each stored pair (first × second) in one row.

    ``pairs`` has the number of rows with both, which are at least as many as the people.
    """
    enough: BoolArray = pairs.data >= people
    if people <= 1 or not enough.any():
        return enough
    row = np.repeat(np.arange(pairs.shape[0]), np.diff(pairs.indptr))[enough]
    enough[enough] = _people(held, row, pairs.indices[enough], stored=stored) >= people
    return enough


def own(held: Together, *, users: NDArray[np.integer], items: NDArray[np.integer]) -> Sparse:
    """1 where the user has the item and the other one in one row: entries (user, item), each once, × items."""
    n_rows, n_items = held.first.shape
    wanted = users.astype(np.int64) * n_items + items
    order = np.argsort(wanted, kind="stable")
    row = np.repeat(np.arange(n_rows), np.diff(held.first.indptr))
    had = held.user[row].astype(np.int64) * n_items + held.first.indices
    at = np.minimum(np.searchsorted(wanted[order], had), max(len(wanted) - 1, 0))
    there = wanted[order][at] == had if len(wanted) else np.zeros(len(had), np.bool_)
    places = (order[at[there]], row[there])
    rows = sparse.csr_matrix((np.ones(int(there.sum()), np.float32), places), shape=(len(wanted), n_rows))
    shared = sparse.csr_matrix(rows @ held.second)
    shared.data[:] = 1
    return shared


def _people(held: Together, first: NDArray[np.integer], second: NDArray[np.integer], *, stored: int) -> IntArray:
    """The number of people who carry each pair; the pairs stand by their first item."""
    items, start = np.unique(first.astype(np.int64), return_index=True)
    bounds = np.append(start, len(first))
    partners = np.unique(second.astype(np.int64))
    holders = sparse.csr_matrix(held.first.T.tocsr()[items])
    content = sparse.csr_matrix(held.second[:, partners])
    people = np.zeros(len(first), np.int32)
    for strip in strips(holders, content, stored=stored):
        counts = _by_person(sparse.csr_matrix(holders[strip]), content, held.user)
        wanted = slice(bounds[strip.start], bounds[strip.stop])
        row, column = np.searchsorted(items[strip], first[wanted]), np.searchsorted(partners, second[wanted])
        people[wanted] = np.asarray(counts[row, column]).ravel()
    return people


def _by_person(holders: Sparse, content: Sparse, user: IntArray) -> Sparse:
    """Items × items: the number of people who have both in one row; ``holders`` are items × rows."""
    width = int(user[-1]) + 1
    key = np.repeat(np.arange(holders.shape[0]), np.diff(holders.indptr)) * width + user[holders.indices]
    person, start = np.unique(key, return_index=True)  # rows stand by user, so those of a person are neighbours
    rows = sparse.csr_matrix(
        (holders.data, holders.indices, np.append(start, len(key))), shape=(len(person), holders.shape[1])
    )
    shared = sparse.csr_matrix(rows @ content)
    shared.data[:] = 1
    ends = np.searchsorted(person // width, np.arange(holders.shape[0] + 1))
    ones = np.ones(len(person), np.float32)
    of_item = sparse.csr_matrix((ones, np.arange(len(person)), ends), shape=(holders.shape[0], len(person)))
    return sparse.csr_matrix(of_item @ shared)
