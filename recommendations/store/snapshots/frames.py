"""Events as the engine sees them, from files, some of the customers at a time.

Files have what does not change. What may be used of it, and whose it is, says the record at the moment of reading:
mergers, objections, what is set aside, whose word is believed.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings
from numpy.typing import NDArray
from pandas.api.types import union_categoricals

from recommendations.event_types import EventName
from recommendations.models import EventFile
from recommendations.store.snapshots import files
from recommendations.store.snapshots.columns import SCHEMA, TEXT, event_numbers
from recommendations.store.snapshots.files import RowGroup
from recommendations.store.snapshots.update import forget_file, one_view, update
from recommendations.store.temp_tables import rows
from recommendations.terms import QuarantineState

_TOLD = ("item", "name", "at", "basket", "quantity", "price", "amount", "rating", "trust", "day")
COLUMNS = {"user": pa.int64(), **{name: TEXT[name] for name in _TOLD}}
NOBODY, EVERYBODY = -1, 1 << 62
TRIES = 3  # times that files are written again that are damaged
ORDER = {"event_high": pa.uint64(), "event_low": pa.uint64(), "line": TEXT["line"]}
"""Columns that say with the time which of two rows comes first; frames of one part, which is in order, lack them."""
_DAYS = "(extract(epoch FROM {}) / 86400.0)::float8"
_UNTIL = f"SELECT {_DAYS.format('%(until)s::timestamptz')}"
_OWNERS = """
SELECT unnamed.id, coalesce(alias.customer_id, unnamed.id)
FROM (SELECT DISTINCT anonymous_id AS id FROM recommendations_customeralias) unnamed
LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = unnamed.id AND alias.undone_at IS NULL
ORDER BY 1
"""
_OBJECTORS = "SELECT id FROM recommendations_customer WHERE NOT personalise ORDER BY id"
_RESUMED = f"""
SELECT id, {_DAYS.format("resumed_at")} FROM recommendations_customer WHERE resumed_at IS NOT NULL ORDER BY id
"""  # noqa: S608 - an expression of our own
_IN_FORCE = """
FROM recommendations_aside aside JOIN recommendations_quarantine quarantine ON quarantine.id = aside.quarantine_id
WHERE quarantine.state <> %(restored)s
"""
_HELD_PEOPLE = f"SELECT DISTINCT aside.customer_id {_IN_FORCE} AND aside.customer_id IS NOT NULL ORDER BY 1"
_HELD_KEYS = f"""
SELECT aside.key_id, (extract(epoch FROM aside.since) * 1000000)::bigint,
  (extract(epoch FROM coalesce(aside.until, 'infinity'::timestamptz)) * 1000000)
{_IN_FORCE} AND aside.key_id IS NOT NULL AND aside.since IS NOT NULL
"""  # noqa: S608

type Ints = NDArray[np.int64]
type Marks = NDArray[np.bool_]


class EventFilesLostError(Exception):
    """Files of events do not stay what they were written as; is the disk of ARTEFACTS damaged?"""


@dataclass(frozen=True, kw_only=True)
class RecordNow:
    """What the record says when files are read; keys are in order."""

    until: float  # days since 1970-01-01
    anonymous: Ints  # keys that were ever joined to another
    owners: Ints  # whose they are now
    objectors: Ints
    resumed: Ints
    resumed_at: NDArray[np.float64]
    held: Ints
    held_keys: Sequence[tuple[int, int, int | None]]  # key, and microseconds from and until which it is set aside


class EventShards:
    """Events in the engine's columns (``engine/preprocess/clean.py``), in parts of whole customers.

    A part is a frame of all customers from one key up to another, the oldest event first; what nobody did is in the
    first part. All can be gone through time and again: they are of one moment. Merged anonymous keys are resolved;
    customers who object to personalisation are left out, and purchases of a source that is not believed. Of the replay
    purchases count, which somebody made; its impressions and clicks nobody did.
    """

    def __init__(self, opened: Sequence[pq.ParquetFile], moment: RecordNow, *, rows: int) -> None:
        self._opened, self._moment = opened, moment
        self._groups = [files.row_groups(file) for file in opened]
        self._moved = [_moved_rows(*both, moment) for both in zip(opened, self._groups, strict=True)]
        self._borders = _borders([group for groups in self._groups for group in groups], rows=rows)

    def __len__(self) -> int:
        return len(self._borders) + 1

    def __iter__(self) -> Iterator[pd.DataFrame]:
        for first, end in pairwise([NOBODY, *self._borders, EVERYBODY]):
            rows = [part for file in self._files() for part in self._rows(*file, first, end)]
            yield _frame(_in_order(rows, COLUMNS | ORDER if self._borders else COLUMNS))

    def _files(self) -> Iterator[tuple[pq.ParquetFile, Sequence[RowGroup], pa.Table]]:
        return zip(self._opened, self._groups, self._moved, strict=True)

    def _rows(
        self, file: pq.ParquetFile, groups: Sequence[RowGroup], moved: pa.Table, first: int, end: int
    ) -> Iterator[pa.Table]:
        """What counts of a file's rows of customers from one key up to another."""
        yield _between(_what_counts(moved, self._moment), first, end)
        own = [place for place, group in enumerate(groups) if group.first < end and group.last >= first]
        if own:
            stays = file.read_row_groups(own)
            stays = stays.filter(pa.array(~_has_moved(stays, self._moment)))
            yield _between(_what_counts(stays, self._moment), first, end)


