"""Days for which things are kept: by the newest rule of each kind, or the usual ones where nobody has set any."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import Max
from django.utils import timezone

from recommendations.models import Event, EventFile, RetentionRule
from recommendations.privacy_terms import RETENTION, RetentionKind
from recommendations.store.process_held import ProcessHeld

LET_BE = timedelta(hours=1)
"""So long nothing goes that a new rule shortened: staff may take it back, and processes hear of it."""
SECONDS = 30.0  # for which a process remembers a rule


type Rules = Sequence[tuple[str, int, datetime]]
"""Kind, days and moment of every rule, the oldest first."""


def stored_rules() -> Rules:
    return list(RetentionRule.objects.order_by("at", "pk").values_list("kind", "days", "at"))


def days_kept(kind: RetentionKind) -> int:
    """Days for which a kind is kept, by its own rule alone."""
    return all_days()[kind]


def all_days(rules: Rules | None = None) -> dict[RetentionKind, int]:
    """``days_kept`` of every kind."""
    newest = {RetentionKind(kind): days for kind, days, _at in (stored_rules() if rules is None else rules)}
    return {kind: span.usual for kind, span in RETENTION.items()} | newest


def days_for(kind: RetentionKind, days: dict[RetentionKind, int]) -> int:
    """Days of a kind beside those of the others: what came of lists is counted from events, so that lists go with
    them; no erased id may be forgotten while an event of before its erasure is still taken; and events are in files
    while the database has them.
    """
    if kind == RetentionKind.SLATES:
        return min(days[kind], days[RetentionKind.EVENTS])
    if kind in {RetentionKind.TOMBSTONES, RetentionKind.EVENT_FILES}:
        return max(days[kind], days[RetentionKind.EVENTS])
    return days[kind]


def days_in_force(*, now: datetime, lately: timedelta = LET_BE, rules: Rules | None = None) -> dict[RetentionKind, int]:
    """Days by which things go now, of every kind: the longest that held in the last hour, or whatever is ``lately``."""
    told = stored_rules() if rules is None else rules
    longest = all_days([rule for rule in told if rule[2] <= now - lately])
    for kind, days, at in told:
        if at > now - lately:
            longest[RetentionKind(kind)] = max(longest[RetentionKind(kind)], days)
    return {kind: days_for(kind, longest) for kind in longest}


def newest_event(*, now: datetime) -> datetime | None:
    """The moment of the newest event that is not ahead, from which the days of events are counted back.

    So a record that ended long ago, such as a public one to try Recsite with, is not gone the night after.
    """
    newest: datetime | None = Event.objects.filter(occurred_at__lte=now).aggregate(at=Max("occurred_at"))["at"]
    return newest


def events_kept_from(*, now: datetime, kind: RetentionKind = RetentionKind.EVENTS) -> datetime | None:
    """The moment before which no event is kept in the database, or by the ``kind`` in files; None where there are no
    events yet.
    """
    newest = newest_event(now=now)
    return newest and newest - timedelta(days=days_for(kind, all_days()))


def archived_files() -> list[EventFile]:
    """Files that are all that there is of their months, to which nothing is added, the oldest first."""
    return list(EventFile.objects.filter(archived=True).order_by("month"))


def days_taken() -> int:
    """Days back to which single events are taken: as long as they are kept, and no month of files alone is reached."""
    days, archived = days_kept(RetentionKind.EVENTS), archived_files()
    return min(days, (timezone.now() - archived[-1].end).days) if archived else days


class EventDays:
    """``days_taken``, remembered for half a minute; while PostgreSQL is away, what it said last."""

    def __init__(self) -> None:
        self._days, self._until = RETENTION[RetentionKind.EVENTS].usual, 0.0

    def look(self) -> int:
        if time.monotonic() >= self._until:
            try:
                self._days = days_taken()
            except DatabaseError:
                return self._days
            self._until = time.monotonic() + SECONDS
        return self._days


event_days = ProcessHeld(EventDays)
