"""The frame of every import of a file: it is opened, its rows are staged and loaded, and how it ended is written down.

A file that cannot be used leaves nothing behind but its import's row.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError

from recommendations.models import Import
from recommendations.store.events.generations import settled
from recommendations.store.imports import erased_ids, hidden_ids, import_record, validate
from recommendations.store.imports.table_files import (
    FileLimits,
    FileTooLargeError,
    Header,
    Table,
    UnreadableFileError,
    open_table,
)
from recommendations.store.imports.validate import Form
from recommendations.store.temp_tables import Report, temporary


class StoppedError(Exception):
    """Somebody, or a bound, stopped an import before it changed anything; the message says why, and what to do."""


type Opener = Callable[[Path], AbstractContextManager[Table]]
"""Opens the table in a file; raises UnreadableFileError where there is none."""


@dataclass(frozen=True, kw_only=True)
class FileSource:
    """How a file is opened, how much is read of it, and where it came from, where it is stored under another name."""

    opener: Opener = open_table
    limits: FileLimits | None = None
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A file whose rows may be read: what it is of, and under how many keys ids are hidden."""

    imported: Import
    path: Path
    source: FileSource
    table: Table
    header: Header
    form: Form
    layers: int


type Fill = Callable[[Opened, Report], int]
"""Stages the rows of a file; how many came in."""
type Load = Callable[[Import, Header, int], None]
"""Makes of the staged rows what they are in the record, and writes down what became of so many."""


def fill_stage(opened: Opened, report: Report) -> int:
    """Stage all rows. Raises FileTooLargeError."""
    return validate.fill(opened.table, opened.header, opened.form, report=report, limits=opened.source.limits)


def run_import(
    kind: str, path: Path, form: Form, *, load: Load, report: Report, source: FileSource | None = None,
    fill: Fill = fill_stage,
) -> Import:  # fmt: skip
    """Import a file. Raises UnreadableFileError, FileTooLargeError and StoppedError."""
    source = source or FileSource()
    imported = import_record.begin(kind=kind, file=source.name or path.name)
    try:
        with (
            settled(patient=True) as layers,
            source.opener(path) as table,
            temporary(validate.STAGE, form.definition()),
            temporary(validate.REFUSED, validate.REFUSED_COLUMNS),
            temporary(erased_ids.TABLE, erased_ids.DEFINITION),
            temporary(hidden_ids.TABLE, hidden_ids.DEFINITION),
        ):
            header = validate.read_header(table, form, path=path)
            opened = Opened(
                imported=imported, path=path, source=source, table=table, header=header, form=form, layers=layers
            )
            count = fill(opened, report)
            hidden_ids.lay_layers([each for each in form.hidden if each.name in header.places], layers)
            load(imported, table.settle(header), count)
    except StoppedError as stop:
        import_record.fail(imported, str(stop), status=Import.Status.STOPPED)
        raise
    except (UnreadableFileError, FileTooLargeError, DatabaseError) as error:
        import_record.fail(imported, str(error))
        raise
    finally:
        hidden_ids.forget_ids()
    return imported


def finish(
    imported: Import,
    header: Header,
    *,
    count: int,
    kept: int,
    refused: dict[str, int],
    left_out: Mapping[str, int] | None = None,
    messages: tuple[str, ...] = (),
    parts: int = 0,
) -> None:
    """Write down how an import ended; ``left_out``: events that nothing is learned from, by name."""
    validate.list_refused(imported, own=header.own, parts=parts)
    others = left_out or {}
    count -= sum(others.values())
    duplicates = count - kept - sum(refused.values())
    unused = validate.left_out_text({**header.left_out, **others})
    texts = (*messages, validate.renamed_text(header), validate.ignored_text(header), unused)
    import_record.finish(
        imported, rows=count, kept=kept, duplicates=duplicates, reasons=refused, message="\n".join(filter(None, texts))
    )
