"""``/api/v1/hooks/{shopify,woocommerce}/``: orders of shop software, signed over the raw body, each counted once."""

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from recommendations.models import CustomerAlias, Event, Item
from recommendations.terms import CustomerKind, Trust
from tests import foreign_bodies as bodies
from tests.api.conftest import problem
from tests.api.events.conftest import key_of
from tests.api.events.foreign_examples import example

pytestmark = pytest.mark.django_db
NOW = timezone.now()
SECRET = "hush-hush"
HEADERS = {
    "shopify": ("X-Shopify-Hmac-Sha256", "X-Shopify-Topic"),
    "woocommerce": ("X-WC-Webhook-Signature", "X-WC-Webhook-Topic"),
}


@pytest.fixture(autouse=True)
def _shop(settings: LazySettings) -> None:
    settings.SHOPIFY_WEBHOOK_SECRET = settings.WOOCOMMERCE_WEBHOOK_SECRET = SECRET
    Item.objects.bulk_create(Item(shop_id=key, title=key) for key in bodies.ITEMS)


def call(shop: str, topic: str, body: Any, *, secret: str = SECRET, query: str = "", **headers: str) -> HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(bodies.dated(body, NOW), indent=1).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), content, hashlib.sha256)).decode()
    signed, told = HEADERS[shop]
    return Client(enforce_csrf_checks=True).post(
        f"/api/v1/hooks/{shop}/{query}", content, content_type="application/json",
        headers={signed: signature, told: topic, **headers},
    )  # fmt: skip


