"""How long things are kept: the rules, what a change of one would take away, and what goes every night."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from recommendations.models import RetentionDrop, RetentionRule, Staff
from recommendations.privacy_terms import RETENTION, RetentionKind
from recommendations.services.access import audit
from recommendations.services.access.audit import needed_note
from recommendations.services.privacy.receipts import let_go
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.erasure.legal_holds import forget_ended_holds
from recommendations.store.erasure.log import forget_lines
from recommendations.store.events.generations import settled
from recommendations.store.events.partitions import KINDS, month_of
from recommendations.store.live.expiry import forget_acts
from recommendations.store.retention import months, people, rows
from recommendations.store.retention.months import EVENT, FILE, SLATE, StoredMonth
from recommendations.store.retention_rules import (
    Rules,
    all_days,
    days_for,
    days_in_force,
    days_kept,
    newest_event,
    stored_rules,
)

LOCK = 7_264_194
LATE_AFTER = timedelta(days=32)
"""Beyond its rule the oldest row may be so old: a month goes when its last day is over."""
WATCHED = timedelta(days=1)
"""For so long a rule that was shortened has had no night yet."""
TABLES: Mapping[RetentionKind, str] = {kind: table for table, kind in KINDS.items()} | {RetentionKind.EVENT_FILES: FILE}
log = structlog.get_logger(__name__)


class DaysOutOfRangeError(Exception):
    """The days are fewer or more than the kind may be kept."""

    def __init__(self, kind: RetentionKind) -> None:
        super().__init__(kind)
        self.least, self.most = RETENTION[kind].least, RETENTION[kind].most


class RuleIsTheSameError(Exception):
    """The kind is kept for so many days already."""


@dataclass(frozen=True, kw_only=True)
class KeptKind:
    """A kind with its days: its own, and those that hold beside the others; its oldest row, and what goes next.

    ``goes_at`` is the night in which the next part goes, with its rows and bytes, of rows that go one by one none.
    """

    kind: RetentionKind
    days: int
    holds: int
    oldest: datetime | None
    late: bool
    goes_at: datetime | None = None
    rows: int | None = None
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class GoingRows:
    """Rows of a kind that go; of kinds that have months, the rows of each month, and the bytes of all."""

    kind: RetentionKind
    rows: int
    size: int = 0
    months: Mapping[str, int] = field(default_factory=dict)


@transaction.atomic
def set_rule(kind: RetentionKind, days: int, *, note: str, by: Staff | None, now: datetime) -> RetentionRule:
    """Keep a kind for so many days from now on. What is shortened goes an hour later at the earliest, by night.

    Raises DaysOutOfRangeError, RuleIsTheSameError and NoteNeededError.
    """
    before = all_days()[kind]
    check_days(kind, days, kept=before)
    stored = RetentionRule(kind=kind, days=days, note=needed_note(note), by=by, at=now)
    stored.save()
    audit.record(by=by, verb="change", subject=stored, note=stored.note, before={"days": before}, after={"days": days})
    return stored


def keep_all_events(*, note: str, now: datetime) -> RetentionRule | None:
    """Keep events as long as the oldest needs, whatever staff may set: for records that are there to try Recsite with.

    None where they are kept that long anyway.
    """
    oldest, newest = rows.oldest_rows()[RetentionKind.EVENTS], newest_event(now=now)
    span = (newest - oldest).days if oldest and newest else 0
    if span < all_days()[RetentionKind.EVENTS]:
        return None
    return RetentionRule.objects.create(kind=RetentionKind.EVENTS, days=span + LATE_AFTER.days, note=note, at=now)


def check_days(kind: RetentionKind, days: int, *, kept: int) -> None:
    """Check the days of a kind that is kept for so many by now. Raises DaysOutOfRangeError and RuleIsTheSameError."""
    if not RETENTION[kind].least <= days <= RETENTION[kind].most:
        raise DaysOutOfRangeError(kind)
    if kept == days:
        raise RuleIsTheSameError


def kept_kinds(*, now: datetime) -> list[KeptKind]:
    """Every kind, as staff see it."""
    rules = stored_rules()
    own, oldest, late = all_days(rules), rows.oldest_rows(), set(late_kinds(now=now, rules=rules))
    stored = months.stored_months(*TABLES.values())
    kept = []
    for kind in RetentionKind:
        holds = days_for(kind, own)
        each = KeptKind(kind=kind, days=own[kind], holds=holds, oldest=oldest[kind], late=kind in late)
        if (since := oldest[kind]) and kind in TABLES:
            own_months = [month for month in stored if month.table == TABLES[kind]]
            each = replace(each, **_next_to_go(own_months, since=since, days=holds, now=now))
        kept.append(each)
    return kept


def _next_to_go(stored: Sequence[StoredMonth], *, since: datetime, days: int, now: datetime) -> dict[str, Any]:
    """The night in which the next months go, at the earliest the next one, with what goes in it; months of before the
    oldest row, of ``since``, have nothing in them.
    """
    kept, filled = timedelta(days=days), [month for month in stored if month.end > since]
    if not filled:
        return {}
    today = timezone.localtime(now, ZoneInfo(settings.SHOP_TIME_ZONE)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    goes_at = max(filled[0].end + kept, today + timedelta(days=1))
    going = [month for month in filled if month.end + kept <= goes_at]
    counts = [month.rows for month in going if month.rows is not None]
    size = sum(month.size for month in going)
    return {"goes_at": goes_at, "rows": sum(counts) if len(counts) == len(going) else None, "size": size}


def late_kinds(*, now: datetime, rules: Rules | None = None) -> list[RetentionKind]:
    """Kinds of which the oldest row should long be gone."""
    limits, oldest = _limits(days_in_force(now=now, lately=WATCHED, rules=rules), now=now), rows.oldest_rows()
    return [kind for kind, at in oldest.items() if at is not None and at < limits[kind] - LATE_AFTER]


def what_goes(kind: RetentionKind, days: int, *, now: datetime) -> list[GoingRows]:
    """What goes with the next night because a kind is kept for so many days, and not as many as now."""
    before = all_days()
    after = {**before, kind: days}
    fewer = {each: days_for(each, after) for each in after if days_for(each, after) < days_for(each, before)}
    return [going for going in _going(_limits(fewer, now=now)) if going.rows]


def stay_in_files(days: int) -> bool:
    """Whether events that the database keeps for so many days stay in files afterwards."""
    return days < days_kept(RetentionKind.EVENT_FILES)


def due(*, now: datetime) -> list[GoingRows]:
    """What goes by the rules that are in force; what a dry run tells."""
    return _going(_limits(days_in_force(now=now), now=now))


def expire(*, now: datetime) -> list[RetentionDrop]:
    """Let go of what was kept long enough; what went. Of two processes one does nothing; a second time nothing goes.

    Lists go before the events that they were counted from, and customers after their last event.
    """
    with advisory_lock(LOCK) as alone:
        if not alone:
            return []
        limits = _limits(days_in_force(now=now), now=now)
        held = people.held_customers(now=now)
        people.release(held)
        forget_ended_holds(now=now)
        dropped = _drop_months(limits, held=held, now=now)
        kinds = set(rows.OF_ROWS)
        if not _forget_lines(limits[RetentionKind.TOMBSTONES]):
            kinds.remove(RetentionKind.TOMBSTONES)
        dropped += [drop for kind in rows.OF_ROWS if kind in kinds and (drop := _delete(kind, limits[kind], now=now))]
        if any(drop.kind == RetentionKind.EVENTS for drop in dropped):
            forget_acts(month_of(limits[RetentionKind.EVENTS]))
        _let_leave(held, now=now)
        return dropped


def go_on(*, now: datetime) -> list[RetentionDrop]:
    """Let go of months that somebody held on to when it was their turn, as a backup does; what went."""
    limits = _limits(days_in_force(now=now), now=now)
    left = any(months.months_over(table, before=limits[kind]) for kind, table in TABLES.items())
    return expire(now=now) if left else []


def _drop_months(
    limits: Mapping[RetentionKind, datetime], *, held: frozenset[int], now: datetime
) -> list[RetentionDrop]:
    """Drop months of lists, then those of events, which stay in files where these are kept longer, and old files, up to
    one that somebody holds on to: events stay while a month of lists does, as what came of a list is counted anew from
    events.
    """
    dropped, files = list[RetentionDrop](), limits[RetentionKind.EVENT_FILES]
    kinds = ((SLATE, RetentionKind.SLATES), (EVENT, RetentionKind.EVENTS), (FILE, RetentionKind.EVENT_FILES))
    for table, kind in kinds:
        for month in months.months_over(table, before=limits[kind]):
            if (drop := _drop_month(month, held=held, now=now, in_file=month.end > files)) is None:
                return dropped
            dropped.append(drop)
    return dropped


def _drop_month(month: StoredMonth, *, held: frozenset[int], now: datetime, in_file: bool) -> RetentionDrop | None:
    """Drop a month, while pseudonyms stay what they are where events are held, which name whom they follow."""
    with settled(patient=True) if held else nullcontext():
        return months.drop_month(month, held=held, now=now, in_file=in_file)


def last_drops(*, most: int) -> list[RetentionDrop]:
    """What went last, the newest first."""
    return list(RetentionDrop.objects.all()[:most])


def _forget_lines(before: datetime) -> bool:
    """Take out of the log of erasures what is to have no tombstone any more, or it would be taken for lost; whether
    that was done.
    """
    try:
        forget_lines(before)
    except OSError:
        log.exception("the log of erasures cannot be shortened")
        return False
    return True


def _let_leave(held: frozenset[int], *, now: datetime) -> None:
    """Let customers leave whose last event went, once after each night in which months did."""
    open_drops = RetentionDrop.objects.filter(customers=None)
    newest = open_drops.first()
    if newest is None:
        return
    left = people.leave(held=held, now=now)
    if left is None:
        return
    RetentionDrop.objects.filter(pk=newest.pk).update(customers=left)
    open_drops.update(customers=0)


def _limits(days: Mapping[RetentionKind, int], *, now: datetime) -> dict[RetentionKind, datetime]:
    """The moments before which nothing of a kind is kept."""
    from_events, of_events = newest_event(now=now) or now, {RetentionKind.EVENTS, RetentionKind.EVENT_FILES}
    return {kind: (from_events if kind in of_events else now) - timedelta(days=each) for kind, each in days.items()}


def _going(limits: Mapping[RetentionKind, datetime]) -> list[GoingRows]:
    """What of each kind is older than its limit, where anything is."""
    stored, going = months.stored_months(*TABLES.values()), list[GoingRows]()
    for kind, limit in limits.items():
        if kind not in TABLES:
            going.append(GoingRows(kind=kind, rows=rows.count_before(kind, limit)))
            continue
        over = [month for month in stored if month.table == TABLES[kind] and month.end <= limit]
        size, counts = sum(month.size for month in over), months.count_rows(over)
        by_month = {f"{month.first:%Y-%m}": count for month, count in zip(over, counts, strict=True)}
        going.append(GoingRows(kind=kind, rows=sum(counts), size=size, months=by_month))
    return [each for each in going if each.rows or each.months]


def _delete(kind: RetentionKind, before: datetime, *, now: datetime) -> RetentionDrop | None:
    receipts = let_go(before, now=now) if kind is RetentionKind.RECEIPTS else 0
    if not (deleted := receipts + rows.delete_before(kind, before)):
        return None
    return RetentionDrop.objects.create(kind=kind, rows=deleted, customers=0, at=now)
