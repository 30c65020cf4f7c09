"""Imports of contacts: a file is read through first, then taken in parts; running it twice changes nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from pathlib import Path

from django.db import DatabaseError
from django.utils.translation import gettext as _

from recommendations.ingest.import_files import FileLimits, FileTooLargeError, UnreadableFileError
from recommendations.ingest.refusal import Refusal
from recommendations.models import Import, RejectedRow
from recommendations.push_terms import ConsentSource
from recommendations.services.contacts.file_rows import ContactLine, contact_lines, flaws_of, read_through
from recommendations.services.contacts.rows import ContactVerdict, rehearse, take_contacts
from recommendations.store.contacts.sealing import KeysMissingError, have_keys
from recommendations.store.imports import import_record
from recommendations.store.imports.row_flaws import RowFlaw, rejected_rows
from recommendations.store.imports.validate import LISTED
from recommendations.store.temp_tables import Report, silent

__all__ = ["ContactsLook", "KeysMissingError", "RowFlaw", "have_keys", "import_contacts", "look", "rejected_rows"]

MOST_AT_ONCE = 1_000  # rows of a transaction


@dataclass(kw_only=True)
class ContactsLook:
    """What a file holds: rows in order, those of them that say yes to something, and what is wrong with others.

    Nothing is sent to addresses that are ``silent``, though their rows are in order.
    """

    rows: int = 0
    sound: int = 0
    consenting: int = 0
    silent: int = 0
    rejected: int = 0
    message: str = ""
    refused: list[RowFlaw] = field(default_factory=list)


@dataclass(kw_only=True)
class _Account:
    """What became of the rows so far; ``flaws`` are kept, up to as many as an import lists."""

    stored: int = 0
    unchanged: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    flaws: list[RowFlaw] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.stored + self.unchanged + self.reasons.total()

    def refuse(self, flaws: Sequence[RowFlaw]) -> None:
        """Count a row by its first flaw."""
        self.reasons[flaws[0].code] += 1
        self.flaws += flaws[: LISTED - len(self.flaws)]


def look(path: Path, *, now: datetime, report: Report = silent, limits: FileLimits | None = None) -> ContactsLook:
    """Check every row as an import would, and store nothing.

    Raises UnreadableFileError, FileTooLargeError and KeysMissingError.
    """
    message = read_through(path, limits=limits).message
    lines = list(contact_lines(path, now=now, report=report))
    sound = [line for line in lines if isinstance(line, ContactLine)]
    refused = [line for line in lines if not isinstance(line, ContactLine)]
    seen = ContactsLook(rows=len(lines), message=message)
    for line, verdict in zip(sound, rehearse([line.row for line in sound], now=now), strict=True):
        if verdict.verdict == "rejected":
            refused.append(_flaws(line, verdict))
        else:
            seen.sound += 1
            seen.consenting += bool(line.row.form.consents)
            seen.silent += verdict.silent_for is not None
    seen.rejected, seen.refused = len(refused), [flaw for row in sorted(refused) for flaw in row][:LISTED]
    return seen


def import_contacts(
    path: Path, *, now: datetime, report: Report, limits: FileLimits | None = None, name: str = ""
) -> Import:
    """Take the contacts of a CSV or Parquet file, in order: of two rows of a customer the later one stands.

    ``name`` is that of the file, where it is stored under another one.

    A file that cannot be read to its end leaves nothing behind. Where the database gives up in the middle, the rows
    before stand. Raises KeysMissingError, UnreadableFileError, FileTooLargeError and DatabaseError.
    """
    if not have_keys():
        raise KeysMissingError
    imported = import_record.begin(kind=Import.Kind.CONTACTS, file=name or path.name)
    account = _Account()
    try:
        whole = read_through(path, report=report, limits=limits)
        for part in batched(contact_lines(path, now=now), MOST_AT_ONCE):
            _take(part, account, now=now)
            report("contacts", account.rows, whole.rows)
    except (UnreadableFileError, FileTooLargeError, DatabaseError) as error:
        reason = str(error).strip().split("\n")[0]  # what follows shows rows
        _fail(imported, account, reason.replace(path.name, imported.file))
        raise
    RejectedRow.objects.bulk_create(rejected_rows(account.flaws, source=imported), batch_size=MOST_AT_ONCE)
    import_record.finish(
        imported, rows=account.rows, kept=account.stored, duplicates=account.unchanged, reasons=account.reasons,
        message=whole.message,
    )  # fmt: skip
    return imported


def _take(part: Sequence[ContactLine | list[RowFlaw]], account: _Account, *, now: datetime) -> None:
    """Take the rows of a part that are in order, in one transaction."""
    lines = [line for line in part if isinstance(line, ContactLine)]
    verdicts = take_contacts([line.row for line in lines], source=ConsentSource.IMPORT, now=now)
    for line in part:
        if not isinstance(line, ContactLine):
            account.refuse(line)
    for line, verdict in zip(lines, verdicts, strict=True):
        if verdict.verdict == "rejected":
            account.refuse(_flaws(line, verdict))
        else:
            account.stored += verdict.verdict == "stored"
            account.unchanged += verdict.verdict == "unchanged"


def _flaws(line: ContactLine, verdict: ContactVerdict) -> list[RowFlaw]:
    return flaws_of(line.line, [Refusal(verdict.pointer or "", verdict.reason or ""), *verdict.also])


def _fail(imported: Import, account: _Account, reason: str) -> None:
    imported.rows, imported.kept, imported.duplicates = account.rows, account.stored, account.unchanged
    if account.stored:
        left = _("The rows before it were taken. Import the file again: it changes nothing of them.")
        reason = f"{reason} {left}"
    import_record.fail(imported, reason)
