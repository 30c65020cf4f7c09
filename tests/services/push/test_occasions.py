"""Occasions of a campaign in a learned shop: what runs low, what is new for somebody, and what is undone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.engine.push.cases import PushCase
from recommendations.models import Aside, Campaign, Customer, CustomerAlias, Item, ItemAbsence, Quarantine, ShopOccasion
from recommendations.push_terms import CampaignKind, Purpose, Trigger
from recommendations.services.campaigns.form import Occasion
from recommendations.services.push.occasions import PACES, follow_returns, occasions
from recommendations.simulation.message_lists import ListBlock, MessageLists, items_of_many
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import SnapshotHolder
from recommendations.terms import Availability, CustomerKind
from tests.push_acts import NOW as NOON
from tests.push_acts import buy, cart, wish
from tests.push_models import use_due
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

DUE = NOW + timedelta(days=4.6)  # what was bought every week and the last time a day before: 0.8 of a week after that
NUMBERS = Occasion()


def current() -> Snapshot:
    return SnapshotHolder().current(None)


def who(number: int) -> int:
    return Customer.objects.get(pseudonym=pseudonym(f"u{number}")).pk


def item(shop_id: str) -> int:
    return Item.objects.get(shop_id=shop_id).pk


def of(trigger: Trigger) -> Campaign:
    return Campaign.objects.create(
        slug=trigger, name=trigger, kind=CampaignKind.TRIGGERED, trigger=trigger, purpose=Purpose.REMINDERS
    )


def cases(
    campaign: Campaign, at: datetime, *, people: list[int] | None = None, snapshot: Snapshot | None = None
) -> list[PushCase]:
    return occasions(
        Trigger(campaign.trigger), NUMBERS, campaign=campaign.pk, now=at, people=people, snapshot=snapshot or current()
    )


def stands(told: PushCase, campaign: Campaign, at: datetime) -> bool:
    """Whether a message of the case may still leave."""
    there = cases(campaign, at, people=[told.customer])
    return (told.customer, told.key) in {(each.customer, each.key) for each in there}


def case(campaign: Campaign, at: datetime, person: int) -> PushCase | None:
    [*own] = [each for each in cases(campaign, at) if each.customer == person]
    assert len(own) <= 1
    return own[0] if own else None


def hours(at: datetime) -> float:
    """Hours before the present of the helpers that write events."""
    return (NOON - at) / timedelta(hours=1)


class TestRunningLow:
    def test_what_is_bought_every_week_is_due_and_not_a_minute_earlier(self) -> None:
        low, ann = of(Trigger.DUE_AGAIN), who(0)
        assert case(low, DUE - timedelta(minutes=1), ann) is None
        assert case(low, DUE, ann) == PushCase(low.pk, ann, f"{item('bread-0')}:2026-09-14", DUE, item("bread-0"))
        later = DUE + timedelta(minutes=1)
        assert case(low, later, ann) == case(low, DUE, ann)

    def test_it_is_late_after_one_and_a_half_gaps(self) -> None:
        low, ann = of(Trigger.DUE_AGAIN), who(0)
        late = NOW - timedelta(days=1) + timedelta(days=10.5)
        assert case(low, late, ann)
        assert case(low, late + timedelta(minutes=1), ann) is None
        of_ann = {each.item for each in cases(low, late + timedelta(days=14), people=[ann])}  # a message may wait
        assert of_ann == {item(f"bread-{number}") for number in range(3)}

    def test_by_what_was_learned_the_likeliest_is_due_from_the_chance_that_is_asked_for_on(self) -> None:
        low, ann = of(Trigger.DUE_AGAIN), who(0)
        use_due(intercept=-3.0, due=6.0, times=0.0)  # of the logarithm of the share of the usual gap that has passed
        early, late = (NOW + timedelta(days=days) for days in (0, 6))
        assert case(low, early, ann) is None
        told = case(low, late, ann)
        assert told
        assert told._replace(wanted_at=DUE) == PushCase(low.pk, ann, f"{told.item}:2026-09-14", DUE, told.item)
        assert {each.customer for each in cases(low, late)} >= {who(number) for number in range(10)}
        assert told.item in {item(f"bread-{number}") for number in range(3)}
        assert case(low, late, ann) == told  # the same at every look
        assert stands(told, low, late + timedelta(days=2))
        buy(ann, told.item or 0, hours=hours(late - timedelta(hours=30)))
        assert not stands(told, low, late)
        again = case(low, late, ann)
        assert again
        assert again.item != told.item

    def test_what_was_bought_since_is_not_due(self) -> None:
        low, ann = of(Trigger.DUE_AGAIN), who(0)
        told = case(low, DUE, ann)
        assert told
        buy(ann, item("bread-0"), hours=hours(NOW + timedelta(days=2)))
        assert not stands(told, low, DUE)
        other = case(low, DUE, ann)
        assert other
        assert other.item == item("bread-1")
        assert stands(other, low, DUE + timedelta(days=1))

    def test_a_purchase_that_came_in_late_counts(self) -> None:
        """It is of before the run, which did not know of it."""
        low, ann = of(Trigger.DUE_AGAIN), who(0)
        buy(ann, item("bread-0"), hours=hours(NOW - timedelta(hours=3)))
        told = case(low, DUE, ann)
        assert told
        assert told.item == item("bread-1")

    def test_what_is_not_for_sale_is_not_due(self) -> None:
        low, ann = of(Trigger.DUE_AGAIN), who(0)
        Item.objects.filter(shop_id="bread-0").update(availability=Availability.OUT_OF_STOCK)
        told = case(low, DUE, ann)
        assert told
        assert told.item == item("bread-1")

    def test_a_visitor_counts_for_the_customer_they_are(self) -> None:
        low, ann = of(Trigger.DUE_AGAIN), who(0)
        vic = Customer.objects.create(pseudonym=pseudonym("vic"), kind=CustomerKind.ANONYMOUS)
        CustomerAlias.objects.create(anonymous=vic, customer_id=ann, source="api")
        of_ann, of_vic = (cases(low, DUE, people=[key]) for key in (ann, vic.pk))
        assert len(of_ann) == 3
        assert of_vic == [each._replace(customer=vic.pk) for each in of_ann]  # under the key that was asked for
        assert cases(low, DUE, people=[ann, vic.pk]) == of_ann + of_vic
        buy(vic.pk, item("bread-0"), hours=hours(NOW + timedelta(days=2)))
        assert len(cases(low, DUE, people=[ann])) == 2

    def test_two_customers_who_are_one_by_now_are_reminded_of_one_item(self) -> None:
        low, ann, bo = of(Trigger.DUE_AGAIN), who(0), who(1)
        CustomerAlias.objects.create(anonymous_id=bo, customer_id=ann, source="api")
        assert case(low, DUE, ann)
        assert case(low, DUE, bo) is None

    def test_who_is_set_aside_is_reminded_of_nothing(self) -> None:
        low, ann = of(Trigger.DUE_AGAIN), who(0)
        Aside.objects.create(quarantine=Quarantine.objects.create(rule="staff"), customer_id=ann)
        assert case(low, DUE, ann) is None
        assert cases(low, DUE, people=[ann]) == []

    def test_one_item_a_person_in_as_many_statements_as_for_one(self) -> None:
        low, snapshot, late, ann = of(Trigger.DUE_AGAIN), current(), DUE + timedelta(hours=3), who(0)
        with CaptureQueriesContext(connection) as queries:
            everybody = cases(low, late, snapshot=snapshot)
        assert len({each.customer for each in everybody}) == len(everybody) == 60
        with CaptureQueriesContext(connection) as alone:
            cases(low, late, snapshot=snapshot, people=[ann])
        assert len(queries) == 3
        assert len(alone) == 4  # one more for the keys of the person

    def test_nothing_is_due_before_a_first_run(self) -> None:
        snapshot = current()
        snapshot.model = None
        assert cases(of(Trigger.DUE_AGAIN), DUE, snapshot=snapshot) == []


class TestNewForYou:
    @staticmethod
    def listed(person: int) -> tuple[int, ...]:
        wanted = MessageLists(customer=person, blocks=(ListBlock("discover", 10),))
        return next(items_of_many([wanted], snapshot=current(), now=NOW)).items

    def test_a_new_item_in_the_list_of_somebody(self) -> None:
        new, ann = of(Trigger.NEW_FOR_YOU), who(0)
        assert cases(new, NOW) == []
        listed = self.listed(ann)
        first = datetime(2026, 9, 14, 15, tzinfo=UTC)
        Item.objects.filter(pk=listed[2]).update(listed_at=first, updated_at=timezone.now())
        snapshot = current()
        assert case(new, NOW, ann) == PushCase(new.pk, ann, "2026-W38", first, listed[2])
        having = {each.customer for each in cases(new, NOW)}
        assert having == {person for person in map(who, range(60)) if listed[2] in self.listed(person)}
        assert occasions(Trigger.NEW_FOR_YOU, NUMBERS, campaign=new.pk, now=NOW, among=[ann], snapshot=snapshot) == [
            case(new, NOW, ann)
        ]
        assert cases(new, first - timedelta(minutes=1)) == []
        assert case(new, first, ann)
        assert case(new, first + timedelta(days=7), ann) is None

    def test_an_item_of_last_week_is_new_from_monday_on_under_this_weeks_key(self) -> None:
        new, ann = of(Trigger.NEW_FOR_YOU), who(0)
        listed = self.listed(ann)
        Item.objects.filter(pk=listed[0]).update(listed_at=NOW - timedelta(days=3))
        told = case(new, NOW, ann)
        assert told
        assert (told.key, told.wanted_at) == ("2026-W38", datetime(2026, 9, 14, tzinfo=UTC))
        assert stands(told, new, NOW + timedelta(days=8))  # a message that waits into the next week is not undone

    def test_when_it_is_for_sale_counts_where_that_is_later(self) -> None:
        new, ann = of(Trigger.NEW_FOR_YOU), who(0)
        listed = self.listed(ann)
        Item.objects.filter(pk=listed[0]).update(available_at=NOW)
        assert case(new, NOW - timedelta(minutes=1), ann) is None
        assert case(new, NOW, ann)

    def test_nobody_is_asked_for_a_list_where_nothing_is_new(self) -> None:
        new, snapshot = of(Trigger.NEW_FOR_YOU), current()
        with CaptureQueriesContext(connection) as queries:
            assert cases(new, NOW, snapshot=snapshot) == []
        assert len(queries) == 0


def test_every_trigger_answers_and_is_looked_at_again_after_a_while() -> None:
    ann = who(0)
    for trigger in Trigger:
        campaign = of(trigger)
        for people in (None, [], [ann]):
            cases(campaign, NOW, people=people)
    assert set(PACES) == set(Trigger)


def test_the_numbers_are_the_campaigns() -> None:
    left, ann, mug = of(Trigger.CART_LEFT), who(0), item("bread-5")
    key = cart(ann, mug, hours=5)

    def after(hours: int) -> list[PushCase]:
        numbers = Occasion(hours=hours)
        return occasions(Trigger.CART_LEFT, numbers, campaign=left.pk, now=NOON, snapshot=current())

    assert after(6) == []
    [told] = after(4)
    assert told == PushCase(left.pk, ann, key, NOON - timedelta(hours=1), mug)
    assert stands(told, left, NOON)
    buy(ann, mug, hours=0)
    assert not stands(told, left, NOON)


def test_a_case_of_the_visitor_stands_for_the_customer_they_turned_out_to_be() -> None:
    said, ann = of(Trigger.SHOP), who(0)
    vic = Customer.objects.create(pseudonym=pseudonym("vic"), kind=CustomerKind.ANONYMOUS)
    ShopOccasion.objects.create(campaign=said, customer=vic, key="order-1", at=NOW)
    CustomerAlias.objects.create(anonymous=vic, customer_id=ann, source="api")
    [told] = cases(said, NOW)
    assert told.customer == ann
    assert stands(told._replace(customer=vic.pk), said, NOW)  # decided before they signed in
    assert not stands(told._replace(key="order-2"), said, NOW)


def test_a_return_to_stock_is_followed_from_the_snapshot() -> None:
    back, ann, tea = of(Trigger.BACK_IN_STOCK), who(0), item("tea-0")
    wish(ann, tea, hours=hours(NOW - timedelta(hours=3)))
    follow_returns(current(), now=NOW - timedelta(hours=4))
    assert not ItemAbsence.objects.exists()
    Item.objects.filter(pk=tea).update(available_quantity=0)
    assert follow_returns(current(), now=NOW - timedelta(hours=2)) == (1, 0)
    assert cases(back, NOW) == []
    Item.objects.filter(pk=tea).update(available_quantity=5)
    assert follow_returns(current(), now=NOW) == (0, 1)
    assert [(each.customer, each.item, each.wanted_at) for each in cases(back, NOW)] == [(ann, tea, NOW)]
