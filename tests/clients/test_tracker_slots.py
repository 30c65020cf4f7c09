"""Slots that the tracker fills by itself, in a real browser, against the real API: right for all, or not there."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
import pytest_django
from django.utils import timezone
from playwright.sync_api import Page, Request, Route, expect
from pytest_django.live_server_helper import LiveServer

from recommendations.ingest.proofs import prove
from recommendations.models import Item
from recommendations.terms import Scope
from tests.architecture.source import ROOT
from tests.clients.conftest import TRACKER, Pages, Recsite, token
from tests.clients.test_tracker import CSP, stored, until
from tests.trained import trained_shop

pytestmark = pytest.mark.django_db

DOCS_STYLE = re.findall(r"```css\n(.+?)```", (ROOT / "docs/storefront.md").read_text(encoding="utf-8"), re.DOTALL)[0]
AXE = (ROOT / "tests/vendor/axe.min.js").read_text(encoding="utf-8")
BEFORE = 2_949  # bytes, compressed, when it only told
MORE = 3_000
STYLE = """<link rel="stylesheet" href="/shop/shop.css">"""
HREF = ' data-recsite-href="/p/{id}"'
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title>{style}
<script src="/shop/recsite.js" defer></script></head><body{about}><main><h1>A shop</h1>
{body}<p id="below">What stands below.</p></main></body></html>"""
SLOT = '<section data-recsite-slot="home" data-recsite-title="For you"></section>'
TILES = "[data-recsite-slot] [data-item-id]"
QUESTION = re.compile(r"/api/v1/(pages|placements)/")

WATCHES = """window.violations = []; window.shifts = 0;
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
new PerformanceObserver((list) => list.getEntries().forEach((entry) => { window.shifts += entry.value; }))
  .observe({ type: "layout-shift", buffered: true });"""

type Open = Callable[..., None]


@pytest.fixture(scope="module")
def grocery(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker, pages: Pages) -> Iterator[Recsite]:
    """The grocery after a run of the loop; its browser key asks at the origin of ``pages``."""
    with trained_shop(django_db_blocker):
        server = LiveServer("127.0.0.1")
        asks = (Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ)
        try:
            yield Recsite(server.url, token(*asks, origins=(pages.url,)), token(*Scope))
        finally:
            server.stop()


@pytest.fixture
def asked(page: Page) -> list[dict[str, Any]]:
    """Every question that left the page: its address, and its body."""
    rows: list[dict[str, Any]] = []

    def look(request: Request) -> None:
        if QUESTION.search(request.url) and request.method == "POST":
            rows.append({"address": request.url, **json.loads(request.post_data or "{}")})

    page.context.on("request", look)
    return rows


@pytest.fixture
def open_page(page: Page, pages: Pages, grocery: Recsite) -> Open:
    """Open a page of the shop with ``body``; ``about`` are attributes of its whole."""
    pages.policy = f"{CSP}; connect-src {grocery.url}; style-src 'self'; img-src {grocery.url}"
    page.add_init_script(WATCHES)

    def show(body: str = SLOT, *, about: str = "", href: str = HREF, **options: Any) -> None:
        pages.body = PAGE.format(style=STYLE, body=body, about=href + about)
        page.goto(f"{pages.url}/shop/index.html")
        start = {"url": grocery.url, "key": grocery.browser_key, "timeout": 20_000}  # the first loads the model
        page.evaluate("(options) => recsite.init(options)", start | options)

    return show


def shown(page: Page, placement: str = "home") -> list[str]:
    selector = f'[data-recsite-slot="{placement}"] [data-item-id]'
    page.wait_for_selector(selector)
    return [str(item) for item in page.eval_on_selector_all(selector, "(all) => all.map((one) => one.dataset.itemId)")]


def test_filling_slots_costs_three_kilobytes_at_most() -> None:
    assert len(gzip.compress(TRACKER.read_bytes(), mtime=0)) <= BEFORE + MORE


