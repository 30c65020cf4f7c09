"""A visitor's way through the demo's shop, a process of its own before the real API; and what staff see of it."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from recommendations.models import Event, Item
from recommendations.services.operations.housekeeping import write_slates
from recommendations.services.rules.editing import save_rule
from recommendations.terms import Scope
from tests.journeys.conftest import Visitor, committed, until
from tests.journeys.shop_process import LAST, shop_process, token
from tests.recsite.processes import wait_for
from tests.trained import NOW

pytestmark = pytest.mark.django_db

expect.set_options(timeout=10_000)
SOON = 2.0  # seconds
TEA = "/shelf/FOOD%20%3E%20TEA"
SOAP = {"attribute": "item", "operator": "is", "values": ["soap-7"]}
IDS = "(tiles) => tiles.map((tile) => tile.dataset.itemId)"


@pytest.fixture(scope="module")
def shop(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the shop, whose catalogue is what Recsite has."""
    server = (
        Scope.CATALOGUE_WRITE, Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ, Scope.IDENTITY_PROVE,
        Scope.PRIVACY_WRITE,
    )  # fmt: skip
    with shop_process(
        tmp_path_factory.mktemp("demo"),
        recsite=site,
        server_key=lambda _address: token(*server),
        browser_key=lambda address: token(Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ, origins=(address,)),
    ) as address:
        yield address


@pytest.fixture
def visitor(shop: str, window: Callable[..., Visitor]) -> Visitor:
    person = window()
    person.site = shop
    person.axe_at = ()  # pages behind *Why this?* let no script in
    return person


def title(item_id: str) -> str:
    return item_id.replace("-", " ").capitalize()


def delivered(page: Page) -> None:
    """Wait until every event of the page is in the record."""
    until(page, "() => !JSON.parse(localStorage.getItem('recsite') ?? '{}').queue?.length")


def allow(page: Page) -> None:
    page.get_by_role("button", name="Yes, personalise").click()
    expect(page.get_by_role("region", name="Personalisation")).to_have_count(0)


def shown(page: Page, placement: str) -> list[str]:
    return page.locator(f"[data-recsite-slot={placement}] > ul > [data-item-id]").evaluate_all(
        "(tiles) => tiles.map((tile) => tile.dataset.itemId)"
    )


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_every_page_of_the_shop_is_in_order(
    shop: str, window: Callable[..., Visitor], width: int, theme: Literal["light", "dark"]
) -> None:
    visitor = window(width=width)
    visitor.site = shop
    visitor.page.emulate_media(color_scheme=theme)
    page = visitor.page
    for address in (
        "/",
        "/shelf/FOOD%20%3E%20TEA",
        "/item/tea-1",
        "/search?q=tea",
        "/search?q=zzz",
        "/cart",
        "/browser",
        "/nowhere",
    ):
        visitor.visit(address)
        page.locator("summary").evaluate_all("(panels) => panels.forEach((panel) => panel.click())")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")  # there the question of consent lies over nothing
        complaints = visitor.complaints()
        assert [each for each in complaints if "status of 404" not in each] == [], address
        visitor.problems.clear()
    allow(page)
    visitor.visit("/item/tea-1")
    page.get_by_role("button", name="Add to basket").click()
    expect(page.get_by_role("status")).to_have_text("Tea 1 is in your basket.")
    assert visitor.complaints() == []
    page.get_by_role("button", name="Buy now").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert visitor.complaints() == []


