"""What messages bring: everybody's purchases beside those held out, and campaigns that another system sent."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.engine.experiments.assignment import share_of
from recommendations.event_types import EventName
from recommendations.models import Campaign, Customer, Event, Item, Message, PressureRules
from recommendations.push_terms import MessageState
from recommendations.services.campaigns.importing import CampaignRecord, ReceiptRow, import_campaign, note_left_out
from recommendations.services.campaigns.pressure import season_salt
from recommendations.services.campaigns.season_effect import season_effect
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Role, Trust
from tests.push_records import contact, pressure
from tests.store.push.test_people import message

pytestmark = pytest.mark.django_db
PAGE, EFFECT = "/campaigns/results/", "/campaigns/results/all/"
DAY = timedelta(days=1)


@pytest.fixture
def viewer(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.VIEWER)


def text_of(client: Client, address: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(address).content.decode()).split())


def imported(name: str, *, people: int, answered: int) -> Campaign:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    customers = [
        Customer.objects.get_or_create(pseudonym=pseudonym(f"p{number}"))[0].pk for number in range(people)
    ]  # fmt: skip
    record = CampaignRecord(
        slug=name.lower(), name=name, description="TypeA", starts_at=start, ends_at=start + 30 * DAY
    )  # fmt: skip
    rows = [
        ReceiptRow(
            customer=customer, received_at=start, answers=2 * (place < answered),
            answered_at=start + DAY if place < answered else None,
        )
        for place, customer in enumerate(customers)
    ]  # fmt: skip
    assert import_campaign(record, rows) == people
    return Campaign.objects.get(slug=name.lower())


def test_an_empty_page_says_what_could_stand_there(viewer: Client) -> None:
    assert "None was imported" in text_of(viewer, PAGE)


def test_imported_campaigns_stand_with_their_answers_and_what_is_not_known(viewer: Client) -> None:
    imported("Spring", people=40, answered=10)
    imported("Summer", people=20, answered=5)
    note_left_out(campaigns=2, receipts=30, answers=4)
    text = text_of(viewer, PAGE)
    assert "2 campaigns reached people 60 times; 25.0% answered, with 30 answers in all." in text
    assert "Nobody was held out, so what they would have bought anyway is not known." in text
    assert "2 campaigns that were not over are left out, with 30 receipts and 4 answers." in text
    lines = viewer.get(f"{PAGE}?format=csv").content.decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert "TypeA,2026-05-01,2026-05-31,40,10,20" in "\n".join(lines)


def test_an_imported_campaign_is_in_no_list_of_ours_and_its_address_leads_to_the_results(admin: Client) -> None:
    spring = imported("Spring", people=3, answered=1)
    assert "Spring" not in text_of(admin, "/campaigns/")
    answer = admin.get(f"/campaigns/{spring.pk}/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{PAGE}#campaign-{spring.pk}")
    for part in ("edit", "report", "plan", "preview"):
        assert admin.get(f"/campaigns/{spring.pk}/{part}/").status_code == 404


def test_without_a_holdout_no_effect_is_known(viewer: Client) -> None:
    pressure(holdout=0.0)
    assert "Nobody is held out of everything" in text_of(viewer, EFFECT)
    assert "nobody is held out" in text_of(viewer, f"{EFFECT}?part=line")


def test_with_few_people_there_is_no_figure_yet(viewer: Client) -> None:
    pressure(holdout=0.1)
    assert "0 people who get messages and 0 who are held out have had their 28 days" in text_of(viewer, EFFECT)


def shop_with_a_lift(*, lift: float, people: int = 400) -> PressureRules:
    """Everybody stood in line for a message 40 days ago; those who got one spent so much more after it."""
    now = timezone.now()
    rules = pressure(holdout=0.25)
    PressureRules.objects.update(created_at=now - 50 * DAY)
    prepare_partitions(now - 100 * DAY, now)
    item = Item.objects.create(shop_id="tea", title="Tea")
    first, season, at = message(contact("p0")), season_salt(rules), now - 40 * DAY
    Message.objects.all().delete()
    own = {"campaign": first.campaign, "version": first.version, "occurrence": first.occurrence}
    customers = Customer.objects.bulk_create(Customer(pseudonym=pseudonym(f"c{n}")) for n in range(people))
    for number, customer in enumerate(customers):
        held = share_of(season, customer.pk) < rules.holdout
        Message.objects.create(
            **own,
            key="1",
            customer=customer,
            channel="email",
            due_at=at,
            expires_at=at + DAY,
            state=MessageState.HELD if held else MessageState.TAKEN,
        )
        habit = 20 + number % 7
        spent = {-10: habit, 5: habit + number % 3 + (0 if held else lift), 30: 1_000}
        Event.objects.bulk_create(
            Event(
                occurred_at=at + days * DAY,
                event_id=uuid.uuid4(),
                line=0,
                name=EventName.PURCHASE,
                customer=customer,
                item=item,
                source="test",
                amount=Decimal(str(amount)),
                quantity=1,
                trust=Trust.SERVER,
                transaction_id=str(uuid.uuid4()),
            )
            for days, amount in spent.items()
        )
    return rules


def test_a_planted_effect_is_told_with_its_interval(viewer: Client) -> None:
    rules = shop_with_a_lift(lift=2)
    found = season_effect(rules, now=timezone.now())
    assert found is not None
    assert found.lift is not None
    assert found.lift.effect.value == pytest.approx(2, abs=0.3)
    assert found.people + found.held == 400
    text = text_of(viewer, EFFECT)
    assert re.search(r"Messages bring \+\d\.\d% revenue a person \(\+\d\.\d% … \+\d+\.\d%\)", text)
    assert "All messages: Messages bring +" in text_of(viewer, f"{EFFECT}?part=line")


def test_none_is_claimed_where_there_is_none(viewer: Client) -> None:
    shop_with_a_lift(lift=0)
    assert re.search(r"No effect shown \(\S+ … \S+\); one below \S+ would not have been seen", text_of(viewer, EFFECT))


def test_who_was_on_both_sides_in_the_season_counts_on_none() -> None:
    rules = shop_with_a_lift(lift=2)
    whole = season_effect(rules, now=timezone.now())
    PressureRules.objects.update(is_default=False)
    changed = pressure(number=2, holdout=0.5)
    found = season_effect(changed, now=timezone.now())
    assert whole is not None
    assert found is not None
    assert found.held == whole.held  # below the smallest share
    assert found.people < whole.people
