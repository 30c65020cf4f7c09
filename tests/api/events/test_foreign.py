"""Other systems' events go in as they are: the public examples of each become events of ours, however often sent."""

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from recommendations.models import Customer, CustomerAlias, Event, Item
from recommendations.store.events.made_ids import made_id
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import CustomerKind, Scope, Side
from tests import foreign_bodies as bodies
from tests.api.conftest import ApiClient, problem
from tests.api.events.conftest import key_of, results

NOW = timezone.now()


@pytest.fixture
def api(db: None, client_with: Callable[..., ApiClient]) -> ApiClient:
    Item.objects.bulk_create(Item(shop_id=key, title=key) for key in bodies.ITEMS)
    return client_with(Scope.EVENTS_WRITE)


def send(api: ApiClient, where: str, body: Any, status: int = 202) -> list[dict[str, Any]]:
    return results(api.post(f"/api/v1/events/{where}", bodies.dated(body, NOW)), status)


def lines(*names: str) -> list[tuple[Any, ...]]:
    return list(Event.objects.order_by("occurred_at", "line").values_list(*names))


def verdicts(answer: list[dict[str, Any]]) -> list[str]:
    return [row["verdict"] for row in answer]


# --- Segment


def test_segments_order(api: ApiClient) -> None:
    [result] = send(api, "segment/", bodies.SEGMENT_ORDER)
    assert result == {"verdict": "accepted", "event_id": "ajs-next-1604511212-5ee45fd2"}
    assert lines("name", "item__shop_id", "quantity", "price", "transaction_id", "position") == [
        ("purchase", "507f1f77bcf86cd799439011", 1, 19, "50314b8e9bcf000000000000", 1),
        ("purchase", "505bd76785ebb509fc183733", 2, 3, "50314b8e9bcf000000000000", None),
    ]
    stored = Event.objects.first()
    assert (stored.event_id, stored.customer_id) == (made_id(result["event_id"]), key_of("AiUGstSDIg"))
    assert stored.attributes == {"page": "/checkout/", "value": "25.00"}
    assert CustomerAlias.objects.count() == 1
    assert verdicts(send(api, "segment/", {"batch": [bodies.SEGMENT_ORDER]})) == ["duplicate"]


def test_a_catalogue_of_skus_is_named_in_the_address(api: ApiClient) -> None:
    order = {**bodies.SEGMENT_ORDER, "messageId": "m-2"}
    [result] = send(api, "segment/?item_id=sku", order)
    assert [line["pointer"] for line in result["waiting_items"]] == ["/properties/products/1/sku"]
    assert lines("item__shop_id") == [("45790-32",)]
    problem(api.post("/api/v1/events/segment/?item_id=colour", order), 400)


def test_segments_calls_about_one_product_and_of_other_kinds(api: ApiClient) -> None:
    view = {**bodies.SEGMENT_VIEW, "properties": {**bodies.SEGMENT_VIEW["properties"], "currency": "USD"}}
    home = {"type": "page", "messageId": "p-1", "anonymousId": "a", "context": {"page": {"path": "/"}}}
    about = {"type": "page", "messageId": "p-2", "anonymousId": "a", "context": {"page": {"path": "/about"}}}
    others = [{"type": kind, "messageId": kind, "userId": "u"} for kind in ("group", "screen", "alias")]
    coupon = {**view, "event": "Coupon Applied", "messageId": "c-1"}
    answer = send(api, "segment/v1/batch", {"batch": [view, home, about, *others, coupon], "sentAt": NOW.isoformat()})
    assert verdicts(answer) == ["accepted", "accepted", *["ignored"] * 5]
    assert "Segment's “screen” is left out" in answer[4]["reason"]
    assert answer[6]["pointer"] == "/batch/6/event"
    assert lines("name", "item__shop_id", "position") == [
        ("view_item", "507f1f77bcf86cd799439011", 3), ("view_homepage", None, None),
    ]  # fmt: skip


