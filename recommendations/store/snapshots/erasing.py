"""People in files of events: how many rows are theirs, and files without them.

What came of an order of theirs without a name goes with it, found by the order's number as files have it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction
from numpy.typing import NDArray

from recommendations.models import EventFile
from recommendations.store.snapshots import files
from recommendations.store.snapshots.update import alone, forget_file
from recommendations.store.temp_tables import rows

_BASKETS = """
SELECT number, hashtextextended('t' || number, 0) & x'7fffffffffffffff'::bigint
FROM unnest(%(orders)s::text[]) AS number
"""

type Marks = NDArray[np.bool_]


class Sought(NamedTuple):
    """Whose rows are looked for: keys, and orders."""

    keys: frozenset[int]
    orders: Sequence[str] = ()


def count_rows(sought: Sought) -> int:
    """Rows of files that are theirs."""
    whose, count = _WhoseRows([sought]), 0
    for file in EventFile.objects.order_by("month", "late"):
        if (current := _current(file)) is not None:
            with current[1] as opened:
                count += _counts(opened, whose).total()
    return count


def erase_rows(people: Sequence[Sought]) -> list[int]:
    """Write the files with rows of these people anew, without them; how many rows went of each."""
    whose, totals = _WhoseRows(people), Counter[int]()
    for file in EventFile.objects.order_by("month", "late"):
        with alone(), transaction.atomic():
            current = _current(file)
            if current is not None:
                totals += _erase_in(*current, whose)
    return [totals[place] for place in range(len(people))]


def _current(file: EventFile) -> tuple[EventFile, pq.ParquetFile] | None:
    """The file that there is now in place of one, open; None where there is none, or it is damaged, and deleted."""
    in_place = EventFile.objects.filter(month=file.month, late=file.late)
    while (current := in_place.first()) is not None:
        try:
            return current, files.open_file(current)
        except files.EventFileDamagedError:
            forget_file(current)  # unless another took its place meanwhile
    return None


def _erase_in(file: EventFile, opened: pq.ParquetFile, whose: "_WhoseRows") -> Counter[int]:
    """Replace a file by one without people; how many rows of each it had."""
    with opened:
        counts = _counts(opened, whose)
        if counts:
            written = files.write(file.month, _without(opened, whose), late=file.late)
            transaction.on_commit(partial(files.delete, [file.path]))
            EventFile.objects.filter(pk=file.pk).update(**written._asdict())
    return counts


def _counts(opened: pq.ParquetFile, whose: "_WhoseRows") -> Counter[int]:
    """Rows of each of the people, by their places."""
    counts = Counter[int]()
    for number, group in enumerate(files.row_groups(opened)):
        if whose.may_be_in(group):
            counts.update(whose.of(opened.read_row_group(number, columns=["customer", "basket"])).tolist())
    del counts[_WhoseRows.NOBODY]
    return counts


def _forget(file: EventFile) -> None:
    """Delete both files of a month: what came late is what the other has not."""
    both = EventFile.objects.filter(month=file.month)
    paths = list(both.values_list("path", flat=True))
    both.delete()
    transaction.on_commit(partial(files.delete, paths))


def _without(opened: pq.ParquetFile, whose: "_WhoseRows") -> Iterator[pa.Table]:
    for group in range(opened.num_row_groups):
        table = opened.read_row_group(group)
        yield table.filter(pa.array(whose.of(table) == _WhoseRows.NOBODY))


class _WhoseRows:
    """Several people, and which of them a row is of."""

    NOBODY = -1

    def __init__(self, people: Sequence[Sought]) -> None:
        self._people = people
        numbers = {key: place for place, one in enumerate(people) for key in one.keys}
        self._keys, self._of_keys = _in_order(numbers)
        orders = {order: place for place, one in enumerate(people) for order in one.orders}
        baskets = {basket: orders[order] for order, basket in rows(_BASKETS, orders=list(orders))} if orders else {}
        self._baskets, self._of_baskets = _in_order(baskets)

    def may_be_in(self, group: files.RowGroup) -> bool:
        """Whether a row group may have rows of them."""
        low, high = np.searchsorted(self._keys, [group.first, group.last + 1])
        return bool(low < high or (len(self._baskets) and group.first < 0))

    def of(self, table: pa.Table) -> NDArray[np.int64]:
        """The place of each row's person among the people; ``NOBODY`` where it is somebody else."""
        customer = table["customer"].to_numpy()
        place = _places(self._keys, self._of_keys, customer)
        if len(self._baskets):
            nameless = customer < 0
            place[nameless] = _places(self._baskets, self._of_baskets, table["basket"].to_numpy()[nameless])
        return place


def _in_order(of: Mapping[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.array(sorted(of), np.int64), np.array([of[key] for key in sorted(of)], np.int64)


def _places(keys: NDArray[np.int64], of_keys: NDArray[np.int64], sought: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(keys):
        return np.full(len(sought), _WhoseRows.NOBODY)
    place = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
    return np.where(keys[place] == sought, of_keys[place], _WhoseRows.NOBODY)
