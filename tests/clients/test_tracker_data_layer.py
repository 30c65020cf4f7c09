"""What a page pushes for Google becomes our events, each once; a thank-you page that is loaded again counts once."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Request

from recommendations.models import Event
from tests.clients.conftest import Pages, Recsite
from tests.clients.test_storefront_snippets import snippet
from tests.clients.test_tracker import CSP, stored, until

pytestmark = pytest.mark.django_db

ITEM = {"item_id": "SKU1", "item_name": "Item 1", "price": 9.5, "quantity": 2, "index": 0, "item_brand": "Acme"}
LINE = {"item_id": "SKU1", "price": 9.5, "quantity": 2, "index": 1}
AS_TAG_MANAGER = """(addresses) => {
  for (const src of addresses)
    document.body.append(Object.assign(document.createElement("script"), { src, async: false }));
}"""
GTAG = "(...given) => (function () { dataLayer.push(arguments); })(...given)"


@pytest.fixture
def sent(page: Page, pages: Pages, recsite: Recsite) -> list[dict[str, Any]]:
    """A page of the shop with the tracker, and every event that leaves it."""
    rows: list[dict[str, Any]] = []

    def look(request: Request) -> None:
        if request.url.endswith("/events/") and request.method == "POST" and request.post_data:
            rows.extend(json.loads(request.post_data)["events"])

    page.context.on("request", look)
    pages.policy = f"{CSP}; connect-src {recsite.url}"
    pages.body = '<!doctype html><html lang="en"><title>Shop</title><script src="/recsite.js"></script>'
    page.goto(pages.url)
    return rows


def begin(page: Page, recsite: Recsite, visitor: str) -> None:
    options = {"url": recsite.url, "key": recsite.browser_key, "anonymous_id": visitor}
    page.evaluate("(options) => recsite.init(options)", options)


def push(page: Page, *rows: Any) -> None:
    page.evaluate("(rows) => { (window.dataLayer ||= []); for (const row of rows) dataLayer.push(row); }", rows)


def gtag(page: Page, *given: Any) -> None:
    page.evaluate(f"(given) => {{ (window.dataLayer ||= []); ({GTAG})(...given); }}", given)


def said(row: dict[str, Any]) -> dict[str, Any]:
    """What an event says beside who and when."""
    return {name: row[name] for name in ("name", "items", "transaction_id", "currency", "search_term") if name in row}


def test_pushes_of_both_shapes_become_events_in_order(page: Page, recsite: Recsite, sent: list[Any]) -> None:
    push(page, {"event": "gtm.js"}, {"ecommerce": None}, {"event": "view_item", "ecommerce": {"items": [ITEM]}})
    gtag(page, "config", "G-1")
    gtag(page, "event", "add_to_cart", {"currency": "USD", "value": 19, "items": [ITEM]})
    page.evaluate("recsite.fromDataLayer(window.dataLayer)")
    begin(page, recsite, "layer-1")
    push(page, {"ecommerce": None}, {"event": "search", "search_term": "tea", "user_agent": "x"})
    gtag(page, "event", "view_search_results", {"search_term": "green tea"})
    push(page, {"event": "begin_checkout", "ecommerce": {"items": [ITEM], "currency": "USD"}})
    until(page, lambda: len(sent) >= 5)
    assert [said(row) for row in sent] == [
        {"name": "view_item", "items": [LINE]},
        {"name": "add_to_cart", "items": [LINE], "currency": "USD"},
        {"name": "search", "search_term": "tea"},
        {"name": "search", "search_term": "green tea"},
        {"name": "begin_checkout", "items": [LINE], "currency": "USD"},
    ]
    assert len(stored(page, "layer-1", 5)) == 5
    page.evaluate("recsite.fromDataLayer(window.dataLayer); recsite.fromDataLayer()")
    page.wait_for_timeout(300)
    assert len(sent) == 5


def test_a_push_keeps_its_answer_and_wrappers_of_tag_manager_go_on(
    page: Page, recsite: Recsite, sent: list[Any]
) -> None:
    begin(page, recsite, "layer-2")
    page.evaluate("window.dataLayer = []; recsite.fromDataLayer()")
    heard = page.evaluate("""() => {
      const { push } = dataLayer, heard = [];  // as Tag Manager does when it is loaded
      dataLayer.push = (...rows) => { heard.push(...rows); return push.apply(dataLayer, rows); };
      const view = { event: "view_item", ecommerce: { items: [{ item_id: "SKU2" }] } };
      return [dataLayer.push(view, view), heard.length, dataLayer.length];
    }""")
    assert heard == [2, 2, 2]
    until(page, lambda: len(sent) >= 2)
    assert [said(row) for row in sent] == [{"name": "view_item", "items": [{"item_id": "SKU2"}]}] * 2


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        "view_item",
        [],
        {"event": "view_item"},
        {"event": "view_item", "ecommerce": {"items": []}},
        {"event": "view_item", "ecommerce": {"items": [{"price": 3}]}},
        {"event": "refund", "ecommerce": {"items": [ITEM], "transaction_id": "t"}},
        {"event": "generate_lead", "ecommerce": {"items": [ITEM]}},
        {"event": "search"},
        {"ecommerce": {"items": [ITEM]}},
    ],
    ids=str,
)
def test_what_is_no_event_of_ours_is_left(page: Page, recsite: Recsite, sent: list[Any], odd: Any) -> None:
    begin(page, recsite, "layer-3")
    page.evaluate("window.dataLayer = []; recsite.fromDataLayer()")
    push(page, odd, {"ecommerce": None}, {"event": "view_cart"})
    until(page, lambda: len(sent) >= 1)
    assert [said(row) for row in sent] == [{"name": "view_cart", "items": []}]


def test_numbers_as_texts_and_names_for_ids(page: Page, recsite: Recsite, sent: list[Any]) -> None:
    begin(page, recsite, "layer-4")
    page.evaluate("window.dataLayer = []; recsite.fromDataLayer()")
    texts = {"item_id": 3, "price": "9.50", "quantity": "2", "index": "first"}
    gtag(page, "event", "add_to_cart", {"items": [texts, {"item_name": "SKU4", "price": "free"}]})
    until(page, lambda: len(sent) >= 1)
    assert sent[0]["items"] == [{"item_id": "3", "price": 9.5, "quantity": 2}, {"item_id": "SKU4"}]


def test_the_recipe_for_tag_manager_passes_a_strict_policy(
    page: Page, pages: Pages, recsite: Recsite, sent: list[Any]
) -> None:
    """Tag Manager makes each script of a tag anew, in order; one with code of its own would be refused here."""
    tag, start = snippet("With Google Tag Manager"), snippet("`/static/recsite-start.js`")
    scripts = re.findall(r'^<script src="([^"]+)"></script>$', tag, re.MULTILINE)
    assert len(scripts) == len(tag.splitlines())
    pages.body = '<!doctype html><html lang="en"><title>Shop</title>'
    start = start.replace("https://recsite.example", recsite.url).replace("PAGES_KEY", recsite.browser_key)
    page.route("**/recsite-start.js", lambda route: route.fulfill(content_type="text/javascript", body=start))
    page.goto(pages.url)
    push(page, {"event": "view_item", "ecommerce": {"items": [ITEM]}})
    page.evaluate(AS_TAG_MANAGER, scripts)
    until(page, lambda: len(sent) >= 1)
    push(page, {"ecommerce": None}, {"event": "add_to_cart", "ecommerce": {"items": [ITEM]}})
    until(page, lambda: len(sent) >= 2)
    assert [row["name"] for row in sent] == ["view_item", "add_to_cart"]
    assert len({row["anonymous_id"] for row in sent}) == 1


@pytest.mark.parametrize("way", ["purchase", "data layer"])
def test_a_reloaded_thank_you_page_counts_once(
    page: Page, pages: Pages, recsite: Recsite, sent: list[Any], way: str
) -> None:
    visitor, order = f"buyer-{len(way)}", f"order-{len(way)}"
    for load in range(3):
        page.goto(pages.url)
        begin(page, recsite, visitor)
        with page.expect_response("**/api/v1/events/") as answer:
            if way == "purchase":
                page.evaluate(
                    "(order) => recsite.purchase(order, [{ item_id: 'SKU1', quantity: 1, price: '9.50' }])", order
                )
            else:
                ordered = {"transaction_id": order, "currency": "USD", "items": [ITEM]}
                push(page, {"ecommerce": None}, {"event": "purchase", "ecommerce": ordered})
                page.evaluate("recsite.fromDataLayer()")
        counts = answer.value.json()
        assert (counts["accepted"], counts["duplicates"]) == ((1, 0) if load == 0 else (0, 1))
    assert {row["event_id"] for row in sent} == {f"purchase:{order}"}
    assert Event.objects.filter(name="purchase", transaction_id=order).count() == 1