def test_segments_identify_joins_and_has_traits(api: ApiClient, client_with: Callable[..., ApiClient]) -> None:
    [result] = send(api, "segment/", bodies.SEGMENT_IDENTIFY)
    assert (result["verdict"], result["why_ignored"][0]["pointer"]) == ("accepted", "/traits")
    assert "customers:write" in result["why_ignored"][0]["reason"]
    alias = CustomerAlias.objects.get()
    assert (alias.anonymous_id, alias.customer_id) == (
        key_of("507f191e810c19729de860ea", CustomerKind.ANONYMOUS), key_of("97980cfea0067"),
    )  # fmt: skip
    knows = client_with(Scope.EVENTS_WRITE, Scope.CUSTOMERS_WRITE)
    assert send(knows, "segment/", bodies.SEGMENT_IDENTIFY) == [{"verdict": "accepted", "event_id": "id-1"}]
    assert Customer.objects.get(pk=key_of("97980cfea0067")).properties == {
        "plan": "premium", "logins": 5, "city": "San Francisco", "state": "CA", "country": "USA",
    }  # fmt: skip
    assert Event.objects.count() == 0


def test_a_no_in_segments_consent_is_heard(api: ApiClient) -> None:
    no = {"consent": {"categoryPreferences": {"Advertising": True, "Personalization": False}}}
    send(api, "segment/", {**bodies.SEGMENT_ORDER, "context": no})
    assert not Customer.objects.get(pk=key_of("AiUGstSDIg")).personalise
    assert {row.customer_id for row in Event.objects.all()} == {None}


# --- GA4, Vertex, Recombee, Algolia


def test_ga4s_purchase(api: ApiClient) -> None:
    first, second = send(api, "ga4/", bodies.GA4_PURCHASE)
    assert (first["verdict"], second["verdict"], second["pointer"]) == ("accepted", "ignored", "/events/1/name")
    assert lines("name", "item__shop_id", "quantity", "price", "transaction_id", "position", "session_id") == [
        ("purchase", "SKU_12345", 3, Decimal("10.01"), "T_12345", 1, "1664522406")
    ]
    assert verdicts(send(api, "ga4/", bodies.GA4_PURCHASE)) == ["duplicate", "ignored"]
    denied = {**bodies.GA4_PURCHASE, "consent": {"ad_personalization": "DENIED"}}
    send(api, "ga4/", denied)
    assert not Customer.objects.get(pk=key_of("u_4711")).personalise


def test_vertexs_events_single_and_imported(api: ApiClient) -> None:
    assert verdicts(send(api, "vertex/", bodies.VERTEX_PURCHASE)) == ["accepted"]
    both = {"inputConfig": {"userEventInlineSource": {"userEvents": [bodies.VERTEX_PURCHASE, bodies.VERTEX_SEARCH]}}}
    assert verdicts(send(api, "vertex/", both)) == ["duplicate", "accepted"]
    assert lines("name", "item__shop_id", "quantity", "amount", "search_term", "recommendation_id") == [
        ("search", None, None, None, "dinnerware", None), ("purchase", "abc", 3, 30, None, None),
    ]  # fmt: skip
    browse = {name: value for name, value in bodies.VERTEX_SEARCH.items() if name != "searchQuery"}
    assert verdicts(send(api, "vertex/", {"userEvents": [browse]})) == ["accepted"]
    assert Event.objects.filter(name="view_item_list").count() == 2


def test_an_answer_of_ours_is_carried_over_and_anothers_is_not(api: ApiClient) -> None:
    own = "r-019a2b3c4d5e6f708192a3b4c5d6e7f8"
    send(api, "vertex/", {**bodies.VERTEX_PURCHASE, "attributionToken": own})
    send(api, "recombee/purchases/", {**bodies.RECOMBEE_PURCHASE, "recommId": own})
    send(api, "algolia/", {"events": [{**bodies.ALGOLIA["events"][0], "queryID": own}, bodies.ALGOLIA["events"][1]]})
    given = {row.recommendation_id for row in Event.objects.exclude(item__shop_id="9780439784542")}
    assert given == {own, None}
    assert Event.objects.filter(recommendation_id=own).count() == 3


def test_recombees_purchase_at_its_own_address(api: ApiClient) -> None:
    assert verdicts(send(api, "recombee/purchases/", bodies.RECOMBEE_PURCHASE)) == ["accepted"]
    [(name, item, quantity, price, transaction)] = lines("name", "item__shop_id", "quantity", "price", "transaction_id")
    assert (name, item, quantity, price) == ("purchase", "i-1", 2, Decimal("6.25"))
    assert transaction.startswith("recombee-")
    assert "u-1" not in transaction
    batch = {"requests": [{"method": "POST", "path": "/purchases/", "params": bodies.RECOMBEE_PURCHASE}]}
    assert verdicts(send(api, "recombee/", batch)) == ["duplicate"]
    gone = {"method": "DELETE", "path": "/purchases/", "params": bodies.RECOMBEE_PURCHASE}
    assert verdicts(send(api, "recombee/", {"requests": [gone]})) == ["accepted"]
    assert Event.objects.get(name="refund").transaction_id == transaction


