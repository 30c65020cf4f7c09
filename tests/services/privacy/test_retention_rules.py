"""Rules on how long things are kept: from when on they hold, what a change of them takes, and who may change them."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import transaction
from django.utils import timezone

from analytics.queries.privacy.retention import change
from recommendations.models import (
    AuditEntry,
    RetentionDrop,
    RetentionRule,
    Staff,
)
from recommendations.privacy_terms import RetentionKind
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.privacy import retention, retention_needs
from recommendations.services.privacy.retention import DaysOutOfRangeError, RuleIsTheSameError, set_rule
from recommendations.store.events import partitions
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.retention import months
from recommendations.store.retention_rules import all_days, days_in_force
from recommendations.store.temp_tables import run
from recommendations.terms import Role
from tests.services.privacy.old_acts import DAY, NOW, customer, event, rule

pytestmark = pytest.mark.django_db


def test_a_shorter_rule_lets_be_for_an_hour() -> None:
    """Lists go with events, from which they are counted; an erased id is remembered as long as events are taken."""
    usual = {"events": 730, "event_files": 730, "slates": 400, "refused_rows": 30, "trail": 1_095, "tombstones": 1_095,
             "receipts": 2_190}  # fmt: skip
    assert all_days() == usual | {"event_files": 84}
    assert days_in_force(now=NOW) == usual
    rule(RetentionKind.EVENTS, 84, at=NOW - timedelta(minutes=30))
    assert all_days()["events"] == 84
    assert days_in_force(now=NOW) == usual
    assert days_in_force(now=NOW + timedelta(minutes=31)) == usual | {"events": 84, "event_files": 84, "slates": 84}
    rule(RetentionKind.EVENTS, 3_650, at=NOW)
    assert days_in_force(now=NOW) == usual | {"events": 3_650, "event_files": 3_650, "tombstones": 3_650}


def test_a_rule_is_checked_noted_and_stays(django_user_model: type[Staff]) -> None:
    admin = Staff.objects.create_user("ada@example.com", "a long password", role=Role.ADMIN)
    for days in (83, 3_651):
        with pytest.raises(DaysOutOfRangeError):
            set_rule(RetentionKind.EVENTS, days, note="why", by=admin, now=NOW)
    with pytest.raises(RuleIsTheSameError):
        set_rule(RetentionKind.EVENTS, 730, note="why", by=admin, now=NOW)
    with pytest.raises(NoteNeededError):
        set_rule(RetentionKind.EVENTS, 365, note="  ", by=admin, now=NOW)
    stored = set_rule(RetentionKind.EVENTS, 365, note="Our policy of 1993", by=admin, now=NOW)
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after, entry.note) == ({"days": 730}, {"days": 365}, "Our policy of 1993")
    with pytest.raises(Exception, match="only added"), transaction.atomic():
        RetentionRule.objects.filter(pk=stored.pk).update(days=9)
    admin.delete()
    assert RetentionRule.objects.get().by is None


def test_what_a_change_takes_is_told_before() -> None:
    """Of four customers two have nothing younger than 84 days; one of these has nothing at all."""
    now = timezone.now()
    prepare_partitions(now - 300 * DAY, now)
    run("ANALYZE recommendations_event")  # few rows are counted, whatever was there when the server last looked
    names = {"both": (200, 2), "old": (200,), "older": (250,), "new": (1,), "nothing": ()}
    for name, ages in names.items():
        whose = customer(name)
        for days in ages:
            event(whose, now - days * DAY)
    event(None, now)
    [events] = retention.what_goes(RetentionKind.EVENTS, 84, now=now)
    assert (events.kind, events.rows) == ("events", 3)
    old, older = (f"{now - days * DAY:%Y-%m}" for days in (200, 250))
    assert {month: count for month, count in events.months.items() if count} == {old: 2, older: 1}
    assert len(events.months) > 2  # those that are empty go with them
    assert change(RetentionKind.EVENTS, 84, now=now).goes == [f"Events: about 3 rows, the months {older} to {old}"]
    assert retention.what_goes(RetentionKind.EVENTS, 731, now=now) == []
    assert retention_needs.count_unknown(RetentionKind.EVENTS, 84, now=now) == 2
    assert len(retention_needs.needed_for(RetentionKind.EVENTS, 84)) == 5
    assert len(retention_needs.needed_for(RetentionKind.EVENTS, 365)) == 1
    assert retention_needs.needed_for(RetentionKind.TRAIL, 365) == []


def test_an_upgrade_deletes_nothing_and_a_set_to_try_keeps_all() -> None:
    """What is there decides: events of 1,000 days, a trail of 1,200; lists, of which there are none, as usual."""
    now = timezone.now()
    hour = timedelta(hours=1)
    prepare_partitions(now - 1_001 * DAY, now - 1_000 * DAY, tables=(months.EVENT,))
    event(None, now - 1_000 * DAY - hour)
    event(None, now)
    entry = AuditEntry.objects.create(verb="change", object_type="item", object_id="1")
    AuditEntry.objects.filter(pk=entry.pk).update(at=now - 1_200 * DAY - hour)
    run(import_module("recommendations.migrations.0003_version_0_3").KEEP_WHAT_IS_THERE)
    assert all_days() == all_days([]) | {"events": 1_031, "trail": 1_231}
    assert retention.keep_all_events(note="made", now=now) is None
    RetentionRule.objects.all().delete()
    assert retention.keep_all_events(note="made", now=now).days == 1_032


def test_a_month_that_was_dropped_is_made_again_once_more_is_kept() -> None:
    at = timezone.now() - 1_500 * DAY
    name = partitions.partition_of(months.EVENT, partitions.month_of(at))
    RetentionDrop.objects.create(kind=RetentionKind.EVENTS, partition=name, rows=1)
    assert prepare_partitions(at, at, tables=(months.EVENT,)) == 0
    assert partitions.months_gone([at]) == {at}
    rule(RetentionKind.EVENTS, 3_650)
    assert prepare_partitions(at, at, tables=(months.EVENT,)) == 1
