"""Facts about people: one person whatever keys they have, what they chose, what counts against caps."""

import uuid
from datetime import time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommendations.engine.push.cases import NEVER, Person
from recommendations.engine.push.competition import SentMessage
from recommendations.engine.push.timing import QuietHours
from recommendations.event_types import EventName
from recommendations.models import Address, Contact, Customer, CustomerAlias, Event, Item, Message
from recommendations.push_terms import AddressState, Channel, MessageState, Purpose, SuppressionReason
from recommendations.store.contacts import silence
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.push.people import Habits, people_of, shown_lately
from recommendations.terms import CustomerKind
from tests.push_acts import NOW as ORDERS
from tests.push_acts import act, product
from tests.push_records import NOW, campaign, contact

pytestmark = pytest.mark.django_db

HABITS = Habits(zone=ZoneInfo("Europe/London"), quiet=QuietHours(time(21), time(8)))


def person(address: Address) -> Person:
    return people_of([address.contact_id], habits=HABITS, now=NOW)[address.contact_id]


def message(address: Address, **fields: Any) -> Message:
    occurrence = campaign(f"Campaign {Message.objects.count()}")
    values = {
        "campaign": occurrence.campaign, "version": occurrence.version, "occurrence": occurrence, "key": "1",
        "customer_id": address.contact_id, "contact": address.contact_id, "channel": Channel.EMAIL, "address": address,
        "state": MessageState.TAKEN, "due_at": NOW - timedelta(hours=2), "handed_at": NOW - timedelta(hours=1),
        "expires_at": NOW + timedelta(days=1),
    }  # fmt: skip
    return Message.objects.create(**values | fields)


def test_a_person_is_reached_by_what_they_said_yes_to() -> None:
    ann, bo = contact("ann", purposes=(Purpose.NEWS,)), contact("bo")
    people = people_of([ann.contact_id, bo.contact_id, 999_999], habits=HABITS, now=NOW)
    [reach] = people[ann.contact_id].reach
    assert (reach.channel, reach.contact, reach.address) == (Channel.EMAIL, ann.contact_id, ann.pk)
    assert reach.purposes == {Purpose.NEWS}
    assert people[bo.contact_id].reach[0].purposes == set(Purpose)
    assert people[999_999].reach == ()


@pytest.mark.parametrize("state", [AddressState.UNCONFIRMED, AddressState.GONE])
def test_an_address_that_is_not_in_use_reaches_nobody(state: AddressState) -> None:
    ann = contact("ann")
    Address.objects.update(state=state)
    assert person(ann).reach == ()


def test_a_silent_address_is_said_to_be_so_until_it_is_not() -> None:
    ann = contact("ann")
    silence.silence(Channel.EMAIL, bytes(ann.digest), reason=SuppressionReason.COMPLAINT, now=NOW)
    assert person(ann).reach[0].silent
    silence.lift(Channel.EMAIL, bytes(ann.digest), reasons=[SuppressionReason.COMPLAINT])
    assert not person(ann).reach[0].silent


def test_their_own_choices_come_before_everybodys() -> None:
    ann = contact("ann")
    assert person(ann).zone.key == "Europe/London"
    assert (person(ann).quiet, person(ann).paused_until, person(ann).most_a_week) == (HABITS.quiet, NEVER, None)
    Contact.objects.update(
        time_zone="Asia/Tokyo", quiet_from=time(20), quiet_until=time(10), paused_until=NOW, most_a_week=1
    )
    own = person(ann)
    assert (own.zone.key, own.quiet, own.paused_until, own.most_a_week) == (
        "Asia/Tokyo", QuietHours(time(20), time(10)), NOW, 1,
    )  # fmt: skip


