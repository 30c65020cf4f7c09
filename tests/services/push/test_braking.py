"""The brake: what is far more than was approved waits, is let go under a fresh decision, or is called off."""

from datetime import datetime, timedelta

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from recommendations.models import AuditEntry, Campaign, Considered, Message, Occurrence, Permission, ShopOccasion
from recommendations.push_terms import CampaignKind, MessageState, OccurrenceState
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.push import braking, sendings
from recommendations.services.push.braking import NotRunningError, NotWaitingError, TooLateError, call_off, release
from recommendations.services.push.sendings import decide_pushes
from tests.push_records import contact
from tests.services.push.test_plans import launch, rules, written

__all__ = ["rules"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    """This moment; in the last hour of a day the beginning of the next, so that an hour from then is of one day."""
    here = timezone.localtime()
    return here if here.hour < 23 else (here + timedelta(hours=1)).replace(hour=0, minute=5)


def entries() -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(object_type="campaign")


def held_back(now: datetime, kind: CampaignKind = CampaignKind.ONCE, people: int = 20) -> Occurrence:
    """A sending of a campaign that was approved for three."""
    keys = [contact(f"u{number}").contact_id for number in range(people)]
    campaign = written("Weekly", kind)
    if kind is CampaignKind.TRIGGERED:
        ShopOccasion.objects.bulk_create(
            ShopOccasion(campaign=campaign, customer_id=key, key="order-1", at=now - MINUTE) for key in keys
        )
    live = launch(campaign, now)
    live.version.expected = {"now": 3}
    live.version.save()
    decide_pushes(now=now)
    return Occurrence.objects.get()


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sendings, "BRAKE_PEOPLE", 5)


@pytest.mark.parametrize("kind", [CampaignKind.ONCE, CampaignKind.TRIGGERED])
def test_what_is_let_go_is_decided_afresh_and_reserved(now: datetime, kind: CampaignKind) -> None:
    sending = held_back(now, kind)
    assert (sending.state, Message.objects.count()) == (OccurrenceState.WAITING, 0)
    decide_pushes(now=now + MINUTE)  # nothing but somebody's word lets it go
    gone = Considered.objects.filter(verdict="now").order_by("customer")[0].customer_id
    Permission.objects.filter(contact=gone).update(state="withdrawn")
    release(occurrence=sending, note="The new shoppers of May", by=None, now=now + MINUTE)
    assert Message.objects.count() == 0
    decide_pushes(now=now + 2 * MINUTE)
    sending.refresh_from_db()
    due = Message.objects.filter(state=MessageState.DUE)
    assert sending.state == OccurrenceState.DECIDED
    assert sending.counts["now"] == due.count() > 10
    assert Considered.objects.get(customer=gone).verdict == "no_consent"
    assert not due.filter(customer=gone).exists()
    entry = entries().get()
    assert (entry.verb, entry.note, entry.after) == ("release", "The new shoppers of May", {"sending": sending.key})
    decide_pushes(now=now + 3 * MINUTE)
    assert due.count() == sending.counts["now"]
    with pytest.raises(NotWaitingError):
        release(occurrence=sending, note="again", by=None, now=now)


def test_who_left_the_audience_while_it_waited_has_no_verdict_any_more(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending = held_back(now)
    stays = list(Considered.objects.values_list("customer", flat=True)[:30])
    monkeypatch.setattr(sendings, "people_in", lambda **_groups: stays)
    release(occurrence=sending, note="fine", by=None, now=now)
    decide_pushes(now=now)
    assert sorted(Considered.objects.values_list("customer", flat=True)) == sorted(stays)


def test_what_happened_while_a_triggered_sending_waited_is_not_lost(now: datetime) -> None:
    sending = held_back(now, CampaignKind.TRIGGERED)
    late = contact("u30").contact_id
    at = now + 20 * MINUTE
    ShopOccasion.objects.create(campaign=sending.campaign, customer_id=late, key="order-2", at=at)
    release(occurrence=sending, note="fine", by=None, now=at + 20 * MINUTE)
    decide_pushes(now=at + 20 * MINUTE)
    today = Occurrence.objects.get(pk=sending.pk)
    assert Considered.objects.filter(customer=late).exists()
    assert sum(today.counts[verdict] for verdict in today.counts if verdict != "would_send") == 21


def test_what_is_called_off_reaches_nobody(now: datetime) -> None:
    sending = held_back(now)
    with pytest.raises(NoteNeededError):
        call_off(occurrence=sending, note=" ", by=None, now=now)
    call_off(occurrence=sending, note="A wrong audience", by=None, now=now)
    decide_pushes(now=now + MINUTE)
    sending.refresh_from_db()
    assert (sending.state, sending.finished_at, Message.objects.count()) == (OccurrenceState.CANCELLED, now, 0)
    assert entries().get().verb == "call off"
    for act in (release, call_off):
        with pytest.raises(NotWaitingError):
            act(occurrence=sending, note="again", by=None, now=now)


def test_what_cannot_leave_is_not_let_go(now: datetime) -> None:
    sending = held_back(now)
    with pytest.raises(NoteNeededError):
        release(occurrence=sending, note="", by=None, now=now)
    with pytest.raises(TooLateError):
        release(occurrence=sending, note="late", by=None, now=now + timedelta(hours=72))
    Campaign.objects.update(paused_at=now)
    with pytest.raises(NotRunningError):
        braking.release(occurrence=sending, note="paused", by=None, now=now)
    sending.refresh_from_db()
    assert (sending.state, entries().count()) == (OccurrenceState.WAITING, 0)
