"""Several people, and which rows of files of events are theirs.

What came of an order of theirs without a name is theirs as well: it is found by the order's number as files have it,
which the record tells, or where a file is all that there is, their own rows in such files.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recommendations.models import EventFile
from recommendations.store.retention_rules import archived_files
from recommendations.store.snapshots import files
from recommendations.store.snapshots.update import forget_file
from recommendations.store.temp_tables import rows

_BASKETS = """
SELECT number, hashtextextended('t' || number, 0) & x'7fffffffffffffff'::bigint
FROM unnest(%(orders)s::text[]) AS number
"""


class Sought(NamedTuple):
    """Whose rows are looked for: keys, and orders."""

    keys: frozenset[int]
    orders: Sequence[str] = ()


class WhoseRows:
    """Several people, and which of them a row is of; ``baskets`` are those of theirs, with the person's place."""

    NOBODY = -1

    def __init__(self, people: Sequence[Sought], baskets: Mapping[int, int]) -> None:
        numbers = {key: place for place, one in enumerate(people) for key in one.keys}
        self._keys, self._of_keys = _in_order(numbers)
        self._baskets, self._of_baskets = _in_order(baskets)

    def nameless(self) -> "WhoseRows":
        """Look for the same people, but only for their rows without a name."""
        places = zip(self._baskets.tolist(), self._of_baskets.tolist(), strict=True)
        return WhoseRows([], dict(places))

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

    def tables(self, opened: pq.ParquetFile, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Read the row groups of a file in which rows of theirs may be."""
        for number, group in enumerate(files.row_groups(opened)):
            if self.may_be_in(group):
                yield opened.read_row_group(number, columns=columns)


def whose_rows(people: Sequence[Sought]) -> Mapping[bool, WhoseRows]:
    """The people as they are looked for in files of which the record has the rows (False), and in others (True)."""
    orders = {order: place for place, one in enumerate(people) for order in one.orders}
    baskets = {basket: orders[order] for order, basket in rows(_BASKETS, orders=list(orders))} if orders else {}
    by_keys = WhoseRows(people, {})
    own = {basket: place for file in archived_files() for basket, place in _own_baskets(file, by_keys)}
    return {False: WhoseRows(people, baskets), True: WhoseRows(people, own | baskets)}


def current(file: EventFile) -> tuple[EventFile, pq.ParquetFile] | None:
    """The file that there is now in place of one, open; None where there is none, or it is damaged, and deleted.

    Raises ArchiveDamagedError.
    """
    in_place = EventFile.objects.filter(month=file.month, late=file.late)
    while (stored := in_place.first()) is not None:
        try:
            return stored, files.open_file(stored)
        except files.EventFileDamagedError:
            forget_file(stored)  # unless another took its place meanwhile
    return None


def _own_baskets(file: EventFile, whose: WhoseRows) -> Iterator[tuple[int, int]]:
    if (there := current(file)) is None:
        return
    with there[1] as opened:
        for table in whose.tables(opened, ["customer", "basket"]):
            place, basket = whose.of(table), table["basket"].to_numpy()
            own = (place != whose.NOBODY) & (basket >= 0)
            yield from zip(basket[own].tolist(), place[own].tolist(), strict=True)


def _in_order(of: Mapping[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.array(sorted(of), np.int64), np.array([of[key] for key in sorted(of)], np.int64)


def _places(keys: NDArray[np.int64], of_keys: NDArray[np.int64], sought: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(keys):
        return np.full(len(sought), WhoseRows.NOBODY)
    place = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
    return np.where(keys[place] == sought, of_keys[place], WhoseRows.NOBODY)
