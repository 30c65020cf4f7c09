"""Whatever is sent, the answer is never a 5xx: broken JSON, odd types, values that only PostgreSQL would stumble on."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommendations.loop.event_form import EventForm
from recommendations.models import Event, Item
from recommendations.terms import EventName, Scope
from tests.api.conftest import ApiClient, problem

EVENTS = "/api/v1/events/"
NOW = timezone.now().isoformat()
HOSTILE = [
    "\x00", "a\x00b", "=cmd|' /C calc'!A0", "'; drop table recommendations_event;--", "<script>alert(1)</script>",
    "\ud800", "\u202e", "𝄞" * 60, "x" * 10_000, "", "null", "%00", "{{7*7}}", "\r\nX: y", "NaN", "1e999", "-0",
    "\\u0000",
]  # fmt: skip
NUMBERS = [
    float("nan"), float("inf"), -float("inf"), 1e308, -1, 0, 2**15, 2**31, 2**63, 2**64, 10**400, -(2**63), 1e-320,
    9999999999.99, 9999999999.995, True, None, "1", "sNaN", "1e-999999999", "9" * 40, [], {},
]  # fmt: skip
TIMES = [
    "0000-00-00T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59",
    "2026-02-30T00:00:00Z", "2026-11-24", "1e9", 1732454400, -1, "2026-11-24T00:00:00+99:99", "2026-06-30T23:59:60Z",
    "-4713-01-01T00:00:00Z", "infinity", "now()", "",
]  # fmt: skip
BODIES = [
    b"", b"[]", b"{}", b"null", b"[" * 100_000, b'{"a":' * 5_000, b'{"events":[]}', b"\xff\xfe", b'{"events":[{}]}',
    b'{"events":{"0":1}}', b'\xef\xbb\xbf{"events":[]}', b'{"events":[' + b"1," * 50_000 + b"1]}",
    b'{"events":[' + b'{"x":' * 400 + b"1" + b"}" * 400 + b"]}", b'{"events":[[],[]],"events":[1]}',
]  # fmt: skip
FIELDS = sorted(EventForm.__struct_fields__)
INNER = ["item_id", "quantity", "price", "index", "extra"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.sampled_from(HOSTILE + NUMBERS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
odd = st.sampled_from(HOSTILE) | st.sampled_from(NUMBERS) | anything


@st.composite
def good(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "event_id": str(draw(st.uuids())),
        "name": "purchase",
        "timestamp": NOW,
        "user_id": "u1",
        "anonymous_id": "a1",
        "transaction_id": "t1",
        "items": [{"item_id": "SKU1", "quantity": 1, "price": "1.50"}, {"item_id": "SKU2"}],
        "context": {"channel": "web"},
        "consent": {"personalisation": True},
    }


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    row = draw(good())
    for name in draw(st.lists(st.sampled_from([*FIELDS, "extra"]), min_size=1, max_size=3)):
        row[name] = draw(st.sampled_from(TIMES) | odd if name == "timestamp" else odd)
    if draw(st.booleans()):
        row["name"] = draw(st.sampled_from(list(EventName)))
    if draw(st.booleans()) and isinstance(row["items"], list) and row["items"]:
        row["items"] = [{"item_id": "SKU1", draw(st.sampled_from(INNER)): draw(odd)}, {"item_id": "SKU2"}]
    return row


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.binary(max_size=200))
    if kind == 1:
        return draw(st.sampled_from(BODIES))
    if kind == 2:
        return json.dumps(draw(anything)).encode("utf-8", "surrogatepass")
    batch = [draw(good()) for _ in range(draw(st.integers(0, 2)))] + [draw(rows())]
    value = {"events": batch} if draw(st.booleans()) or len(batch) > 1 else batch[0]
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    if kind == 9:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.text(max_size=3)) + text[at + draw(st.integers(0, 3)) :]
    return text.encode("utf-8", "surrogatepass")


@pytest.fixture
def api(db: None, client_with: Callable[..., ApiClient]) -> ApiClient:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="x") for number in range(3))
    client = client_with(Scope.EVENTS_WRITE, requests_per_minute=10_000_000)
    client._client.raise_request_exception = False
    return client


@pytest.fixture
def statuses() -> Counter[int]:
    return Counter()


@settings(
    max_examples=1_200,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(body=bodies())
def check(body: bytes, api: ApiClient, statuses: Counter[int]) -> None:
    before = Event.objects.count()
    with transaction.atomic():  # a statement that fails does not take the others with it
        answer = api.post(EVENTS, body)
    statuses[answer.status_code] += 1
    if answer.status_code == 202:
        results = answer.json()["results"]
        assert len(results) == answer.json()["accepted"] + answer.json()["duplicates"] + answer.json()["rejected"]
        assert all(result["verdict"] != "rejected" or result["reason"] for result in results)
        assert (Event.objects.count() > before) == (answer.json()["accepted"] > 0)
    else:
        problem(answer, 400)
        assert Event.objects.count() == before


def test_no_body_makes_a_5xx(api: ApiClient, statuses: Counter[int]) -> None:
    check(api=api, statuses=statuses)
    assert sum(statuses.values()) >= 1_000
    assert statuses.keys() == {202, 400}
    assert min(statuses.values()) > 100  # neither kind is rare, so both were tried
