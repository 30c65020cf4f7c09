"""Small chores between the stores: partitions ahead of time, served slates and what came of them, lost live state."""

from datetime import datetime, timedelta

from django.conf import settings

from recommendations.fields import PAST
from recommendations.ingest import waiting
from recommendations.store.attribution.settle import settle
from recommendations.store.events import partitions
from recommendations.store.events import waiting as store_waiting
from recommendations.store.events.source_hours import write_source_hours
from recommendations.store.imports.columnar import own_tables
from recommendations.store.live import writes
from recommendations.store.live.valkey import ValkeyAwayError
from recommendations.store.models import work_folders
from recommendations.store.push import retention
from recommendations.store.retention_rules import all_days, days_for
from recommendations.store.serving import answer_parts, slates
from recommendations.store.temp_tables import Report

__all__ = [
    "ValkeyAwayError", "drop_import_tables", "forget_answers", "forget_messages", "forget_resting_work",
    "forget_waiting", "join_waiting", "prepare_partitions", "rebuild_live_state", "restore_live_state",
    "write_slates", "write_source_hours",
]  # fmt: skip

AHEAD = timedelta(days=62)
RESUMED = timedelta(days=1)
VERDICT_DAYS, MESSAGE_DAYS = 90, 400  # that are kept of push; links in messages work as long


def prepare_partitions(*, now: datetime) -> int:
    """Add partitions for all that the API accepts, from the oldest on to two months ahead; how many are new."""
    days = all_days()
    made = 0
    for table, kind in partitions.KINDS.items():
        kept = min(PAST, timedelta(days=days_for(kind, days)))
        made += partitions.prepare_partitions(now - kept, now + AHEAD, tables=(table,))
    return made


def drop_import_tables() -> int:
    """Drop the tables that imports left when they were killed; returns how many."""
    return own_tables.drop_left_over()


def forget_resting_work(*, now: datetime) -> None:
    """Forget the work in parts of runs that were broken off, and that nobody resumed for a day."""
    work_folders.forget_resting_work(before=now - RESUMED)


def write_slates() -> int:
    """Move served slates from Valkey to PostgreSQL, then settle what came of slates; returns how many were written."""
    written = slates.write_slates()
    while settle():
        pass
    return written


def join_waiting() -> int:
    """Make events of what waited for items that came by whatever way; how many lines."""
    return waiting.join_waiting()


def forget_waiting(*, now: datetime) -> int:
    """Forget what waited too long for its item; how many lines."""
    return store_waiting.forget_waiting(now=now)


def forget_answers(*, now: datetime) -> int:
    """Forget what answers older than ``ANSWERS_DAYS`` were made of; returns how many parts."""
    return answer_parts.forget_parts((now - timedelta(days=settings.ANSWERS_DAYS)).date())


def forget_messages(*, now: datetime) -> int:
    """Forget verdicts on people after 90 days, and messages with what came of them after 400; how many rows."""
    verdicts = retention.forget_verdicts(before=now - timedelta(days=VERDICT_DAYS))
    return verdicts + retention.forget_messages(before=now - timedelta(days=MESSAGE_DAYS))


def restore_live_state() -> int:
    """Write to Valkey again what customers did lately, where it has forgotten; returns how many events."""
    return writes.rebuild_if_lost()


def rebuild_live_state(*, report: Report) -> int:
    """Rebuild all that Valkey holds and PostgreSQL knows; returns how many events. Raises ValkeyAwayError."""
    return writes.rebuild(afresh=True, report=report)
