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
from recommendations.services.contacts.file_rows import ContactLine, Flaw, contact_lines, flaw_of, read_through
from recommendations.services.contacts.rows import take_contacts
from recommendations.store.contacts.sealing import KeysMissingError, have_keys
from recommendations.store.imports import import_record
from recommendations.store.imports.csv_rows import storable
from recommendations.store.imports.validate import LISTED
from recommendations.store.temp_tables import Report, silent

__all__ = ["ContactsLook", "KeysMissingError", "have_keys", "import_contacts", "look"]

MOST_AT_ONCE = 1_000  # rows of a transaction
SHOWN = 50


@dataclass(kw_only=True)
class ContactsLook:
    """What a file holds: rows in order, those of them that say yes to something, and the first that are refused."""

    rows: int = 0
    sound: int = 0
    consenting: int = 0
    rejected: int = 0
    message: str = ""
    refused: list[Flaw] = field(default_factory=list)


@dataclass(kw_only=True)
class _Account:
    """What became of the rows so far; ``flaws`` are kept, up to as many as an import lists."""

    stored: int = 0
    unchanged: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.stored + self.unchanged + self.reasons.total()

    def refuse(self, flaw: Flaw) -> None:
        self.reasons[flaw.code] += 1
        if len(self.flaws) < LISTED:
            self.flaws.append(flaw)


def look(path: Path, *, now: datetime, report: Report = silent, limits: FileLimits | None = None) -> ContactsLook:
    """Check every row and store nothing. That an address is another customer's is seen when the file is taken.

    Raises UnreadableFileError and FileTooLargeError.
    """
    seen = ContactsLook(message=read_through(path, limits=limits).message)
    for line in contact_lines(path, now=now, report=report):
        seen.rows += 1
        if isinstance(line, ContactLine):
            seen.sound += 1
            seen.consenting += bool(line.row.form.consents)
        else:
            seen.rejected += 1
            seen.refused += [line] if len(seen.refused) < SHOWN else []
    return seen


def import_contacts(path: Path, *, now: datetime, report: Report, limits: FileLimits | None = None) -> Import:
    """Take the contacts of a CSV or Parquet file, in order: of two rows of a customer the later one stands.

    A file that cannot be read to its end leaves nothing behind. Where the database gives up in the middle, the rows
    before stand. Raises KeysMissingError, UnreadableFileError, FileTooLargeError and DatabaseError.
    """
    if not have_keys():
        raise KeysMissingError
    imported = import_record.begin(kind=Import.Kind.CONTACTS, file=path.name)
    account = _Account()
    try:
        whole = read_through(path, report=report, limits=limits)
        for part in batched(contact_lines(path, now=now), MOST_AT_ONCE):
            _take(part, account, now=now)
            report("contacts", account.rows, whole.rows)
    except (UnreadableFileError, FileTooLargeError, DatabaseError) as error:
        _fail(imported, account, str(error).strip().split("\n")[0])  # what follows shows rows
        raise
    flaws = [
        RejectedRow(source=imported, line=flaw.line, field=storable(flaw.field), reason=flaw.reason[:300])
        for flaw in sorted(account.flaws)
    ]
    RejectedRow.objects.bulk_create(flaws, batch_size=MOST_AT_ONCE)
    import_record.finish(
        imported, rows=account.rows, kept=account.stored, duplicates=account.unchanged, reasons=account.reasons,
        message=whole.message,
    )  # fmt: skip
    return imported


def _take(part: Sequence[ContactLine | Flaw], account: _Account, *, now: datetime) -> None:
    """Take the rows of a part that are in order, in one transaction."""
    lines = [line for line in part if isinstance(line, ContactLine)]
    verdicts = take_contacts([line.row for line in lines], source=ConsentSource.IMPORT, now=now)
    for line in part:
        if isinstance(line, Flaw):
            account.refuse(line)
    for line, verdict in zip(lines, verdicts, strict=True):
        if verdict.verdict == "rejected":
            account.refuse(flaw_of(line.line, Refusal(verdict.pointer or "", verdict.reason or "")))
        else:
            account.stored += verdict.verdict == "stored"
            account.unchanged += verdict.verdict == "unchanged"


def _fail(imported: Import, account: _Account, reason: str) -> None:
    imported.rows, imported.kept, imported.duplicates = account.rows, account.stored, account.unchanged
    if account.stored:
        left = _("The rows before it were taken. Import the file again: it changes nothing of them.")
        reason = f"{reason} {left}"
    import_record.fail(imported, reason)
