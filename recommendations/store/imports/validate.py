"""Validation of a file's rows, as text in a temporary table: each is kept, or refused with all its flaws."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _
from psycopg import sql

from recommendations.models import Import
from recommendations.store.imports.column_blocks import Columns
from recommendations.store.imports.csv_rows import FileRow, storable
from recommendations.store.imports.reasons import ERASED, REASONS
from recommendations.store.imports.row_checks import FLAW_END
from recommendations.store.imports.table_files import MOST_NAMED, FileLimits, Header, Table, UnreadableFileError, named
from recommendations.store.temp_tables import Report, copy, csv_block, heavy, rows, run, temporary

STAGE, REFUSED, AGAIN = "staged", "refused", "again"
OWN_COLUMNS = ["file_line", "fault", "content"]  # of the stage, before those of the file
REFUSED_COLUMNS = "(file_line bigint PRIMARY KEY, fault text, content text, given jsonb)"
REPEATS = ["already_listed", "already_planned", "already_told", "too_many_lines"]
"""Faults of rows that were read, and may have others."""
MOST_RENAMED, LONGEST_RENAMED = 30, 120
LISTED = 100_000  # refused rows of one import that are kept; all are counted

JUDGE = sql.SQL("""
INSERT INTO refused (file_line, fault, content, given)
SELECT * FROM (
  SELECT file_line, CASE WHEN fault IS NULL THEN {verdict} WHEN split_part(fault, ':', 2) = ANY({repeats})
    THEN concat_ws({end}, fault, {verdict}) ELSE fault END AS fault,
    coalesce(content, {content}), jsonb_strip_nulls(to_jsonb(staged)) - {hidden}::text[]
  FROM staged {joins}
) judged WHERE fault IS NOT NULL
""")
REPEATED = sql.SQL("""
UPDATE staged SET fault = {fault} FROM (
  SELECT file_line, row_number() OVER (PARTITION BY {key} ORDER BY file_line) AS place FROM staged
  WHERE ({key}) IS NOT NULL AND fault IS NULL
) numbered WHERE place > 1 AND numbered.file_line = staged.file_line
""")
COUNTS = """
SELECT substr(flaw, strpos(flaw, ':') + 1), count(*)
FROM (SELECT split_part(fault, %(end)s, 1) AS flaw FROM refused) first GROUP BY 1 ORDER BY 1
"""
# What is no code is the reason itself. Of what somebody did before they were erased only the line is listed.
LIST = f"""
INSERT INTO recommendations_rejectedrow (source_id, line, field, reason, content, given)
SELECT %(source)s, file_line >> %(parts)s,
       left(concat(split_part(flaw, ':', 1), ' (' || (%(own)s::jsonb ->> split_part(flaw, ':', 1)) || ')'), 50),
       left(coalesce(%(texts)s::jsonb ->> split_part(flaw, ':', 2), substr(flaw, strpos(flaw, ':') + 1)), 300),
       CASE WHEN shown THEN left(coalesce(content, ''), 2000) ELSE '' END,
       CASE WHEN shown THEN coalesce(given, '{{}}') ELSE '{{}}' END
