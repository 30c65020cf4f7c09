"""Files of what another system sent, as staff hand them in: work for ``catalogue.uploads``."""

from dataclasses import asdict

import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recommendations.models import CatalogueFile, Import
from recommendations.services.access import audit
from recommendations.services.campaigns import receipt_import
from recommendations.services.campaigns.receipt_import import FileCampaign, ReceiptsLook
from recommendations.services.catalogue import files, uploads
from recommendations.store.imports.row_flaws import RowFlaw, rejected_rows

logger = structlog.get_logger(__name__)


def receipts_in(job: CatalogueFile) -> ReceiptsLook | None:
    """What a file holds, with its first campaigns and refused rows; None before the worker has seen all of it."""
    if job.kind != Import.Kind.RECEIPTS or not uploads.is_looked_through(job):
        return None
    lists = {
        "campaigns": [FileCampaign(**each) for each in job.result["campaigns"]],
        "refused": [RowFlaw(*flaw) for flaw in job.result["refused"]],
    }
    return ReceiptsLook(**{**job.result, **lists})


def _look(job: CatalogueFile) -> None:
    seen = receipt_import.look(
        files.stored_path(job.stored_as), now=timezone.now(), report=uploads.reporter(job), limits=files.limits()
    )
    files.keep_refused(job.stored_as, rejected_rows(seen.refused), kind=Import.Kind.RECEIPTS)
    firsts = {"campaigns": [asdict(each) for each in seen.campaigns[: files.SHOWN]]}
    job.result = {**asdict(seen), **firsts, "refused": seen.refused[: files.SHOWN]}
    job.save(update_fields=["result"])


def _take(job: CatalogueFile) -> None:
    try:
        job.imported = receipt_import.import_receipts(
            files.stored_path(job.stored_as), name=job.file, now=timezone.now(), report=uploads.reporter(job),
            limits=files.limits(),
        )  # fmt: skip
    except DatabaseError as error:
        logger.warning("receipts not imported", job=str(job.pk), error=type(error).__name__)
        text = _("The database refused, and nothing was taken. Choose the file again.")
        raise uploads.FileRefusedError(text) from error
    with transaction.atomic():
        after = {"receipts": job.imported.kept, "refused": job.imported.rejected}
        audit.record(by=job.started_by, verb="import", subject=job.imported, after=after)
        job.save(update_fields=["imported"])
    files.forget(job.stored_as)


WORK: uploads.FileWork = {
    (Import.Kind.RECEIPTS, CatalogueFile.Phase.LOOK): _look,
    (Import.Kind.RECEIPTS, CatalogueFile.Phase.TAKE): _take,
}
