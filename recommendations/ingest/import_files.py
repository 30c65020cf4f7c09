"""Imports of files: items, events and the promotion plan, as CSV or Parquet."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from recommendations.ingest.waiting import join_waiting
from recommendations.models import Import, ModelVersion
from recommendations.store.imports import bulk_import
from recommendations.store.imports.bulk_import import Watch
from recommendations.store.imports.table_files import FileLimits, FileTooLargeError, UnreadableFileError
from recommendations.store.live import fetch, writes
from recommendations.store.live.fetch import Changed
from recommendations.store.live.writes import ValkeyAwayError
from recommendations.store.temp_tables import Report

__all__ = [
    "FileLimits", "FileTooLargeError", "UnreadableFileError", "import_events", "import_items", "import_promotions",
]  # fmt: skip


def import_items(
    path: Path, *, now: datetime, report: Report, watch: Watch | None = None, limits: FileLimits | None = None
) -> Import:
    """Import items of a CSV or Parquet file into the catalogue.

    Raises UnreadableFileError where there are none, FileTooLargeError where there is more than the limits allow.
    """
    imported = bulk_import.import_items(
        path, currency=settings.SHOP_CURRENCY, now=now, report=report, watch=watch, limits=limits
    )
    transaction.on_commit(lambda: fetch.announce(Changed.CATALOGUE))
    transaction.on_commit(join_waiting)
    return imported


def import_events(path: Path, *, now: datetime, report: Report) -> Import:
    """Import events of a CSV or Parquet file, each once; raises UnreadableFileError where there are none."""
    imported = bulk_import.import_events(path, currency=settings.SHOP_CURRENCY, now=now, report=report)
    if ModelVersion.objects.live().exists():  # it has not learned from these, so that they count as just done
        transaction.on_commit(_catch_up)
    return imported


def import_promotions(path: Path, *, now: datetime, report: Report) -> Import:
    """Import the promotion plan of a file for the next run to learn; raises UnreadableFileError where there is none."""
    return bulk_import.import_promotions(path, now=now, report=report)


def _catch_up() -> None:
    with suppress(ValkeyAwayError):
        writes.rebuild()