FROM (
  SELECT *, fault NOT LIKE '%%:{ERASED}%%' AS shown FROM refused ORDER BY file_line LIMIT %(most)s
) first, unnest(string_to_array(fault, %(end)s)) WITH ORDINALITY flaws(flaw, place)
ORDER BY file_line, place
"""  # noqa: S608 - a code of our own


class Hidden(NamedTuple):
    """A column whose values are hashed before they are stored anywhere, unless another column has one of these."""

    name: str
    hashed: Callable[[str], str]
    unless: tuple[str, Sequence[str]] | None = None


@dataclass(frozen=True, kw_only=True)
class Form:
    """The columns that a file may have; at least one of ``one_of``, where it names any."""

    known: Sequence[str]
    needed: Sequence[str]
    one_of: Sequence[str] = ()
    hidden: Sequence[Hidden] = ()
    own: Mapping[str, str] = field(default_factory=dict)  # what a file calls a column whose name here is made up
    parts: int = 0  # bits of a row's number that tell the rows of one line apart

    @property
    def visible(self) -> Sequence[str]:
        """Columns that hold nothing to be hidden."""
        hidden = {column.name for column in self.hidden}
        return [name for name in self.known if name not in hidden]

    def definition(self) -> str:
        """Columns of the stage."""
        return f"(file_line bigint, {', '.join(f'{name} text' for name in ('fault', 'content', *self.known))})"


def read_header(table: Table, form: Form, *, path: Path) -> Header:
    """Read the header. Raises UnreadableFileError where a needed column is missing or a known one is there twice."""
    places = {name: place for place, name in enumerate(table.columns) if name in form.known}
    ignored = [name for name in table.columns if name not in places]
    values: dict[str, object] = {"file": path.name, "present": named(table.columns), "known": ", ".join(form.known)}
    if missing := [name for name in form.needed if name not in places]:
        text = _("%(file)s, line 1: the column %(names)s is missing. The file has %(present)s; it may have %(known)s.")
        raise UnreadableFileError(text % {**values, "names": named(missing)})
    if form.one_of and not any(name in places for name in form.one_of):
        text = _("%(file)s, line 1: one of the columns %(names)s is needed. The file has %(present)s.")
        raise UnreadableFileError(text % {**values, "names": named(form.one_of)})
    if len(places) + len(ignored) < len(table.columns):
        twice = [name for name in places if table.columns.count(name) > 1]
        text = _("%(file)s, line 1: the column %(names)s appears twice; remove or rename one.")
        raise UnreadableFileError(text % {**values, "names": named(twice)})
    return Header(places=places, ignored=ignored)


def ignored_text(header: Header) -> str:
    """What a file has and the import does not read; "" where it reads all."""
    return _("Columns that are ignored: %(names)s.") % {"names": named(header.ignored)} if header.ignored else ""


def renamed_text(header: Header) -> str:
    """The columns of a file that were read under other names, in words; "" where there are none."""
    own = {name: header.own[name] for name in header.places if name in header.own}
    pairs = [f"{theirs} → {name}" for name, theirs in own.items() if theirs.rpartition(":")[2].lower() != name]
    names = named(pairs, most=MOST_RENAMED, longest=LONGEST_RENAMED)
    return _("Read under our names: %(names)s.") % {"names": names} if pairs else ""


def left_out_text(names: Mapping[str, int]) -> str:
    """Events that nothing is learned from, by name and number; "" where there were none."""
    if not names:
        return ""
    counts = ", ".join(f"{name} {count:,}" for name, count in list(names.items())[:MOST_NAMED])
    return _("Events that are left out, because nothing is learned from them: %(counts)s.") % {"counts": counts}


class RowSieve(Protocol):
    """What takes rows of a file another way than over the stage, where it can."""

    def take(self, part: Columns) -> Iterator[Columns]:
        """Take rows; those that have to be staged come out, now or with later ones."""

    def rest(self) -> Iterator[Columns]:
        """The rows that still have to be staged when all are taken."""

    def note(self, staged: list[FileRow]) -> None:
        """Note rows that are staged."""


def fill(
    table: Table, header: Header, form: Form, *, report: Report, limits: FileLimits | None = None,
    sieve: RowSieve | None = None,
) -> int:  # fmt: skip
    """Copy rows into the stage, those that are no text marked as refused; how many came in.

    A ``sieve`` keeps rows from the stage. Raises FileTooLargeError.
    """
    count = size = 0
    if limits:
        table.check(limits)

    def blocks() -> Iterator[bytes]:
        nonlocal count, size
        for part in table.blocks(header.places.values()):
            count += len(part.lines) if isinstance(part, Columns) else len(part)
            for block in _staged(part, header, form, sieve):
                size += len(block)
                if limits:
                    limits.check(count, size)
                yield block
            report("reading", count, table.estimate(count))
        for rest in sieve.rest() if sieve else ():
            yield csv_block(_stage_columns(rest, header, form))

    with heavy():
        for block in blocks():  # a COPY each: between them a sieve may ask the database
            copy(STAGE, [*OWN_COLUMNS, *header.places], [block])
    report("reading", count, count)
    return count


def fill_again(parts: Iterable[Columns], header: Header, form: Form) -> None:
    """Copy rows into the stage that are not there yet."""
    with heavy(), temporary(AGAIN, form.definition()):
        copy(AGAIN, [*OWN_COLUMNS, *header.places], (csv_block(_stage_columns(part, header, form)) for part in parts))
        run("DELETE FROM again USING staged WHERE again.file_line = staged.file_line")
        run("INSERT INTO staged SELECT * FROM again")


def _staged(part: Columns | list[FileRow], header: Header, form: Form, sieve: RowSieve | None) -> Iterator[bytes]:
    """What of a part of the file is to be staged, as blocks of CSV."""
    if isinstance(part, Columns):
        for each in sieve.take(part) if sieve else (part,):
            yield csv_block(_stage_columns(each, header, form))
        return
    if sieve:
        sieve.note(part)
    buffer = io.StringIO()
    csv.writer(buffer).writerows(_stage_lines(part, header, form))
    yield buffer.getvalue().encode()


def mark_repeated(key: sql.Composable, *, fault: str) -> None:
    """Mark as faulty all but the first of several rows of a key."""
    run(REPEATED.format(key=key, fault=sql.Literal(fault)))


def judge(
    form: Form, verdict: sql.Composable, *, joins: sql.Composable, values: Mapping[str, object]
) -> dict[str, int]:
    """Move the rows that break a rule from the stage to the refused; code of the first rule → how many rows."""
    fields = sql.SQL(", ").join(
        sql.SQL("{} || {}").format(sql.Literal(f"{form.own.get(name, name)}="), sql.Identifier(STAGE, name))
        for name in form.visible
    )
    content = sql.SQL("concat_ws(', ', {})").format(fields)
    secret = [*OWN_COLUMNS, *(column.name for column in form.hidden)]
    parts = {"verdict": verdict, "content": content, "joins": joins, "hidden": secret, "repeats": REPEATS}
    with heavy():
        run(JUDGE.format(**parts, end=FLAW_END), **values)
        run("DELETE FROM staged USING refused WHERE staged.file_line = refused.file_line")
    return refused_counts()


def refused_counts() -> dict[str, int]:
    """Code of what is wrong first → how many rows."""
    return dict(rows(COUNTS, end=FLAW_END))


def list_refused(imported: Import, *, own: Mapping[str, str] | None = None, parts: int = 0) -> None:
    """Keep the first refused rows with their reasons in words; a field has the file's ``own`` name beside it."""
    texts = json.dumps({code: str(reason)[:300] for code, reason in REASONS.items()})
    names = json.dumps({name: storable(theirs) for name, theirs in (own or {}).items()})
    run(LIST, source=imported.pk, texts=texts, own=names, parts=parts, most=LISTED, end=FLAW_END)


