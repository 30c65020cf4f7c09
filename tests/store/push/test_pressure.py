"""The proof that no rule of pressure was broken finds what broke one, under the rules that counted then."""

from datetime import datetime, time, timedelta

import pytest

from recommendations.models import AuditEntry, Contact, CustomerAlias, Message
from recommendations.push_terms import MessageState
from recommendations.store.push.pressure import prove
from tests.push_records import NOW, contact, pressure
from tests.store.push.test_people import message

pytestmark = pytest.mark.django_db

ONE_A_DAY = [{"channel": "email", "most": 1, "hours": 24}]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _rules() -> None:
    pressure(caps=ONE_A_DAY, created_at=NOW - timedelta(days=60))


def sent(address: object, at: datetime, **fields: object) -> Message:
    """A message that was decided an hour before it left."""
    one = message(address, handed_at=at, due_at=at, **fields)  # type: ignore[arg-type]
    Message.objects.filter(pk=one.pk).update(created_at=at - HOUR)
    Contact.objects.update(changed_at=NOW - timedelta(days=90))
    return one


def test_what_kept_to_the_rules_is_no_breach() -> None:
    ann, bo = contact("ann"), contact("bo")
    for days in (0, 1, 2):
        sent(ann, NOW - timedelta(days=days))
        sent(bo, NOW - timedelta(days=days))
    sent(ann, NOW - HOUR, state=MessageState.REFUSED)  # nobody got it
    proof = prove("UTC")
    assert (proof.messages, proof.broken, proof.without_their_hours, proof.without_rules) == (6, 0, 0, 0)


def test_one_too_many_in_a_window_breaks_a_cap_once() -> None:
    ann = contact("ann")
    sent(ann, NOW - 23 * HOUR, state=MessageState.UNKNOWN)
    sent(ann, NOW)
    proof = prove("UTC")
    assert (proof.messages, proof.broken, proof.over_a_cap, proof.in_quiet_hours) == (2, 1, 1, 0)


def test_keys_that_are_one_person_have_one_cap() -> None:
    ann, visitor = contact("ann"), contact("visitor")
    sent(ann, NOW - 23 * HOUR)
    sent(visitor, NOW)
    assert prove("UTC").broken == 0
    CustomerAlias.objects.create(
        anonymous_id=visitor.contact_id, customer_id=ann.contact_id, source="sign in"
    )  # fmt: skip
    assert prove("UTC").over_a_cap == 1


@pytest.mark.parametrize(
    ("zone", "hour", "minute", "second", "broken"),
    [
        ("", 20, 59, 59, 0), ("", 21, 0, 30, 0), ("", 21, 1, 1, 1), ("", 7, 59, 0, 1), ("", 8, 0, 0, 0),
        ("Asia/Tokyo", 12, 30, 0, 1), ("Asia/Tokyo", 23, 30, 0, 0),
    ],
)  # fmt: skip
def test_quiet_hours_are_those_where_the_customer_lives(
    zone: str, hour: int, minute: int, second: int, broken: int
) -> None:
    ann = contact("ann", time_zone=zone)
    sent(ann, NOW.replace(hour=hour, minute=minute, second=second))
    proof = prove("UTC")
    assert (proof.broken, proof.in_quiet_hours) == (broken, broken)


def test_a_contacts_own_limits_count_and_what_changed_since_cannot_be_judged() -> None:
    ann = contact("ann", quiet_from=time(11), quiet_until=time(13), most_a_week=1)
    sent(ann, NOW - timedelta(days=3))
    sent(ann, NOW)
    proof = prove("UTC")
    assert (proof.broken, proof.over_a_cap, proof.in_quiet_hours) == (2, 1, 2)
    Contact.objects.update(changed_at=NOW)
    proof = prove("UTC")
    assert (proof.broken, proof.without_their_hours) == (0, 2)


def test_the_rules_are_those_that_counted_between_the_decision_and_the_hand_over() -> None:
    ann = contact("ann")
    sent(ann, NOW - 3 * HOUR)
    sent(ann, NOW)
    assert prove("UTC").broken == 1
    looser = pressure(number=2, caps=[], is_default=False, created_at=NOW - 2 * HOUR)
    assert prove("UTC").broken == 0
    looser.created_at = NOW + HOUR
    looser.save()
    assert prove("UTC").broken == 1


def test_what_staff_let_leave_again_is_left_out_and_counted() -> None:
    ann = contact("ann")
    sent(ann, NOW - 3 * HOUR)
    again = sent(ann, NOW, tries=2)
    assert prove("UTC").broken == 1
    entry = AuditEntry.objects.create(verb="send again", object_type="campaign", object_id=str(again.campaign_id))
    AuditEntry.objects.filter(pk=entry.pk).update(at=NOW - HOUR / 2)
    proof = prove("UTC")
    assert (proof.messages, proof.broken, proof.sent_again) == (2, 0, 1)