def verdict(answer: HttpResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.content
    [result] = json.loads(answer.content)["results"]
    return dict(result)


def lines(name: str) -> list[tuple[Any, ...]]:
    rows = Event.objects.filter(name=name).order_by("line")
    return list(rows.values_list("item__shop_id", "quantity", "amount", "transaction_id", "trust", "key_id"))


def test_a_shopify_order_is_one_purchase_whichever_topics_come() -> None:
    for topic in ("orders/create", "orders/paid", "orders/create"):
        assert verdict(call("shopify", topic, bodies.SHOPIFY_ORDER))["verdict"] in {"accepted", "duplicate"}
    order = "820982911946154508"
    assert lines("purchase") == [
        ("788032119674292922", 1, 199, order, Trust.SERVER, None), ("632910392", 2, 393, order, Trust.SERVER, None),
    ]  # fmt: skip
    assert Event.objects.first().customer_id == key_of("115310627314723954")
    assert CustomerAlias.objects.get().anonymous_id == key_of("a-77", CustomerKind.ANONYMOUS)


def test_what_shopify_gives_back_is_the_buyers() -> None:
    call("shopify", "orders/create", bodies.SHOPIFY_ORDER)
    assert verdict(call("shopify", "refunds/create", bodies.SHOPIFY_REFUND))["verdict"] == "accepted"
    assert verdict(call("shopify", "refunds/create", bodies.SHOPIFY_REFUND))["verdict"] == "duplicate"
    assert [line[:3] for line in lines("refund")] == [("632910392", 1, Decimal("196.50"))]
    assert Event.objects.get(name="refund").customer_id == key_of("115310627314723954")
    whole = {**bodies.SHOPIFY_ORDER, "cancelled_at": NOW.isoformat()}
    assert verdict(call("shopify", "orders/cancelled", whole))["verdict"] == "accepted"
    assert len(lines("refund")) == 3


def test_a_shopify_catalogue_of_variants_is_named_in_the_address() -> None:
    assert verdict(call("shopify", "orders/create", bodies.SHOPIFY_ORDER, query="?item_id=variant_id"))
    assert [line[0] for line in lines("purchase")] == ["808950810"]
    problem(call("shopify", "orders/create", bodies.SHOPIFY_ORDER, query="?item_id=colour"), 400)


def test_a_guest_is_known_by_a_hash_and_a_test_order_is_ignored() -> None:
    guest = {**bodies.SHOPIFY_ORDER, "customer": None, "note_attributes": [], "email": " Jon@Example.com"}
    assert verdict(call("shopify", "orders/paid", guest))["verdict"] == "accepted"
    assert Event.objects.first().customer_id == key_of("guest:jon@example.com", CustomerKind.ANONYMOUS)
    assert verdict(call("shopify", "orders/paid", {**guest, "id": 5, "test": True}))["verdict"] == "ignored"
    assert verdict(call("shopify", "products/update", guest))["reason"].startswith("Shopify's “products/update”")


def test_a_woocommerce_order_counts_once_it_is_paid_for() -> None:
    pending = {**bodies.WOO_ORDER, "status": "pending"}
    assert verdict(call("woocommerce", "order.created", pending))["verdict"] == "ignored"
    assert verdict(call("woocommerce", "order.updated", bodies.WOO_ORDER))["verdict"] == "accepted"
    done = {**bodies.WOO_ORDER, "status": "completed"}
    assert verdict(call("woocommerce", "order.updated", done))["verdict"] == "duplicate"
    assert [line[:4] for line in lines("purchase")] == [("93", 2, 6, "727"), ("22", 1, 12, "727")]
    assert Event.objects.first().customer_id == key_of("a-78", CustomerKind.ANONYMOUS)
    back = {**bodies.WOO_ORDER, "status": "refunded"}
    later = {**back, "date_modified_gmt": f"{NOW:%Y-%m-%dT%H:%M:%S}"}
    assert [verdict(call("woocommerce", "order.updated", one))["verdict"] for one in (back, later)] == [
        "accepted", "duplicate",
    ]  # fmt: skip


@pytest.mark.parametrize("shop", HEADERS)
def test_what_is_not_signed_by_our_secret_is_refused(shop: str) -> None:
    body = json.dumps(bodies.SHOPIFY_ORDER).encode()
    signed, _topic = HEADERS[shop]
    problem(call(shop, "orders/create", body, secret="another"), 403)
    problem(call(shop, "orders/create", body, **{signed: ""}), 403)
    problem(call(shop, "orders/create", body, **{signed: "é"}), 403)
    whole = call(shop, "orders/create", body)
    assert whole.status_code == 200
    tampered = Client().post(
        f"/api/v1/hooks/{shop}/", body + b" ", content_type="application/json",
        headers={signed: base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()},
    )  # fmt: skip
    problem(tampered, 403)


def test_without_a_secret_the_address_is_not_there(settings: LazySettings) -> None:
    settings.SHOPIFY_WEBHOOK_SECRET = ""
    problem(call("shopify", "orders/create", bodies.SHOPIFY_ORDER), 404)
    problem(Client().post("/api/v1/hooks/magento/", b"{}", content_type="application/json"), 404)


def test_an_order_that_is_refused_gets_a_yes_with_the_reason() -> None:
    """A no would be sent again for hours, and end the subscription."""
    answer = call("shopify", "orders/create", {**bodies.SHOPIFY_ORDER, "currency": "XTS"})
    assert (verdict(answer)["verdict"], verdict(answer)["pointer"]) == ("rejected", "/currency")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b'{"line_items": 3}', b'{"line_items": [[]], "id": {}}', b"\xff", b"{"]
)
@pytest.mark.parametrize(("shop", "topic"), [("shopify", "orders/create"), ("woocommerce", "order.updated")])
def test_nonsense_is_never_a_5xx(shop: str, topic: str, body: bytes) -> None:
    assert call(shop, topic, body).status_code in {200, 400}
    assert Event.objects.count() == 0


def test_how_addresses_are_tried_out() -> None:
    assert Client().head("/api/v1/hooks/woocommerce/").status_code == 200
    ping = Client().post("/api/v1/hooks/woocommerce/", b"webhook_id=7", "application/x-www-form-urlencoded")
    assert ping.status_code == 200
    problem(Client().get("/api/v1/hooks/shopify/"), 405)
    assert Event.objects.count() == 0


def test_without_the_database_it_is_to_be_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_rows: object, **_options: object) -> None:
        raise OperationalError

    monkeypatch.setattr("recommendations.api.hooks.orders.accept", away)
    answer = call("shopify", "orders/create", bodies.SHOPIFY_ORDER)
    assert problem(answer, 503)["status"] == 503
    assert answer["Retry-After"]


