"""Alarms for staff: what was done shortly before each, and that somebody has seen it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from recommendations.models import Alarm, AuditEntry, ModelVersion, Staff
from recommendations.services.access import audit

BEFORE = timedelta(hours=6)
"""How long before its onset what was done may be the cause of an alarm."""
MOST_CAUSES = 3
CHANGES_NOTHING = frozenset({
    "ask for approval", "cancel", "cancel practice", "create", "delete practice", "discard", "draft", "judge",
    "mark as seen", "no longer ask for approval", "practise", "rename", "send back", "suggest", "tune",
})  # fmt: skip
"""Verbs of the trail after which customers see the same lists as before."""
NOT_A_CAUSE = frozenset({"alarm", "apikey", "campaign", "judgement", "rule", "run", "segment", "staff"})
"""Kinds of objects that change no list by themselves: a rule does with its book, a run with its model."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What was done, or which model went live, shortly before an alarm's onset."""

    at: datetime
    entry: AuditEntry | None = None
    model: ModelVersion | None = None


@transaction.atomic
def mark_seen(*, alarm: Alarm, by: Staff | None, now: datetime) -> Alarm:
    """End an alarm because somebody has seen it; one that is over stays as it is."""
    stored = Alarm.objects.select_for_update().get(pk=alarm.pk)
    if stored.ended_at is None and stored.seen_at is None:
        stored.seen_at, stored.seen_by = now, by
        stored.save(update_fields=["seen_at", "seen_by"])
        audit.record(by=by, verb="mark as seen", subject=stored)
    return stored


@transaction.atomic
def unmark_seen(*, alarm: Alarm, by: Staff | None) -> Alarm:
    """Take back that somebody has seen an alarm. Raises ``Alarm.DoesNotExist`` where it is over, or rings already."""
    stored = Alarm.objects.select_for_update().lasting().exclude(seen_at=None).get(pk=alarm.pk)
    stored.seen_at = stored.seen_by = None
    stored.save(update_fields=["seen_at", "seen_by"])
    audit.record(by=by, verb="undo", subject=stored)
    return stored


def causes_of(alarms: Sequence[Alarm]) -> dict[int, list[Cause]]:
    """What may have caused each alarm, by key: what came nearest to its onset first."""
    if not alarms:
        return {}
    spans = {alarm.pk: (alarm.onset - BEFORE, alarm.onset + _first_step(alarm)) for alarm in alarms}
    first, last = min(start for start, _end in spans.values()), max(end for _start, end in spans.values())
    entries = AuditEntry.objects.filter(at__gte=first, at__lt=last).exclude(object_type__in=NOT_A_CAUSE)
    entries = entries.exclude(verb__in=CHANGES_NOTHING).select_related("staff", "api_key")
    models = ModelVersion.objects.filter(live_since__gte=first, live_since__lt=last)
    known = [Cause(at=entry.at, entry=entry) for entry in entries]
    known += [Cause(at=version.live_since, model=version) for version in models if version.live_since]
    return {
        alarm.pk: _nearest([each for each in known if spans[alarm.pk][0] <= each.at < spans[alarm.pk][1]], alarm.onset)
        for alarm in alarms
    }


def _nearest(causes: list[Cause], onset: datetime) -> list[Cause]:
    return sorted(causes, key=lambda each: abs(each.at - onset))[:MOST_CAUSES]


def _first_step(alarm: Alarm) -> timedelta:
    return timedelta(days=1) if alarm.by_day else timedelta(hours=1)