def test_recombees_batch(api: ApiClient) -> None:
    answer = send(api, "recombee/batch/", bodies.RECOMBEE_BATCH)
    assert verdicts(answer) == ["accepted", "accepted", "ignored", "ignored"]
    assert lines("name", "rating", "rating_scale") == [("view_item", None, None), ("rate_item", 1.5, 2.0)]


def test_algolias_events(api: ApiClient) -> None:
    answer = send(api, "algolia/", bodies.ALGOLIA)
    assert verdicts(answer) == ["accepted", "accepted", "ignored"]
    assert lines("name", "item__shop_id", "quantity", "amount", "position") == [
        ("select_item", "9780545139700", None, None, 7),
        ("purchase", "9780545139700", 2, Decimal("19.98"), None),
        ("purchase", "9780439784542", 1, Decimal("9.99"), None),
    ]
    assert verdicts(send(api, "algolia/", bodies.ALGOLIA)) == ["duplicate", "duplicate", "ignored"]


# --- what goes wrong


@pytest.mark.parametrize(
    ("where", "body", "pointer"),
    [
        ("segment/", {**bodies.SEGMENT_ORDER, "timestamp": "soon"}, "/timestamp"),
        ("segment/", {"batch": [{**bodies.SEGMENT_VIEW, "userId": None}]}, "/batch/0/userId"),
        ("segment/", {"batch": [{**bodies.SEGMENT_ORDER, "properties": {"order_id": 1, "products": [7]}}]},
         "/batch/0/properties/products/0"),
        ("segment/", {"batch": ["x"]}, "/batch/0"),
        ("segment/", {**bodies.SEGMENT_VIEW, "properties": "none"}, "/properties/product_id"),
        ("ga4/", {"client_id": "c", "events": [{"name": "purchase", "params": {"items": [{"item_id": "abc"}]}}]},
         "/events/0/params/transaction_id"),
        ("ga4/", {"client_id": "c", "events": [{"name": "view_item", "params": {"items": {}}}]},
         "/events/0/params/items"),
        ("ga4/", {"client_id": "c", "events": [{"params": {}}]}, "/events/0/name"),
        ("vertex/", {**bodies.VERTEX_PURCHASE, "purchaseTransaction": {"currencyCode": "XTS", "id": "t"}},
         "/purchaseTransaction/currencyCode"),
        ("vertex/", {**bodies.VERTEX_PURCHASE, "eventType": "category-page-view",
                     "productDetails": [{"product": {"id": "nowhere"}}]}, "/productDetails/0/product/id"),
        ("vertex/", {**bodies.VERTEX_PURCHASE, "eventType": "category-page-view",
                     "productDetails": {"product": {"id": "nowhere"}}}, "/productDetails/product/id"),
        ("recombee/", {"requests": [{"method": "POST", "path": "/purchases/", "params": {"userId": "u"}}]},
         "/requests/0/params/itemId"),
        ("algolia/", {"events": [{**bodies.ALGOLIA["events"][0], "userToken": ""}]},
         "/events/0/authenticatedUserToken"),
    ],
)  # fmt: skip
def test_a_flaw_is_pointed_at_where_it_stands_with_them(where: str, body: Any, pointer: str, api: ApiClient) -> None:
    [result] = send(api, where, body, 400)
    assert (result["verdict"], result["pointer"]) == ("rejected", pointer)


@pytest.mark.parametrize("system", ["segment", "ga4", "vertex", "recombee", "algolia"])
@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"7", b"null", b'"x"', b"{}", b'{"events": [[]]}', b'{"batch": [null]}', b'{"requests": {"a": 1}}',
        b'{"userEvents": [{"eventType": {}, "productDetails": 3, "userInfo": []}]}',
        b'{"type": {"a": 1}, "messageId": 1e400, "properties": [1]}',
        b'{"event": {"a": 1}, "properties": {"path": [1], "id": {}}, "context": 3, "batch": 4}',
        b'{"type": "page", "name": [1], "properties": {"url": "http://[x"}, "context": {"page": {"path": {"a": 1}}}}',
        b'{"events": [{"name": 10000000000000000000000}]}',
        b'{"requests": [{"path": "/ratings/", "params": {"rating": 99999999999999999999999999, "userId": 3}}]}',
        b'{"events": [{"eventType": "view", "objectIDs": [{}], "positions": ["x"]}]}', b"{",
    ],
)  # fmt: skip
def test_nonsense_is_a_400_or_ignored_and_never_a_5xx(system: str, body: bytes, api: ApiClient) -> None:
    answer = api.post(f"/api/v1/events/{system}/", body)
    assert answer.status_code in {202, 400}
    assert Event.objects.count() == 0


