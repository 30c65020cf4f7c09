"""What was done shortly before an alarm, and who has seen it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recommendations.models import Alarm, AuditEntry, ModelVersion, RuleBook, Run, Staff
from recommendations.services.access import audit
from recommendations.services.watches.alarms import causes_of, mark_seen, unmark_seen
from recommendations.terms import VersionStatus

pytestmark = pytest.mark.django_db
ONSET = datetime(2026, 9, 15, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def alarm(**fields: Any) -> Alarm:
    given = {
        "rate": "clicks", "placement": "home", "direction": "fall", "onset": ONSET, "raised_at": ONSET,
        "last_at": ONSET, "change": -0.19,
    }  # fmt: skip
    return Alarm.objects.create(**given | fields)


def done(verb: str, at: datetime, *, kind: str = "rulebook") -> AuditEntry:
    entry = audit.record(by=None, verb=verb, subject=RuleBook(number=8))
    AuditEntry.objects.filter(pk=entry.pk).update(at=at, object_type=kind)
    return entry


def test_what_came_nearest_to_the_onset_comes_first() -> None:
    early, just = done("publish", ONSET - 359 * MINUTE), done("publish", ONSET - 5 * MINUTE)
    version = ModelVersion.objects.create(
        run=Run.objects.create(now=ONSET), status=VersionStatus.READY, live_since=ONSET - 60 * MINUTE
    )
    within = done("change", ONSET + 30 * MINUTE, kind="placement")  # the onset is an hour, not a minute
    done("publish", ONSET - 361 * MINUTE)
    done("publish", ONSET + 60 * MINUTE)
    done("draft", ONSET - MINUTE, kind="blendweights")  # which nobody is served
    done("sign in", ONSET - MINUTE, kind="staff")
    own = alarm()
    causes = causes_of([own])[own.pk]
    assert [cause.entry or cause.model for cause in causes] == [just, within, version]
    own.onset = ONSET - 300 * MINUTE
    assert [cause.entry for cause in causes_of([own])[own.pk]][:1] == [early]


def test_who_has_seen_an_alarm_ends_it_and_may_take_that_back() -> None:
    staff = Staff.objects.create_user("ana@example.com", "correct horse", role="merchandiser", name="Ana")
    own = alarm()
    mark_seen(alarm=own, by=staff, now=ONSET)
    mark_seen(alarm=own, by=None, now=ONSET + MINUTE)  # it was seen already
    own.refresh_from_db()
    assert (own.seen_by, own.seen_at, Alarm.objects.unseen().count()) == (staff, ONSET, 0)
    unmark_seen(alarm=own, by=staff)
    own.refresh_from_db()
    assert (own.seen_by, own.seen_at, Alarm.objects.unseen().count()) == (None, None, 1)
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", "object_type")) == [
        ("mark as seen", "alarm"), ("undo", "alarm"),
    ]  # fmt: skip
    mark_seen(alarm=own, by=staff, now=ONSET)
    Alarm.objects.update(ended_at=ONSET)
    with pytest.raises(Alarm.DoesNotExist):
        unmark_seen(alarm=own, by=staff)
