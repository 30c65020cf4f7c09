"""Browsers of a shop may send events and ask with a key that names their origin, and may do nothing else, ever."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import path, resolve
from playwright.sync_api import Page
from rest_framework.request import Request

from recommendations.api import urls
from recommendations.api.cors import BrowserView
from recommendations.models import Event
from recommendations.services.access import keys
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.events.conftest import EVENTS, event
from tests.api.test_access import ADDRESSES
from tests.dead_servers import dead_database

SHOP, OTHER = "https://shop.example", "https://evil.example"
CORS = "Access-Control-"


@pytest.fixture
def shop(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.EVENTS_WRITE, origins=[SHOP, "http://localhost:3000"])


def preflight(address: str, origin: str, method: str = "POST") -> HttpResponse:
    asks = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization",
    }
    return Client().options(address, headers=asks)


def cors(answer: HttpResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith(CORS)}


def varies_by_origin(answer: HttpResponse) -> bool:
    return "origin" in answer.get("Vary", "").lower()


def sent_from(client: ApiClient, origin: str, body: Any = None) -> HttpResponse:
    headers = {**client.headers, "Origin": origin}
    return client._client.post(
        EVENTS,
        body or event(name="view_homepage", user_id=..., anonymous_id="a1", items=[]),
        "application/json",
        headers=headers,
    )


# --- preflight: no key yet


def test_the_preflight_of_a_keys_origin_says_what_may_be_sent(shop: ApiClient) -> None:
    answer = preflight(EVENTS, SHOP)
    assert (answer.status_code, answer.content) == (204, b"")
    assert cors(answer) == {
        "Access-Control-Allow-Origin": SHOP,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "authorization, content-type",
        "Access-Control-Expose-Headers": "retry-after, ratelimit, ratelimit-policy, x-request-id",
        "Access-Control-Max-Age": "3600",
    }
    assert varies_by_origin(answer)


@pytest.mark.parametrize("origin", [OTHER, "null", "https://shop.example.evil.example", "http://shop.example", "*", ""])
def test_the_preflight_of_another_origin_is_refused(shop: ApiClient, origin: str) -> None:
    answer = preflight(EVENTS, origin)
    problem(answer, 403)
    assert cors(answer) == {}
    assert varies_by_origin(answer)


@pytest.mark.django_db
def test_the_preflight_of_a_revoked_keys_origin_is_refused() -> None:
    key, _ = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], origins=[SHOP], by=None)
    keys.key_ring.drop()
    assert preflight(EVENTS, SHOP).status_code == 204
    keys.revoke_key(key=key, by=None)
    keys.key_ring.drop()
    problem(preflight(EVENTS, SHOP), 403)


def test_preflight_while_the_database_is_away(transactional_db: None) -> None:
    with dead_database():
        problem(preflight(EVENTS, SHOP), 503)
    keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], origins=[SHOP], by=None)
    keys.key_ring.drop()
    assert preflight(EVENTS, SHOP).status_code == 204
    with dead_database():
        assert preflight(EVENTS, SHOP).status_code == 204  # from memory


# --- the request itself


@pytest.mark.parametrize("origin", [SHOP, "http://localhost:3000"])
def test_events_from_a_page_of_the_shop(shop: ApiClient, origin: str) -> None:
    answer = sent_from(shop, origin)
    assert answer.status_code == 202
    assert answer["Access-Control-Allow-Origin"] == origin
    assert "Access-Control-Allow-Credentials" not in answer
    assert varies_by_origin(answer)
    assert not answer.cookies


def test_a_page_may_read_why_it_was_refused(shop: ApiClient, client_with: Callable[..., ApiClient]) -> None:
    refused = sent_from(shop, SHOP, {"events": []})
    problem(refused, 400)
    assert refused["Access-Control-Allow-Origin"] == SHOP
    slow = client_with(Scope.EVENTS_WRITE, origins=[SHOP], requests_per_minute=0)
    throttled = sent_from(slow, SHOP)
    problem(throttled, 429)
    assert throttled["Access-Control-Allow-Origin"] == SHOP
    assert throttled["Access-Control-Expose-Headers"] == "retry-after, ratelimit, ratelimit-policy, x-request-id"


@pytest.mark.parametrize("origin", [OTHER, "null", "https://shop.example:8443"])
def test_a_key_is_refused_at_another_origin(shop: ApiClient, origin: str) -> None:
    answer = sent_from(shop, origin)
    assert origin in problem(answer, 403)["detail"]
    assert cors(answer) == {}
    assert not Event.objects.exists()


def test_an_origin_of_another_key_is_refused(shop: ApiClient, client_with: Callable[..., ApiClient]) -> None:
    closed = client_with(Scope.EVENTS_WRITE)
    assert preflight(EVENTS, SHOP).status_code == 204
    answer = sent_from(closed, SHOP)
    assert cors(answer) == {}
    detail = problem(answer, 403)["detail"]
    assert detail.startswith("This is a server key, and a browser sent it.")  # another origin would not help
    assert SHOP not in detail


def test_a_server_needs_no_origin(shop: ApiClient, client_with: Callable[..., ApiClient]) -> None:
    for client in (shop, client_with(Scope.EVENTS_WRITE), client_with(*Scope)):
        answer = client.post(EVENTS, event(name="view_homepage", user_id=..., anonymous_id="a1", items=[]))
        assert answer.status_code == 202
        assert cors(answer) == {}
        assert varies_by_origin(answer)


def test_our_own_origin_needs_no_permission(client_with: Callable[..., ApiClient]) -> None:
    answer = sent_from(client_with(Scope.EVENTS_WRITE), "http://testserver")
    assert answer.status_code == 202
    assert cors(answer) == {}


def test_an_unknown_key_gets_no_headers_of_cors(shop: ApiClient) -> None:
    answer = sent_from(ApiClient("Api-Key who.knows"), SHOP)
    problem(answer, 401)
    assert cors(answer) == {}


def test_events_from_a_page_while_the_database_is_away(transactional_db: None) -> None:
    key, secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], origins=[SHOP], by=None)
    with dead_database():  # nothing was read yet, so that nobody knows whether the key is right
        problem(sent_from(ApiClient(f"Api-Key {key.prefix}.{secret}"), SHOP), 503)


# --- everywhere else


@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_only_events_and_slots_are_for_browsers(name: str, client_with: Callable[..., ApiClient]) -> None:
    shop = client_with(Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ, origins=[SHOP])
    address, method, scope = ADDRESSES[name]
    view = resolve(address).func.cls  # type: ignore[attr-defined]
    is_for_pages = scope in {Scope.EVENTS_WRITE, Scope.PUSH_SUBSCRIBE} or name in {"recommend", "recommend-page"}
    assert issubclass(view, BrowserView) == getattr(view, "for_pages", False) == is_for_pages
    if is_for_pages:
        return
    answer = preflight(address, SHOP, method)
    assert answer.status_code in {401, 403}
    sent = shop._client.generic(method, address, headers={**shop.headers, "Origin": SHOP})
    problem(sent, 403)
    assert cors(answer) == cors(sent) == {}


@pytest.mark.parametrize("name", sorted({pattern.name for pattern in urls.urlpatterns} - ADDRESSES.keys()))
def test_public_pages_have_no_headers_of_cors(name: str, shop: ApiClient) -> None:
    addresses = {
        "schema": "/api/schema/",
        "api-docs": "/api/docs/",
        "item-tile": "/api/v1/items/x/tile.svg",
        "item-tile-png": "/api/v1/items/x/tile.png",
        "main-parameters": "/api/v1/main-parameters/",
        "mail-hook": "/api/v1/hooks/mail/postmark/",
        "order-hook": "/api/v1/hooks/shopify/",
        "unknown-path": "/api/v1/nothing/",
    }
    for method in ("GET", "OPTIONS"):
        asks = {"Origin": SHOP, "Access-Control-Request-Method": "GET"}
        assert cors(Client().generic(method, addresses[name], headers=asks)) == {}


def test_a_view_with_another_scope_could_not_be_called_by_a_page(client_with: Callable[..., ApiClient]) -> None:
    """No key with origins has another scope, so that the request is refused."""

    class Reading(BrowserView):
        required_scope = Scope.METRICS_READ

        def get(self, request: Request) -> HttpResponse:
            return HttpResponse("secrets")

    client = client_with(Scope.EVENTS_WRITE, origins=[SHOP])
    pattern = path("reading/", Reading.as_view())
    request = client._client.get("/", headers={**client.headers, "Origin": SHOP}).wsgi_request
    answer = pattern.callback(request)
    assert answer.status_code == 403
    assert cors(answer) == {}


# --- a real browser


class _ShopPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Shop</title><p>Shop")

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its signature
        pass


@pytest.fixture
def shop_page() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ShopPage)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


SEND = """async ([address, key, body]) => {
  const headers = { Authorization: `Api-Key ${key}`, "Content-Type": "application/json" };
  try {
    const answer = await fetch(address, { method: body ? "POST" : "GET", headers, body, credentials: "omit" });
    return `${answer.status} ${(await answer.json()).accepted}`;
  } catch (error) { return error.name; }
}"""


def test_a_page_of_the_shop_in_a_browser(live_server: Any, page: Page, shop_page: str) -> None:
    page.goto(shop_page)
    tokens = []
    for scopes, origins in [
        ([Scope.EVENTS_WRITE], [shop_page]),
        ([Scope.EVENTS_WRITE], []),
        ([Scope.RECOMMENDATIONS_READ], []),
    ]:
        key, secret = keys.create_key(name="Shop", scopes=scopes, origins=origins, by=None)
        tokens.append(f"{key.prefix}.{secret}")
    keys.key_ring.drop()
    body = '{"event_id": "0192f0c1-0000-7000-8000-000000000001", "name": "view_homepage", "anonymous_id": "a1"'
    body += f', "timestamp": "{event()["timestamp"]}"}}'
    assert page.evaluate(SEND, [live_server.url + EVENTS, tokens[0], body]) == "202 1"
    assert page.evaluate(SEND, [live_server.url + EVENTS, tokens[1], body]) == "TypeError"
    reading = f"{live_server.url}/api/v1/placements/home/recommend/"
    assert page.evaluate(SEND, [reading, tokens[2], None]) == "TypeError"
    assert Event.objects.count() == 1
