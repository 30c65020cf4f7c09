"""The Python client against a server that misbehaves: it repeats the same bytes, waits as told, and never hangs."""

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path

import pytest

from recsite_client import (
    Client,
    MisdirectedError,
    ProblemError,
    RecsiteError,
    RedirectedError,
    SettingError,
    UnreachableError,
    UnsendableError,
    new_event,
)
from tests.architecture.source import ROOT
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


def ask(client: Client) -> None:
    client.recommend("home", user_id="u1")


def fail(client: Client, *, times: int, kind: type[RecsiteError] = UnreachableError) -> None:
    for _ in range(times):
        with pytest.raises(kind):
            ask(client)


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


def test_an_answer_that_trickles_in_is_a_time_out(server: Server) -> None:
    server.trickle = 0.05
    with Client(f"http://127.0.0.1:{server.server_port}", "a.b", timeout=0.3) as client:
        begin = time.monotonic()
        fail(client, times=1)
        assert time.monotonic() - begin < 0.6


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("body", [b"", b"<html>Moved</html>"])
def test_a_redirect_is_no_success_and_says_which_url_to_use(
    server: Server, client: Client, status: int, body: bytes
) -> None:
    server.replies = [(status, {"Location": "https://shop.example/recsite/api/v1/events/"}, body)]
    with pytest.raises(
        RedirectedError, match=r"redirected to .*: use the url https://shop\.example/recsite$"
    ) as caught:
        send(client)
    assert (caught.value.status, len(server.got)) == (status, 1)
    server.replies = [(status, {"Location": "/login/"}, body)]
    with pytest.raises(RedirectedError, match=r"redirected to http://127\.0\.0\.1:\d+/login/; an API"):
        client.recommend("home")


@pytest.mark.parametrize(
    "body", [b"", b"<html>Welcome</html>", b"[]", b"null", b'{"status": "ok"}', b"\xff", b"{", b"[" * 99_999]
)
def test_a_good_status_with_anything_else_is_an_error(server: Server, client: Client, body: bytes) -> None:
    server.replies = [(200, {}, body)]
    for call in (send, ask):
        with pytest.raises(MisdirectedError, match="200, but no answer of Recsite's API"):
            call(client)
    assert len(server.got) == 2


def test_only_what_may_be_sent_twice_is_sent_again(server: Server, client: Client) -> None:
    for first in (None, (502, {}, b"{}"), (503, {}, b"{}")):
        server.replies, server.got = [first, GOOD], []
        with pytest.raises(RecsiteError):
            client.erase_contact("u1")
        assert len(server.got) == 1
        server.replies, server.got = [first, GOOD], []
        with pytest.raises(RecsiteError):
            client.send_events([{"name": "view_item", "user_id": "u1"}])
        assert len(server.got) == 1
    for status in (429, 503):
        server.replies, server.got = [(status, {"Retry-After": "0"}, b"{}"), GOOD], []
        client.erase_contact("u1")
        assert len(server.got) == 2


def test_what_a_server_sends_unasked_is_nobodys_answer(server: Server, client: Client) -> None:
    other = b'HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n{"recommendation_id": "another"}'
    good = json.dumps({"recommendation_id": "mine"}).encode()
    server.replies = [(200, {"Content-Length": str(len(good))}, good + other)]
    for _ in range(5):
        assert client.recommend("home")["recommendation_id"] == "mine"


def test_an_error_names_the_request(server: Server, client: Client) -> None:
    server.replies = [(400, {"X-Request-ID": "r-77"}, b'{"errors": [3, null], "title": null}')]
    with pytest.raises(ProblemError) as caught:
        send(client)
    assert (caught.value.request_id, caught.value.errors) == ("r-77", ())


