"""Files that are read row by row: their rows, counted, and what is wrong with one, without what stands in it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext as _

from recommendations.models import Import, RejectedRow
from recommendations.store.imports.csv_rows import FileRow, storable
from recommendations.store.imports.reasons import REASONS
from recommendations.store.imports.table_files import FileLimits, Header, Table, UnreadableFileError, named
from recommendations.store.imports.validate import Form, read_header
from recommendations.store.temp_tables import Report

OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
REPORTED = 1_000  # rows between two reports


class RowFlaw(NamedTuple):
    """Why a row is refused; ``code`` stands for it among the reasons of an import."""

    line: int
    field: str
    code: str
    reason: str


def flaw_of(line: int, field: str, code: str, *, most: int | None = None) -> RowFlaw:
    """The flaw of a code of ``REASONS``; ``most`` as in ``reason_of``."""
    return RowFlaw(line, field[:50], code, reason_of(code, most=most))


def reason_of(code: str, *, most: int | None) -> str:
    """The sentence of a code; a text that is too long is told how many characters it may have, where that is known."""
    if code == "too_long" and most:
        return _("The text is too long: at most %(most)s characters.") % {"most": most}
    return str(REASONS[code])


def rejected_rows(flaws: Iterable[RowFlaw], *, source: Import | None = None) -> list[RejectedRow]:
    """Flaws as an import lists them, without anything that stood in the row."""
    return [
        RejectedRow(source=source, line=flaw.line, field=storable(flaw.field), reason=flaw.reason[:300])
        for flaw in sorted(flaws, key=lambda flaw: flaw.line)
    ]


def private_header(table: Table, form: Form, *, path: Path) -> Header:
    """Columns of a file of people. Where it has no names of columns its first line is somebody's: it is not repeated.

    Raises UnreadableFileError.
    """
    if missing := [name for name in form.needed if name not in table.columns]:
        if form.one_of and not any(name in table.columns for name in form.one_of):
            text = _(
                "%(file)s, line 1: these columns are missing: %(names)s, and one of %(either)s. "
                "The columns are %(known)s."
            )
        elif len(missing) > 1:
            text = _("%(file)s, line 1: these columns are missing: %(names)s. The columns are %(known)s.")
        else:
            text = _("%(file)s, line 1: the column %(names)s is missing. The columns are %(known)s.")
        values = {"names": named(missing), "either": named(form.one_of), "known": ", ".join(form.known)}
        raise UnreadableFileError(text % (values | {"file": path.name}))
    return read_header(table, form, path=path)


def counted_rows(table: Table, *, report: Report, limits: FileLimits | None) -> Iterator[FileRow]:
    """Read the rows, and report how many. Raises FileTooLargeError as soon as more than the limits has been read."""
    if limits:
        table.check(limits)
    count = size = 0
    for row in table:
        count += 1
        size += sum(len(value) for value in row.values if value) + len(row.text)
        if limits:
            limits.check(count, size)
        yield row
        if count % REPORTED == 0:
            report("reading", count, table.estimate(count))
    report("reading", count, count)


def read_moment(typed: str) -> datetime | str:
    """A moment with its zone, or the code of what is wrong with the text."""
    try:
        moment = datetime.fromisoformat(typed)
        if moment.tzinfo is None:
            return "no_zone"
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return "not_a_time"
    return moment if moment >= OLDEST else "too_old"
