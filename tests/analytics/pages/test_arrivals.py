"""The page *Arrivals*: events and refusals of each source as they come in, without an id of a customer of the shop."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recommendations.models import ApiKey, Customer, Item
from recommendations.store.live import arrivals as log
from recommendations.store.live.arrivals import arrival_log
from recommendations.store.live.valkey import Link
from recommendations.terms import Role, Scope
from tests.api.conftest import ApiClient, client_with
from tests.api.events.conftest import EVENTS, event, key_of
from tests.api.test_order_hooks import call
from tests.foreign_bodies import GA4_PURCHASE, SEGMENT_IDENTIFY, SHOPIFY_ORDER

__all__ = ["client_with"]
pytestmark = pytest.mark.django_db
PAGE = "/catalogue/arrivals/"
JSON = "application/json"
LINES = "/catalogue/arrivals/lines/"


@pytest.fixture(autouse=True)
def _empty(valkey: redis.Redis) -> None:
    arrival_log().tell()
    for name in valkey.keys("arrivals:*"):
        valkey.delete(name)


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    Item.objects.create(shop_id="SKU1", title="Tea")
    return client_with(Scope.EVENTS_WRITE)


def rows(client: Client, address: str = LINES, **query: Any) -> list[str]:
    """The words of each line, from the newest."""
    arrival_log().tell()
    page = client.get(address, query).content.decode()
    lines = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)[1:]
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", line)).split()) for line in lines]


def test_without_events_the_page_shows_how_to_send_one(
    admin: Client, client_of: Callable[[Role], Client], api: ApiClient
) -> None:
    page = admin.get(PAGE).content.decode()
    assert "Nothing came in the last hour" in page
    assert '"item_id": "SKU1"' in unescape(page)
    assert "curl http://testserver/api/v1/events/" in page
    assert "make one" in page
    assert "which an admin makes" in client_of(Role.VIEWER).get(PAGE).content.decode()


def test_events_stand_with_their_verdicts_the_newest_first(admin: Client, api: ApiClient) -> None:
    first = event(user_id="anna@example.com", anonymous_id="device-1", foo=1)
    api.post(EVENTS, {"events": [first, event(name="page_view"), event(items=[{"item_id": "NEW"}])]})
    api.post(EVENTS, first)
    api.post(EVENTS, event(user_id=..., items=[]))
    api.post(EVENTS, {"userId": "u", "itemId": "i"})
    newest, without, duplicate, waits, ignored, accepted = rows(admin)
    code = Customer.objects.get(pk=key_of("anna@example.com")).code
    assert "No events" in newest
    assert "send it to /api/v1/events/recombee/" in newest
    assert re.search(r"view_item .* Rejected – – .* /user_id No customer is named", without)
    assert re.search(r"view_item .* Duplicate SKU1", duplicate)
    assert re.search(r"Accepted NEW .* /items/0/item_id There is no item with this id yet", waits)
    assert re.search(r"page_view .* Ignored SKU1 – .* /name GA4's “page_view” is left out", ignored)
    assert re.search(rf"view_item .* Accepted SKU1 \S*{re.escape(code)}", accepted)
    assert all("storefront" in line for line in (newest, accepted))


def test_a_call_that_says_who_somebody_is_is_no_event(admin: Client, api: ApiClient) -> None:
    api.post("/api/v1/events/segment/", SEGMENT_IDENTIFY)
    [line] = rows(admin)
    assert re.search(r"identify says who somebody is; no event id-1 Accepted", line)


def test_no_id_of_a_person_is_in_the_log(api: ApiClient, valkey: redis.Redis) -> None:
    api.post(EVENTS, event(user_id="anna@example.com", anonymous_id="device-4711", session_id="session-9"))
    arrival_log().tell()
    kept = b"".join(valkey.lrange(valkey.keys("arrivals:*")[0], 0, -1)).decode()
    assert "SKU1" in kept
    assert not any(secret in kept for secret in ("anna", "device-4711", "session-9"))
    assert 0 < valkey.ttl(valkey.keys("arrivals:*")[0]) <= 3_600


def test_what_is_not_let_in_stands_with_its_key_or_webhook(
    admin: Client, client_with: Callable[..., ApiClient], settings: LazySettings
) -> None:
    settings.SHOPIFY_WEBHOOK_SECRET = "hush-hush"
    server = client_with(Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ)
    token = server.headers["Authorization"].removeprefix("Api-Key ")
    stranger = Client()
    assert stranger.post(f"/api/v1/events/ga4/?api_secret={token}", GA4_PURCHASE, JSON).status_code == 401
    server.headers["Origin"] = "https://other.example"
    assert server.post(EVENTS, event()).status_code == 403
    assert call("shopify", "orders/create", SHOPIFY_ORDER, secret="another").status_code == 403
    signed, in_page, unfit = rows(admin, verdict="away")
    assert re.search(r"Not let in – – Shopify The signature is missing, or not one by our secret", signed)
    assert re.search(r"Not let in – – storefront .* This is a server key, and a browser sent it", in_page)
    assert re.search(r"Not let in – – storefront .* nothing but send events may be in an address", unfit)
    assert rows(admin, source="shopify") == [signed]
    assert token.partition(".")[2] not in "".join(rows(admin))


def test_who_comes_without_a_known_key_is_counted_by_the_address(
    admin: Client, api: ApiClient, client_with: Callable[..., ApiClient], valkey: redis.Redis
) -> None:
    api.post(EVENTS, event())
    stranger = Client()
    for kind in ("v1/track", "v1/page", "x" * 200):
        stranger.post(f"/api/v1/events/segment/{kind}", {}, JSON, headers={"Authorization": "Bearer rs_secret.guess"})
    stranger.post(EVENTS, event(), JSON)
    client_with(Scope.RECOMMENDATIONS_READ).post(EVENTS, event())
    ask = {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}
    stranger.options(EVENTS, headers=ask)
    stranger.options("/api/v1/recommend/", headers=ask)
    origin, scope, without, unknown, accepted = rows(admin)
    assert re.search(r"/api/v1/events/ Not let in .* No API key can be used by pages of https://other.example", origin)
    assert re.search(r"/api/v1/events/ Not let in – – – This API key lacks the scope “events:write”", scope)
    assert re.search(r"/api/v1/events/ Not let in", without)
    assert re.search(r"/api/v1/events/segment/ 3 times Not let in – – – This API key is unknown", unknown)
    assert "Accepted" in accepted
    kept = b"".join(row for name in valkey.keys("arrivals:*") for row in valkey.lrange(name, 0, -1)).decode()
    assert "guess" not in kept
    assert len(rows(admin, source=ApiKey.objects.earliest("pk").pk)) == 1


def test_what_is_not_let_in_pushes_out_nothing_that_was(admin: Client, api: ApiClient) -> None:
    api.post(EVENTS, event())
    api.headers["Origin"] = "https://other.example"
    for _number in range(101):
        api.post(EVENTS, event())
    assert len(rows(admin, source=ApiKey.objects.get().pk, verdict="accepted")) == 1


def test_one_source_and_one_verdict_are_chosen(
    admin: Client, api: ApiClient, client_with: Callable[..., ApiClient], settings: LazySettings
) -> None:
    settings.SHOPIFY_WEBHOOK_SECRET = "hush-hush"
    other = client_with(Scope.EVENTS_WRITE)
    api.post(EVENTS, {"events": [event(), event(name="page_view")]})
    other.post(EVENTS, event())
    call("shopify", "orders/create", SHOPIFY_ORDER)
    key = ApiKey.objects.earliest("pk").pk
    assert len(rows(admin)) == 4
    assert len(rows(admin, source=key)) == 2
    assert [line for line in rows(admin, source=key, verdict="ignored") if "page_view" in line]
    [order] = rows(admin, source="shopify")
    assert "purchase" in order
    assert "Shopify" in order
    assert len(rows(admin, source="nobody")) == 4


def test_of_many_the_last_hundred_are_kept_in_their_order(admin: Client, api: ApiClient, valkey: redis.Redis) -> None:
    events = [event(event_id=f"n-{number}") for number in range(260)]
    api.post(EVENTS, {"events": events[:250]})
    for row in events[250:]:
        api.post(EVENTS, row)
    lines = rows(admin)
    assert [re.search(r"n-\d+", line)[0] for line in lines] == [f"n-{n}" for n in range(259, 159, -1)]
    assert valkey.llen(valkey.keys("arrivals:*")[0]) == 100


def test_what_was_refused_is_there_however_much_came_after_it(admin: Client, api: ApiClient) -> None:
    api.post(EVENTS, event(event_id="wrong", user_id=..., items=[]))
    api.post(EVENTS, event(event_id="right"))
    assert len(rows(admin, verdict="rejected")) == 1  # and no second time, as long as it is among the last
    api.post(EVENTS, {"events": [event(event_id=f"n-{number}") for number in range(150)]})
    assert len(rows(admin)) == 100
    [refused] = rows(admin, verdict="rejected")
    assert "No customer is named" in refused


def test_it_asks_again_unless_it_is_paused(admin: Client, api: ApiClient) -> None:
    assert 'hx-trigger="every 2s"' in admin.get(PAGE, {"verdict": "rejected"}).content.decode()
    assert f"{LINES}?verdict=rejected" in admin.get(PAGE, {"verdict": "rejected"}).content.decode()
    paused = admin.get(PAGE, {"paused": "1"}).content.decode()
    assert "every 2s" not in paused
    assert "Go on" in paused


def test_while_valkey_is_away_the_page_says_so(admin: Client, api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "valkey", lambda: Link("redis://127.0.0.1:1/0"))
    assert api.post(EVENTS, event()).status_code == 202
    arrival_log().tell()
    page = admin.get(PAGE).content.decode()
    assert "Valkey is away" in page
    assert "Send an event" not in page


def test_the_lines_cost_few_queries(admin: Client, api: ApiClient) -> None:
    api.post(EVENTS, {"events": [event() for _ in range(50)]})
    arrival_log().tell()
    admin.get(LINES)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        admin.get(LINES)
    assert len(queries) <= 5