FORKED = """
import os, sys
from recsite_client import Client
with Client(sys.argv[1], "a.b") as client:
    client.recommend("home")
    child = os.fork()
    answers = [client.recommend("home", user_id=str(number)) for number in range(50)]
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_fork_has_connections_of_its_own(server: Server) -> None:
    argv = [sys.executable, "-c", FORKED, f"http://127.0.0.1:{server.server_port}"]
    subprocess.run(argv, check=True, env={"PYTHONPATH": str(ROOT / "clients/python")})
    assert len(server.got) == 101
    assert server.connections == 2


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12"])
def test_older_pythons_run_it(server: Server, version: str) -> None:
    places = [*Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python"), shutil.which(f"python{version}")]
    python = next((str(place) for place in places if place), None)
    if python is None:
        pytest.skip(f"Python {version} is not installed; ruff and mypy look at the client as 3.10 would")
    script = FORKED.replace("os.fork()", "1").replace("os.waitpid(child, 0)[1] == 0", "answers")
    argv = [python, "-W", "error", "-c", script, f"http://127.0.0.1:{server.server_port}"]
    subprocess.run(argv, check=True, env={"PYTHONPATH": str(ROOT / "clients/python")})
    assert len(server.got) == 51


def test_the_client_is_written_for_python_3_10() -> None:
    settings = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text())
    assert settings["project"]["requires-python"] == ">=3.10"
    assert settings["tool"]["ruff"]["target-version"] == "py310"
    package = str(ROOT / "clients/python/recsite_client")
    options = ["--python-version", "3.10", "--num-workers", "0", "--cache-dir", os.devnull]
    argv = [sys.executable, "-m", "mypy", *options, package]
    assert subprocess.run(argv, check=False, cwd=ROOT).returncode == 0


def test_a_closed_port_is_unreachable() -> None:
    with Client("http://127.0.0.1:1", "a.b", patience=0.3) as client:
        with pytest.raises(UnreachableError):
            send(client)
        with pytest.raises(UnreachableError):
            client.recommend("home")


@pytest.mark.parametrize(
    "url",
    [
        "recsite.example", "ftp://recsite.example", "https://", "https://[::1", "http://recsite.example:99999",
        "http://recsite.example:x", "https://recsite.example?a=b", "https://ann:word@recsite.example", "", None,
        "http://a b", "http://recsite.example\n", f"http://{'a' * 70}.example", "http://.example",
    ],
)  # fmt: skip
def test_a_malformed_address_is_refused(url: str) -> None:
    for kind in (ValueError, RecsiteError):
        with pytest.raises(kind, match="no address"):
            Client(url, "a.b")


def test_a_key_and_times_that_are_none_are_refused() -> None:
    for key in (None, "", " "):
        with pytest.raises(SettingError, match="The key is empty"):
            Client("http://127.0.0.1:1", key)  # type: ignore[arg-type]
    for key in ("a.b\n", "a.b\r\nX-A: b", "ключ", 5):
        with pytest.raises(SettingError, match="key") as caught:
            Client("http://127.0.0.1:1", key)  # type: ignore[arg-type]
        assert "a.b" not in str(caught.value)
    for times in ({"timeout": 0}, {"timeout": float("nan")}, {"patience": -1}, {"timeout": None}):
        with pytest.raises(SettingError, match="seconds"):
            Client("http://127.0.0.1:1", "a.b", **times)  # type: ignore[arg-type]


endless: list[object] = []
endless.append(endless)


@pytest.mark.parametrize(
    "price",
    [float("nan"), datetime(2026, 1, 1), object(), "\ud800", endless, {1, 2}, b"1", {(1, 2): 3}],  # noqa: DTZ001 - without a zone
)
def test_a_value_that_json_cannot_say_is_refused_before_sending(client: Client, server: Server, price: object) -> None:
    with pytest.raises(UnsendableError):
        client.send_events([new_event("view_item", items=[{"item_id": "SKU1", "price": price}])])  # type: ignore[typeddict-item]
    with pytest.raises(UnsendableError):
        client.recommend("home", filter={"price": {"lte": price}})  # type: ignore[typeddict-item]
    assert server.got == []


@pytest.mark.parametrize("name", ["\ud800", 5, None, b"a"])
def test_a_name_that_no_address_can_say_is_refused_before_sending(client: Client, server: Server, name: str) -> None:
    if name != b"a":  # which is a name to Python's own quoting
        with pytest.raises(UnsendableError):
            client.similar(name)
    with pytest.raises(UnsendableError):
        client.recommend("home", user_id="\ud800")
    with pytest.raises(UnsendableError):
        client.recommend("home", fields=[name], context=name)  # type: ignore[list-item, typeddict-item]
    assert server.got == []


def test_a_simple_request_is_a_get_and_a_full_one_a_post(server: Server, client: Client) -> None:
    client.recommend("home", user_id="u/1 ü", n=5, personalise=False, fields=["product", "score"])
    client.recommend("item", context={"item_ids": ["a", "b"], "basket": ["c"]}, exclude_item_ids=["d"])
    client.recommend("home", filter={"price": {"lte": Decimal("9.50")}})
    client.recommend("cart", context={"basket": [f"item-{number}" for number in range(900)]})
    client.recommend("home", experiment={"experiment_id": "e1", "variation_id": "b"}, dry_run=True)
    assert [line for line, _ in server.got] == [
        "GET /api/v1/placements/home/recommend/?user_id=u%2F1+%C3%BC&n=5&personalise=false&fields=product%2Cscore",
        "GET /api/v1/placements/item/recommend/?exclude_item_id=d&item_id=a&item_id=b&basket=c",
        "POST /api/v1/placements/home/recommend/",
        "POST /api/v1/placements/cart/recommend/",
        "POST /api/v1/placements/home/recommend/",
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
