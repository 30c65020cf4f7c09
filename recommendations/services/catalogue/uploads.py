"""Files that staff hand in: a worker looks through each, and takes it when somebody says yes.

Of items and contacts all is here; who works on another kind says so to ``work``.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import IO, Any
from uuid import UUID

import structlog
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.forms import model_to_dict
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recommendations.ingest.import_files import FileTooLargeError, UnreadableFileError
from recommendations.models import CatalogueFile, Import, RejectedRow, Staff
from recommendations.services.access import audit
from recommendations.services.catalogue import files
from recommendations.services.catalogue.files import FileGoneError, ItemChange, Preview
from recommendations.services.contacts import file_import
from recommendations.services.contacts.file_import import ContactsLook, KeysMissingError
from recommendations.store import jobs
from recommendations.store.memory import memory_limit
from recommendations.terms import RunStatus

MEMORY = 1024 * 1024 * 1024
"""Bytes that a file may cost its worker."""

_STEPS = {"reading": 0, "items": 1, "contacts": 1, "receipts": 1}  # of an import; half of it each
KEYS_MISSING = gettext_lazy("There are no keys for contacts yet: manage.py push_keys makes them (docs/push.md).")
_HELD = 600  # seconds for which a progress is known

logger = structlog.get_logger(__name__)


class FileRefusedError(Exception):
    """Nothing of the file was taken; the message says why, and what to do, in the words of who handed it in."""


type FileWork = Mapping[tuple[Import.Kind, CatalogueFile.Phase], Callable[[CatalogueFile], None]]
"""What a worker does with a file of a kind, in each phase."""


def hand_in(
    file: IO[bytes], *, name: str, size: int, by: Staff, kind: Import.Kind = Import.Kind.ITEMS
) -> CatalogueFile:
    """Put a file aside and have a worker look through it. Raises FileTooLargeError."""
    kept = files.keep(file, name=name, size=size)
    CatalogueFile.objects.filter(created_at__lt=timezone.now() - files.KEPT).delete()
    return _begin(CatalogueFile.Phase.LOOK, kind=kind, file=name[:300], stored_as=kept, by=by)


def take(looked: CatalogueFile, *, by: Staff) -> CatalogueFile:
    """Have a worker take a file that was looked through. Raises FileGoneError."""
    with transaction.atomic():
        CatalogueFile.objects.select_for_update().get(pk=looked.pk)  # two who say yes at once
        gone = taken_of(looked) is not None or not files.is_kept(looked.stored_as)
        if gone or not is_looked_through(looked):
            raise FileGoneError
        return _begin(
            CatalogueFile.Phase.TAKE, kind=Import.Kind(looked.kind), file=looked.file, stored_as=looked.stored_as, by=by
        )


def taken_of(looked: CatalogueFile) -> CatalogueFile | None:
    """The job that takes, or took, a file that was looked through; None where nobody said yes yet, or it failed."""
    takes = CatalogueFile.objects.filter(phase=CatalogueFile.Phase.TAKE, stored_as=looked.stored_as)
    return takes.exclude(status=RunStatus.FAILED).first()


def is_closed(job: CatalogueFile) -> bool:
    """Whether a file was looked through that can no longer be taken."""
    return is_looked_through(job) and not files.is_kept(job.stored_as)


def work(key: UUID, also: FileWork | None = None) -> RunStatus | None:
    """Look through a file, or take it, in the worker; None where that is over. ``also``: the work on other kinds."""
    job, ways = CatalogueFile.objects.filter(pk=key).first(), _WORK | dict(also or {})
    return jobs.run_job(job, partial(_work, ways=ways), clock=timezone.now, refusals=(FileRefusedError,))


def preview_of(job: CatalogueFile) -> Preview | None:
    """What the file would change; None before the worker has seen all of it."""
    if job.kind != Import.Kind.ITEMS or not is_looked_through(job):
        return None
    lists = {
        "changes": [ItemChange(**change) for change in job.result["changes"]],
        "refused": [RejectedRow(**row) for row in job.result["refused"]],
    }
    return Preview(**{**job.result, **lists})


def contacts_in(job: CatalogueFile) -> ContactsLook | None:
    """What a file of contacts holds, with the first refused rows; None before the worker has seen all of it."""
    if job.kind != Import.Kind.CONTACTS or not is_looked_through(job):
        return None
    return ContactsLook(**{**job.result, "refused": [file_import.RowFlaw(*flaw) for flaw in job.result["refused"]]})


def progress_of(job: CatalogueFile) -> float:
    """Share of the work that is done: while a file is taken its transaction hides the row's own."""
    return float(cache.get(_progress_key(job), job.progress)) if job.unfinished else job.progress


def _begin(phase: CatalogueFile.Phase, *, kind: Import.Kind, file: str, stored_as: str, by: Staff) -> CatalogueFile:
    lang = translation.get_language() or ""
    job = CatalogueFile.objects.create(kind=kind, phase=phase, file=file, stored_as=stored_as, lang=lang, started_by=by)
    transaction.on_commit(lambda: jobs.enqueue(job))
    return job


