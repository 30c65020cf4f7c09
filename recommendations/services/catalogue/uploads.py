"""Files of items that staff hand in: a worker looks through each, and takes it when somebody has said yes."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import IO, Any
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.forms import model_to_dict
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from recommendations.ingest.import_files import FileTooLargeError, UnreadableFileError
from recommendations.models import CatalogueFile, RejectedRow, Staff
from recommendations.services.catalogue import files
from recommendations.services.catalogue.files import FileGoneError, ItemChange, Preview
from recommendations.store import jobs
from recommendations.store.memory_limit import memory_limit
from recommendations.terms import RunStatus

MEMORY = 1024 * 1024 * 1024
"""Bytes that a file may cost its worker."""

_STEPS = ("reading", "items")  # of an import; half of it each
_HELD = 600  # seconds for which a progress is known


class FileRefusedError(Exception):
    """Nothing of the file was taken; the message says why, and what to do, in the words of who handed it in."""


def hand_in(file: IO[bytes], *, name: str, size: int, by: Staff) -> CatalogueFile:
    """Put a file aside and have a worker look through it. Raises FileTooLargeError."""
    kept = files.keep(file, name=name, size=size)
    CatalogueFile.objects.filter(created_at__lt=timezone.now() - files.KEPT).delete()
    return _begin(CatalogueFile.Phase.LOOK, file=name[:300], stored_as=kept, by=by)


def take(looked: CatalogueFile, *, by: Staff) -> CatalogueFile:
    """Have a worker take a file that was looked through. Raises FileGoneError."""
    with transaction.atomic():
        CatalogueFile.objects.select_for_update().get(pk=looked.pk)  # two who say yes at once
        others = CatalogueFile.objects.filter(phase=CatalogueFile.Phase.TAKE, stored_as=looked.stored_as)
        gone = others.exclude(status=RunStatus.FAILED).exists() or not files.is_kept(looked.stored_as)
        if gone or preview_of(looked) is None:
            raise FileGoneError
        return _begin(CatalogueFile.Phase.TAKE, file=looked.file, stored_as=looked.stored_as, by=by)


def work(key: UUID) -> RunStatus | None:
    """Look through a file, or take it, in the worker; None where that is over."""
    job = CatalogueFile.objects.filter(pk=key).first()
    return jobs.run_job(job, _work, clock=timezone.now, refusals=(FileRefusedError,))


def preview_of(job: CatalogueFile) -> Preview | None:
    """What the file would change; None before the worker has seen all of it."""
    if job.phase != CatalogueFile.Phase.LOOK or job.status != RunStatus.SUCCEEDED:
        return None
    lists = {
        "changes": [ItemChange(**change) for change in job.result["changes"]],
        "refused": [RejectedRow(**row) for row in job.result["refused"]],
    }
    return Preview(**{**job.result, **lists})


def progress_of(job: CatalogueFile) -> float:
    """Share of the work that is done: while a file is taken its transaction hides the row's own."""
    return float(cache.get(_progress_key(job), job.progress)) if job.unfinished else job.progress


def _begin(phase: CatalogueFile.Phase, *, file: str, stored_as: str, by: Staff) -> CatalogueFile:
    job = CatalogueFile.objects.create(
        phase=phase, file=file, stored_as=stored_as, lang=translation.get_language() or "", started_by=by
    )
    transaction.on_commit(lambda: jobs.enqueue(job))
    return job


def _work(job: CatalogueFile) -> None:
    work_on = {CatalogueFile.Phase.LOOK: _look, CatalogueFile.Phase.TAKE: _take}[CatalogueFile.Phase(job.phase)]
    with translation.override(job.lang), memory_limit(MEMORY):
        try:
            work_on(job)
        except UnreadableFileError as error:
            raise FileRefusedError(str(error).replace(job.stored_as, job.file)) from error
        except FileTooLargeError as error:
            raise FileRefusedError(too_large(error)) from error
        except MemoryError as error:
            raise FileRefusedError(
                _("It needs too much memory. Split the file, or import it on the server.")
            ) from error
        except FileGoneError as error:
            raise FileRefusedError(_("The file is gone. Choose it again.")) from error
        finally:
            if job.phase == CatalogueFile.Phase.LOOK and not job.result:
                files.forget(job.stored_as)


def _look(job: CatalogueFile) -> None:
    preview = files.look(key=job.stored_as, now=timezone.now(), report=_reporter(job))
    refused = [model_to_dict(row, fields=("line", "field", "reason", "content", "given")) for row in preview.refused]
    job.result = {**asdict(preview), "refused": refused}
    job.save(update_fields=["result"])


def _take(job: CatalogueFile) -> None:
    with transaction.atomic():
        job.imported = files.import_kept(
            key=job.stored_as, name=job.file, by=job.started_by, now=timezone.now(), report=_reporter(job)
        )
        job.save(update_fields=["imported"])


def too_large(error: FileTooLargeError) -> str:
    texts: Mapping[str, str] = {
        "MB": _("The file is larger than %(most)s MB. Import it with manage.py import_items, or split it."),
        "rows": _("The file has more than %(most)s rows. Import it with manage.py import_items, or split it."),
        "MB unpacked": _(
            "The file holds more than %(most)s MB of text once it is unpacked. Shorten its texts, split it, or import "
            "it with manage.py import_items."
        ),
    }
    return texts[error.unit] % {"most": f"{error.most:,}"}


def _reporter(job: CatalogueFile) -> Callable[[str, int, int], None]:
    def report(step: str, done: int, total: int) -> None:
        share = (_STEPS.index(step) + done / max(total, 1)) / len(_STEPS)
        with suppress(Exception):  # without Valkey nobody sees how far it is
            cache.set(_progress_key(job), share, _HELD)

    return report


def _progress_key(job: CatalogueFile) -> Any:
    return f"catalogue-file:{job.pk}"
