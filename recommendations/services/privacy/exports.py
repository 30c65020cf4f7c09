"""Files of all that is held about somebody: a table as CSV and as JSON for each sheet, a text and pages that explain
them.

They lie sealed under ``DATA/privacy/exports``, for seven days.
"""

import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import translation

from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import HolderCode
from recommendations.services.access import audit
from recommendations.services.access.audit import Author
from recommendations.services.catalogue.spreadsheets import harmless
from recommendations.services.privacy.export_page import SheetCopy, export_pages
from recommendations.services.privacy.sealed import export_box
from recommendations.services.privacy.sealed_file import SealingWriter, unsealed
from recommendations.store.erasure.subjects import digest_of
from recommendations.store.holders import registry
from recommendations.store.holders.protocol import Sheet, Subject
from recommendations.wording.privacy.words import export_readme

LASTS = timedelta(days=7)
UNFIT = re.compile(r"[^\w.-]+")
BOM = "\ufeff"  # by which spreadsheets know UTF-8


class ExportNotReadyError(Exception):
    """The file is not written yet."""


class ExportExpiredError(Exception):
    """The file is gone: it is kept for seven days, or until the person is erased."""


def write_export(request: PrivacyRequest, subject: Subject, *, now: datetime) -> None:
    """Write the file, and note it, whose it is and the rows of each holder at the request, which is not saved here."""
    name = f"{request.pk}.zip"
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    with SealingWriter(folder() / name, export_box()) as file:
        language = translation.override(request.options.get("language", "en"))
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, language:
            sheets = _write_sheets(archive, subject)
            rows = {code: {each.name: each.count for each in copies} for code, copies in sheets.items()}
            archive.writestr("README.txt", export_readme(rows, shop=settings.SHOP_NAME, now=now))
            for page, text in export_pages(sheets, now=now):
                archive.writestr(page, text)
        file.finish()
    request.counts = {code: {"found": sum(numbers.values())} for code, numbers in rows.items()}
    request.file, request.file_until = name, now + LASTS
    request.options = {**request.options, "of": _digests(subject)}


def open_export(request: PrivacyRequest, *, by: Author, verb: str = "download", now: datetime) -> Iterator[bytes]:
    """The file, piece by piece; the trail says who took it.

    Raises ExportNotReadyError, ExportExpiredError, SealBrokenError and PrivacyKeysMissingError.
    """
    if request.file_until is None:
        raise ExportNotReadyError
    path = folder() / request.file
    if request.file_until <= now or not request.file or not path.exists():
        raise ExportExpiredError
    box = export_box()
    audit.record(by=by, verb=verb, subject=request, after={"subject": bytes(request.subject).hex()[:8]})
    pieces = unsealed(path, box)
    return chain([next(pieces)], pieces)  # a seal that does not open is said before anything is sent


def forget_exports(*, now: datetime) -> int:
    """Delete files whose seven days are over; how many."""
    over = PrivacyRequest.objects.filter(file_until__lte=now).exclude(file="")
    for request in over:
        (folder() / request.file).unlink(missing_ok=True)
        PrivacyRequest.objects.filter(pk=request.pk).update(file="")
    return len(over)


def forget_exports_of(request: PrivacyRequest, subject: Subject, *, now: datetime) -> int:
    """Delete the files of other requests about a person, by whatever id they asked, who is erased; how many.

    One stays that was wanted with the erasure that this one waited for.
    """
    kept = {str(request.pk), request.options.get("same_as", str(request.pk))}
    others = PrivacyRequest.objects.exclude(pk__in=kept).exclude(file="").values_list("pk", "subject", "options")
    digests = {*_digests(subject), bytes(request.subject).hex()}
    theirs = [key for key, named, options in others if digests & {bytes(named).hex(), *options.get("of", ())}]
    PrivacyRequest.objects.filter(pk__in=theirs).update(file_until=now)
    return forget_exports(now=now)


def folder() -> Path:
    """Where the files lie."""
    return Path(settings.DATA) / "privacy" / "exports"


def _digests(subject: Subject) -> list[str]:
    return [digest_of(value).hex() for value in subject.pseudonyms]


@transaction.atomic
def _write_sheets(archive: zipfile.ZipFile, subject: Subject) -> dict[HolderCode, list[SheetCopy]]:
    """Write all sheets, which are read once for each of the two forms; what the page has of each, by holder."""
    copies: dict[HolderCode, list[SheetCopy]] = {}
    for holder in registry.HOLDERS:
        copies[holder.code] = []
        for name, sheet in _named(holder.export(subject)):
            copy = SheetCopy(code=holder.code, name=name, columns=_apart(sheet.columns))
            with _member(archive, f"{holder.code}/{name}.csv") as text:
                _write_csv(text, sheet, copy)
            copies[holder.code].append(copy)
        for name, sheet in _named(holder.export(subject)):
            with _member(archive, f"{holder.code}/{name}.json") as text:
                _write_json(text, sheet)
    return copies


def _named(sheets: Iterable[Sheet]) -> Iterator[tuple[str, Sheet]]:
    """Sheets, each with a name for its file: in words, and once in its folder."""
    taken: list[str] = []
    for sheet in sheets:
        taken = _apart([*taken, UNFIT.sub("_", str(sheet.name))])
        yield taken[-1], sheet


def _apart(words: Iterable[Any]) -> list[str]:
    """Names, of which the second of the same words has a 2 behind it: in some language two may be called alike."""
    seen = Counter[str]()
    apart = []
    for word in map(str, words):
        seen[word] += 1
        apart.append(word if seen[word] == 1 else f"{word} {seen[word]}")
    return apart


def _member(archive: zipfile.ZipFile, name: str) -> IO[str]:
    return io.TextIOWrapper(archive.open(name, "w"), encoding="utf-8", newline="", write_through=False)


def _write_csv(text: IO[str], sheet: Sheet, copy: SheetCopy) -> None:
    text.write(BOM)
    writer = csv.writer(text)
    writer.writerow(copy.columns)
    for row in sheet.rows:
        writer.writerow([_cell(value) for value in row])
        copy.note(row)


def _write_json(text: IO[str], sheet: Sheet) -> None:
    text.write("[")
    columns = _apart(sheet.columns)
    for number, row in enumerate(sheet.rows):
        text.write(",\n" if number else "\n")
        json.dump(dict(zip(columns, row, strict=True)), text, cls=DjangoJSONEncoder, ensure_ascii=False)
    text.write("\n]\n")


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | Sequence) and not isinstance(value, str | bytes):
        return harmless(json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False))
    return harmless(value)
