"""What holds around every answer of the API: the request's name, what may be kept, encodings, long addresses, HEAD."""

import gzip
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from recommendations.api import request_ids
from recommendations.ingest.whole_numbers import with_whole_numbers
from recommendations.models import Event, Item
from recommendations.terms import Scope
from recsite.of_api import LONGEST_ADDRESS
from tests.api.conftest import ApiClient, problem
from tests.api.events.conftest import EVENTS, event
from tests.api.test_access import ADDRESSES

HOME = "/api/v1/placements/home/recommend/"
OURS = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8,}")


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(*Scope)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Text that the handler of the settings writes."""
    handler = next(one for one in logging.getLogger().handlers if getattr(one, "filters", None))
    text = io.StringIO()
    before = handler.setStream(text)  # type: ignore[attr-defined]
    yield text
    handler.setStream(before)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_every_answer_names_its_request_and_may_not_be_kept(name: str, api: ApiClient) -> None:
    address, method, _scope = ADDRESSES[name]
    for client in (api, ApiClient(), ApiClient("Api-Key wrong.key")):
        answer = client.send(method, address, {})
        assert OURS.fullmatch(answer["X-Request-ID"])
        assert answer["Cache-Control"] == "no-store"
        if answer.status_code >= 400:
            assert answer.json()["instance"] == f"urn:recsite:request:{answer['X-Request-ID']}"


def test_the_log_calls_a_request_what_its_answer_calls_it(api: ApiClient, log: io.StringIO) -> None:
    api.headers["X-Request-ID"] = "shop-request-4711"
    refused = problem(api.get("/api/v1/placements/nowhere/recommend/"), 404)
    del api.headers["X-Request-ID"]
    own = problem(api.get("/api/v1/placements/nowhere/recommend/"), 404)
    lines = [json.loads(line) for line in log.getvalue().splitlines() if "request_finished" in line]
    assert [f"urn:recsite:request:{line['request_id']}" for line in lines] == [refused["instance"], own["instance"]]
    assert lines[0]["request_id"] == "shop-request-4711"


@pytest.mark.parametrize(
    "odd", ["short", "x" * 65, "two words here", 'quote"quote"', "новое-имя-запроса", "a\tb\tc\td\te"]
)
def test_a_name_that_is_no_plain_word_is_replaced(api: ApiClient, log: io.StringIO, odd: str) -> None:
    api.headers["X-Request-ID"] = odd
    answer = api.get(HOME)
    assert OURS.fullmatch(answer["X-Request-ID"])
    assert odd not in log.getvalue()


def test_pages_have_no_name_and_names_are_never_shared(client: Client, db: None) -> None:
    assert "X-Request-ID" not in client.get("/login/")
    assert request_ids.current() == ""
    assert len({request_ids.name_of({}) for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "gzip, identity", "deflate"])
def test_an_encoded_body_is_a_415_that_says_how_to_send_it(api: ApiClient, encoding: str) -> None:
    api.headers["Content-Encoding"] = encoding
    answer = api.post(EVENTS, gzip.compress(json.dumps(event()).encode()))
    assert encoding in problem(answer, 415)["detail"]
    assert answer["Accept-Encoding"] == "identity"
    assert not Event.objects.exists()


def test_a_body_that_says_it_is_as_it_is_is_read(api: ApiClient) -> None:
    Item.objects.create(shop_id="SKU1", title="Tea")
    api.headers["Content-Encoding"] = "identity"
    assert api.post(EVENTS, event()).status_code == 202
    del api.headers["Content-Encoding"]
    answer = api.send("POST", EVENTS, event(), content_type="application/xml")
    problem(answer, 415)
    assert "Accept-Encoding" not in answer


def test_an_address_has_an_end(api: ApiClient) -> None:
    problem(api.get(HOME, search_term="x" * LONGEST_ADDRESS), 414)
    problem(api.get(HOME, search_term="x" * (LONGEST_ADDRESS - 200)), 400)
    problem(api.get(f"/api/v1/users/{'x' * LONGEST_ADDRESS}/interests/"), 414)


@pytest.mark.parametrize("name", ["n", "diversity", "lang", "user_id", "search_term"])
@pytest.mark.parametrize("null", ["null", "NULL"])
def test_there_is_no_null_in_a_query(api: ApiClient, name: str, null: str) -> None:
    answer = api.get(HOME, **{name: null})
    if name in {"n", "diversity"}:
        assert [flaw["pointer"] for flaw in problem(answer, 400)["errors"]] == [name]
    else:
        assert answer.status_code == 200  # a text, as any other


NUMBERS = [
    (b'{"a": 2.0, "b": [1.00,-3.0 ], "c": 4.0}', {"a": 2, "b": [1, -3], "c": 4}),
    (b'{"a": "b 2.0, c", "2.0": "\\" 3.0, "}', {"a": "b 2.0, c", "2.0": '" 3.0, '}),
    (b"[1.05, 2.50, 0.0, 10.0]", [1.05, 2.5, 0, 10]),
    (b"2.0", 2.0),
]


@pytest.mark.parametrize(("body", "value"), NUMBERS)
def test_a_whole_number_may_be_written_with_a_fraction_of_zeros(body: bytes, value: Any) -> None:
    plain = with_whole_numbers(body)
    assert json.loads(plain) == value
    assert len(plain) == len(body)
    if body != b"2.0":
        assert b"2.0" not in plain or b'"' in body


@pytest.mark.parametrize(
    "body", [b'"' + b'\\"' * 500_000, b'"\\', b'".0, ' * 200_000, b".0," * 500_000, b'"a" .0,' * 9]
)
def test_odd_bodies_are_read_in_time(body: bytes) -> None:
    assert len(with_whole_numbers(body)) == len(body)


def test_whole_numbers_with_fractions_are_taken_everywhere(api: ApiClient) -> None:
    Item.objects.create(shop_id="SKU1", title="Tea")
    rows = event(items=[{"item_id": "SKU1", "quantity": 2.0, "index": 3.0}])
    assert api.post(EVENTS, rows).status_code == 202
    for method, path, body in (
        ("POST", HOME, {"n": 2.0}),
        ("POST", "/api/v1/pages/home/recommend/", {"slots": [{"placement": "home", "n": 2.0}]}),
        ("POST", "/api/v1/recommendations/batch/", {"placement": "home", "n": 2.0, "users": [{"user_id": "u"}]}),
        ("PATCH", "/api/v1/items/SKU1/", {"available_quantity": 7.0}),
        ("PATCH", "/api/v1/items/batch/", {"items": [{"item_id": "SKU1", "available_quantity": 8.0}]}),
        ("POST", "/api/v1/identity/", {"user_id": "u", "seconds": 60.0}),
    ):
        assert api.send(method, path, body).status_code == 200, path
    assert Item.objects.get().available_quantity == 8
    assert api.get(HOME, n="2.0").status_code == 200
    assert [flaw["pointer"] for flaw in problem(api.post(HOME, {"n": 2.5}), 400)["errors"]] == ["/n"]


def test_nobody_is_named_by_neither_id(api: ApiClient) -> None:
    """What the schema allows of a customer in a batch is taken, and nothing else is."""
    for users in ([{}], [{"user_id": None}], [{"colour": "red"}]):
        problem(api.post("/api/v1/recommendations/batch/", {"placement": "home", "users": users}), 400)
    user = json.loads(Client().get("/api/schema/").content)["components"]["schemas"]["BatchUser"]
    assert user["minProperties"] == 1
    assert {part["type"] for part in user["properties"].values()} == {"string"}


def test_head_does_no_work(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommendations.api.recommend.serve_written", lambda *_, **__: 1 / 0)
    answer = api.send("HEAD", HOME)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, POST, OPTIONS")
    assert Client().head("/api/schema/").status_code == 200
