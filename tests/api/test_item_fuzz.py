"""Bodies of the catalogue that nobody means: every one is taken or refused with its place, and none breaks anything."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommendations.models import Item
from recommendations.services.catalogue.item_schema import ItemRowForm
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem

BATCH = "/api/v1/items/batch/"
FIELDS = sorted(ItemRowForm.__struct_fields__)
HOSTILE = [
    "", " ", "\x00", "a\x00", "\ud800", "\U0001d518\u202e", "x" * 400, "'; DROP TABLE x;--", "{0} %s", "\\.", "=1+1",
    "A > B", "> ", "NaN", "-0", "1e999999", "1e-999999", "sNaN", "9999999999.995", "https://", "//x", "in_stock",
    "SKU0", "SKU1", "2026-09-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
]  # fmt: skip
NUMBERS = [-1, 0, 2**31, 2**63, 2**64, 10**30, 1e308, -1e308, 5e-324, float("nan"), float("inf"), 19.9]
odd = st.recursive(
    st.none() | st.booleans() | st.sampled_from(HOSTILE) | st.sampled_from(NUMBERS) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(HOSTILE), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def rows(draw: st.DrawFn) -> Any:
    row: Any = {"item_id": draw(st.sampled_from(["SKU0", "SKU1", "NEW"])), "title": "Tea", "price": "1.50"}
    for name in draw(st.lists(st.sampled_from([*FIELDS, "extra"]), max_size=3)):
        row[name] = draw(odd)
    return draw(odd) if draw(st.integers(0, 9)) == 0 else row


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    value = {"items": draw(st.lists(rows(), max_size=3))} if draw(st.integers(0, 9)) else draw(odd)
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.text(max_size=3)) + text[place + draw(st.integers(0, 3)) :]
    return text.encode("utf-8", "surrogatepass")


@pytest.fixture
def api(db: None, client_with: Callable[..., ApiClient]) -> ApiClient:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="Tea") for number in range(2))
    client = client_with(Scope.CATALOGUE_WRITE, requests_per_minute=10_000_000)
    client._client.raise_request_exception = False
    return client


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(body=bodies(), method=st.sampled_from(["POST", "PATCH"]))
def check(body: bytes, method: str, api: ApiClient, statuses: Counter[int]) -> None:
    with transaction.atomic():  # a statement that fails does not take the others with it
        answer = api.send(method, BATCH, body)
    statuses[answer.status_code] += 1
    if answer.status_code == 200:
        content = answer.json()
        counts = Counter(result["verdict"] for result in content["results"])
        assert all(content[name] == counts[name] for name in ("created", "updated", "unchanged", "rejected"))
        assert all(result["verdict"] != "rejected" or result["reason"] for result in content["results"])
    else:
        assert problem(answer, 400)["errors"]


def test_no_body_makes_a_5xx(api: ApiClient) -> None:
    statuses: Counter[int] = Counter()
    check(api=api, statuses=statuses)
    assert statuses.keys() == {200, 400}
    assert min(statuses.values()) > 15  # neither kind is rare, so both were tried
