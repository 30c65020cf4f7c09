"""Examples of the shape that each system's public documents show go in as they are."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from django.utils import timezone

from recommendations.models import Customer, Event, Item
from recommendations.terms import Scope, Side
from tests.api.conftest import ApiClient
from tests.api.events.conftest import key_of, results
from tests.api.events.foreign_examples import example

NOW = timezone.now()
TEE, MUG = "65a1f0aa1b2c3d4e5f600001", "65a1f0aa1b2c3d4e5f600002"
OK, OUT = "accepted", "ignored"


class Case(NamedTuple):
    """An example, where it is sent, and what comes of it: verdicts, and lines by name, item, quantity and price.

    ``undated``: it says neither when it happened nor which order it is, so that it counts as often as it is sent.
    """

    system: str
    name: str
    address: str
    verdicts: Sequence[str]
    lines: Sequence[tuple[Any, ...]] = ()
    undated: bool = False


@pytest.fixture
def api(db: None, client_with: Callable[..., ApiClient]) -> ApiClient:
    Item.objects.bulk_create(Item(shop_id=key, title=key) for key in (TEE, MUG))
    return client_with(Scope.EVENTS_WRITE)


def send(api: ApiClient, case: Case) -> list[dict[str, Any]]:
    return results(api.post(f"/api/v1/events/{case.address}", example(case.system, case.name, now=NOW)))


def lines() -> list[tuple[Any, ...]]:
    rows = Event.objects.order_by("occurred_at", "name", "line")
    return list(rows.values_list("name", "item__shop_id", "quantity", "price"))


SEGMENT = [
    Case("segment", "http_api_order", "segment/v1/track", [OK], [("purchase", TEE, 2, 20), ("purchase", MUG, 1, 10)]),
    Case("segment", "http_api_identify", "segment/v1/identify", [OK]),
    Case("segment", "http_api_page", "segment/v1/page", [OUT]),
    Case("segment", "http_api_batch", "segment/v1/batch", [OK, OK, OUT], [("select_item", MUG, None, 10)]),
    Case(
        "segment", "browsing", "segment/", [OK] * 4,
        [
            ("view_item", TEE, 1, Decimal("18.99")), ("search", None, None, None), ("view_cart", TEE, None, 20),
            ("view_cart", MUG, None, 10), ("rate_item", MUG, None, None),
        ],
    ),
    Case("segment", "page_of_home", "segment/", [OK], [("view_homepage", None, None, None)]),
    Case("segment", "v1_view", "segment/", [OK], [("view_item", TEE, None, Decimal("18.99"))], undated=True),
    Case("segment", "v1_order", "segment/", [OK], [("purchase", TEE, 1, 20), ("purchase", MUG, 3, 10)]),
    Case("segment", "v1_left_out", "segment/", [OUT]),
    Case("segment", "webhook_destination", "segment/", [OK], [("add_to_cart", MUG, 2, 10)]),
]  # fmt: skip


GA4 = [
    Case("ga4", "purchase", "ga4/", [OK], [("purchase", TEE, 2, 20), ("purchase", MUG, 1, 10)]),
    Case(
        "ga4", "browsing", "ga4/", [OK, OUT, OK, OUT, OUT],
        [("search", None, None, None), ("view_item_list", TEE, 1, 20), ("view_item_list", MUG, 1, 10)],
    ),
]  # fmt: skip
VERTEX = [
    Case("vertex", "purchase_without_id", "vertex/", [OK], [("purchase", TEE, 3, None), ("purchase", MUG, 1, None)]),
    Case("vertex", "one_product_without_a_list", "vertex/", [OK], [("view_item", TEE, 3, None)]),
    Case("vertex", "product_by_name", "vertex/", [OK], [("add_to_cart", MUG, 2, None)]),
    Case(
        "vertex", "import_inline", "vertex/", [OK, OUT, OK, OK, OK],
        [
            ("view_homepage", None, None, None), ("search", None, None, None), ("view_item_list", None, None, None),
            ("view_cart", TEE, 1, None),
        ],
    ),
]  # fmt: skip
RECOMBEE = [
    Case("recombee", "detail_view", "recombee/detailviews/", [OK], [("view_item", TEE, None, None)]),
    Case(
        "recombee", "batch", "recombee/batch/", [OK, OK, OK, OUT, OUT, OUT, OUT, OUT, OK],
        [
            ("purchase", MUG, None, None), ("add_to_cart", TEE, 2, 15), ("rate_item", TEE, None, None),
            ("remove_from_cart", TEE, None, None),
        ],
    ),
]  # fmt: skip
ALGOLIA = [
    Case(
        "algolia", "click_with_time_as_text", "algolia/", [OK],
        [("select_item", TEE, None, None), ("select_item", MUG, None, None)],
    ),
    Case(
        "algolia", "several", "algolia/", [OUT, OK, OUT, OK, OK],
        [
            ("view_item", TEE, None, None), ("add_to_cart", TEE, 10, Decimal("19.99")), ("add_to_cart", MUG, 7, 8),
            ("purchase", MUG, 2, 10),
        ],
    ),
]  # fmt: skip
CASES = [*SEGMENT, *GA4, *VERTEX, *RECOMBEE, *ALGOLIA]


def named(case: Case) -> str:
    return f"{case.system}-{case.name}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_an_example_goes_in_as_it_is(case: Case, api: ApiClient) -> None:
    answer = send(api, case)
    assert [row["verdict"] for row in answer] == case.verdicts
    assert lines() == list(case.lines)


@pytest.mark.parametrize("case", [case for case in CASES if case.lines and not case.undated], ids=named)
def test_an_example_that_is_sent_again_counts_once(case: Case, api: ApiClient) -> None:
    send(api, case)
    send(api, case)
    assert lines() == list(case.lines)


def test_a_no_for_all_of_a_segment_batch_is_heard(api: ApiClient) -> None:
    send(api, SEGMENT[3])
    assert not Customer.objects.get(pk=key_of("c-4711")).personalise
    assert Event.objects.get().customer_id is None


def test_a_no_by_ga4s_former_name_is_heard(api: ApiClient) -> None:
    send(api, GA4[1])
    assert not Customer.objects.get(pk=key_of("c-4711")).personalise
    assert {row.customer_id for row in Event.objects.all()} == {None}


WHOLE = Case("ga4", "refund_of_all", "ga4/", [OK])


def test_a_refund_that_names_no_items_takes_back_the_order(api: ApiClient) -> None:
    send(api, GA4[0])
    assert [row["verdict"] for row in send(api, WHOLE)] == [OK]
    back = Event.objects.filter(name="refund").order_by("line")
    assert list(back.values_list("item__shop_id", "quantity", "price", "amount", "transaction_id")) == [
        (TEE, 2, 20, 40, "o-2001"), (MUG, 1, 10, 10, "o-2001"),
    ]  # fmt: skip
    assert [row["verdict"] for row in send(api, WHOLE)] == ["duplicate"]
    segments = {**example("segment", "http_api_order", now=NOW), "event": "Order Refunded"}
    segments["properties"] = {"order_id": "o-2001", "total": 50}
    [result] = results(api.post("/api/v1/events/segment/", segments))
    assert result["verdict"] == OK


def test_an_item_that_an_order_has_twice_and_two_tell_of_is_given_back_twice(api: ApiClient) -> None:
    purchase = example("ga4", "purchase", now=NOW)
    items = purchase["events"][0]["params"]["items"]
    items[1] |= {"item_id": TEE, "quantity": 4}
    results(api.post("/api/v1/events/ga4/", purchase))
    purchase["events"][0]["params"]["event_id"] = "told-again"
    results(api.post("/api/v1/events/ga4/", purchase))
    send(api, WHOLE)
    assert list(Event.objects.filter(name="refund").order_by("line").values_list("quantity", "price")) == [
        (2, 20), (4, 10),
    ]  # fmt: skip


def test_a_refund_of_an_order_that_is_not_there_is_left_out(api: ApiClient) -> None:
    [result] = results(api.post("/api/v1/events/ga4/", example("ga4", "refund_of_all", now=NOW)))
    assert (result["verdict"], result["pointer"]) == ("ignored", "/events/0/params/transaction_id")
    assert result["reason"].startswith("No order with this number is known")


def test_a_page_is_not_told_which_orders_there_are(api: ApiClient, client_with: Callable[..., ApiClient]) -> None:
    page = client_with(Scope.EVENTS_WRITE, side=Side.PAGE)
    for _time in range(2):
        [result] = results(page.post("/api/v1/events/ga4/", example("ga4", "refund_of_all", now=NOW)), 400)
        assert (result["verdict"], result["pointer"]) == ("rejected", "/events/0/params/items")
        send(api, GA4[0])


def test_a_vertex_purchase_without_an_id_is_one_transaction(api: ApiClient) -> None:
    send(api, VERTEX[0])
    [transaction] = set(Event.objects.values_list("transaction_id", flat=True))
    assert transaction.startswith("vertex-")
    assert "c-4711" not in transaction


def test_what_is_no_interaction_of_recombees_is_called_by_its_kind(api: ApiClient) -> None:
    reasons = [row["reason"] for row in send(api, RECOMBEE[1]) if row["verdict"] == OUT]
    assert [reason.split("“")[1].split("”")[0] for reason in reasons] == [
        "viewportions", "users", "users", "items", "recomms",
    ]  # fmt: skip


def test_an_answer_that_algolia_names_beside_the_object_is_carried_over(api: ApiClient) -> None:
    send(api, ALGOLIA[1])
    assert Event.objects.get(name="purchase").recommendation_id == "r-019a2b3c4d5e6f708192a3b4c5d6e7f8"
    body = example("algolia", "several", now=NOW)
    body["events"][4] |= {
        "objectIDs": [TEE, MUG], "objectData": [{"queryID": "r-019a2b3c4d5e6f708192a3b4c5d6e7f8"}, {"price": 1}],
    }  # fmt: skip
    results(api.post("/api/v1/events/algolia/", {"events": body["events"][4:]}))
    assert Event.objects.get(name="purchase", item__shop_id=TEE).recommendation_id is None  # which of them is not said


def test_a_price_with_a_sign_is_refused_where_it_stands(api: ApiClient) -> None:
    [result] = results(api.post("/api/v1/events/algolia/", example("algolia", "price_with_a_sign", now=NOW)), 400)
    assert result["pointer"] == "/events/0/objectData/0/price"
