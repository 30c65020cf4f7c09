"""The reference of the API in a browser: nothing is blocked, axe is content, and a request can be tried."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from recommendations.models import Event
from recommendations.services.access import keys
from recommendations.terms import Scope
from tests.journeys.conftest import Visitor, committed

pytestmark = pytest.mark.django_db  # for the shop that the fixture committed

DOCS = "/api/docs/"


@pytest.fixture
def token() -> str:
    key, secret = committed(lambda: keys.create_key(name="Docs", scopes=list(Scope), by=None))
    keys.key_ring.drop()
    return f"{key.prefix}.{secret}"


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1440, "light")])
def test_the_reference_is_accessible(window: Callable[..., Visitor], width: int, theme: str) -> None:
    visitor = window(width=width, theme=theme, language="zh-hans")  # the reference is in English all the same
    requests: list[str] = []
    visitor.page.on("request", lambda request: requests.append(request.url))
    visitor.visit(DOCS)
    assert visitor.page.locator("html").get_attribute("lang") == "en"
    assert visitor.page.locator("html").get_attribute("data-bs-theme") == theme
    assert visitor.complaints() == []
    visitor.page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert visitor.complaints() == []
    assert all(url.startswith((visitor.site, "data:", "blob:")) for url in requests)


def test_the_reference_has_every_operation(window: Callable[..., Visitor]) -> None:
    visitor = window()
    visitor.visit(DOCS)
    schema = json.loads(visitor.page.request.get(f"{visitor.site}/api/schema/").text())
    named = {operation["operationId"] for methods in schema["paths"].values() for operation in methods.values()}
    operations = visitor.page.eval_on_selector_all("article.operation", "(parts) => parts.map((part) => part.id)")
    assert set(operations) == named
    assert len(operations) == len(named)
    ids = visitor.page.eval_on_selector_all("[id]", "(parts) => parts.map((part) => part.id)")
    assert len(set(ids)) == len(ids)
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="OpenAPI 3.1 as JSON").click()
    assert download.value.suggested_filename == "recsite-openapi.json"


def test_a_request_is_tried_in_the_reference(window: Callable[..., Visitor], token: str) -> None:
    visitor = window()
    page = visitor.page
    visitor.visit(DOCS)
    operation = page.locator("#recommend_simply")
    operation.get_by_text("Try it").click()
    operation.get_by_label("placement").fill("home")
    operation.get_by_label("user_id", exact=True).fill("u1")
    operation.get_by_label("n", exact=True).fill("3")
    operation.get_by_label("fields").fill("product, score")
    operation.get_by_role("button", name="Send").click()
    expect(operation.locator(".try-line")).to_contain_text("401")
    page.fill("#key", token)
    operation.get_by_role("button", name="Send").click()
    expect(operation.locator(".try-line")).to_contain_text("200")
    answer = json.loads(operation.locator(".try-answer pre").inner_text())
    assert len(answer["results"]) == 3
    assert answer["results"][0].keys() == {"item_id", "rank", "source", "score", "final", "rules", "product"}
    operation.get_by_role("button", name="Copy as curl").click()
    expect(operation.locator(".try-answer pre")).to_contain_text("curl -X GET")
    assert token not in operation.locator(".try-answer pre").inner_text()
    assert "user_id=u1" in operation.locator(".try-answer pre").inner_text()
    assert [text for text in visitor.complaints() if "401" not in text] == []


def test_an_event_is_sent_from_the_reference(window: Callable[..., Visitor], token: str) -> None:
    visitor = window()
    page = visitor.page
    visitor.visit(DOCS)
    page.fill("#key", token)
    operation = page.locator("#events")
    operation.get_by_text("Try it").click()
    body = operation.get_by_label("Body")
    sent = json.loads(body.input_value())
    sent["events"] = [{**event, "items": [{"item_id": "tea-1"}]} for event in sent["events"]]
    for event in sent["events"]:
        event.pop("recommendation_id", None)
    body.fill(json.dumps(sent))
    before = committed(Event.objects.count)
    operation.get_by_role("button", name="Send").click()
    expect(operation.locator(".try-line")).to_contain_text("202")
    assert json.loads(operation.locator(".try-answer pre").inner_text())["accepted"] == len(sent["events"])
    assert committed(Event.objects.count) == before + len(sent["events"])
    assert visitor.complaints() == []