def test_an_empty_slot_is_filled_with_plain_links(page: Page, pages: Pages, open_page: Open, asked: list[Any]) -> None:
    Item.objects.filter(shop_id="tea-0").update(price="1234.50")
    open_page(anonymous_id="a1")
    items = shown(page)
    assert len(items) == len(set(items)) > 3
    region = page.get_by_role("region", name="For you")
    expect(region.get_by_role("heading", level=2)).to_have_text("For you")
    rows = region.get_by_role("listitem")
    assert rows.count() == len(items)
    link = rows.first.get_by_role("link")
    item = Item.objects.get(shop_id=items[0])
    expect(link).to_have_accessible_name(item.title)
    slate = page.get_attribute("[data-recsite-slot]", "data-recommendation-id")
    expect(link).to_have_attribute("href", f"{pages.url}/p/{item.shop_id}?rid={slate}")
    expect(rows.first.locator(".recsite-price")).to_have_text(f"${item.price}")
    expect(rows.first.locator(".recsite-reason")).to_have_text(re.compile("Popular"))
    until(page, lambda: page.eval_on_selector(".recsite-image", "(image) => image.complete && image.naturalWidth > 0"))
    assert page.eval_on_selector_all(TILES, "(all) => all.map((one) => one.dataset.index)") == [
        str(number + 1) for number in range(len(items))
    ]
    assert page.locator("[style]").count() == 0
    assert page.evaluate("window.violations") == []
    [question] = asked
    assert question["address"].endswith("/api/v1/pages/home/recommend/")
    assert question["slots"] == [{"placement": "home"}]


def test_one_question_fills_all_empty_slots_and_repeats_nothing(page: Page, open_page: Open, asked: list[Any]) -> None:
    ready = '<section data-recsite-slot="trending"><a href="/p/x" data-item-id="x">x</a></section>'
    open_page(SLOT + '<section data-recsite-slot="new" data-recsite-n="3"></section>' + ready, anonymous_id="a1")
    home, new = shown(page), shown(page, "new")
    assert len(new) == 3
    assert not set(home) & set(new)
    assert shown(page, "trending") == ["x"]
    [question] = asked
    assert question["slots"] == [{"placement": "home"}, {"placement": "new", "n": 3}]


@pytest.mark.parametrize(
    ("about", "slot", "page_name", "said"),
    [
        ('data-recsite-items="tea-1"', "also_bought", "item", {"item_ids": ["tea-1"]}),
        ('data-recsite-basket="tea-1, tea-2"', "cart", "cart", {"basket": ["tea-1", "tea-2"]}),
        ("data-recsite-basket='[\"tea-1\"]'", "cart", "cart", {"basket": ["tea-1"]}),
        ('data-recsite-category="FOOD &gt; TEA"', "category", "category", {"categories": ["FOOD > TEA"]}),
        ('data-recsite-search="tea" data-recsite-items="tea-1,tea-2"', "search", "search",
         {"search_term": "tea", "item_ids": ["tea-1", "tea-2"]}),
        ('data-recsite-page="thanks"', "discover", "thanks", {}),
    ],
)  # fmt: skip
def test_attributes_say_what_the_page_is_about(
    page: Page, open_page: Open, asked: list[Any], about: str, slot: str, page_name: str, said: dict[str, Any]
) -> None:
    open_page(f'<section data-recsite-slot="{slot}"></section>', about=f" {about}", anonymous_id="a1")
    assert shown(page, slot)
    [question] = asked
    assert question["address"].endswith(f"/pages/{page_name}/recommend/")
    assert question["context"] == said


def test_the_shops_own_template_is_filled(page: Page, open_page: Open) -> None:
    own = """<section data-recsite-slot="home" aria-label="Picked"><template data-recsite-tile><article class="card">
      <h3 data-recsite-part="title"></h3><img data-recsite-part="image"><i data-recsite-part="brand"></i>
      <b data-recsite-part="price"></b><a data-recsite-part="link">Look</a></article></template></section>"""
    open_page(own, anonymous_id="a1")
    items = shown(page)
    card = page.locator("article.card").first
    title = Item.objects.get(shop_id=items[0]).title
    expect(card.locator("h3")).to_have_text(title)
    expect(card.locator("img")).to_have_attribute("alt", title)
    expect(card.get_by_role("link")).to_have_text("Look")
    assert page.locator(".recsite-title").count() == 0
    assert page.get_by_role("region", name="Picked").get_by_role("listitem").count() == len(items)


