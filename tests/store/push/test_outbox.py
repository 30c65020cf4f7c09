"""The outbox: one message per occasion, one sender at a time, and nothing after a withdrawal."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from recommendations.models import Address, Campaign, Message, Occurrence, Permission, Suppression
from recommendations.push_terms import (
    AddressState,
    Channel,
    ConsentSource,
    ConsentState,
    MessageState,
    Purpose,
    SuppressionReason,
)
from recommendations.store.contacts import ledger
from recommendations.store.contacts.ledger import Statement
from recommendations.store.push import outbox
from recommendations.store.push.outbox import Reservation
from tests.push_records import campaign, contact
from tests.store.plans import by_nested_loops

EMAIL = Channel.EMAIL


def reserve(occurrence: Occurrence, *addresses: Address, key: str = "1", minutes: int = -1, held: bool = False) -> int:
    due = timezone.now() + timedelta(minutes=minutes)
    places = [
        Reservation(
            customer=each.contact_id, contact=each.contact_id, address=each.pk, key=key, due_at=due,
            expires_at=due + timedelta(hours=1), held=held,
        )
        for each in addresses
    ]  # fmt: skip
    return outbox.reserve(
        places, campaign=occurrence.campaign_id, version=occurrence.version_id, occurrence=occurrence.pk, channel=EMAIL
    )


def handed(message: int, *, holder: str = "me", purpose: Purpose = Purpose.FOR_YOU) -> bool:
    return outbox.hand(message, holder=holder, purpose=purpose, items=[7], recommendation="r-1")


def withdraw(address: Address, purpose: Purpose) -> None:
    """Say no, as the owner of an address does."""
    said = Statement(
        contact=address.contact_id, channel=EMAIL, purpose=purpose, state=ConsentState.WITHDRAWN, at=timezone.now(),
        source=ConsentSource.ONE_CLICK,
    )  # fmt: skip
    ledger.record([said])


def states() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.django_db
class TestOneSender:
    def test_the_way_of_a_message(self) -> None:
        assert reserve(campaign(), contact("ann")) == 1
        [message] = outbox.lease(EMAIL, holder="me")
        assert outbox.lease(EMAIL, holder="other") == []
        assert not handed(message, holder="other")
        assert handed(message)
        assert not handed(message)
        assert outbox.settle(message, MessageState.TAKEN, holder="me", provider_id="2.0.0")
        stored = Message.objects.get()
        assert (stored.state, stored.tries, stored.items, stored.recommendation_id) == ("taken", 1, [7], "r-1")
        assert stored.settled_at is not None

    def test_nobody_gets_a_second_one_for_an_occasion(self) -> None:
        occurrence, ann = campaign(), contact("ann")
        assert [reserve(occurrence, ann), reserve(occurrence, ann), reserve(occurrence, ann, key="2")] == [1, 0, 1]

    def test_a_shadow_is_never_leased(self) -> None:
        reserve(campaign(), contact("ann"), held=True)
        assert outbox.lease(EMAIL, holder="me") == []

    def test_what_is_due_later_waits(self) -> None:
        reserve(campaign(), contact("ann"), minutes=5)
        assert outbox.lease(EMAIL, holder="me") == []

    def test_a_pause_stops_what_is_leased_already(self) -> None:
        occurrence = campaign()
        reserve(occurrence, contact("ann"))
        [message] = outbox.lease(EMAIL, holder="me")
        Campaign.objects.update(paused_at=timezone.now())
        assert not handed(message)
        assert outbox.settle(message, MessageState.DUE, holder="me", was=[MessageState.LEASED])
        assert outbox.lease(EMAIL, holder="me") == []

    def test_nothing_is_handed_over_that_is_not_wanted_any_more(self) -> None:
        reserve(campaign(), *(contact(name) for name in ("ann", "bo", "cy", "di")))
        ann, bo, cy, di = outbox.lease(EMAIL, holder="me")
        keys = list(Address.objects.order_by("pk"))
        Permission.objects.filter(contact=keys[0].contact, purpose=Purpose.FOR_YOU).update(state=ConsentState.WITHDRAWN)
        Suppression.objects.create(
            channel=EMAIL, digest=bytes(keys[1].digest), reason=SuppressionReason.COMPLAINT, at=timezone.now()
        )
        Address.objects.filter(pk=keys[2].pk).update(state=AddressState.GONE)
        assert [handed(message) for message in (ann, bo, cy, di)] == [False, False, False, True]

    def test_a_withdrawal_takes_what_waits_and_leaves_other_purposes(self) -> None:
        ann = contact("ann")
        reserve(campaign(), ann)
        reserve(campaign("News", purpose=Purpose.NEWS), ann)
        outbox.lease(EMAIL, holder="me", most=1)
        withdraw(ann, Purpose.FOR_YOU)
        assert states() == ["withdrawn", "due"]

    def test_no_more_are_leased_than_wanted_whatever_the_plan(self) -> None:
        """Where a part is read anew for every row, what it locked is skipped, and the next one is taken as well."""
        reserve(campaign(), *(contact(name) for name in ("ann", "bo", "cy")))
        by_nested_loops()
        assert [len(outbox.lease(EMAIL, holder="me", most=1)) for _ in range(4)] == [1, 1, 1, 0]

    def test_what_a_sender_left(self) -> None:
        reserve(campaign(), *(contact(name) for name in ("ann", "bo", "cy")))
        first, second, _third = outbox.lease(EMAIL, holder="me", seconds=-1)
        Message.objects.filter(pk=second).update(state=MessageState.HANDING)
        Message.objects.filter(pk=first).update(expires_at=timezone.now())
        assert outbox.reap() == {"due": 2, "unknown": 1, "expired": 1}
        assert states() == ["expired", "unknown", "due"]
        assert not outbox.settle(second, MessageState.TAKEN, holder="me")  # too late to say so

    def test_what_a_channel_that_repeats_safely_left_is_tried_again(self) -> None:
        reserve(campaign(), contact("ann"))
        [message] = outbox.lease(EMAIL, holder="me", seconds=-1)
        Message.objects.filter(pk=message).update(state=MessageState.HANDING)
        assert outbox.reap(repeating=[EMAIL]) == {"due": 1}

    def test_a_lease_that_ran_out_hands_nothing_over(self) -> None:
        reserve(campaign(), contact("ann"))
        [message] = outbox.lease(EMAIL, holder="me", seconds=-1)
        assert not handed(message)


@pytest.mark.django_db(transaction=True)
def test_of_several_senders_each_has_its_own() -> None:
    reserve(campaign(), *(contact(f"c{number}") for number in range(200)))

    def sender(number: int) -> list[int]:
        try:
            mine: list[int] = []
            while more := outbox.lease(EMAIL, holder=str(number)):
                mine += more
            return mine
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        leased = [message for own in pool.map(sender, range(4)) for message in own]
    assert len(leased) == len(set(leased)) == 200


@pytest.mark.django_db(transaction=True)
def test_in_a_race_with_a_withdrawal_nothing_is_handed_over_after_it() -> None:
    """Whichever commits first wins: a message is withdrawn, or was handed over before its owner said no."""
    addresses = [contact(f"c{number}") for number in range(334)]
    races = [(purpose, address) for purpose in Purpose for address in addresses]
    for purpose in Purpose:
        reserve(campaign(purpose, purpose=purpose), *addresses)
    barrier = Barrier(2)
    won: list[bool] = []

    def sender() -> None:
        try:
            for purpose, _address in races:
                [message] = outbox.lease(EMAIL, holder="me", most=1)
                barrier.wait()
                won.append(handed(message, purpose=purpose))
                barrier.wait()
        finally:
            connection.close()

    def owner() -> None:
        try:
            for purpose, address in races:
                barrier.wait()
                withdraw(address, purpose)
                barrier.wait()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for each in (pool.submit(sender), pool.submit(owner)):
            each.result()
    assert len(won) == 1_002
    assert states() == ["handing" if is_handed else "withdrawn" for is_handed in won]