# --- examples of the shape of the public ones


def sold(*shop_ids: str) -> None:
    Item.objects.bulk_create([Item(shop_id=key, title=key) for key in shop_ids], ignore_conflicts=True)


def test_shopifys_examples_go_in_as_they_are() -> None:
    sold("788011223344556604")
    order, refund = (example("shopify", name, now=NOW) for name in ("order", "refund"))
    assert verdict(call("shopify", "orders/create", order))["verdict"] == "accepted"
    number = "820011223344556601"
    assert [line[:4] for line in lines("purchase")] == [
        ("788011223344556604", 1, 90, number), ("788011223344556604", 2, 45, number),
    ]  # fmt: skip
    assert verdict(call("shopify", "refunds/create", refund))["verdict"] == "accepted"
    assert [line[:4] for line in lines("refund")] == [("788011223344556604", 1, Decimal("22.50"), number)]
    assert Event.objects.get(name="refund").customer_id == key_of("115011223344556602")
    assert verdict(call("shopify", "orders/create", {**order, "id": 1, "test": True}))["verdict"] == "ignored"


def test_woocommerces_example_goes_in_as_it_is() -> None:
    sold("93", "22")
    order = example("woocommerce", "order", now=NOW)
    result = verdict(call("woocommerce", "order.created", order))
    assert (result["verdict"], result.get("waiting_items")) == ("accepted", None)  # what is no product is left out
    assert [line[:4] for line in lines("purchase")] == [
        ("93", 2, 5, "1727"), ("22", 1, 12, "1727"), ("22", 1, 20, "1727"),
    ]  # fmt: skip
    assert {event.customer_id for event in Event.objects.all()} == {key_of("26")}
    partly = {**order, "refunds": [{"id": 726, "reason": "", "total": "-10.00"}]}
    assert verdict(call("woocommerce", "order.updated", partly))["verdict"] == "duplicate"
    gone = example("woocommerce", "deleted", now=NOW)
    assert verdict(call("woocommerce", "order.deleted", gone))["verdict"] == "ignored"


def test_a_woocommerce_catalogue_of_variations_has_simple_products_too() -> None:
    sold("93", "23", "24")
    result = verdict(call("woocommerce", "order.created", example("woocommerce", "order", now=NOW),
                          query="?item_id=variation_id"))  # fmt: skip
    assert result.get("waiting_items") is None
    assert [line[0] for line in lines("purchase")] == ["93", "23", "24"]


@pytest.mark.parametrize("shop", HEADERS)
def test_a_line_behind_one_without_a_product_is_pointed_at_where_it_stands(shop: str) -> None:
    order = example(shop, "order", now=NOW)
    *others, without = order["line_items"]
    lines_sent = [without, {**others[0], "product_id": 777}]
    topic = {"shopify": "orders/create", "woocommerce": "order.created"}[shop]
    result = verdict(call(shop, topic, {**order, "line_items": lines_sent}))
    assert [line["pointer"] for line in result["waiting_items"]] == ["/line_items/1/product_id"]


@pytest.mark.parametrize(
    ("shop", "topic", "body"),
    [
        ("shopify", "orders/create", {"order": bodies.SHOPIFY_ORDER}),
        ("shopify", "refunds/create", {"refund": bodies.SHOPIFY_REFUND}),
        ("woocommerce", "order.created", {"order": bodies.WOO_ORDER}),
    ],
)
def test_an_order_with_something_around_it_is_refused_with_a_remedy(shop: str, topic: str, body: Any) -> None:
    result = verdict(call(shop, topic, body))
    assert (result["verdict"], result.get("event_id")) == ("rejected", None)
    assert result["reason"].endswith("Send what its webhook sends, with nothing around it.")


def test_the_body_of_another_shop_is_named(settings: LazySettings) -> None:
    order = {name: value for name, value in bodies.SHOPIFY_ORDER.items() if name not in {"id", "line_items"}}
    result = verdict(call("woocommerce", "order.created", {**order, "refund_line_items": [], "order_id": 1}))
    assert result["reason"] == "This looks like a Shopify refund; send it to /api/v1/hooks/shopify/."
