"""The two ways of an event file's rows: those that their columns prove become lines at once, all others are staged.

An event whose rows stand in several blocks goes the second way as a whole, as its lines are numbered together: what of
it was taken is put back, and its rows are read again.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.utils import timezone
from numpy.typing import NDArray
from psycopg import sql

from recommendations.event_types import EventName
from recommendations.fields import MOST_LINES
from recommendations.models import Import
from recommendations.store.imports.column_blocks import Columns
from recommendations.store.imports.columnar.event_columns import EventColumns, Items
from recommendations.store.imports.columnar.file_people import FilePeople
from recommendations.store.imports.columnar.month_tables import MonthTables
from recommendations.store.imports.columnar.own_tables import drop, table_name
from recommendations.store.imports.columnar.seen_ids import SeenIds
from recommendations.store.imports.columnar.texts import event_ids
from recommendations.store.imports.csv_rows import FileRow
from recommendations.store.imports.event_rows import RuleValues
from recommendations.store.imports.table_files import Header, Table
from recommendations.store.own_connections import own_connection
from recommendations.store.temp_tables import rows

BLOCK = 50_000
"""Rows that are proved at a time."""
_ITEMS = "SELECT shop_id, id, row_number() OVER (ORDER BY shop_id) FROM recommendations_item ORDER BY id"
_NAMES = "SELECT name, row_number() OVER (ORDER BY name) FROM unnest(%(names)s::text[]) AS name"


class EventSieve:
    """What is done with the rows of one import's file; ``people`` and ``pairs`` are tables of who acted in lines."""

    def __init__(self, imported: Import, header: Header, values: RuleValues, *, layers: int) -> None:
        self._header, self._values, self._layers = header, values, layers
        self.people, self.pairs = (sql.Identifier(table_name(imported.pk, what)) for what in ("people", "pairs"))
        self._names = [table_name(imported.pk, what) for what in ("people", "pairs")]
        self._number = imported.pk
        self.began = timezone.now()
        self._several = np.array([], np.uint64)
        self._parts: list[Columns] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._seen = SeenIds(self._open.enter_context(tempfile.TemporaryFile(prefix="recsite-import-")))
        own = self._open.enter_context(own_connection())
        self.tables = MonthTables(self._number, own)
        for name in self._names:
            self._open.callback(drop, name)
        self._open.callback(self.tables.drop)
        people = FilePeople(own, people=self.people, pairs=self.pairs, layers=self._layers)
        catalogue = rows(_ITEMS)
        items = Items(
            pa.array([shop_id for shop_id, *_ in catalogue], pa.string()),
            np.array([key for _, key, _ in catalogue], np.int64),
            np.array([order for *_, order in catalogue], np.int64),
        )
        orders = dict(rows(_NAMES, names=[str(name) for name in EventName]))
        self._columns = EventColumns(self._values, items, people, name_order=orders.__getitem__)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def take(self, part: Columns) -> Iterator[Columns]:
        """Take rows; those of a whole block that have to be staged come out."""
        self._parts.append(part)
        if sum(len(each.lines) for each in self._parts) >= BLOCK:
            yield from self._proved(_joined(self._parts), last=False)

    def rest(self) -> Iterator[Columns]:
        """What has to be staged of the last rows."""
        if self._parts:
            yield from self._proved(_joined(self._parts), last=True)

    def note(self, staged: list[FileRow]) -> None:
        """Note the ids of events in rows that are staged without a look at their columns."""
        place = self._header.places["event_id"]
        ids = event_ids(pa.array([row.values[place] for row in staged if row.values], pa.string()))
        self._seen.add(ids.numbers[ids.there])

    def again(self, table: Table) -> Iterator[Columns]:
        """Rows of events that stand in several blocks, of a table that is read once more; call it after ``finish``."""
        for part in table.blocks(self._header.places.values()):
            if isinstance(part, Columns):
                yield self._of_events(part)

    def finish(self) -> bool:
        """Wait until the lines are where they belong; whether rows have to be read once more."""
        self.tables.finish()
        self._several = self._seen.in_several()
        return len(self._several) > 0

    def _of_events(self, part: Columns) -> Columns:
        ids = event_ids(part.values[self._header.places["event_id"]])
        places = np.minimum(np.searchsorted(self._several, ids.numbers), len(self._several) - 1)
        return _chosen(part, ids.there & (self._several[places] == ids.numbers))

    def _proved(self, part: Columns, *, last: bool) -> Iterator[Columns]:
        """Prove rows and send the lines off; the last event waits for what may still come of it."""
        self._parts = []
        if not last and (held := self._of_last_event(part)):
            self._parts = [_sliced(part, len(part.lines) - held, held)]
            part = _sliced(part, 0, len(part.lines) - held)
        proof = self._columns.prove({name: part.values[place] for name, place in self._header.places.items()})
        self._seen.add(proof.numbers)
        self.tables.add(proof.lines)
        if proof.rest.any():
            yield _chosen(part, proof.rest)

    def _of_last_event(self, part: Columns) -> int:
        """How many of the last rows are of the last one's event."""
        ids = part.values[self._header.places["event_id"]]
        last = ids[-1]
        if not last.is_valid:
            return 0
        tail = ids.slice(max(len(ids) - MOST_LINES, 0))
        same = pc.fill_null(pc.equal(tail, last), fill_value=False).to_numpy(zero_copy_only=False)
        return len(same) if same.all() else int(np.argmin(same[::-1]))


def _joined(parts: list[Columns]) -> Columns:
    if len(parts) == 1:
        return parts[0]
    values = {place: pa.concat_arrays([part.values[place] for part in parts]) for place in parts[0].values}
    return Columns(pa.concat_arrays([part.lines for part in parts]), values)


def _sliced(part: Columns, start: int, count: int) -> Columns:
    values = {place: column.slice(start, count) for place, column in part.values.items()}
    return Columns(part.lines.slice(start, count), values)


def _chosen(part: Columns, rows: NDArray[np.bool_]) -> Columns:
    mask = pa.array(rows)
    return Columns(part.lines.filter(mask), {place: column.filter(mask) for place, column in part.values.items()})
