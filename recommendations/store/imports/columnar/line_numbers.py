"""Numbers of the lines of an event, as ``event_rows.NUMBERED`` gives them: by what stands in them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.fields import MOST_LINES
from recommendations.store.imports.columnar.texts import NOTHING, Ids, Ints, Marks

_LAST = np.iinfo(np.int64).max


class Orders(NamedTuple):
    """What tells the lines of an event apart, a number a row, in PostgreSQL's order; ``NOTHING`` comes last."""

    at: Ints
    ids: NDArray[np.uint8]
    names: Ints
    items: Ints
    quantity: Ints
    price: Ints
    amount: Ints
    position: Ints
    people: NDArray[np.uint64]

    def of(self, rows: Ints) -> NDArray[np.uint64]:
        """The numbers of some rows, those of an event first: at, id (2), and the seven others in their order."""
        words = self.ids[rows].view(np.uint64)
        told = (self.names, self.items, self.quantity, self.price, self.amount, self.position)
        numbers = [np.where(each[rows] == NOTHING, _LAST, each[rows]).astype(np.uint64) for each in told]
        at = self.at[rows].astype(np.uint64)
        return np.column_stack([at, words[:, 0], words[:, 1], *numbers, self.people[rows]])


_EVENT = 3  # numbers of a row that are those of its event


def number_lines(orders: Orders, ids: Ids, given: Ints, good: Marks) -> tuple[Ints, Marks]:
    """Line numbers of rows, and which rows repeat one before them.

    ``given``: the numbers that the file has. An event is good as a whole or not at all, and ``good`` is changed so.
    """
    line = np.where(given == NOTHING, 0, given)
    repeated = np.zeros(len(good), bool)
    rows = np.flatnonzero(ids.there)
    order = rows[np.argsort(ids.numbers[rows], kind="stable")]
    numbers = ids.numbers[order]
    again = numbers[1:] == numbers[:-1]
    if not again.any():
        return line, repeated
    starts = np.flatnonzero(np.r_[True, ~again])
    lengths = np.diff(np.r_[starts, len(order)])
    whole = np.logical_and.reduceat(good[order], starts) & (lengths <= MOST_LINES)
    some, all_ = (op.reduceat(given[order] != NOTHING, starts) for op in (np.logical_or, np.logical_and))
    whole &= (some == all_) | (lengths == 1)
    good[order] &= np.repeat(whole, lengths)
    several = np.repeat(whole & (lengths > 1), lengths)
    for numbered in (False, True):
        chosen = order[several & ((given[order] != NOTHING) == numbered)]
        if len(chosen):
            line[chosen], repeated[chosen] = _numbered(orders, chosen, given[chosen] if numbered else None)
    return line, repeated


def _numbered(orders: Orders, rows: Ints, given: Ints | None) -> tuple[Ints, Marks]:
    """Numbers of the lines of whole events, and which of them are there already in an earlier row."""
    told = orders.of(rows)
    if given is not None:
        told = np.column_stack([told[:, :_EVENT], given.astype(np.uint64)])
    place = np.lexsort((rows, *told.T[::-1]))  # by the first number, then by the next, at last by the row
    told = told[place]
    same_event = np.r_[False, (told[1:, :_EVENT] == told[:-1, :_EVENT]).all(axis=1)]
    same_line = np.r_[False, (told[1:] == told[:-1]).all(axis=1)]
    step = np.cumsum(~same_line)
    first = np.maximum.accumulate(np.where(same_event, 0, step))
    line, repeated = np.empty(len(rows), np.int64), np.empty(len(rows), bool)
    line[place] = step - first if given is None else given[place]
    repeated[place] = same_line
    return line, repeated
