"""What the data allow: figures that were counted by hand, and words for a shop that lacks something."""

# ruff: noqa: RUF001 -- Chinese has full-width signs

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from analytics.queries.your_data import DataState, share_at_least
from recommendations.event_types import EventName
from recommendations.models import ApiKey, Category, Customer, CustomerAlias, Event, Item, ModelVersion, SourceHour
from recommendations.terms import Role
from tests.analytics import records

pytestmark = pytest.mark.django_db
PAGE = reverse("your_data")


def states(client: Client) -> dict[str, DataState]:
    return {each.name: each.state for each in client.get(PAGE).context["placements"]}


def steps(client: Client) -> list[str]:
    return [each.words for each in client.get(PAGE).context["next_steps"]]


@pytest.fixture
def small_shop() -> None:
    """Four customers: two acts, two purchases on one day, one view, and two ids of one who bought on two days."""
    shoes = Category.objects.create(path="Shoes", name="Shoes")
    shoe, sock = records.item("shoe", category=shoes), records.item("sock")
    Item.objects.filter(pk=sock.pk).update(price=None, image_url="https://shop.example/sock.png")
    one, two, three, four, visitor = (records.customer(name) for name in ("u1", "u2", "u3", "u4", "visitor"))
    records.event(one, shoe, days_ago=40, name=EventName.VIEW_ITEM)
    records.event(one, sock, days_ago=39, name=EventName.VIEW_ITEM)
    records.event_of_items(two, [shoe, sock], days_ago=20)
    records.event(three, shoe, days_ago=10, name=EventName.VIEW_ITEM)
    records.event(visitor, shoe, days_ago=9)
    records.event(four, shoe, days_ago=5)
    CustomerAlias.objects.create(anonymous=visitor, customer=four, source="test")
    Event.objects.filter(customer__in=[four, visitor]).update(transaction_id="of four")
    records.version(records.run())
    ModelVersion.objects.update(users=3, is_live=True, status="ready")


def test_the_figures_are_those_of_the_record(small_shop: None, admin: Client) -> None:
    page = admin.get(PAGE)
    counts, text = page.context["counts"], page.content.decode()
    assert (counts.customers, counts.with_two, counts.buyers, counts.bought_again) == (4, 3, 2, 1)
    assert (counts.orders, counts.baskets) == (2, 1)
    assert counts.kinds == {EventName.VIEW_ITEM: 3, EventName.PURCHASE: 4}
    assert counts.since == records.NOW - timedelta(days=40)
    assert "3 customers with two acts or more; recommendations of their own for 75% of all 4." in text
    assert dict(page.context["lacking"]) == {"no_price": 1, "no_picture": 1, "no_category": 1}


def test_each_placement_says_what_it_has_to_go_by(small_shop: None, admin: Client) -> None:
    assert states(admin) == {
        "home": DataState.WORKS, "discover": DataState.WORKS, "email": DataState.WORKS, "buy_again": DataState.THIN,
        "item": DataState.THIN, "category": DataState.THIN, "also_bought": DataState.THIN, "cart": DataState.THIN,
        "trending": DataState.THIN, "search": DataState.WORKS, "new": DataState.WORKS,
    }  # fmt: skip


def test_a_shop_with_nothing_is_told_what_comes_first(admin: Client) -> None:
    page = admin.get(PAGE).content.decode()
    assert "There are no items yet, so nothing can be recommended." in page
    assert set(states(admin).values()) == {DataState.LACKS}
    assert steps(admin)[:2] == [
        "Import the catalogue.", "Import past events by command, or let the shop send them with a key."
    ]  # fmt: skip


def test_steps_that_are_done_are_not_named(small_shop: None, admin: Client) -> None:
    assert len([words for words in steps(admin) if words.startswith("Fill in")]) == 3
    assert "Let the shop send its events and ask for its first slot." in steps(admin)
    Item.objects.update(price=1, image_url="https://shop.example/i.png", updated_at=timezone.now())
    for item in Item.objects.all():
        item.categories.add(Category.objects.get())
    key = ApiKey.objects.create(name="shop", prefix="abc", digest="0" * 64, scopes=[])
    SourceHour.objects.create(key=key, hour=timezone.now(), lines=1)
    records.event(Customer.objects.order_by("pk")[0], None, days_ago=0, name=EventName.VIEW_ITEM)
    Event.objects.filter(item=None).update(occurred_at=records.NOW)
    assert [words for words in steps(admin) if "Nothing came in for a week" not in words] == []


def test_counts_are_made_once_and_again_with_an_import(
    small_shop: None, admin: Client, django_assert_max_num_queries: Callable[..., object]
) -> None:
    admin.get(PAGE)
    records.event(records.customer("u9"), None, days_ago=1, name=EventName.SEARCH)
    with django_assert_max_num_queries(8):  # type: ignore[attr-defined]
        assert admin.get(PAGE).context["counts"].customers == 4
    ModelVersion.objects.update(is_live=False)
    assert admin.get(PAGE).context["counts"].customers == 5


def test_everybody_may_look_and_links_lead_where_the_reader_may_go(client_of: Callable[[Role], Client]) -> None:
    page = client_of(Role.VIEWER).get(PAGE).content.decode()
    assert "Ask an admin for it." in page
    assert reverse("new_import") not in page
    assert reverse("new_import") in client_of(Role.ADMIN).get(PAGE).content.decode()


def test_it_is_linked_from_setup_and_the_first_steps(admin: Client) -> None:
    for page in (reverse("placement_list"), reverse("overview")):
        assert f'href="{PAGE}"' in admin.get(page).content.decode()


def test_it_is_there_in_chinese(small_shop: None, admin: Client) -> None:
    with translation.override("zh-hans"):
        page = admin.get(PAGE, headers={"Accept-Language": "zh-hans"}).content.decode()
    assert "3 位顾客有两次以上行为；全部 4 位顾客中有 75% 能得到专属推荐。" in page


@pytest.mark.parametrize(("value", "text"), [(298 / 299, "99%"), (1.0, "100%"), (0.29, "29%"), (0.0, "0%")])
def test_a_hundred_percent_is_all(value: float, text: str) -> None:
    assert share_at_least(value) == text
