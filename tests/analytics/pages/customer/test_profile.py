"""The review of one customer on a shop that the loop has really learned (``grocery.py``): u3 buys teas every week."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from recommendations.event_types import EventName
from recommendations.models import Customer, Event, Item
from recommendations.store.events.partitions import prepare_partitions
from tests.analytics.pages.customer.conftest import text, thing, titles
from tests.review import review

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("as_of=yesterday", "Not a date."),
        ("as_of=2026-02-30", "Not a date."),
        ("as_of=2999-01-01", "This day is in the future."),
        ("as_of=0001-01-01", "There are no data from that time."),
        ("did=purchase:999999999", "do not exist (999999999)"),
        ("placement=cart&around=999999999", "do not exist (999999999)"),
        ("why=999999999", "choose one by title"),
        ("why_not=999999999", "There is no item 999999999."),
    ],
)
def test_an_odd_parameter_says_what_to_do(admin: Client, tea_drinker: Customer, query: str, told: str) -> None:
    page = text(admin, f"/customers/{tea_drinker.code}/?{query}")
    assert told in page
    assert len(titles(page)) == 20  # and the list is there all the same


def test_a_date_that_is_none_stands_in_its_field_with_the_error(admin: Client, tea_drinker: Customer) -> None:
    page = text(admin, f"/customers/{tea_drinker.code}/?as_of=tomorrow+or+so")
    assert 'value="tomorrow or so"' in page
    assert 'aria-invalid="true" aria-describedby="as_of-problem"' in page


@pytest.mark.parametrize(
    "query", ["did=purchase", "did=erase:5", "did=%00", "compare=all", "of=draft", "sort=x&text=%00"]
)
def test_unknown_parameters_are_as_if_absent(admin: Client, tea_drinker: Customer, query: str) -> None:
    assert titles(text(admin, f"/customers/{tea_drinker.code}/?{query}")) == titles(
        text(admin, f"/customers/{tea_drinker.code}/")
    )


def test_an_unknown_customer_is_not_found_and_says_so(admin: Client) -> None:
    answer = admin.get("/customers/C-7K4F/")
    assert answer.status_code == 404
    assert "There is no customer “C-7K4F”" in answer.content.decode()


def test_as_of_a_day_is_the_history_to_its_end_and_marks_what_came_after(admin: Client, tea_drinker: Customer) -> None:
    day = (timezone.localdate() - timedelta(days=40)).isoformat()
    page = text(admin, f"/customers/{tea_drinker.code}/?as_of={day}")
    expected = review(
        customer=tea_drinker.pk, placement="home",
        as_of=timezone.make_aware(timezone.datetime.fromisoformat(day) + timedelta(days=1)),
    )  # fmt: skip
    assert titles(page) == [card.item.title for card in expected.cards]
    assert "As of the end of" in page
    assert "bought later" in page
    assert "judgement" not in page  # only what the shop gets now is judged


def test_a_simulated_act_stands_in_the_address_and_nowhere_else(admin: Client, tea_drinker: Customer) -> None:
    events, wine = Event.objects.count(), thing("wine-11")
    sent = f"/customers/{tea_drinker.code}/?placement=discover&act=purchase&add={wine.pk}&find=wine"
    answer = admin.get(sent)
    assert answer["Location"] == (
        f"/customers/{tea_drinker.code}/?placement=discover&did=purchase%3A{wine.pk}#recommendations"
    )
    page = text(admin, answer["Location"])
    assert "Buys: Wine 11" in page
    assert "What these actions change:" in page
    assert "nothing is stored" in page
    assert 'href="?placement=discover#recommendations">Buys' in page  # it can be taken back
    assert Event.objects.count() == events
    assert titles(text(admin, f"/customers/{tea_drinker.code}/?placement=discover")) != []


def test_a_simulated_act_is_compared_with_the_list_without_it(admin: Client, tea_drinker: Customer) -> None:
    """A view of what the customer dislikes nothing of: each card says where it stood before."""
    wine = thing("wine-0")
    page = text(admin, f"/customers/{tea_drinker.code}/?did=purchase:{wine.pk}&did=view_item:{wine.pk}")
    marks = re.findall(r'class="moved (is-\w+)"', page)
    assert len(marks) == 20
    before = [card.item.title for card in review(customer=tea_drinker.pk, placement="home", as_of=timezone.now()).cards]
    for title, mark in zip(titles(page), marks, strict=True):
        assert (mark == "is-new") == (title not in before)


def test_the_interests_say_what_dislikes_change(admin: Client, tea_drinker: Customer) -> None:
    now = timezone.now()
    dislikes(tea_drinker, "tea-1", days=40)
    assert "Tea: 1 item disliked, which lowers its share." in text(admin, f"/customers/{tea_drinker.code}/")
    dislikes(tea_drinker, "tea-2", days=29)
    until = date_format(timezone.localtime(now + timedelta(days=1)), "DATE_FORMAT")
    page = text(admin, f"/customers/{tea_drinker.code}/")
    assert f"Tea: 2 items disliked, so its share is halved until {until}." in page
    Event.objects.filter(name=EventName.DISLIKE_ITEM).delete()
    dislikes(tea_drinker, "tea-1", days=40)
    dislikes(tea_drinker, "tea-2", days=31)
    assert "Tea: 2 items disliked, which lowers its share." in text(admin, f"/customers/{tea_drinker.code}/")


def dislikes(customer: Customer, shop_id: str, *, days: float) -> None:
    at = timezone.now() - timedelta(days=days)
    prepare_partitions(at, at)
    Event.objects.create(
        event_id=uuid.uuid4(), line=0, name=EventName.DISLIKE_ITEM, customer=customer, occurred_at=at, received_at=at,
        item=Item.objects.get(shop_id=shop_id), source="api",
    )  # fmt: skip
