"""What became of messages, by state; and what people spent after their first one, sent or held out."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest

from recommendations.event_types import EventName
from recommendations.models import Category, Customer, CustomerAlias, Event, Item, Message, MessageEvent, Occurrence
from recommendations.push_terms import SETTLED_CLICK, MessageEventKind, MessageState
from recommendations.services.campaigns.form import Goal, GoalKind
from recommendations.services.campaigns.holdout import compare
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.push.funnel import MessageFate, fates_of
from recommendations.store.push.outcomes import outcomes_of_parts
from recommendations.terms import CustomerKind, Trust
from tests.push_records import NOW, contact
from tests.store.push.test_people import message

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
THEN = NOW - 10 * DAY


def customer(name: str) -> int:
    return int(Customer.objects.get_or_create(pseudonym=pseudonym(name))[0].pk)


def bought(who: int, item: Item, amount: float, *, days: float = 1, trust: Trust = Trust.SERVER) -> None:
    Event.objects.create(
        occurred_at=THEN + days * DAY, event_id=uuid.uuid4(), line=0, name=EventName.PURCHASE, customer_id=who,
        item=item, source="test", amount=Decimal(str(amount)), quantity=1, trust=trust,
        transaction_id=str(uuid.uuid4()),
    )  # fmt: skip


@pytest.fixture
def tea() -> Item:
    prepare_partitions(THEN, NOW)
    drinks = Category.objects.create(path="Drinks > Tea", name="Tea")
    item = Item.objects.create(shop_id="tea", title="Tea")
    item.categories.add(drinks)
    return item


@pytest.fixture
def soap(tea: Item) -> Item:
    return Item.objects.create(shop_id="soap", title="Soap")


def sent_to(who: int, first: Message | None, **fields: object) -> Message:
    """A message of the same campaign that was due ten days ago."""
    same = {"campaign": first.campaign, "version": first.version, "occurrence": first.occurrence} if first else {}
    address = contact(f"x{who}") if first is None else first.address
    values = {"customer_id": who, "due_at": THEN, "handed_at": THEN, **same, **fields}
    return message(address, **values)  # type: ignore[arg-type]


def test_messages_are_counted_by_what_became_of_them() -> None:
    ann = contact("ann")
    first = message(ann)
    same = {"campaign": first.campaign, "version": first.version, "occurrence": first.occurrence}
    message(ann, **same, key="2", state=MessageState.WITHDRAWN, reason="done_already", handed_at=None)
    message(ann, **same, key="3", state=MessageState.HELD, handed_at=None)
    MessageEvent.objects.create(message=first, kind=MessageEventKind.CLICKED, at=NOW, told_as=SETTLED_CLICK)
    MessageEvent.objects.create(message=first, kind=MessageEventKind.UNSUBSCRIBED, at=NOW)
    message(ann)  # of another campaign
    assert set(fates_of(first.campaign_id)) == {
        MessageFate(MessageState.TAKEN, "", 1, 1, 0, 1), MessageFate(MessageState.HELD, "", 1, 0, 0, 0),
        MessageFate(MessageState.WITHDRAWN, "done_already", 1, 0, 0, 0),
    }  # fmt: skip
    MessageEvent.objects.create(message=first, kind=MessageEventKind.RESUBSCRIBED, at=NOW + DAY)
    assert [fate.left for fate in fates_of(first.campaign_id)] == [0, 0, 0]


def test_outcomes_are_told_by_subject_hour_and_segment_and_each_adds_up() -> None:
    ann, bo = contact("ann"), contact("bo", time_zone="Asia/Tokyo")
    first = message(ann)  # at 11:00 UTC
    same = {"campaign": first.campaign, "version": first.version, "occurrence": first.occurrence}
    second = message(bo, **same, variant=1)
    for each in (first, second):
        MessageEvent.objects.create(message=each, kind=MessageEventKind.UNSUBSCRIBED, at=NOW)
    parts = outcomes_of_parts(first.campaign_id, zone="UTC")
    assert {key: outcome.taken for key, outcome in parts.items()} == {
        ("all", None): 2, ("variant", 0): 1, ("variant", 1): 1, ("channel", "email"): 2,
        ("hour", 11): 1, ("hour", 20): 1, ("segment", None): 2,
    }  # fmt: skip
    for part in ("variant", "channel", "hour", "segment"):
        assert sum(outcome.unsubscribed for (name, _), outcome in parts.items() if name == part) == 2


def test_what_counts_is_what_the_goal_says_within_its_days(tea: Item, soap: Item) -> None:
    ann, bo = customer("ann"), customer("bo")
    visitor = Customer.objects.create(pseudonym=pseudonym("v"), kind=CustomerKind.ANONYMOUS)
    CustomerAlias.objects.create(anonymous=visitor, customer_id=ann, source="sign in")
    first = sent_to(ann, None, items=[tea.pk])
    sent_to(bo, first, state=MessageState.HELD, items=[tea.pk], handed_at=None)
    bought(visitor.pk, tea, 3)
    bought(ann, soap, 5)
    bought(ann, tea, 7, days=-1)
    bought(ann, tea, 7, days=8)
    bought(ann, tea, 7, trust=Trust.PAGE)
    bought(bo, soap, 11)
    sums = {
        kind: tuple(
            side.y
            for goal in [Goal(kind=kind, categories=["Drinks"])]
            for compared in [compare(first.campaign_id, goal, now=NOW)]
            for side in (compared.sent, compared.held)
        )
        for kind in GoalKind
    }
    assert sums == {GoalKind.SHOWN: (3, 0), GoalKind.CATEGORIES: (3, 0), GoalKind.ANYTHING: (8, 11)}
    assert compare(first.campaign_id, Goal(days=14), now=NOW).waiting == 2


def test_an_effect_has_an_interval_and_under_fifty_held_out_there_is_none(tea: Item) -> None:
    first = sent_to(customer("p0"), None, items=[tea.pk])
    bought(customer("p0"), tea, 4)
    for number in range(1, 200):
        who, held = customer(f"p{number}"), number % 4 == 1
        sent_to(
            who, first, items=[tea.pk], state=MessageState.HELD if held else MessageState.TAKEN,
            handed_at=None if held else THEN,
        )  # fmt: skip
        bought(who, tea, (2 if held else 4) + number % 3)
    compared = compare(first.campaign_id, Goal(), now=NOW)
    assert (compared.people, compared.held_people, compared.too_few) == (150, 50, False)
    assert compared.lift is not None
    assert compared.lift.effect.value == pytest.approx(2.0, abs=0.1)
    assert compared.lift.low < compared.lift.effect.value < compared.lift.high
    assert compared.lift.smallest == pytest.approx(2.8 * compared.lift.effect.se)
    assert compared.lift.is_shown
    for left_out, alike in ((150, True), (400, False)):  # of the others, as no budget was left; of those held out 50
        counts = {"no_address": 9, "held_out": 100, "would_send": 50, "now": 100, "later": 50, "over_budget": left_out}
        Occurrence.objects.filter(pk=first.occurrence_id).update(counts=counts)
        compared = compare(first.campaign_id, Goal(), now=NOW)
        assert (compared.alike, compared.lift is not None) == (alike, alike)
    Occurrence.objects.update(counts={})
    Message.objects.filter(state=MessageState.HELD).earliest("pk").delete()
    fewer = compare(first.campaign_id, Goal(), now=NOW)
    assert (fewer.held_people, fewer.lift, fewer.too_few) == (49, None, True)


def test_what_people_spent_before_makes_the_interval_narrower(tea: Item) -> None:
    first = sent_to(customer("p0"), None, items=[tea.pk])
    for number in range(1, 200):
        who, held = customer(f"p{number}"), number % 2 == 1
        sent_to(
            who, first, items=[tea.pk], state=MessageState.HELD if held else MessageState.TAKEN,
            handed_at=None if held else THEN,
        )  # fmt: skip
        habit = 1 + number % 20
        bought(who, tea, habit, days=-5)
        bought(who, tea, habit + number % 3 + (0 if held else 1))
        bought(who, tea, 1_000, days=-85)
    lift = compare(first.campaign_id, Goal(), now=NOW).lift
    assert lift is not None
    assert lift.explained > 0.9
    assert lift.low < 1 < lift.high
    assert lift.high - lift.low < 1  # without what they spent before 4 times as wide
