"""Whatever is sent, the answer is never a 5xx: broken JSON, odd types, values that only PostgreSQL would stumble on.

The full form, with ten thousand cases and more, is ``bench/faults/fuzz.py``.
"""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.faults import small_shop
from bench.faults.cases import BODIES, HOSTILE, NUMBERS, TIMES, Shot, anything, operations
from bench.faults.fuzz import as_text, fuzz
from bench.faults.verdict import Judge, Reply
from recommendations.api.schema import document
from recommendations.event_types import EventName
from recommendations.ingest.event_schema import EventForm
from recommendations.models import Event, Item, WaitingLine
from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem

EVENTS = "/api/v1/events/"
NOW = timezone.now().isoformat()
CASES = 300
OF_THE_PAST = {
    "answer", "answer_again", "experiment", "agent_pause", "privacy_request", "privacy_download", "privacy_receipt",
}  # fmt: skip
"""Operations on what a small shop does not have; ``test_review.py``, ``test_agents.py`` and
``test_privacy_requests.py`` ask where it is there.
"""
OF_ANYBODY = {"taste", "taste_withdraw", "user_privacy"}
"""Operations whose whole input is the id of a customer: of whom nothing is known they say so, and refuse no id."""
FIELDS = sorted(EventForm.__struct_fields__)
INNER = ["item_id", "quantity", "price", "index", "extra"]
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
    max_examples=400,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(body=bodies())
def check(body: bytes, api: ApiClient, statuses: Counter[int]) -> None:
    before = _lines()
    with transaction.atomic():  # a statement that fails does not take the others with it
        answer = api.post(EVENTS, body)
    statuses[answer.status_code] += 1
    if answer.status_code == 202:
        results, counts = answer.json()["results"], ("accepted", "duplicates", "rejected", "ignored_events")
        assert len(results) == sum(answer.json().get(name, 0) for name in counts)
        assert all(result["verdict"] != "rejected" or result["reason"] for result in results)
        assert (_lines() > before) == (answer.json()["accepted"] > 0)
    else:
        problem(answer, 400)
        assert _lines() == before


def _lines() -> int:
    """Lines of events, with those that wait for their item."""
    return Event.objects.count() + WaitingLine.objects.count()


def test_no_body_makes_a_5xx(api: ApiClient, statuses: Counter[int]) -> None:
    check(api=api, statuses=statuses)
    assert sum(statuses.values()) >= 300
    assert statuses.keys() == {202, 400}
    assert min(statuses.values()) > 50  # neither kind is rare, so both were tried


# --- every operation of the schema


def test_no_operation_answers_with_a_5xx(db: None, client_with: Callable[..., ApiClient]) -> None:
    small_shop.make_items()
    small_shop.make_contacts()
    small_shop.make_campaigns()
    client = client_with(*Scope, requests_per_minute=10_000_000)
    within = small_shop.Within(client.headers["Authorization"].removeprefix("Api-Key "))

    def send(shot: Shot) -> Reply:
        with transaction.atomic():  # a statement that fails does not take the others with it
            return within(shot)

    tallies = fuzz(document(), send, cases=CASES, known=small_shop.KNOWN)
    if any(tally.findings for tally in tallies.values()):
        pytest.fail(as_text(tallies))
    assert tallies.keys() == {operation.id for operation in operations(document())}
    assert sum(tally.cases.total() for tally in tallies.values()) >= CASES
    for operation in operations(document()):  # something was taken and something refused, so both were tried
        tally = tallies[operation.id]
        good = sum(count for status, count in tally.statuses.items() if status < 400)
        assert good or operation.id in OF_THE_PAST, operation.id
        assert tally.cases.total() > good or not operation.takes_input or operation.id in OF_ANYBODY, operation.id


PROBLEM = {"type": "t", "title": "t", "status": 400, "detail": "d", "errors": [{"pointer": "/a", "message": "m"}]}


@pytest.mark.parametrize(
    ("reply", "wrong"),
    [
        (Reply(500, "application/problem+json", json.dumps(PROBLEM | {"status": 500}).encode()), "answers 500"),
        (Reply(418, "application/problem+json", json.dumps(PROBLEM | {"status": 418}).encode()), "does not know"),
        (Reply(400, "text/html", b"<h1>Bad Request</h1>"), "400 as text/html"),
        (Reply(400, "application/problem+json", json.dumps(PROBLEM | {"errors": []}).encode()), "not say where"),
        (Reply(400, "application/problem+json", json.dumps(PROBLEM | {"status": 401}).encode()), "parts of a problem"),
        (
            Reply(400, "application/problem+json", json.dumps(PROBLEM | {"detail": "Traceback (most"}).encode()),
            "our insides",
        ),
        (Reply(202, "application/json", b'{"accepted": "many"}'), "not as its schema has it"),
        (Reply(202, "text/plain", b"fine"), ""),
        (Reply(400, "application/problem+json", json.dumps(PROBLEM).encode()), ""),
    ],
)
def test_the_judge_finds_what_is_wrong_with_an_answer(reply: Reply, wrong: str) -> None:
    events = next(operation for operation in operations(document()) if operation.id == "events")
    wrongs = list(Judge(events, document()).wrongs(Shot("events", "POST", EVENTS, {}, b"{}"), reply))
    assert bool(wrongs) == bool(wrong)
    assert wrong in " ".join(wrongs)
