"""Events as the engine sees them, from files: whole, or a shard of customers at a time.

Files have what does not change. What may be used of it, and whose it is, says the record at the moment of reading:
mergers, objections, what is set aside, whose word is believed.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings
from numpy.typing import NDArray

from recommendations.event_types import EventName
from recommendations.models import EventFile
from recommendations.store.snapshots import files
from recommendations.store.snapshots.columns import SCHEMA, event_numbers
from recommendations.store.snapshots.month_query import PREFIX
from recommendations.store.snapshots.update import forget_file, one_view, update
from recommendations.store.temp_tables import rows
from recommendations.terms import QuarantineState

COLUMNS = {
    "user": pa.int64(),
    "item": pa.int64(),
    "name": pa.dictionary(pa.int32(), pa.string()),
    "at": pa.float64(),
    "basket": pa.int64(),
    "quantity": pa.float32(),
    "price": pa.float32(),
    "amount": pa.float32(),
    "rating": pa.float32(),
    "trust": pa.int8(),
    "day": pa.int32(),
}
READ = [name for name in SCHEMA.names if name != "prefix"]
TRIES = 3  # times that files are written again that are damaged
_DAYS = "(extract(epoch FROM {}) / 86400.0)::float8"
_UNTIL = f"SELECT {_DAYS.format('%(until)s::timestamptz')}"
_OWNERS = f"""
SELECT unnamed.id, coalesce(alias.customer_id, unnamed.id), {PREFIX}
FROM (SELECT DISTINCT anonymous_id AS id FROM recommendations_customeralias) unnamed
LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = unnamed.id AND alias.undone_at IS NULL
LEFT JOIN recommendations_customer owner ON owner.id = coalesce(alias.customer_id, unnamed.id) ORDER BY 1
"""  # noqa: S608 - an expression of our own
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
    prefixes: NDArray[np.uint64]  # of the owners
    objectors: Ints
    resumed: Ints
    resumed_at: NDArray[np.float64]
    held: Ints
    held_keys: Sequence[tuple[int, int, int | None]]  # key, and microseconds from and until which it is set aside


def event_frame(*, until: datetime) -> pd.DataFrame:
    """All events before ``until`` in the engine's columns (``engine/preprocess/clean.py``), oldest first.

    Merged anonymous keys are resolved; customers who object to personalisation are left out, and purchases of a source
    that is not believed. Of the replay purchases count, which somebody made; its impressions and clicks nobody did.
    """
    with _reading(until) as (months, moment):
        return _frame([_in_order([_what_counts(each.read(READ), moment) for each in own]) for own in months])


def event_shards(*, until: datetime, shards: int) -> Iterator[pd.DataFrame]:
    """``event_frame`` in so many parts, a power of two, each of whole customers by the first bits of their pseudonyms:
    the rows of a part are the frame's of these customers, in its order. Those of nobody are in the first part.
    """
    bits = shards.bit_length() - 1
    if shards != 1 << bits or bits > 12:
        raise ValueError(f"{shards} is no power of two up to 4,096")
    with _reading(until) as (months, moment):
        opened = [each for own in months for each in own]
        moved = [_moved_rows(each, moment) for each in opened]
        spans = [_spans(each) for each in opened]
        for shard in range(shards):
            first, last = (edge << (64 - bits) for edge in (shard, shard + 1))
            parts = [_of_shard(rows_, moment, first, last) for rows_ in moved]
            for file, groups in zip(opened, spans, strict=True):
                own = [place for place, (low, high) in enumerate(groups) if low < last and high >= first]
                if own:
                    stays = file.read_row_groups(own)
                    stays = stays.filter(pa.array(~_has_moved(stays, moment)))
                    parts.append(_of_shard(stays, moment, first, last))
            yield _frame([_in_order(parts)])


@contextmanager
def _reading(until: datetime) -> Iterator[tuple[list[list[pq.ParquetFile]], RecordNow]]:
    """The files of each month, which are as the record is, and what the record says of them now."""
    with ExitStack() as opened:
        stored, moment = _open_all(until, opened)
        of_months = groupby(stored, key=lambda pair: pair[0].month)
        yield [[file for _, file in own] for _, own in of_months], moment


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
        prefixes=np.array([int(row[2], 16) for row in owners], np.uint64),
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


def _frame(parts: Sequence[pa.Table]) -> pd.DataFrame:
    """Rows of parts that are in order, one after the other."""
    schema = pa.schema(COLUMNS)
    table = pa.concat_tables([schema.empty_table(), *parts]).unify_dictionaries().combine_chunks()
    names = table["name"].chunk(0) if len(table) else pa.array([], COLUMNS["name"])
    codes, used = pd.factorize(names.indices.to_numpy())  # in the order in which they come up
    named = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), names.dictionary.take(pa.array(used)))
    columns = {name: named if name == "name" else table[name] for name in COLUMNS}
    return pd.DataFrame(pa.table(columns, schema=schema).to_pandas())


def _in_order(parts: Sequence[pa.Table]) -> pa.Table:
    """Rows of several files in the order in which they happened, in the engine's columns."""
    told = pa.schema(COLUMNS | {"event": SCHEMA.field("event").type, "line": SCHEMA.field("line").type})
    table = pa.concat_tables([told.empty_table(), *(each.select(told.names) for each in parts)]).unify_dictionaries()
    return table.select(list(COLUMNS)).take(pa.array(_order(table)))


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


def _spans(file: pq.ParquetFile) -> list[tuple[int, int]]:
    """The first and the last prefix of each row group."""
    place = SCHEMA.get_field_index("prefix")
    groups = (file.metadata.row_group(number).column(place).statistics for number in range(file.num_row_groups))
    return [(int(each.min), int(each.max)) for each in groups]


def _moved_rows(file: pq.ParquetFile, moment: RecordNow) -> pa.Table:
    """Rows that lie elsewhere than where their owner of now is."""
    groups = []
    if len(moment.anonymous):
        for number in range(file.num_row_groups):
            moved = _has_moved(file.read_row_group(number, columns=["prefix", "customer"]), moment)
            if moved.any():
                group = file.read_row_group(number).filter(pa.array(moved))
                place, _ = _places_among(moment.anonymous, group["customer"].to_numpy())
                groups.append(group.set_column(0, SCHEMA.field("prefix"), pa.array(moment.prefixes[place])))
    return pa.concat_tables([SCHEMA.empty_table(), *groups])


def _has_moved(table: pa.Table, moment: RecordNow) -> Marks:
    place, joined = _places_among(moment.anonymous, table["customer"].to_numpy())
    moved = np.zeros(len(table), bool)
    moved[joined] = moment.prefixes[place[joined]] != table["prefix"].to_numpy()[joined]
    return moved


def _of_shard(table: pa.Table, moment: RecordNow, first: int, last: int) -> pa.Table:
    """What counts of the rows from one prefix up to another."""
    prefix = table["prefix"].to_numpy()
    inside = (prefix >= np.uint64(first)) & (prefix <= np.uint64(last - 1))
    return _what_counts(table.filter(pa.array(inside)), moment)


def _places_among(keys: NDArray[Any], sought: Ints) -> tuple[Ints, Marks]:
    """Places of numbers among keys that are in order, and which of them are there."""
    if not len(keys):
        return np.zeros(len(sought), np.int64), np.zeros(len(sought), bool)
    place = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
    return place, keys[place] == sought
