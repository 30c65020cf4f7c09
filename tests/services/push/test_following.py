"""Links that are followed: persons count once, machines do not, and nobody is led anywhere but to the shop."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from recommendations.models import Event, Item, Message, MessageEvent
from recommendations.push_terms import MessageEventKind
from recommendations.services.contacts.links import path_of
from recommendations.services.contacts.tokens import LinkKind, SignedLink
from recommendations.services.parcels.links import HOME
from recommendations.services.push.following import is_of_shop, note_click, settle_clicks, target_of
from recommendations.store.events.partitions import prepare_partitions
from tests.public.test_unsubscribe import sent

pytestmark = pytest.mark.django_db

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"


@pytest.fixture(autouse=True)
def _shop(settings: LazySettings) -> None:
    settings.SHOP_URL, settings.SHOP_HOSTS = "https://shop.example", ["www.shop.example"]
    prepare_partitions(timezone.now() - timedelta(days=1), timezone.now())


def message(**fields: Any) -> Message:
    items = [Item.objects.create(shop_id=f"i{number}", title="Tea", url=f"/tea/{number}?size=2") for number in range(4)]
    values = {
        "items": [item.pk for item in items], "recommendation_id": "r-1",
        "handed_at": timezone.now() - timedelta(hours=1),
    }  # fmt: skip
    return sent(**values | fields)


def click(to: Message, place: int = 0, *, after: float = 0.0, agent: str = PHONE, looks: bool = False) -> None:
    note_click(to, place, agent=agent, looks=looks, now=timezone.now() + timedelta(seconds=after))


def settled(seconds: float = 60) -> int:
    return settle_clicks(now=timezone.now() + timedelta(seconds=seconds))


def kinds() -> list[str]:
    return list(MessageEvent.objects.order_by("pk").values_list("kind", flat=True))


def test_a_click_becomes_one_event_of_the_customer_however_often_it_is_repeated() -> None:
    own = message()
    for _ in range(3):
        click(own, 1)
    assert (settled(), settled(120)) == (1, 0)
    event = Event.objects.get()
    assert (event.name, event.customer_id, event.item_id, event.recommendation_id, event.position) == (
        "select_item", own.customer_id, own.items[1], "r-1", 2,
    )  # fmt: skip


def test_a_click_that_comes_again_later_holds_up_no_other() -> None:
    own = message()
    click(own, 1)
    assert settled() == 1
    click(own, 1, after=120)
    click(own, 2, after=120)
    assert settled(240) == 1
    assert (kinds(), Event.objects.count()) == (["clicked", "clicked"], 2)
    for place in range(3):
        click(own, place, looks=True)
        click(own, place, after=300)
    assert settled(400) == 0  # a scanner that had looked before
    assert kinds().count("machine_clicked") == 3


def test_a_click_on_the_shops_home_is_counted_and_is_no_event() -> None:
    click(message(), HOME)
    assert settled() == 1
    assert not Event.objects.exists()


@pytest.mark.parametrize("how", [{"looks": True}, {"agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}])
def test_who_only_looks_and_crawlers_are_machines(how: dict[str, Any]) -> None:
    click(message(), **how)
    assert (settled(), kinds(), Event.objects.count()) == (0, ["machine_clicked"], 0)


def test_who_is_there_within_seconds_of_the_hand_over_is_a_machine() -> None:
    own = message(handed_at=timezone.now())
    click(own, 0, after=9)
    click(own, 1, after=11)
    assert (settled(), kinds()) == (1, ["machine_clicked", "clicked"])


def test_three_links_within_two_seconds_are_a_scanners() -> None:
    own = message()
    for place in range(3):
        click(own, place, after=place * 0.9)
    assert settled() == 0
    assert set(kinds()) == {"machine_clicked"}
    two = message_of_another(own)
    click(two, 0)
    click(two, 1, after=1)
    click(two, 2, after=4)
    assert settled() == 3


def message_of_another(first: Message) -> Message:
    return sent("bo", items=first.items, recommendation_id="r-2", handed_at=timezone.now() - timedelta(hours=1))


def test_a_click_of_a_moment_ago_waits_for_what_comes_with_it() -> None:
    click(message())
    assert (settled(3), settled(6)) == (0, 1)


def test_a_link_leads_to_the_item_and_says_which_list_it_was() -> None:
    own = message()
    parts = urlsplit(target_of(own, 2))
    assert (parts.netloc, parts.path) == ("shop.example", "/tea/2")
    assert parse_qs(parts.query) == {
        "size": ["2"], "rid": ["r-1"], "utm_source": ["recsite"], "utm_medium": ["email"],
        "utm_campaign": [own.campaign.slug],
    }  # fmt: skip
    assert urlsplit(target_of(own, HOME)).path == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/", "//evil.example/", "\\\\evil.example/", "/\\evil.example", "https:evil.example",
        "https://shop.example@evil.example/", "https://shop.example.evil.example/", "https://evil.example/shop.example",
        "javascript:alert(1)", "data:text/html,x", "https://shop.example:8443/", "https://xn--shp-tna.example/",
        "https://\u0455hop.example/", "https://user@shop.example/", "ftp://shop.example/", "https://%73hop.example.evil/",
        "http:///evil.example", "https://shop.example\\.evil.example/", "https://", "//www.shop.example.evil/",
    ],
)  # fmt: skip
def test_an_item_whose_page_is_elsewhere_leads_to_the_shops_home(url: str) -> None:
    own = message()
    Item.objects.filter(pk=own.items[0]).update(url=url)
    parts = urlsplit(target_of(own, 0))
    assert (parts.scheme, parts.netloc) == ("https", "shop.example")


@pytest.mark.parametrize("url", ["https://shop.example/a", "https://www.shop.example/a?b=c#d", "http://shop.example"])
def test_pages_of_the_shop_are_its_own(url: str) -> None:
    assert is_of_shop(url)


def test_the_page_leads_on_and_notes_it() -> None:
    own = message()
    page = path_of(SignedLink(LinkKind.CLICK, own.pk, 1), now=timezone.now())
    answer = Client(HTTP_USER_AGENT=PHONE).get(page)
    assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, "/tea/1")
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
    Client(HTTP_USER_AGENT=PHONE).head(page)
    assert kinds() == [MessageEventKind.CLICKED, MessageEventKind.MACHINE_CLICKED]
    assert Client().post(page).status_code == 404
    head, _, signature = page.rpartition(".")
    other = "B" if signature.startswith("A") else "A"
    assert Client().get(f"{head}.{other}{signature[1:]}").status_code == 404
    assert Client().get(page.replace("/c/", "/u/")).status_code == 404
