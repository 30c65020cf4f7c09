"""Imports of files: items in the formats of feeds, events and the promotion plan as CSV or Parquet."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction

from recommendations.ingest.calls.open_calls import open_calls, open_own
from recommendations.ingest.feeds.mapping import ReadingPlan
from recommendations.ingest.feeds.open_feed import open_feed
from recommendations.ingest.waiting import join_waiting
from recommendations.models import Import, ModelVersion
from recommendations.store.imports import bulk_import, event_import
from recommendations.store.imports.bulk_import import Full, Watch
from recommendations.store.imports.import_run import FileSource, StoppedError
from recommendations.store.imports.table_files import FileLimits, FileTooLargeError, UnreadableFileError
from recommendations.store.live import fetch, writes
from recommendations.store.live.fetch import Changed
from recommendations.store.live.valkey import ValkeyAwayError
from recommendations.store.temp_tables import Report

__all__ = [
    "FileLimits", "FileTooLargeError", "StoppedError", "UnreadableFileError", "import_customers", "import_events",
    "import_items", "import_promotions",
]  # fmt: skip


def import_items(
    path: Path,
    *,
    now: datetime,
    report: Report,
    watch: Watch | None = None,
    full: Full | None = None,
    limits: FileLimits | None = None,
    maps: Mapping[str, str] | None = None,
    name: str = "",
) -> Import:
    """Import items of a file of any format that ``feeds`` reads into the catalogue.

    ``maps``: the file's own name of a column → ours; ``name`` is where the file came from; with ``full`` what the file
    lacks is retired. Raises UnreadableFileError where there are none, FileTooLargeError where there is more than the
    limits allow, and StoppedError.
    """
    opener = partial(open_feed, plan=ReadingPlan(now=now, maps=maps or {}), limits=limits)
    source = FileSource(opener=opener, limits=limits, name=name)
    imported = bulk_import.import_items(
        path, currency=settings.SHOP_CURRENCY, now=now, report=report, watch=watch, full=full, source=source
    )
    transaction.on_commit(lambda: fetch.announce(Changed.CATALOGUE))
    transaction.on_commit(join_waiting)
    return imported


def import_events(path: Path, *, now: datetime, report: Report, system: str = "", item_id: str = "") -> Import:
    """Import events of a CSV or Parquet file, or of one of another system's calls, each once.

    ``item_id``: the field of that system's products that our items are called by, where it is not the usual one.
    Raises UnreadableFileError where there are none.
    """
    opener = partial(open_calls, system=system, item_id=item_id) if system else open_own
    source = FileSource(opener=opener)
    imported = event_import.import_events(
        path, currency=settings.SHOP_CURRENCY, now=now, report=report, source=source, calls=bool(system)
    )
    if ModelVersion.objects.live().exists():  # it has not learned from these, so that they count as just done
        transaction.on_commit(_catch_up)
    return imported


def import_promotions(path: Path, *, now: datetime, report: Report) -> Import:
    """Import the promotion plan of a file for the next run to learn; raises UnreadableFileError where there is none."""
    return bulk_import.import_promotions(path, now=now, report=report)


def import_customers(path: Path, *, now: datetime, report: Report) -> Import:
    """Import what the shop says of its customers; raises UnreadableFileError where the file says nothing."""
    del now
    return bulk_import.import_customers(path, report=report)


def _catch_up() -> None:
    with suppress(ValkeyAwayError):
        writes.rebuild()