def test_a_system_that_nobody_knows_is_a_404(api: ApiClient) -> None:
    problem(api.post("/api/v1/events/matomo/", {}), 404)
    problem(api.post("/api/v1/events/matomo/v1/", {}), 404)


def test_more_than_a_thousand_events_are_refused(api: ApiClient) -> None:
    problem(api.post("/api/v1/events/segment/", {"batch": [{"type": "page"}] * 1_001}), 400)
    problem(api.post("/api/v1/events/segment/", {"batch": []}), 400)


# --- keys


def key_in(api: ApiClient) -> str:
    return api.headers["Authorization"].removeprefix("Api-Key ")


def basic(key: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"}


def test_a_key_goes_in_as_each_system_sends_it(api: ApiClient) -> None:
    key, client = key_in(api), Client()
    body = json.dumps(bodies.dated(bodies.ALGOLIA, NOW))
    ways: list[tuple[str, dict[str, str]]] = [
        ("", basic(key)), ("", {"Authorization": f"Bearer {key}"}), ("", {"Authorization": f"Api-Key {key}"}),
        ("", {"X-Algolia-API-Key": key}), ("", {"X-Goog-Api-Key": key}), (f"?api_secret={key}&measurement_id=G-1", {}),
        (f"?x-algolia-api-key={key}", {}), (f"?key={key}", {}),
    ]  # fmt: skip
    for query, headers in ways:
        answer = client.post(f"/api/v1/events/algolia/{query}", body, content_type="application/json", headers=headers)
        assert answer.status_code == 202, (query, headers)


def test_a_key_that_reads_is_not_taken_from_an_address(client_with: Callable[..., ApiClient]) -> None:
    key = key_in(client_with(Scope.EVENTS_WRITE, Scope.METRICS_READ))
    answer = Client().post(f"/api/v1/events/ga4/?api_secret={key}", b"{}", content_type="application/json")
    assert "Only a key that can do nothing but send events" in problem(answer, 401)["detail"]
    for headers in ({"Authorization": "Basic %%%"}, {"Authorization": "Basic eDo="}, {"X-Goog-Api-Key": "x"}, {}):
        problem(Client().post("/api/v1/events/ga4/", b"{}", content_type="application/json", headers=headers), 401)
    own = Client().post(f"/api/v1/events/?api_secret={key}", b"{}", content_type="application/json")
    problem(own, 401)  # the others' ways are theirs alone


def test_segments_write_key_in_the_body_may_only_send_events(
    api: ApiClient, client_with: Callable[..., ApiClient]
) -> None:
    order = bodies.dated(bodies.SEGMENT_ORDER, NOW)

    def answer(key: object, content_type: str = "application/json") -> HttpResponse:
        body = json.dumps({"batch": [order], "writeKey": key})
        return Client().post("/api/v1/events/segment/v1/b", body, content_type=content_type)

    assert verdicts(results(answer(key_in(api)))) == ["accepted"]
    assert verdicts(results(answer(key_in(api), "text/plain"))) == ["duplicate"]  # as analytics.js sends it
    for wrong in ("x", 7, None, {}):
        problem(answer(wrong), 401)
    reads = key_in(client_with(Scope.EVENTS_WRITE, Scope.METRICS_READ))
    assert "Only a key that can do nothing but send events" in problem(answer(reads), 401)["detail"]


def test_a_key_in_a_page_may_say_no_more_than_elsewhere(api: ApiClient, client_with: Callable[..., ApiClient]) -> None:
    page = client_with(Scope.EVENTS_WRITE, side=Side.PAGE)
    recent = {**bodies.SEGMENT_ORDER, "timestamp": NOW.isoformat()}
    [result] = results(page.post("/api/v1/events/segment/", recent))
    assert result["ignored"] == ["/userId"]
    assert not Customer.objects.filter(pseudonym=pseudonym("AiUGstSDIg")).exists()