def test_impressions_and_clicks_of_a_filled_slot(page: Page, open_page: Open) -> None:
    open_page(anonymous_id="clicker")
    items = shown(page)
    slate = page.get_attribute("[data-recsite-slot]", "data-recommendation-id")
    seen = stored(page, "clicker", len(items))
    page.locator(f'[data-item-id="{items[1]}"] a').focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/p/*")
    rows = stored(page, "clicker", len(items) + 1)
    assert [row.name for row in rows] == ["view_item_list"] * len(items) + ["select_item"]
    assert {row.item.shop_id: row.position for row in seen if row.item} == {
        item: number + 1 for number, item in enumerate(items)
    }
    assert (rows[-1].item.shop_id if rows[-1].item else "", rows[-1].position) == (items[1], 2)
    assert {row.recommendation_id for row in rows} == {slate}


@pytest.mark.parametrize("kind", ["an error", "no answer", "nothing", "no network", "no JSON"])
def test_nothing_is_shown_where_nothing_came(page: Page, open_page: Open, kind: str) -> None:
    def answer(route: Route) -> None:
        shared = {"Access-Control-Allow-Origin": "*", "Content-Type": "application/json"}
        match kind:
            case "an error":
                route.fulfill(status=503, headers=shared, body='{"detail": "no"}')
            case "nothing":
                body = {"page": "home", "slots": [{"placement": "home", "recommendation_id": "r-1", "results": []}]}
                route.fulfill(status=200, headers=shared, body=json.dumps(body))
            case "no network":
                route.abort()
            case "no JSON":
                route.fulfill(status=200, headers=shared, body="<html>")

    page.route("**/pages/home/recommend/", answer)
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    open_page(anonymous_id="a1", timeout=300)
    page.wait_for_selector("[data-recsite-slot][hidden]", state="attached")
    expect(page.locator("#below")).to_be_visible()
    assert page.locator("[aria-busy]").count() == 0
    assert page.get_by_role("region").count() == 0
    assert failures == []
    page.unroute_all(behavior="ignoreErrors")


def test_a_slot_that_begins_hidden_stays_so_or_appears(page: Page, open_page: Open) -> None:
    open_page('<section hidden data-recsite-slot="home"></section>', anonymous_id="a1")
    shown(page)
    page.route("**/pages/home/recommend/", lambda route: route.abort())
    open_page('<section hidden data-recsite-slot="home"></section>', anonymous_id="a1")
    page.wait_for_timeout(300)
    expect(page.locator("[data-recsite-slot]")).to_be_hidden()


def test_the_page_does_not_move(page: Page, pages: Pages, open_page: Open) -> None:
    pages.style = DOCS_STYLE
    open_page(anonymous_id="a1")
    shown(page)
    until(page, lambda: page.eval_on_selector(".recsite-image", "(image) => image.complete"))
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifts") == 0


def test_the_style_sheet_of_the_docs_keeps_words_apart_and_no_room_for_the_servers_slots(
    page: Page, pages: Pages, open_page: Open
) -> None:
    pages.style = DOCS_STYLE
    open_page(SLOT + '<section data-recsite-slot="new"><a href="/p/x" data-item-id="x">x</a></section>')
    shown(page)
    parts = page.locator(".recsite-tile").first.locator(".recsite-title, .recsite-price, .recsite-reason")
    boxes = parts.evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().toJSON())")
    assert len(boxes) == 3
    assert all(above["bottom"] <= below["top"] for above, below in pairwise(boxes))
    heights = page.eval_on_selector_all("section", "(all) => all.map((one) => one.offsetHeight)")
    assert heights[0] >= 320
    assert heights[1] < 50


