"""Rows of a file of customers: whom they are about, and properties, a column each, by whatever name the shop has.

In the stage their columns are called ``property_1``, ``property_2`` …, as a name of the shop may be any text.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from django.utils.translation import gettext as _
from psycopg import sql

from recommendations import fields
from recommendations.models import Import
from recommendations.store.imports import erased_ids
from recommendations.store.imports.column_blocks import Columns
from recommendations.store.imports.csv_rows import FileRow
from recommendations.store.imports.hidden_ids import TOO_LONG, hidden_id
from recommendations.store.imports.reasons import ERASED
from recommendations.store.imports.row_checks import RowCheck, all_broken, needed
from recommendations.store.imports.table_files import (
    FileLimits,
    Header,
    Table,
    UnreadableFileError,
    named,
    open_table,
)
from recommendations.store.imports.validate import Form, Hidden
from recommendations.store.temp_tables import run
from recommendations.terms import CustomerKind

WHO = "user_id"
READY = "ready_customer"
DEFINITION = "(pseudonym bytea, told jsonb)"

JOINS = sql.SQL("""
LEFT JOIN recommendations_customer customer
  ON customer.pseudonym = decode(nullif(staged.user_id, {too_long}), 'hex')
""").format(too_long=TOO_LONG) + erased_ids.joins(WHO)
TOGETHER = "jsonb_strip_nulls(stored.properties || ready.told)"
# A number or yes and no as JSON has them; what only looks like a number, such as 01234, is a text.
VALUE = sql.SQL("""CASE
  WHEN {value} IS NULL THEN 'null'::jsonb
  WHEN lower({value}) IN ('true', 'false') THEN lower({value})::jsonb
  WHEN {value} ~ '^-?(0|[1-9][0-9]{{0,14}})([.][0-9]{{1,15}})?$' THEN to_jsonb(trim_scale({value}::numeric))
  ELSE to_jsonb({value}) END""")
MAKE_READY = sql.SQL("INSERT INTO ready_customer SELECT decode(staged.user_id, 'hex'), {told} FROM staged")
CHANGE = f"""
UPDATE recommendations_customer stored SET properties = {TOGETHER} FROM ready_customer ready
WHERE stored.pseudonym = ready.pseudonym AND stored.properties IS DISTINCT FROM {TOGETHER}
"""  # noqa: S608 - a constant of ours
ADD = """
INSERT INTO recommendations_customer (pseudonym, kind, personalise, created_at, properties)
SELECT pseudonym, %(kind)s, true, now(), jsonb_strip_nulls(told) FROM ready_customer ORDER BY pseudonym
ON CONFLICT DO NOTHING
"""
# What was refused is shown under the names that the file has.
RENAME = """
UPDATE recommendations_rejectedrow SET
  field = left(coalesce(%(own)s::jsonb ->> split_part(field, ' ', 1), field), 50),
  given = coalesce((SELECT jsonb_object_agg(coalesce(%(own)s::jsonb ->> key, key), value) FROM jsonb_each(given)), '{}')
WHERE source_id = %(source)s
"""


FORM = Form(known=[WHO], needed=[WHO], hidden=[Hidden(WHO, partial(hidden_id, CustomerKind.SIGNED_IN))])
"""The form without any property."""


class PropertyTable:
    """A table whose columns beside ``user_id`` have the names of the stage; ``own`` has those of the file."""

    def __init__(self, table: Table, *, path: Path) -> None:
        self._table = table
        self.own = names_of(table.columns)
        _check(list(self.own.values()), path=path)
        ours = iter(self.own)
        self.columns = [name if name == WHO else next(ours) for name in table.columns]

    def __iter__(self) -> Iterator[FileRow]:
        return iter(self._table)

    def blocks(self, places: Collection[int]) -> Iterator[Columns | list[FileRow]]:
        return self._table.blocks(places)

    def estimate(self, done: int) -> int:
        return self._table.estimate(done)

    def check(self, limits: FileLimits) -> None:
        self._table.check(limits)

    def settle(self, header: Header) -> Header:
        return self._table.settle(header)


@contextmanager
def open_properties(path: Path) -> Iterator[Table]:
    """Open the table of customers in a file. Raises UnreadableFileError."""
    with open_table(path) as table:
        yield PropertyTable(table, path=path)


def names_of(columns: Sequence[str]) -> dict[str, str]:
    """The file's name of each property, by that of its column in the stage."""
    return {f"property_{number}": name for number, name in enumerate((name for name in columns if name != WHO), 1)}


