"""A campaign that does harm is paused when its messages have doubled, with a reason; one that does none goes on."""

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from recommendations.models import AuditEntry, Campaign, GuardrailLook, Message, MessageEvent
from recommendations.push_terms import MessageEventKind, MessageState, PushRate
from recommendations.services.campaigns.guardrails import readings_of, watch_rates
from recommendations.services.campaigns.lifecycle import resume
from tests.push_records import NOW, campaign, contact

pytestmark = pytest.mark.django_db
KINDS = {
    PushRate.COMPLAINTS: MessageEventKind.COMPLAINED, PushRate.UNSUBSCRIBES: MessageEventKind.UNSUBSCRIBED,
    PushRate.BOUNCES: MessageEventKind.BOUNCED,
}  # fmt: skip


def sent(name: str, messages: int, *, start: int = 0) -> Campaign:
    """A live campaign with so many messages taken, all to one address."""
    address = contact(f"{name}-{start}")
    stored = Campaign.objects.filter(name=name).first()
    occurrence = stored.occurrences.get() if stored else campaign(name)
    Message.objects.bulk_create(
        Message(
            campaign=occurrence.campaign, version=occurrence.version, occurrence=occurrence, key=str(start + number),
            customer_id=address.contact_id, contact=address.contact_id, channel="email", address=address,
            state=MessageState.TAKEN, due_at=NOW - timedelta(hours=2), settled_at=NOW - timedelta(hours=1),
            expires_at=NOW,
        )
        for number in range(messages)
    )  # fmt: skip
    return occurrence.campaign


def act(stored: Campaign, kind: MessageEventKind, number: int, *, skip: int = 0) -> None:
    for message in stored.messages.order_by("pk")[skip : skip + number]:
        MessageEvent.objects.create(message=message, kind=kind, at=NOW)


@pytest.mark.parametrize(
    ("rate", "fewest", "words"),
    [
        (PushRate.COMPLAINTS, 2, "1.0% complained; the limit is 0.1%."),
        (PushRate.UNSUBSCRIBES, 5, "2.5% unsubscribed; the limit is 1.0%."),
        (PushRate.BOUNCES, 16, "8.0% went to addresses that do not exist; the limit is 5.0%."),
    ],
)
def test_a_rate_above_its_limit_for_certain_pauses_the_campaign(rate: PushRate, fewest: int, words: str) -> None:
    good, bad = sent("Good", 200), sent("Bad", 200)
    act(good, KINDS[rate], fewest - 1)
    act(bad, KINDS[rate], fewest)
    assert watch_rates(now=NOW) == 1
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (good.paused_at, bad.paused_at, bad.pause_reason) == (None, NOW, words)
    assert AuditEntry.objects.get(verb="pause").note == words
    [look] = GuardrailLook.objects.filter(fired=True)
    assert (look.campaign_id, look.guardrail, look.messages, look.count) == (bad.pk, rate, 200, fewest)


def test_before_two_hundred_messages_nothing_is_looked_at() -> None:
    stored = sent("Bad", 199)
    act(stored, MessageEventKind.UNSUBSCRIBED, 100)
    assert watch_rates(now=NOW) == 0
    assert not GuardrailLook.objects.exists()


def test_who_took_it_back_has_not_left() -> None:
    stored = sent("Good", 200)
    act(stored, MessageEventKind.UNSUBSCRIBED, 50)
    for event in MessageEvent.objects.all():
        MessageEvent.objects.create(message=event.message, kind=MessageEventKind.RESUBSCRIBED, at=NOW)
    MessageEvent.objects.filter(kind=MessageEventKind.UNSUBSCRIBED).update(at=NOW - timedelta(minutes=1))
    assert watch_rates(now=NOW) == 0


def test_refused_and_failed_messages_count_of_those_that_were_tried() -> None:
    stored = sent("Bad", 200)
    Message.objects.filter(pk__in=stored.messages.values("pk")[:40]).update(state=MessageState.REFUSED)
    sent("Bad", 40, start=1_000)
    assert watch_rates(now=NOW) == 1
    stored.refresh_from_db()
    assert stored.pause_reason == "16.7% were refused or failed; the limit is 10.0%."


def test_somebody_who_lets_it_go_on_is_heard_until_its_messages_have_doubled() -> None:
    stored = sent("Bad", 200)
    act(stored, MessageEventKind.UNSUBSCRIBED, 10)
    assert watch_rates(now=NOW) == 1
    resume(campaign=Campaign.objects.get(), by=None)
    assert watch_rates(now=NOW) == 0
    sent("Bad", 199, start=1_000)
    assert watch_rates(now=NOW) == 0
    sent("Bad", 1, start=2_000)
    act(stored, MessageEventKind.UNSUBSCRIBED, 5, skip=250)
    assert watch_rates(now=NOW) == 1


def test_complaints_of_all_messages_stop_everything_once() -> None:
    every = [sent(f"C{number}", 190) for number in range(4)]  # none of them is looked at alone
    for stored in every[:3]:
        act(stored, MessageEventKind.COMPLAINED, 2)
    assert watch_rates(now=NOW) == 4
    words = "0.8% of all messages of seven days were complained of; the limit is 0.3%."
    assert {each.pause_reason for each in Campaign.objects.all()} == {words}
    Campaign.objects.update(paused_at=None)
    assert watch_rates(now=NOW) == 0  # what came before it was seen by somebody


def test_readings_stand_beside_their_limits() -> None:
    stored = sent("Good", 250)
    act(stored, MessageEventKind.UNSUBSCRIBED, 1)
    readings = {each.rate: each for each in readings_of(stored)}
    assert list(readings) == list(PushRate)
    own = readings[PushRate.UNSUBSCRIBES]
    assert (own.count, own.messages, own.share, own.limit, own.next_look) == (1, 250, 0.004, 0.01, 400)
    assert own.fired_at is None


def test_what_came_of_messages_is_counted_only_when_they_have_doubled(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    stored = sent("Good", 250)
    act(stored, MessageEventKind.UNSUBSCRIBED, 1)
    assert watch_rates(now=NOW) == 0
    assert GuardrailLook.objects.count() == len(PushRate)
    with django_assert_num_queries(5):  # campaigns, counts, looks, the last stop, complaints
        assert watch_rates(now=NOW) == 0