@contextmanager
def event_shards(*, until: datetime, rows: int) -> Iterator[EventShards]:
    """Open the events before ``until`` in parts of about so many ``rows``, of which there is at least one."""
    with ExitStack() as opened:
        stored, moment = _open_all(until, opened)
        yield EventShards([file for _, file in stored], moment, rows=rows)


def in_order(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows of all parts, which were picked from those of ``EventShards``, the oldest first."""
    if len(parts) == 1:
        return parts[0]
    some = [part for part in parts if len(part)] or parts[:1]  # the names of none have no type
    names = union_categoricals([part["name"] for part in some])
    rows = pd.concat([part.drop(columns="name") for part in some], ignore_index=True)
    rows.insert(list(COLUMNS).index("name"), "name", pd.Series(names))
    return rows.sort_values(["at", *ORDER], ignore_index=True).drop(columns=list(ORDER))


def _open_all(until: datetime, opened: ExitStack) -> tuple[list[tuple[EventFile, pq.ParquetFile]], RecordNow]:
    """Open the files that there are after an update. Raises EventFilesLostError where they are lost time and again."""
    for _try in range(TRIES):
        months = update(until=until)
        with one_view():
            moment, stored = _moment(until), list(EventFile.objects.order_by("month", "late"))
        if not months <= {each.month for each in stored}:
            continue  # an erasure deleted one since
        try:
            return [(each, opened.enter_context(files.open_file(each))) for each in stored], moment
        except files.EventFileDamagedError as error:
            forget_file(error.file)
    raise EventFilesLostError


def _moment(until: datetime) -> RecordNow:
    owners, resumed = rows(_OWNERS), rows(_RESUMED)
    restored = {"restored": QuarantineState.RESTORED.value}
    return RecordNow(
        until=float(rows(_UNTIL, until=until)[0][0]),
        anonymous=np.array([row[0] for row in owners], np.int64),
        owners=np.array([row[1] for row in owners], np.int64),
        objectors=np.array([key for (key,) in rows(_OBJECTORS)], np.int64),
        resumed=np.array([row[0] for row in resumed], np.int64),
        resumed_at=np.array([row[1] for row in resumed], np.float64),
        held=np.array([key for (key,) in rows(_HELD_PEOPLE, **restored)], np.int64),
        held_keys=[(key, since, _end(end)) for key, since, end in rows(_HELD_KEYS, **restored)],
    )


def _end(moment: Any) -> int | None:
    """A moment in microseconds; None for one that never comes."""
    return None if moment.is_infinite() else int(moment)


def _what_counts(table: pa.Table, moment: RecordNow) -> pa.Table:
    """Rows that count, with their owner as ``user``."""
    own, at = (table[name].to_numpy() for name in ("customer", "at"))
    place, joined = _places_among(moment.anonymous, own)
    user = own.copy()
    user[joined] = moment.owners[place[joined]]
    counts = (at < moment.until) & ~_places_among(moment.objectors, own)[1] & ~_places_among(moment.held, user)[1]
    place, again = _places_among(moment.resumed, own)
    counts[again] &= at[again] >= moment.resumed_at[place[again]]
    purchase = pc.equal(table["name"], EventName.PURCHASE.value).to_numpy(zero_copy_only=False)
    counts &= ~purchase | (table["trust"].to_numpy() >= int(settings.PURCHASES_FROM))
    if moment.held_keys:
        key, received = table["key"].fill_null(-1).to_numpy(), table["received"].to_numpy()
        for held, since, end in moment.held_keys:
            counts &= ~((key == held) & (received >= since) & (end is None or received < end))
    return table.append_column("user", pa.array(user)).filter(pa.array(counts))


def _frame(table: pa.Table) -> pd.DataFrame:
    """Rows in order, whose names are numbered in the order in which they come up."""
    names = table["name"].combine_chunks() if len(table) else pa.array([], COLUMNS["name"])
    codes, used = pd.factorize(names.indices.to_numpy())
    named = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), names.dictionary.take(pa.array(used)))
    place = table.schema.get_field_index("name")
    return pd.DataFrame(table.set_column(place, "name", named).to_pandas())


def _in_order(parts: Sequence[pa.Table], columns: Mapping[str, pa.DataType]) -> pa.Table:
    """Rows of several files in the order in which they happened, in these columns."""
    told = pa.schema(COLUMNS | {"event": SCHEMA.field("event").type, "line": ORDER["line"]})
    table = pa.concat_tables([told.empty_table(), *(each.select(told.names) for each in parts)]).unify_dictionaries()
    if "event_high" in columns:
        for name, numbers in zip(ORDER, event_numbers(table["event"]), strict=False):
            table = table.append_column(name, pa.array(numbers))
    return table.select(list(columns)).take(pa.array(_order(table)))


def _order(table: pa.Table) -> Ints:
    """Places of rows in the order of their moments, event ids and lines."""
    at = table["at"].to_numpy()
    order = np.argsort(at, kind="stable")
    same = at[order[1:]] == at[order[:-1]]
    tied = np.flatnonzero(np.r_[same, False] | np.r_[False, same])
    if len(tied):
        chosen = order[tied]
        first, second = (each[chosen] for each in event_numbers(table["event"]))
        line = table["line"].to_numpy()[chosen]
        order[tied] = chosen[np.lexsort((line, second, first, at[chosen]))]
    return order


def _borders(groups: Sequence[RowGroup], *, rows: int) -> list[int]:
    """Keys at which parts begin, but for the first: each has about as many rows as the others, and about so many."""
    told, total = 0, sum(group.rows for group in groups)
    parts = max(round(total / rows), 1)
    borders: list[int] = []
    for group in sorted(groups, key=lambda group: group.last):
        told += group.rows
        if len(borders) < parts - 1 and told * parts >= total * (len(borders) + 1):
            borders.append(group.last + 1)
    return [*dict.fromkeys(borders)]


def _moved_rows(file: pq.ParquetFile, groups: Sequence[RowGroup], moment: RecordNow) -> pa.Table:
    """Rows that came with another key than their owner's of now."""
    moved = moment.anonymous[moment.owners != moment.anonymous]
    own = [place for place, group in enumerate(groups) if _any_between(moved, group.first, group.last)]
    parts = (file.read_row_group(place) for place in own)
    return pa.concat_tables(
        [SCHEMA.empty_table(), *(part.filter(pa.array(_has_moved(part, moment))) for part in parts)]
    )


def _any_between(keys: Ints, first: int, last: int) -> bool:
    low, high = np.searchsorted(keys, [first, last + 1])
    return bool(low < high)


def _has_moved(table: pa.Table, moment: RecordNow) -> Marks:
    own = table["customer"].to_numpy()
    place, joined = _places_among(moment.anonymous, own)
    moved = np.zeros(len(table), bool)
    moved[joined] = moment.owners[place[joined]] != own[joined]
    return moved


def _between(table: pa.Table, first: int, end: int) -> pa.Table:
    """The rows of users from one key up to another."""
    user = table["user"].to_numpy()
    return table.filter(pa.array((user >= first) & (user < end)))


def _places_among(keys: NDArray[Any], sought: Ints) -> tuple[Ints, Marks]:
    """Places of numbers among keys that are in order, and which of them are there."""
    if not len(keys):
        return np.zeros(len(sought), np.int64), np.zeros(len(sought), bool)
    place = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
    return place, keys[place] == sought
