"""Erasing a contact takes its messages along, whatever way it comes; and silencing an address withdraws what waits."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from recommendations.models import (
    Address,
    ConsentStatement,
    Considered,
    Contact,
    Customer,
    CustomerAlias,
    Message,
    MessageEvent,
    Occurrence,
    Permission,
    ShopOccasion,
)
from recommendations.push_terms import ConsentSource, MessageEventKind, MessageState, Verdict
from recommendations.services.contacts import staff_acts
from recommendations.services.contacts.forms import ContactChanges
from recommendations.services.contacts.reading import erase_contact
from recommendations.services.contacts.rows import ContactRow, take_contacts
from recommendations.store.push import outbox, verdicts
from tests.push_records import campaign, contact
from tests.store.push.test_outbox import EMAIL, handed, reserve, states

HOLDERS = (Contact, Address, ConsentStatement, Permission, Message, MessageEvent, Considered, ShopOccasion)


def considered(occurrence: int, customer: int) -> None:
    Considered.objects.create(
        occurrence_id=occurrence, customer_id=customer, key="1", verdict=Verdict.NOW, would_send=True,
        wanted_at=timezone.now(), decided_at=timezone.now(),
    )  # fmt: skip


def whole_contacts(number: int) -> list[Address]:
    """Contacts with consents, a message that was clicked, one that waits, one being handed over, and verdicts."""
    made, addresses = campaign(), [contact(f"u{each}") for each in range(number)]
    for key in ("sent", "waits", "handing"):
        reserve(made, *addresses, key=key)
    now = timezone.now()
    Message.objects.filter(key="sent").update(state=MessageState.TAKEN, handed_at=now)
    Message.objects.filter(key="handing").update(state=MessageState.HANDING, holder="me", lease_until=now)
    for each in addresses:
        considered(made.pk, each.contact_id)
        ShopOccasion.objects.create(campaign=made.campaign, customer_id=each.contact_id, key="1")
    MessageEvent.objects.bulk_create(
        MessageEvent(message=each, kind=MessageEventKind.CLICKED, at=now) for each in Message.objects.filter(key="sent")
    )
    return addresses


@pytest.mark.django_db
def test_of_fifty_people_nothing_is_left_and_nothing_goes_there_after_another_import() -> None:
    addresses = whole_contacts(50)
    stays = contact("stays")
    reserve(campaign("other"), stays)
    for each in addresses:
        erase_contact(each.contact, now=timezone.now())
    assert [model.objects.count() for model in HOLDERS] == [1, 1, 3, 3, 1, 0, 0, 0]
    rows = [
        ContactRow(user_id=f"u{number}", form=ContactChanges(email=f"u{number}@example.com", confirmed=True))
        for number in range(50)
    ]
    take_contacts(rows, source=ConsentSource.IMPORT, now=timezone.now())
    back = list(Address.objects.exclude(pk=stays.pk))
    assert len(back) == 50
    Permission.objects.bulk_create(
        Permission(contact_id=each.contact_id, channel=EMAIL, purpose="for_you", state="given", since=timezone.now())
        for each in back
    )
    reserve(campaign("again"), *back)
    leased = outbox.lease(EMAIL, holder="me", most=100)
    assert len(leased) == 51
    assert [handed(message) for message in leased].count(True) == 1


@pytest.mark.django_db
def test_the_sending_keeps_how_many_were_erased_and_what_it_counted() -> None:
    addresses = whole_contacts(5)
    [made] = Occurrence.objects.all()
    counts = {"now": 4, "capped": 1, "would_send": 0}
    Occurrence.objects.update(counts=counts)
    Considered.objects.filter(customer=addresses[0].contact_id).update(verdict=Verdict.CAPPED)
    for each in addresses[:2]:
        erase_contact(each.contact, now=timezone.now())
    made.refresh_from_db()
    erased = {"erased_messages": 6, "erased_taken": 2, "erased_now": 1, "erased_capped": 1}
    assert made.counts == counts | erased
    again = verdicts.counts_for_good(made.pk)  # as after the next look at who waits on
    assert {name: n for name, n in again.items() if n} == {"now": 4, "capped": 1} | erased
    verdicts.forget(made.pk)  # it is decided afresh, and whoever is still a customer gets a verdict again
    assert not any(verdicts.counts_for_good(made.pk).values())


@pytest.mark.django_db
def test_who_was_merged_keeps_the_verdicts_on_a_contact_that_is_left() -> None:
    """A visitor's address goes; what the customer got at their own stays."""
    made, own, visitors = campaign(), contact("own"), contact("visitor")
    CustomerAlias.objects.create(anonymous_id=visitors.contact_id, customer_id=own.contact_id, source="api")
    reserve(made, own, key="own")
    reserve(made, visitors, key="visitor")
    Message.objects.filter(key="visitor").update(customer=own.contact_id)
    considered(made.pk, own.contact_id)
    erase_contact(visitors.contact, now=timezone.now())
    assert list(Message.objects.values_list("key", flat=True)) == ["own"]
    assert Considered.objects.count() == 1
    erase_contact(own.contact, now=timezone.now())
    assert (Message.objects.count(), Considered.objects.count()) == (0, 0)
    assert Customer.objects.count() == 2


@pytest.mark.django_db
def test_staffs_silence_withdraws_what_waits_at_once() -> None:
    ann, bo, made = contact("ann"), contact("bo"), campaign()
    reserve(made, ann, key="leased")
    outbox.lease(EMAIL, holder="me")
    reserve(made, ann, key="due")
    reserve(made, bo)
    staff_acts.silence_address(ann, by=None, note="They rang us up.", now=timezone.now())
    assert states() == ["withdrawn", "withdrawn", "due"]
    assert set(Message.objects.filter(contact=ann.contact_id).values_list("reason", flat=True)) == {"suppressed"}


@pytest.mark.django_db(transaction=True)
def test_a_decision_of_the_same_moment_leaves_no_message_behind() -> None:
    """Who decides holds the address until the message is there; the erasure waits, and takes it along."""
    made, ann, bo = campaign(), contact("ann"), contact("bo")
    reserved, erasing = Event(), Event()

    def decide() -> None:
        try:
            with transaction.atomic():
                reserve(made, ann, bo)
                reserved.set()
                erasing.wait(0.5)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        deciding = pool.submit(decide)
        reserved.wait(10)
        erase_contact(ann.contact, now=timezone.now())
        deciding.result()
    assert list(Message.objects.values_list("contact", flat=True)) == [bo.contact_id]


@pytest.mark.django_db
def test_an_address_that_went_between_decision_and_reservation_is_left_out() -> None:
    made, ann, bo = campaign(), contact("ann"), contact("bo")
    erase_contact(Contact.objects.get(pk=ann.contact_id), now=timezone.now())
    assert reserve(made, ann, bo) == 1