def form_of(path: Path) -> tuple[Form, dict[str, str]]:
    """The form of a file, and the file's names of its properties; of one that cannot be opened, of none."""
    try:
        with open_table(path) as table:
            own = names_of(table.columns)
    except UnreadableFileError:
        own = {}
    return replace(FORM, known=[WHO, *own], own=own), own


def verdict(own: Mapping[str, str]) -> sql.Composable:
    """The rules of a file with these properties."""
    long = sql.SQL("length({}) > {}")
    checks = [
        *needed(WHO),
        RowCheck(WHO, "too_long", sql.SQL("staged.user_id = {}").format(TOO_LONG)),
        *(
            RowCheck(name, "too_long", long.format(sql.Identifier("staged", name), fields.LONGEST_PROPERTY_TEXT))
            for name in own
        ),
        # A file of customers has no time: it brings nobody back, and speaks of who came back by an act of theirs.
        RowCheck(WHO, ERASED, "erased_user_id.at IS NOT NULL AND customer.id IS NULL"),
        RowCheck(WHO, "too_many_properties", _crowded(own), joint=True),
    ]
    return all_broken(checks)


def merge(own: Mapping[str, str]) -> int:
    """Take the staged rows; how many customers are new or have another property now."""
    run(MAKE_READY.format(told=_object_of(own)))
    return run(CHANGE) + run(ADD, kind=CustomerKind.SIGNED_IN)


def show_own_names(imported: Import, own: Mapping[str, str]) -> None:
    run(RENAME, source=imported.pk, own=json.dumps(own))


def _object_of(own: Mapping[str, str]) -> sql.Composable:
    """What a staged row says as an object, null where a cell is empty."""
    pairs = [
        sql.SQL("{}::text, {}").format(sql.Literal(theirs), VALUE.format(value=sql.Identifier("staged", name)))
        for name, theirs in own.items()
    ]
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))


def _crowded(own: Mapping[str, str]) -> sql.Composable:
    together = sql.SQL("jsonb_strip_nulls(coalesce(customer.properties, '{{}}') || {})").format(_object_of(own))
    count = sql.SQL("(SELECT count(*) FROM jsonb_object_keys({}))").format(together)
    return sql.SQL("{} > {}").format(count, fields.MOST_PROPERTIES)


def _check(names: Sequence[str], *, path: Path) -> None:
    """Raises UnreadableFileError where these cannot all be properties."""
    values = {"file": path.name, "most": fields.MOST_PROPERTIES, "longest": fields.LONGEST_PROPERTY}
    if not names:
        text = _("%(file)s, line 1: there is no property; every column beside user_id is one, such as city.")
        raise UnreadableFileError(text % values)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        text = _("%(file)s, line 1: the column %(names)s appears twice; remove or rename one.")
        raise UnreadableFileError(text % {**values, "names": named(twice)})
    if wrong := [name for name in names if not 1 <= len(name) <= fields.LONGEST_PROPERTY]:
        text = _("%(file)s, line 1: a property has a name of 1 to %(longest)s characters: rename %(names)s.")
        raise UnreadableFileError(text % {**values, "names": named(wrong)})
    if len(names) > fields.MOST_PROPERTIES:
        text = _("%(file)s, line 1: a customer has at most %(most)s properties, and these are %(count)s.")
        raise UnreadableFileError(text % {**values, "count": len(names)})
