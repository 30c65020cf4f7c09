"""Events and answers behind the figures of the Overview."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from recommendations.customer_codes import customer_code
from recommendations.event_types import EventName
from recommendations.models import Customer, PlacementDay, Slate
from recommendations.store.events.partitions import prepare_partitions
from recommendations.terms import Fallback, Source
from tests.analytics import records
from tests.experiment_records import experiment

pytestmark = pytest.mark.django_db


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def who(admin: Client) -> int:
    customer, tea = records.customer("u"), records.item("tea", title="Green tea")
    records.event(customer, tea, days_ago=1)
    records.event(customer, tea, days_ago=1, name=EventName.VIEW_ITEM)
    records.event(customer, tea, days_ago=20)
    records.event(records.customer("v"), records.item("mug", title="Blue mug"), days_ago=2)
    return customer.pk


def test_events_without_dates_are_those_of_the_last_seven_days(admin: Client, who: int) -> None:
    page = text(admin, "/events/")
    assert "3 lines" in page
    assert page.index("Green tea") < page.index("Blue mug")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?from=2026-08-01&until=2026-09-30", 4), ("?name=view_item", 1), ("?from=2026-09-14&until=2026-09-14", 2),
        ("?from=2026-09-13&until=2026-09-13&name=purchase", 1), ("?from=2026-02-31&name=king&page=x&customer=y", 3),
    ],
)  # fmt: skip
def test_events_are_filtered_by_days_and_kind(admin: Client, who: int, query: str, count: int) -> None:
    assert f"{count} line" in text(admin, f"/events/{query}")


def test_events_are_filtered_by_customer(admin: Client, who: int) -> None:
    page = text(admin, f"/events/?customer={customer_code(who)}&from=2026-08-01&until=2026-09-30")
    assert "3 lines" in page
    assert "Blue mug" not in page


def test_whose_an_act_is_is_not_told_of_who_objects(admin: Client, who: int) -> None:
    code = customer_code(who)
    assert code in text(admin, "/events/")
    Customer.objects.filter(pk=who).update(personalise=False)
    page = text(admin, "/events/")
    assert "3 lines" in page
    assert code not in page
    assert "No event in these days" in text(admin, f"/events/?customer={code}&from=2026-08-01&until=2026-09-30")


def test_days_without_events_say_so(admin: Client, who: int) -> None:
    assert "No event in these days" in text(admin, "/events/?from=2020-01-01&until=2020-01-01")


def test_answers_by_source_and_reason(admin: Client, who: int) -> None:
    now = timezone.now()
    prepare_partitions(now, now)
    for number, (source, reason) in enumerate([(Source.MODEL, ""), (Source.POPULAR, Fallback.NO_HISTORY)]):
        Slate.objects.create(
            served_at=now, recommendation_id=f"r{number}", customer_id=who, placement="home", source=source,
            personalised=not reason, fallback_reason=reason, items=[1, 2], scores=[1, 0], propensities=[1, 1],
            latency_us=2500,
        )  # fmt: skip
    assert "2 answers" in text(admin, "/answers/")
    page = text(admin, "/answers/?reason=no_history&placement=home")
    assert "1 answer" in page
    assert "Nothing known about the customer" in page
    assert "2.5" in page
    assert "No answer matches" in text(admin, "/answers/?source=newest")
    assert "source=popular&amp;reason=no_history" in text(admin, "/answers/")  # behind the share of each source


def test_answers_to_a_customer_and_under_an_arm(admin: Client, who: int) -> None:
    own, now = experiment(name="Shorter"), timezone.now()
    arm = own.arms.get(position=1)
    prepare_partitions(now, now)
    for number, (customer, arms) in enumerate([(who, [arm.pk]), (who, []), (who + 1, [arm.pk])]):
        Slate.objects.create(
            served_at=now, recommendation_id=f"r{number}", customer_id=customer, placement="home", source=Source.MODEL,
            personalised=True, items=[1], scores=[1], propensities=[1], latency_us=2500, arms=arms,
        )  # fmt: skip
    assert "2 answers" in text(admin, f"/answers/?customer={customer_code(who)}")
    page = text(admin, f"/answers/?arm={arm.pk}")
    assert "2 answers" in page
    assert "Shorter · B" in page
    assert "1 answer" in text(admin, f"/answers/?arm={arm.pk}&customer={customer_code(who)}")
    for page in ("/answers/r0/", "/answers/r0/again/"):
        assert f'<a href="/experiments/{own.pk}/">Shorter</a>, B' in text(admin, page)
    assert "Shorter" not in text(admin, "/answers/r1/")
    assert f"/answers/?customer={customer_code(who)}" in text(admin, f"/customers/{customer_code(who)}/")


def test_no_answer_yet(admin: Client) -> None:
    assert "No requests in this period" in text(admin, "/answers/")


def test_the_days_are_drawn_above_their_events_unless_they_are_too_many(admin: Client, who: int) -> None:
    page = text(admin, "/events/?from=2026-09-01&until=2026-09-15")
    assert "Stacked bars: 3 events in 15 days" in page
    assert "arrivals-chart" not in text(admin, "/events/?from=2026-01-01&until=2026-09-15")


def test_results_by_placement_stand_above_their_purchases(admin: Client) -> None:
    counts = {"listed": 40, "seen": 40, "clicked": 20, "carted": 0, "bought": 20, "purchases": 20, "revenue": 5}
    for position, replay in ((0, True), (1, True), (0, False), (1, False)):
        PlacementDay.objects.create(
            day=timezone.localdate(), placement="home", replay=replay, position=position, squares=9, **counts
        )
    page = " ".join(text(admin, "/attributed/?placement=home&replay=1").split())
    assert "nobody saw them" in page
    assert "how often the next basket contained the item in that position" in page
    assert "next basket" not in text(admin, "/attributed/?placement=home")


def test_where_nothing_is_sold_results_tell_of_clicks_alone(admin: Client, settings: Settings) -> None:
    counts = {"listed": 40, "seen": 40, "clicked": 20, "carted": 0, "bought": 0, "purchases": 0, "revenue": 0}
    for position in (0, 1):
        PlacementDay.objects.create(
            day=timezone.localdate(), placement="home", replay=False, position=position, squares=0, **counts
        )
    bought = ("Conversion", "clicked and bought from", "1: 50.0%, 0.0%", "A purchase counts")
    assert all(words in text(admin, "/attributed/") for words in bought)
    settings.SHOP_DOMAIN = "video"
    page = text(admin, "/attributed/")
    assert not any(words in page for words in bought)
    assert "share of the lists that were clicked at each position. 1: 50.0%" in page


@pytest.mark.parametrize(("listed", "told", "not_told"), [(0, "已返回", "已展示"), (40, "已展示", "已返回")])
def test_lists_that_were_served_and_lists_that_were_seen_differ_in_chinese(
    admin: Client, listed: int, told: str, not_told: str
) -> None:
    now = timezone.now()
    prepare_partitions(now, now)
    for number in range(40):
        Slate.objects.create(
            served_at=now, recommendation_id=f"r{number}", placement="home", source=Source.MODEL, personalised=True,
            items=[1], scores=[1], propensities=[1], latency_us=2500,
        )  # fmt: skip
    counts = {"listed": listed, "seen": 40, "clicked": 9, "carted": 0, "bought": 0, "purchases": 0, "revenue": 0}
    for position in (0, 1):
        PlacementDay.objects.create(
            day=timezone.localdate(), placement="home", replay=False, position=position, squares=0, **counts
        )
    admin.cookies["django_language"] = "zh-hans"
    page = text(admin, "/attributed/?placement=home")
    assert f"<small>{told}</small>" in page
    assert f'<th scope="col" class="num">{told}</th>' in page
    assert f">{not_told}<" not in page