def test_who_objects_to_personalisation_is_said_to() -> None:
    ann = contact("ann")
    Customer.objects.update(personalise=False)
    assert not person(ann).personalise


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        (MessageState.DUE, True), (MessageState.LEASED, True), (MessageState.HANDING, True),
        (MessageState.TAKEN, True), (MessageState.UNKNOWN, True), (MessageState.HELD, False),
        (MessageState.REFUSED, False), (MessageState.GONE, False), (MessageState.WITHDRAWN, False),
        (MessageState.EXPIRED, False), (MessageState.FAILED, False),
    ],
)  # fmt: skip
def test_what_was_sent_or_is_reserved_counts(state: MessageState, counts: bool) -> None:
    ann = contact("ann")
    message(ann, state=state)
    at = SentMessage((NOW - timedelta(hours=1)).timestamp(), "email")
    assert person(ann).sent == ((at,) if counts else ())
    assert person(ann).shadows == ((at,) if state is MessageState.HELD else ())


def test_what_a_visitor_got_counts_for_the_customer_they_are() -> None:
    ann = contact("ann")
    own = contact("vic")  # given before they signed in
    Customer.objects.filter(pk=own.contact_id).update(kind=CustomerKind.ANONYMOUS)
    CustomerAlias.objects.create(anonymous_id=own.contact_id, customer_id=ann.contact_id, source="api")
    message(own, items=[7])
    assert len(person(ann).sent) == 1
    assert person(ann).reach[0].address == ann.pk  # the customer's own comes first
    assert shown_lately([ann.contact_id], now=NOW) == {ann.contact_id: {7}}
    CustomerAlias.objects.update(undone_at=NOW)
    assert person(ann).sent == ()


def test_a_customer_without_an_address_is_reached_by_that_of_the_visitor_they_were() -> None:
    own = contact("vic")
    customer = Customer.objects.create(pseudonym=pseudonym("ann"))
    CustomerAlias.objects.create(anonymous_id=own.contact_id, customer=customer, source="api")
    [reach] = people_of([customer.pk], habits=HABITS, now=NOW)[customer.pk].reach
    assert (reach.contact, reach.address) == (own.contact_id, own.pk)


def test_items_of_the_last_seven_days_were_shown_lately() -> None:
    ann = contact("ann")
    message(ann, items=[1, 2])
    message(ann, items=[3], due_at=NOW - timedelta(days=8))
    message(ann, items=[4], state=MessageState.WITHDRAWN)
    assert shown_lately([ann.contact_id], now=NOW) == {ann.contact_id: {1, 2}}


@pytest.mark.parametrize(("hours", "items"), [(23, {1}), (25, set())])
@pytest.mark.parametrize("name", [EventName.SELECT_ITEM, EventName.VIEW_ITEM, EventName.PURCHASE])
def test_what_somebody_clicked_or_bought_of_late_is_not_shown(name: EventName, hours: int, items: set[int]) -> None:
    ann, bo = contact("ann").contact_id, contact("bo").contact_id
    at = NOW - timedelta(hours=hours)
    prepare_partitions(at, at)
    item = Item.objects.create(pk=1, shop_id="tea", title="Tea").pk
    transaction = "t1" if name is EventName.PURCHASE else None
    Event.objects.create(
        occurred_at=at, event_id=uuid.uuid4(), name=name, customer_id=ann, item_id=item, transaction_id=transaction
    )
    assert shown_lately([ann, bo], now=NOW) == ({ann: items} if items else {})


def test_many_people_cost_as_many_statements_as_one() -> None:
    addresses = [contact(f"u{number}") for number in range(20)]
    people_of([addresses[0].contact_id], habits=HABITS, now=NOW)  # asks for the shop's mean order, once an hour
    with CaptureQueriesContext(connection) as queries:
        people_of([each.contact_id for each in addresses], habits=HABITS, now=NOW)
    assert len(queries) == 3


def test_somebody_is_worth_the_same_whoever_is_looked_at_beside_them() -> None:
    """A plan looks at other people than its sending, and the last look at ten of them."""
    tea, hour = product("tea"), (ORDERS - NOW).total_seconds() / 3_600
    ann, bo = contact("ann").contact_id, contact("bo").contact_id
    act(EventName.PURCHASE, ann, tea, hours=hour + 30, quantity=1, amount=Decimal(9))
    act(EventName.PURCHASE, bo, tea, hours=hour + 30, quantity=1, amount=Decimal(21))
    alone, beside = (people_of(who, habits=HABITS, now=NOW)[ann].worth for who in ([ann], [ann, bo]))
    assert alone == beside == pytest.approx((9 + 5 * 15) / 6)
