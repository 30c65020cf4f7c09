"""Numbers that JSON can write and a column cannot hold: each is taken or refused at its place, and breaks nothing."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.utils import timezone

from recommendations.models import Item
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem

NUMBERS = [
    "1e-999", "-1e-999", "5e-324", "1e-320", f"0.{'0' * 400}1", "-0", "-0.0", "1e400", "-1e400", "1e999999999999",
    "1e-999999999999", "1e9999999999999999999", "1e-9999999999999999999", "1e16384", "9" * 400, "9" * 5_000,
    "9" * 150_000, "9007199254740993", "9223372036854775808", "2147483648", "32768", "9999999999.995", "NaN",
]  # fmt: skip
EVENT = """{"event_id": "%s", "name": "rate_item", "timestamp": "%s", "user_id": "u", "rating": 4, "rating_scale": 5,
 "items": [{"item_id": "SKU0"}]%s}"""
EVENT_FIELDS = [
    ', "rating": %s', ', "rating_scale": %s', ', "value": %s', ', "value": "%s"',
    ', "items": [{"item_id": "SKU0", "quantity": %s}]', ', "items": [{"item_id": "SKU0", "price": %s}]',
    ', "items": [{"item_id": "SKU0", "price": "%s"}]', ', "items": [{"item_id": "SKU0", "index": %s}]',
    ', "items": [{"item_id": "SKU0", "price": %s, "quantity": 1000000}]', ', "unknown": %s', ', "context": {"x": %s}',
]  # fmt: skip
ITEM_FIELDS = [
    '"price": %s', '"price": "%s"', '"original_price": %s', '"cost": "%s"', '"available_quantity": %s',
    '"rating": {"average": %s}', '"rating": {"count": %s}', '"attributes": {"size": %s}', '"attributes": {"a": [[%s]]}',
]  # fmt: skip
WISHES = [
    '"n": %s', '"diversity": %s', '"filter": {"price": {"gte": %s}}', '"filter": {"price": {"lte": "%s"}}',
    '"filter": {"price": {"gte": %s, "lte": %s}}',
]  # fmt: skip


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="Tea") for number in range(2))
    client = client_with(*Scope, requests_per_minute=10_000_000)
    client._client.raise_request_exception = False
    return client


def written(template: str, number: str) -> str:
    return template.replace("%s", number)


@pytest.mark.parametrize("field", EVENT_FIELDS)
def test_unstorable_numbers_in_an_event(api: ApiClient, field: str) -> None:
    now = timezone.now().isoformat()
    for at, number in enumerate(NUMBERS):
        odd = EVENT % (f"11111111-1111-4111-8111-{2 * at:012}", now, written(field, number))
        good = EVENT % (f"11111111-1111-4111-8111-{2 * at + 1:012}", now, "")
        with transaction.atomic():
            answer = api.post("/api/v1/events/", f'{{"events": [{odd}, {good}]}}'.encode())
        if answer.status_code == 202:
            assert answer.json()["results"][1]["verdict"] == "accepted", number
            assert all(row.get("reason") for row in answer.json()["results"] if row["verdict"] == "rejected")
        else:
            assert problem(answer, 400)["errors"], number


@pytest.mark.parametrize("field", ITEM_FIELDS)
def test_unstorable_numbers_in_an_item(api: ApiClient, field: str) -> None:
    for number in NUMBERS:
        odd, good = f'{{"item_id": "SKU0", "title": "Tea", {written(field, number)}}}', '{"item_id": "A", "title": "B"}'
        with transaction.atomic():
            answer = api.post("/api/v1/items/batch/", f'{{"items": [{odd}, {good}]}}'.encode())
        if answer.status_code == 200:
            assert answer.json()["results"][1]["verdict"] in {"created", "updated", "unchanged"}, number
        else:
            assert problem(answer, 400)["errors"], number


@pytest.mark.parametrize("wish", WISHES)
def test_unstorable_numbers_in_a_request_for_recommendations(api: ApiClient, wish: str) -> None:
    for number in NUMBERS:
        with transaction.atomic():
            answer = api.post("/api/v1/placements/home/recommend/", f"{{{written(wish, number)}}}".encode())
        assert answer.status_code in {200, 400}, number
        if answer.status_code == 400:
            assert problem(answer, 400)["errors"], number