def test_a_page_of_the_shop_is_filled_by_the_browser_alone(shop: str, visitor: Visitor) -> None:
    page = visitor.page
    visitor.visit("/browser")
    allow(page)
    for name in ("For you", "Trending", "Just in"):
        expect(page.get_by_role("region", name=name).get_by_role("listitem").first).to_be_visible(timeout=20_000)
    lists = [page.get_by_role("region", name=name) for name in ("For you", "Trending", "Just in")]
    items = [item for each in lists for item in each.locator("[data-item-id]").evaluate_all(IDS)]
    assert len(items) == len(set(items)) > 0
    assert page.locator(".panel").count() == 0  # the shop's server asked nothing
    assert visitor.complaints() == []
    page.keyboard.press("Tab")
    lists[0].get_by_role("link").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/item/*")
    assert title(items[0]) in page.get_by_role("heading", level=1).inner_text()


def test_a_page_is_judged_with_its_styles(visitor: Visitor) -> None:
    """Nobody is judged by what stands there before the style sheet has come."""
    line = visitor.page.context.new_cdp_session(visitor.page)
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    slow = {"offline": False, "latency": 1_000, "downloadThroughput": -1, "uploadThroughput": -1}
    line.send("Network.emulateNetworkConditions", slow)
    visitor.page.goto(f"{visitor.site}/item/tea-1", wait_until="commit")
    expect(visitor.page.get_by_role("button", name="Add to basket")).to_be_attached()
    assert visitor.complaints() == []


def test_no_item_stands_on_a_page_of_the_shop_twice(visitor: Visitor) -> None:
    for address, slots in (("/", 3), ("/item/tea-1", 2)):
        visitor.visit(address)
        expect(visitor.page.locator("[data-recsite-slot] > ul")).not_to_have_count(0)
        tiles = visitor.page.locator("[data-recsite-slot]").evaluate_all(
            """(slots) => slots.map((slot) =>
              [...slot.querySelectorAll("[data-item-id]")].map((tile) => tile.dataset.itemId))"""
        )
        every = [item for slot in tiles for item in slot]
        assert sum(map(bool, tiles)) >= slots
        assert len(every) == len(set(every))


def test_events_of_a_visitor_change_the_next_slates(visitor: Visitor, ada: Visitor) -> None:
    """View, add to the basket, buy; each shows in the next slate, and all of it on the dashboard within two seconds."""
    page = visitor.page
    visitor.visit("/")
    before = shown(page, "home")
    allow(page)
    visitor.visit("/item/tea-5")
    delivered(page)
    visitor.visit("/")
    viewed = shown(page, "home")
    assert viewed != before
    assert any(item.startswith("tea-") for item in viewed[:3]), viewed

    page.goto(f"{visitor.site}/item/tea-1")
    page.get_by_role("button", name="Add to basket").click()
    expect(page.get_by_role("heading", name="Your basket")).to_be_visible()
    page.wait_for_load_state()  # before that the page tells of no click
    beside = shown(page, "cart")
    assert beside
    assert "tea-1" not in beside
    assert beside[0].startswith("tea-"), beside

    page.locator("[data-recsite-slot=cart]").get_by_role("link", name=title(beside[0]), exact=True).click()
    expect(page.get_by_role("heading", name=title(beside[0]), level=1)).to_be_visible()
    page.wait_for_load_state()
    page.get_by_role("button", name="Add to basket").click()
    expect(page.locator(".lines tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Buy now").click()
    begin = time.monotonic()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert not {"tea-1", beside[0]} & set(shown(page, "discover"))
    dashboard = page.get_by_role("link", name="See this visitor in the dashboard").get_attribute("href") or ""
    page.wait_for_timeout(max(0.0, 1_000 * (SOON - time.monotonic() + begin)))
    committed(write_slates)  # as the worker does every second
    ada.page.goto(dashboard)
    expect(ada.page.get_by_role("heading", name=re.compile(r"^Customer C-"))).to_be_visible()
    bought = ada.page.get_by_role("region", name="Recent events").get_by_role("row").filter(has_text="Bought")
    expect(bought).to_have_count(2)
    expect(bought.filter(has_text="Tea 1")).to_have_count(1)
    expect(bought.filter(has_text="Completes the basket, position 1")).to_contain_text(title(beside[0]))
    ada.page.get_by_text("The numbers").first.click()
    for kind, count in (("Viewed", 3), ("Added to cart", 2), ("Bought", 2)):
        row = ada.page.get_by_role("region", name="Timeline").get_by_role("row").filter(has_text=kind)
        expect(row.locator("td").last).to_have_text(str(count))


def test_who_comes_from_a_mail_says_so_and_waits_for_what_is_sold_out(visitor: Visitor) -> None:
    page = visitor.page
    visitor.visit("/")
    allow(page)
    visitor.visit(f"/item/{LAST}?rid=r-mail&utm_source=recsite&utm_medium=email&utm_campaign=weekly&own=1")
    assert page.url.endswith("&own=1")
    delivered(page)
    seen = committed(lambda: Event.objects.get(name="view_item", recommendation_id="r-mail", item__shop_id=LAST))
    context = seen.attributes or {}
    assert {name: context[name] for name in ("channel", "source", "page")} == {
        "channel": "email", "source": "recsite", "page": f"/item/{LAST}",
    }  # fmt: skip
    visitor.visit("/?rid=r-mail&utm_source=recsite&utm_medium=email")
    delivered(page)
    assert committed(lambda: Event.objects.filter(name="view_homepage", recommendation_id="r-mail").count()) == 1

    visitor.visit(f"/item/{LAST}")
    page.get_by_role("button", name="Add to basket").click()
    expect(page.get_by_role("heading", name="Your basket")).to_be_visible()
    visitor.visit(f"/item/{LAST}")
    page.get_by_role("button", name="Add to basket").click()
    expect(page.get_by_role("status")).to_have_text("There is no more of Soap 9.")
    visitor.visit("/cart")
    page.get_by_role("button", name="Buy now").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    visitor.visit(f"/item/{LAST}")
    page.get_by_role("button", name="Tell me when it is back").click()
    expect(page.get_by_role("status")).to_contain_text("We write to you when Soap 9 is back")
    delivered(page)
    assert committed(lambda: Event.objects.filter(name="add_to_wishlist", item__shop_id=LAST).count()) == 1
    sold_out = Item.objects.filter(shop_id=LAST, availability="out_of_stock")
    assert wait_for(lambda: committed(sold_out.exists), seconds=10)  # the shop says it behind the visitor's back
    assert visitor.complaints() == []


def test_signing_in_joins_the_events_before_it(visitor: Visitor) -> None:
    page = visitor.page
    visitor.visit("/")
    allow(page)
    page.get_by_label("Shopping as").select_option("u3")
    page.get_by_role("button", name="Change").click()
    expect(page.locator("[data-recsite-slot=buy_again]")).to_be_visible()
    assert {item.rpartition("-")[0] for item in shown(page, "buy_again")} == {"tea"}  # u3's taste
    expect(page.locator("[data-recsite-slot=buy_again] .reason").first).not_to_be_empty()


def test_the_account_of_a_customer_leads_to_their_data(visitor: Visitor) -> None:
    page = visitor.page
    visitor.visit("/")
    expect(page.get_by_role("link", name="Your account")).to_have_count(0)
    allow(page)
    page.get_by_label("Shopping as").select_option("u3")
    page.get_by_role("button", name="Change").click()
    page.get_by_role("link", name="Your account").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    assert visitor.complaints() == []
    page.get_by_role("link", name="My data").click()
    page.wait_for_url("**/m/m/*/**")
    expect(page.get_by_role("heading", name="My data")).to_be_visible()
    page.get_by_role("button", name="Show it").click()
    expect(page.locator(".holding").first).to_be_visible()
    assert visitor.complaints() == []


def test_a_visitor_who_declines_is_not_personalised(visitor: Visitor) -> None:
    page = visitor.page
    visitor.visit("/")
    page.get_by_role("button", name="No, thank you").click()
    expect(page.get_by_role("region", name="Personalisation")).to_have_count(0)
    visitor.visit("/item/tea-5")
    visitor.visit("/")
    page.locator(".panel summary").click()
    expect(page.locator(".panel tbody tr").first).to_contain_text("not_personalised")
    assert page.evaluate("localStorage.length") == 0
    assert visitor.problems == []


def test_every_tile_says_why_and_an_objection_changes_the_next_answer(visitor: Visitor) -> None:
    """By keyboard, on a phone: the question on a tile, the page that asks, its button, and the shop after it."""
    page = visitor.page
    visitor.visit("/")
    allow(page)
    page.get_by_label("Shopping as").select_option("u3")
    page.get_by_role("button", name="Change").click()
    page.set_viewport_size({"width": 390, "height": 844})
    tiles = page.locator("[data-recsite-slot] .tile")
    expect(page.locator("[data-recsite-slot=buy_again]")).to_be_visible()
    expect(tiles.locator("details.why")).to_have_count(tiles.count())
    visitor.visit("/browser")
    expect(page.locator("[data-recsite-slot=home] .tile").first).to_be_visible()
    expect(tiles.locator("details.why")).to_have_count(tiles.count())
    tiles.first.locator("summary").click()
    expect(tiles.first.get_by_role("link", name="Stop recommendations by what I do")).to_be_visible()
    assert visitor.complaints() == []
    visitor.visit("/")
    before = shown(page, "home")
    first = page.locator("[data-recsite-slot=home] .tile").first
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    stop_them = first.get_by_role("link", name="Stop recommendations by what I do")
    expect(stop_them).to_be_visible()
    expect(first.get_by_role("link", name="How we recommend")).to_be_visible()
    assert visitor.complaints() == []
    delivered(page)
    clicks = Event.objects.filter(name="select_item").count()
    stop_them.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop them").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Recommendations no longer go by what you do.")).to_be_visible()
    assert visitor.complaints() == []
    asked = page.url
    visitor.visit("/")
    expect(page.get_by_label("Shopping as")).to_have_value("u3")
    assert shown(page, "home") != before
    tiles.first.locator("summary").click()
    expect(tiles.first.get_by_role("link", name="How we recommend")).to_be_visible()
    expect(page.get_by_role("link", name="Stop recommendations by what I do")).to_have_count(0)
    delivered(page)
    assert Event.objects.filter(name="select_item").count() == clicks  # a link of ours is no click on the item
    page.goto(asked)
    page.get_by_role("button", name="Turn them on again").click()
    expect(page.get_by_role("heading", name="Recommendations by what you do are on again.")).to_be_visible()
    visitor.visit("/")  # what was before stays out, so there is nothing to buy again
    tiles.first.locator("summary").click()
    expect(tiles.first.get_by_role("link", name="Stop recommendations by what I do")).to_be_visible()


def test_a_published_rule_appears_in_the_shop(visitor: Visitor, ada: Visitor) -> None:
    visitor.visit("/")
    assert shown(visitor.page, "home")[0] != "soap-7"
    pin = {"name": "Soap first", "placement": "home", "action": "pin", "slot": 1, "items": [SOAP]}
    rule = committed(lambda: save_rule(rule=None, values=pin, revision=None, by=None, now=NOW))
    ada.visit(f"/rules/{rule.pk}/")
    ada.page.get_by_role("button", name="Publish…").click()
    dialog = ada.page.get_by_role("dialog")
    dialog.get_by_label("Why (required)").fill("Spring cleaning")
    expect(dialog.locator(".dialog-effect")).to_contain_text("of the slots")
    dialog.get_by_role("button", name="Publish").click()
    expect(ada.page.locator(".book-line").get_by_text("serves 1 rule")).to_be_visible()
    for _ in range(20):  # the processes that answer hear of it in a moment
        visitor.visit("/")
        if shown(visitor.page, "home")[0] == "soap-7":
            break
        visitor.page.wait_for_timeout(250)
    assert shown(visitor.page, "home")[0] == "soap-7"
    visitor.page.locator(".panel summary").click()
    assert visitor.complaints() == []


def test_the_shop_goes_on_without_recsite(tmp_path: Path, browser: Browser) -> None:
    """Nobody answers at Recsite's address: pages come from the shop's own catalogue, at once."""
    keys = {"server_key": lambda _address: "a.b", "browser_key": lambda _address: "a.b"}
    with shop_process(tmp_path, recsite="http://127.0.0.1:1", **keys) as address:
        page = browser.new_page()
        for path, name in (
            ("/", "Welcome"),
            ("/shelf/FOOD%20%3E%20TEA", "Tea"),
            ("/item/tea-1", "Tea 1"),
            ("/search?q=tea", "Search"),
        ):
            page.goto(address + path)
            expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
            assert page.locator("[data-recsite-slot]").count() == 0
            assert page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd") < 2_000
        assert page.locator(".tile").count() == 12  # what the shop's own search found
        page.get_by_role("button", name="Add Tea 1 to").click()
        expect(page.get_by_role("main").get_by_role("status")).to_have_text("Tea 1 is in your basket.")
        page.goto(f"{address}/cart")
        page.get_by_role("button", name="Buy now").click()
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        page.close()