def _work(job: CatalogueFile, *, ways: FileWork) -> None:
    work_on = ways[Import.Kind(job.kind), CatalogueFile.Phase(job.phase)]
    with translation.override(job.lang), memory_limit(MEMORY):
        try:
            work_on(job)
        except UnreadableFileError as error:
            raise FileRefusedError(str(error).replace(job.stored_as, job.file)) from error
        except FileTooLargeError as error:
            raise FileRefusedError(too_large(error, kind=Import.Kind(job.kind))) from error
        except MemoryError as error:
            raise FileRefusedError(
                _("It needs too much memory. Split the file, or import it on the server.")
            ) from error
        except FileGoneError as error:
            raise FileRefusedError(_("The file is gone. Choose it again.")) from error
        except KeysMissingError as error:
            raise FileRefusedError(str(KEYS_MISSING)) from error
        finally:
            if job.phase == CatalogueFile.Phase.LOOK and not job.result:
                files.forget(job.stored_as)


def _look(job: CatalogueFile) -> None:
    preview = files.look(key=job.stored_as, now=timezone.now(), report=reporter(job))
    refused = [model_to_dict(row, fields=("line", "field", "reason", "content", "given")) for row in preview.refused]
    job.result = {**asdict(preview), "refused": refused}
    job.save(update_fields=["result"])


def _take(job: CatalogueFile) -> None:
    with transaction.atomic():
        job.imported = files.import_kept(
            key=job.stored_as, name=job.file, by=job.started_by, now=timezone.now(), report=reporter(job)
        )
        job.save(update_fields=["imported"])


def _look_at_contacts(job: CatalogueFile) -> None:
    seen = file_import.look(
        files.stored_path(job.stored_as), now=timezone.now(), report=reporter(job), limits=files.limits()
    )
    files.keep_refused(job.stored_as, file_import.rejected_rows(seen.refused), kind=Import.Kind.CONTACTS)
    job.result = {**asdict(seen), "refused": seen.refused[: files.SHOWN]}
    job.save(update_fields=["result"])


def _take_contacts(job: CatalogueFile) -> None:
    """Take a file of contacts, part by part, each of which is committed: it may be taken again after a fault."""
    try:
        job.imported = file_import.import_contacts(
            files.stored_path(job.stored_as), name=job.file, now=timezone.now(), report=reporter(job),
            limits=files.limits(),
        )  # fmt: skip
    except DatabaseError as error:
        logger.warning("contacts not imported", job=str(job.pk), error=type(error).__name__)
        text = _("The database refused; rows before may have been taken. Choose the file again: they stay as they are.")
        raise FileRefusedError(text) from error
    with transaction.atomic():
        after = {"changed": job.imported.kept, "refused": job.imported.rejected}
        audit.record(by=job.started_by, verb="import", subject=job.imported, after=after)
        job.save(update_fields=["imported"])
    files.forget(job.stored_as)


_WORK: dict[tuple[Import.Kind, CatalogueFile.Phase], Callable[[CatalogueFile], None]] = {
    (Import.Kind.ITEMS, CatalogueFile.Phase.LOOK): _look,
    (Import.Kind.ITEMS, CatalogueFile.Phase.TAKE): _take,
    (Import.Kind.CONTACTS, CatalogueFile.Phase.LOOK): _look_at_contacts,
    (Import.Kind.CONTACTS, CatalogueFile.Phase.TAKE): _take_contacts,
}


def is_looked_through(job: CatalogueFile) -> bool:
    """Whether a worker has looked through all of a file."""
    return job.phase == CatalogueFile.Phase.LOOK and job.status == RunStatus.SUCCEEDED


def too_large(error: FileTooLargeError, *, kind: Import.Kind = Import.Kind.ITEMS) -> str:
    texts: Mapping[str, str] = {
        "MB": _("The file is larger than %(most)s MB. Import it with manage.py %(command)s, or split it."),
        "rows": _("The file has more than %(most)s rows. Import it with manage.py %(command)s, or split it."),
        "MB unpacked": _(
            "The file holds more than %(most)s MB of text once it is unpacked. Shorten its texts, split it, or import "
            "it with manage.py %(command)s."
        ),
    }
    return texts[error.unit] % {"most": f"{error.most:,}", "command": f"import_{kind}"}


def reporter(job: CatalogueFile) -> Callable[[str, int, int], None]:
    """What the work on a file reports its progress to."""

    def report(step: str, done: int, total: int) -> None:
        share = (_STEPS[step] + done / max(total, 1)) / 2
        with suppress(Exception):  # without Valkey nobody sees how far it is
            cache.set(_progress_key(job), share, _HELD)

    return report


def _progress_key(job: CatalogueFile) -> Any:
    return f"catalogue-file:{job.pk}"
