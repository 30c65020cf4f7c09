"""The Python client against a server that misbehaves: it repeats the same bytes, waits as told, and never hangs."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest

from recsite_client import Client, ProblemError, UnreachableError, new_event
from tests.clients.conftest import GOOD, Server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(f"http://127.0.0.1:{server.server_port}/", "a.b", patience=10) as connected:
        yield connected


def send(client: Client) -> float:
    """Send an event; the seconds that it took."""
    begin = time.monotonic()
    client.send_events([new_event("view_item", user_id="u1", items=[{"item_id": "SKU1", "price": Decimal("1.90")}])])
    return time.monotonic() - begin


def soon() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("told", [lambda: "1", soon])
def test_a_busy_server_gets_the_same_bytes_after_retry_after(
    server: Server, client: Client, status: int, told: Callable[[], str]
) -> None:
    server.replies = [(status, {"Retry-After": told()}, b"{}"), GOOD]
    assert send(client) >= 0.95
    [(first, body), again] = server.got
    assert again == (first, body)
    assert json.loads(body)["events"][0]["items"][0]["price"] == "1.90"


def test_a_connection_that_breaks_off_is_no_loss(server: Server, client: Client) -> None:
    server.replies = [None, None, GOOD]
    send(client)
    assert len({body for _, body in server.got}) == 1
    assert len(server.got) == 3


def test_patience_ends(server: Server, client: Client) -> None:
    server.replies = [
        (503, {"Retry-After": "60"}, b'{"status": 503, "title": "Service Unavailable", "detail": "later"}')
    ]
    with pytest.raises(ProblemError, match="later") as caught:
        send(client)
    assert (caught.value.status, caught.value.retry_after, len(server.got)) == (503, 60.0, 1)


def test_a_refusal_is_not_repeated(server: Server, client: Client) -> None:
    body = {"title": "Bad Request", "detail": "no", "errors": [{"pointer": "/events/0/name", "message": "unknown"}]}
    server.replies = [(400, {}, json.dumps(body).encode())]
    with pytest.raises(ProblemError, match="/events/0/name: unknown") as caught:
        send(client)
    assert [(flaw.pointer, flaw.message) for flaw in caught.value.errors] == [("/events/0/name", "unknown")]
    assert len(server.got) == 1


def test_an_error_of_a_proxy_is_a_problem_too(server: Server, client: Client) -> None:
    server.replies = [(413, {}, b"<html>too large</html>")]
    with pytest.raises(ProblemError, match="too large"):
        send(client)


def test_connections_stay_open_and_threads_share_them(server: Server, client: Client) -> None:
    for _ in range(20):
        send(client)
    assert server.connections == 1
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: send(client), range(80)))
    assert len(server.got) == 100
    assert server.connections <= 9


def test_a_connection_that_the_server_closed_meanwhile_is_no_failure(server: Server, client: Client) -> None:
    server.replies = [(*GOOD[:1], {"Connection": "keep-alive"}, GOOD[2]), None, GOOD]
    send(client)
    assert client.recommend("home") == json.loads(GOOD[2])  # not even of a question, which is asked once


def test_requests_of_a_page_fail_at_once_after_a_time_out(server: Server) -> None:
    server.delay = 2
    with Client(f"http://127.0.0.1:{server.server_port}", "a.b", timeout=0.2) as client:
        begin = time.monotonic()
        with pytest.raises(UnreachableError):
            client.recommend("home", user_id="u1")
        first = time.monotonic() - begin
        for _ in range(50):
            with pytest.raises(UnreachableError, match="a moment ago"):
                client.recommend("home", user_id="u1")
        assert time.monotonic() - begin < first + 0.2
        assert len(server.got) == 1


def test_a_closed_port_is_unreachable() -> None:
    with Client("http://127.0.0.1:1", "a.b", patience=0.3) as client:
        with pytest.raises(UnreachableError):
            send(client)
        with pytest.raises(UnreachableError):
            client.recommend("home")


@pytest.mark.parametrize("url", ["recsite.example", "ftp://recsite.example", "https://"])
def test_a_malformed_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        Client(url, "a.b")


@pytest.mark.parametrize("price", [float("nan"), datetime(2026, 1, 1), object()])  # noqa: DTZ001 - without a zone
def test_a_value_that_json_cannot_say_is_refused_before_sending(client: Client, server: Server, price: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        client.send_events([new_event("view_item", items=[{"item_id": "SKU1", "price": price}])])  # type: ignore[typeddict-item]
    assert server.got == []


def test_a_simple_request_is_a_get_and_a_full_one_a_post(server: Server, client: Client) -> None:
    client.recommend("home", user_id="u/1 ü", n=5, personalise=False, fields=["product", "score"])
    client.recommend("item", context={"item_ids": ["a", "b"], "basket": ["c"]}, exclude_item_ids=["d"])
    client.recommend("home", filter={"price": {"lte": Decimal("9.50")}})
    client.recommend("cart", context={"basket": [f"item-{number}" for number in range(900)]})
    assert [line for line, _ in server.got] == [
        "GET /api/v1/placements/home/recommend/?user_id=u%2F1+%C3%BC&n=5&personalise=false&fields=product%2Cscore",
        "GET /api/v1/placements/item/recommend/?exclude_item_id=d&item_id=a&item_id=b&basket=c",
        "POST /api/v1/placements/home/recommend/",
        "POST /api/v1/placements/cart/recommend/",
    ]
    assert json.loads(server.got[2][1]) == {"filter": {"price": {"lte": "9.50"}}}


def test_a_job_of_any_size_goes_as_batches_and_comes_back_as_one(server: Server, client: Client) -> None:
    def reply(status: int, **members: object) -> tuple[int, dict[str, str], bytes]:
        return status, {}, json.dumps(members).encode()

    answered = {"user_id": "u", "anonymous_id": None, "recommendation": {}}
    flawed = {"user_id": None, "anonymous_id": None, "errors": [{"pointer": "/users/1", "message": "no"}]}
    all_flawed = [{"pointer": f"/users/{place}/user_id", "message": "no"} for place in range(100)]
    server.replies = [
        reply(200, placement="home", answered=100, rejected=0, results=[answered] * 100),
        (503, {"Retry-After": "0"}, b"{}"),
        reply(400, errors=all_flawed),
        reply(200, placement="home", answered=1, rejected=1, results=[answered, flawed]),
    ]
    whole = client.recommend_to_many("home", [{"user_id": f"u{number}"} for number in range(202)], n=100)
    assert [len(json.loads(body)["users"]) for _, body in server.got] == [100, 100, 100, 2]
    assert (whole["answered"], whole["rejected"], len(whole["results"])) == (101, 101, 202)
    errors = [result["errors"][0]["pointer"] for result in whole["results"] if "errors" in result]
    assert errors == [*(f"/users/{place}/user_id" for place in range(100, 200)), "/users/201"]
    server.replies = [reply(400, errors=all_flawed), reply(400, errors=[{"pointer": "/n", "message": "no"}])]
    with pytest.raises(ProblemError, match="/n"):
        client.recommend_to_many("home", [{"user_id": ""}] * 101, n=100)
    server.replies = [reply(400, errors=all_flawed)]
    with pytest.raises(ProblemError, match="/users/0"):
        client.recommend_to_many("home", [{"user_id": ""}] * 200, n=100)
    server.replies = [reply(200, placement="home", answered=0, rejected=0, results=[])]
    for n, sizes in ((6, [1_000, 1_000, 1]), (None, [100] * 20 + [1])):
        server.got.clear()
        client.recommend_to_many("email", ({"user_id": "u"} for _ in range(2_001)), **({"n": n} if n else {}))
        assert [len(json.loads(body)["users"]) for _, body in server.got] == sizes
