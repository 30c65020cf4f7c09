"""Outcomes of messages: people count once, machines apart, who came back has not left; and what was a repeat."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from recommendations.event_types import EventName
from recommendations.models import Customer, CustomerAlias, Event, Item, Message, MessageEvent
from recommendations.push_terms import SETTLED_CLICK, MessageEventKind, MessageState, Purpose
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.push.outcomes import PushOutcome, Repeats, outcomes_of, outcomes_of_sendings, repeats
from recommendations.terms import CustomerKind
from tests.push_records import NOW, contact
from tests.push_records import campaign as campaign_due
from tests.store.push.test_people import message

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def note(of: Message, kind: MessageEventKind, *, place: int = 0, minutes: int = 0, told_as: str = "") -> None:
    at = NOW + timedelta(minutes=minutes)
    MessageEvent.objects.create(message=of, kind=kind, place=place, at=at, told_as=told_as or f"{at}")


def test_people_count_once_and_machines_apart() -> None:
    ann, bo, cy = (contact(name) for name in ("ann", "bo", "cy"))
    first = message(ann)
    same = {"campaign": first.campaign, "version": first.version, "occurrence": first.occurrence}
    second, third = message(ann, **same, key="2"), message(bo, **same)
    message(cy, **same, state=MessageState.UNKNOWN)
    message(cy, **same, key="2", state=MessageState.DUE, handed_at=None)
    for place, each in enumerate((first, first, second)):
        note(each, MessageEventKind.CLICKED, place=place, told_as=SETTLED_CLICK)
    note(third, MessageEventKind.CLICKED)  # perhaps a machine's: nobody knows yet
    note(third, MessageEventKind.MACHINE_CLICKED)
    note(third, MessageEventKind.MACHINE_CLICKED, place=1)
    note(first, MessageEventKind.UNSUBSCRIBED)
    note(first, MessageEventKind.RESUBSCRIBED, minutes=1)
    note(third, MessageEventKind.UNSUBSCRIBED)
    note(third, MessageEventKind.COMPLAINED)
    outcome = PushOutcome(
        taken=3, people=2, unknown=1, clicked=1, machine_clicks=2, unsubscribed=1, complained=1
    )  # fmt: skip
    assert outcomes_of([first.campaign_id, 999_999]) == {first.campaign_id: outcome, 999_999: PushOutcome()}
    assert outcomes_of_sendings(first.campaign_id) == {first.occurrence_id: outcome}


@pytest.fixture
def tea() -> int:
    prepare_partitions(NOW - timedelta(days=10), NOW)
    return Item.objects.create(shop_id="tea", title="Tea").pk


def act(name: EventName, who: int, item: int, *, at: datetime) -> None:
    transaction = "t1" if name is EventName.PURCHASE else None
    Event.objects.create(
        occurred_at=at, event_id=uuid.uuid4(), name=name, customer_id=who, item_id=item, transaction_id=transaction
    )


def seen() -> Repeats:
    return repeats(since=NOW - 3 * DAY, until=NOW)


@pytest.mark.parametrize(
    ("name", "hours", "counts"),
    [
        (EventName.PURCHASE, 23, "bought"), (EventName.PURCHASE, 25, ""), (EventName.PURCHASE, -0.5, ""),
        (EventName.SELECT_ITEM, 23, "clicked"), (EventName.VIEW_ITEM, 1, "clicked"), (EventName.ADD_TO_CART, 1, ""),
    ],
)  # fmt: skip
def test_what_was_just_bought_or_clicked_is_a_repeat(tea: int, name: EventName, hours: float, counts: str) -> None:
    ann = contact("ann")
    handed = NOW - HOUR
    message(ann, items=[tea, tea + 1], handed_at=handed)
    browser = Customer.objects.create(pseudonym=pseudonym("browser"), kind=CustomerKind.ANONYMOUS)
    CustomerAlias.objects.create(anonymous=browser, customer_id=ann.contact_id, source="api")
    act(name, browser.pk, tea, at=handed - hours * HOUR)
    numbers = {"bought": 0, "clicked": 0} | ({counts: 1} if counts else {})
    assert seen() == Repeats(items=2, sent=0, any=bool(counts), **numbers)
    assert seen().share == (0.5 if counts else 0.0)


@pytest.mark.parametrize(("days", "counts"), [(1, 1), (6.9, 1), (7.1, 0)])
def test_what_was_sent_within_a_week_is_a_repeat(tea: int, days: float, counts: int) -> None:
    ann, bo = contact("ann"), contact("bo")
    message(ann, items=[tea], handed_at=NOW - HOUR)
    message(bo, items=[tea], handed_at=NOW - 2 * HOUR)
    message(ann, items=[tea], handed_at=NOW - HOUR - days * DAY)
    assert repeats(since=NOW - 2 * HOUR, until=NOW) == Repeats(items=2, bought=0, clicked=0, sent=counts, any=counts)


def test_the_item_that_a_message_is_about_and_news_are_no_repeats(tea: int) -> None:
    ann = contact("ann")
    act(EventName.VIEW_ITEM, ann.contact_id, tea, at=NOW - 2 * HOUR)
    message(ann, items=[tea], trigger_item=tea)
    news = campaign_due("news of all", purpose=Purpose.NEWS)
    fields: dict[str, Any] = {"campaign": news.campaign, "version": news.version, "occurrence": news}
    message(ann, items=[tea], **fields)
    message(ann, items=[tea], key="2", **fields, state=MessageState.WITHDRAWN)
    assert seen() == Repeats(items=0, bought=0, clicked=0, sent=0, any=0)
    assert seen().share == 0.0