def _stage_lines(rows_read: Iterable[FileRow], header: Header, form: Form) -> Iterator[list[object]]:
    """Stage columns of each row. A refused row is shown only if it cannot hold what must be hidden."""
    places = list(header.places.values())
    at = {name: place for place, name in enumerate(header.places, len(OWN_COLUMNS))}
    hidden = [column for column in form.hidden if column.name in at]
    nothing = [None] * len(places)
    for row in rows_read:
        if row.fault:
            yield [row.line, ":".join(row.fault), None if hidden else row.text, *nothing]
            continue
        line: list[object] = [row.line, None, None, *(row.values[place] for place in places)]
        for name, hashed, unless in hidden:
            value = line[at[name]]
            if value is not None and not (unless and unless[0] in at and line[at[unless[0]]] in unless[1]):
                line[at[name]] = hashed(str(value))
        yield line


def _stage_columns(part: Columns, header: Header, form: Form) -> pa.RecordBatch:
    """Stage columns of a block, as ``_stage_lines`` has them; each hidden value is hashed once."""
    values = {name: part.values[place] for name, place in header.places.items()}
    staged = dict(values)
    for name, hashed, unless in form.hidden:
        if name not in values:
            continue
        written = values[name].dictionary_encode()
        hashes = pa.array([hashed(value) for value in written.dictionary.to_pylist()], pa.string())
        staged[name] = hashes.take(written.indices)
        if unless and unless[0] in values:
            plain = pc.is_in(values[unless[0]], pa.array(unless[1], pa.string()))
            staged[name] = pc.if_else(plain, values[name], staged[name])
    nothing = pa.nulls(len(part.lines), pa.string())
    return pa.record_batch([part.lines, nothing, nothing, *staged.values()], [*OWN_COLUMNS, *staged])