def test_a_filled_page_has_no_barrier(page: Page, open_page: Open) -> None:
    open_page(SLOT + '<section data-recsite-slot="new"><h2>New</h2></section>', anonymous_id="a1")
    shown(page, "new")
    expect(page.get_by_role("region", name="New")).to_be_visible()
    page.evaluate(AXE)
    found = page.evaluate("async () => (await axe.run({resultTypes: ['violations']})).violations.map((one) => one.id)")
    assert found == []


def test_who_the_question_is_for(page: Page, open_page: Open, asked: list[Any]) -> None:
    open_page(consent=False, user_id="u1", anonymous_id="a1")
    shown(page)
    open_page(user_id="u1", anonymous_id="a1")
    strangers = shown(page)
    proof = prove(user_id="u1", anonymous_id="a1", now=timezone.now()).text
    open_page(user_id="u1", anonymous_id="a1", proof=proof)
    assert shown(page) != strangers
    nobody, unproven, proven = asked
    assert not {"user_id", "anonymous_id", "proof", "session_id"} & nobody.keys()
    assert (nobody["personalise"], unproven["personalise"]) == (False, True)
    assert (proven["user_id"], proven["proof"]) == ("u1", proof)


def test_a_slot_that_is_put_in_later_is_filled_by_watch(page: Page, open_page: Open, asked: list[Any]) -> None:
    open_page(anonymous_id="a1")
    shown(page)
    page.evaluate("""() => {
      document.querySelector("main").insertAdjacentHTML("beforeend", '<section data-recsite-slot="new"></section>');
      document.addEventListener("recsite:filled", ({ target }) => { window.filled = target.dataset.recsiteSlot; });
      recsite.watch();
    }""")
    shown(page, "new")
    assert page.evaluate("window.filled") == "new"
    assert [[slot["placement"] for slot in question["slots"]] for question in asked] == [["home"], ["new"]]


def addresses(page: Page, open_page: Open, url: str, *, href: str) -> list[str]:
    """The first item's id, then where the tiles lead; the first item's address in the catalogue is ``url``."""

    def answer(route: Route) -> None:
        response = route.fetch()
        body = response.json()
        for result in body["slots"][0]["results"]:
            result["product"]["url"] = url if result["rank"] == 1 else f"https://a.example/{result['item_id']}"
        route.fulfill(response=response, json=body)

    page.route("**/pages/home/recommend/", answer)
    open_page(anonymous_id="a1", href=href)
    shown(page)
    return [str(one) for one in page.eval_on_selector_all(f"{TILES} a", "(all) => all.map((one) => one.href)")]


@pytest.mark.parametrize("url", ["javascript:alert(1)", ""])
def test_an_item_without_a_good_address_has_no_tile(page: Page, open_page: Open, url: str) -> None:
    links = addresses(page, open_page, url, href="")
    assert len(links) > 3
    assert {link.rpartition("/")[0] for link in links} == {"https://a.example"}


def test_an_address_of_the_catalogue_gets_the_answers_id(page: Page, open_page: Open) -> None:
    first = addresses(page, open_page, "https://a.example/x?q=a%20b&c#part", href="")[0]
    slate = page.get_attribute("[data-recsite-slot]", "data-recommendation-id")
    assert first == f"https://a.example/x?q=a%20b&c&rid={slate}#part"


def test_the_pages_own_pattern_goes_before_the_catalogues_address(page: Page, pages: Pages, open_page: Open) -> None:
    links = addresses(page, open_page, "https://a.example/x", href=HREF)
    assert all(link.startswith(f"{pages.url}/p/") for link in links)


def test_the_console_names_what_blocks_a_question(page: Page, open_page: Open) -> None:
    """A wrong origin and a key that may not ask look the same to a page: the browser tells it nothing."""
    with page.expect_console_message(lambda message: message.text.startswith("recsite:")) as said:
        open_page(anonymous_id="a1", key="a-key.of-nobody")
    assert "its origins and scopes (recommendations:read) in Setup, API keys" in said.value.text
