"""The fast door gives what Django gives, and leaves to Django what is not plain."""

import io
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory, override_settings

from recommendations.api import fast_path as doors
from recommendations.api.fast_path import Door
from recommendations.models import Customer, Slate
from recommendations.services.access import keys
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import writes
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import CustomerKind, Scope
from tests.api.conftest import ApiClient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop", "one_connection")]

HOME = "/api/v1/placements/home/recommend/"
VARYING = {"Content-Length", "RateLimit", "X-Request-ID"}


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: dict[str, Any]


class Counted:
    """Django, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self._django = WSGIHandler()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.asked += 1
        return self._django(environ, start_response)


class Shop:
    """A shop that asks one of the two doors as a web server does."""

    def __init__(self, key: str) -> None:
        self.django = Counted()
        self.door = Door(self.django)
        self._key = key

    def ask(self, app: Any = None, path: str = HOME, query: dict[str, Any] | str = "", **more: Any) -> Reply:
        given = query if isinstance(query, str) else urlencode(query, doseq=True)
        headers = {"HTTP_AUTHORIZATION": self._key, "QUERY_STRING": given, "HTTP_HOST": "127.0.0.1:8000"} | more
        environ = RequestFactory().get(path).environ | headers | {"wsgi.input": io.BytesIO()}
        started: list[Any] = []
        body = b"".join((app or self.door)(environ, lambda *start: started.extend(start)))
        return Reply(int(started[0][:3]), dict(started[1]), json.loads(body))


@pytest.fixture
def shop_(client_with: Callable[..., ApiClient]) -> Shop:
    writes.rebuild()
    shop = Shop(client_with(Scope.RECOMMENDATIONS_READ).headers["Authorization"])
    shop.ask(query={"user_id": "u0"})  # what Django's headers are is learned from its first answer
    assert shop.django.asked == 1
    shop.django.asked = 0
    return shop


def plain(reply: Reply) -> tuple[Any, ...]:
    body = {name: value for name, value in reply.body.items() if name != "recommendation_id"}
    return reply.status, {name: value for name, value in reply.headers.items() if name not in VARYING}, body


QUERIES: list[tuple[str, dict[str, Any] | str]] = [
    *((placement, {"user_id": f"u{number}", "n": 5}) for placement in ("home", "discover") for number in range(12)),
    ("home", ""),
    ("home", {"user_id": "u1", "fields": "why,reasons"}),
    ("home", {"user_id": "never", "fields": "why"}),
    ("home", {"user_id": "nobody"}),
    ("home", {"user_id": "ü/ß?&", "n": 3}),
    ("home", f"user_id={quote('u0')}&lang=zh-hans&fields=reasons,product"),
    ("home", {"user_id": "u0", "fields": ["score", "contributions"]}),
    ("home", {"user_id": "u0", "personalise": "false"}),
    ("home", {"user_id": "u0", "exclude_item_id": ["tea-0", "bread-0"], "diversity": "0.5"}),
    ("also_bought", {"item_id": ["cheese-0", "no-such"], "n": 4}),
    ("cart", {"basket": "cheese-0", "user_id": "u1"}),
    ("item", {"item_id": "cheese-0"}),
    ("buy_again", {"user_id": "u2"}),
    ("trending", {}),
    ("home", {"user_id": "u0", "rotation": "0.5"}),
    ("home", {"user_id": "u0", "n": 7, "cursor": "AQECAkQC0eA"}),  # without the items 1, 3 and 5
]


@pytest.mark.parametrize(("placement", "query"), QUERIES, ids=str)
def test_the_fast_door_answers_as_django_does(shop_: Shop, placement: str, query: dict[str, Any] | str) -> None:
    path = f"/api/v1/placements/{placement}/recommend/"
    for _ in range(2):  # written, and given again
        fast = shop_.ask(path=path, query=query)
        assert shop_.django.asked == 0
        slow = shop_.ask(WSGIHandler(), path=path, query=query)
        assert fast.status == 200
        assert plain(fast) == plain(slow)
        assert fast.body["recommendation_id"] != slow.body["recommendation_id"]


def test_both_doors_name_a_request_and_take_a_plain_name_of_the_clients(shop_: Shop) -> None:
    given = [
        shop_.ask(app, HTTP_X_REQUEST_ID="shop-4711.a:b_c").headers["X-Request-ID"] for app in (None, WSGIHandler())
    ]
    assert given == ["shop-4711.a:b_c"] * 2
    for odd in ("short", "x" * 65, "with a space", "<script>alert</script>", "новое-имя", "", "-dash-first"):
        names = {shop_.ask(app, HTTP_X_REQUEST_ID=odd).headers["X-Request-ID"] for app in (None, WSGIHandler()) * 2}
        assert len(names) == 4
        assert all(re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{8,}", name) for name in names)
    assert shop_.django.asked == 0


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        (400, {"query": {"n": "0"}}),
        (400, {"query": {"n": ["1", "2"]}}),
        (400, {"query": {"colour": "red"}}),
        (400, {"query": "user_id=" + "x" * 5_000}),
        (404, {"path": "/api/v1/placements/nowhere/recommend/"}),
        (401, {"HTTP_AUTHORIZATION": "Api-Key nothing.real"}),
        (401, {"HTTP_AUTHORIZATION": "Bearer nothing"}),
        (401, {"HTTP_AUTHORIZATION": ""}),
        (405, {"REQUEST_METHOD": "DELETE"}),
        (406, {"HTTP_ACCEPT": "text/html"}),
    ],
)
def test_a_request_that_is_not_plain_is_left_to_django(shop_: Shop, status: int, asked: dict[str, Any]) -> None:
    reply = shop_.ask(**asked)
    assert shop_.django.asked == 1
    assert reply.status == status
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.body["status"] == status


@pytest.mark.parametrize("name", ["ü1", "顾客", "é"])
def test_both_doors_read_a_query_that_is_not_percent_encoded(shop_: Shop, name: str) -> None:
    Customer.objects.create(
        pseudonym=pseudonym(name, kind=CustomerKind.SIGNED_IN), kind=CustomerKind.SIGNED_IN, personalise=False
    )
    writes.rebuild()
    snapshot_holder.drop()
    raw = f"user_id={name}".encode().decode("latin-1")  # as WSGI has it
    replies = [
        shop_.ask(app, query=query) for app in (None, WSGIHandler()) for query in (raw, f"user_id={quote(name)}")
    ]
    assert {reply.body["fallback_reason"] for reply in replies} == {"not_personalised"}


@pytest.mark.parametrize(("fields", "status"), [(900, 200), (3_000, 400)])
def test_both_doors_take_as_many_parameters(shop_: Shop, fields: int, status: int) -> None:
    replies = [shop_.ask(app, query="&" * fields) for app in (None, WSGIHandler())]
    assert [reply.status for reply in replies] == [status, status]


def test_a_port_that_somebody_names_makes_no_new_site(shop_: Shop) -> None:
    for port in range(10_000, 10_000 + 2 * doors.SITES):
        reply = shop_.ask(query={"n": 1}, HTTP_HOST=f"127.0.0.1:{port}")
        assert reply.body["results"][0]["product"]["image_url"].startswith(f"http://127.0.0.1:{port}/")
    assert shop_.django.asked == 0
    assert len(shop_.door._known) == 1


def test_many_domains_do_not_keep_out_another(shop_: Shop) -> None:
    with override_settings(ALLOWED_HOSTS=[".shop.example", "127.0.0.1"]):
        for number in range(doors.SITES + 5):
            shop_.ask(query={"n": 1}, HTTP_HOST=f"s{number}.shop.example")
        assert len(shop_.door._known) == doors.SITES
        asked = shop_.django.asked
        for _ in range(3):
            shop_.ask(query={"n": 1}, HTTP_HOST="late.shop.example")
        assert shop_.django.asked == asked + 1


@pytest.mark.parametrize("host", ["127.0.0.1:x", "127.0.0.1:8000:1", "127.0.0.1/a", "", "127.0.0.1:80@evil.example"])
def test_a_host_that_is_none_is_left_to_django(shop_: Shop, host: str) -> None:
    for _ in range(2):
        environ = RequestFactory().get(HOME).environ | {"HTTP_HOST": host, "HTTP_AUTHORIZATION": shop_._key}
        list(shop_.door(environ, lambda *_start: None))
    assert shop_.django.asked == 2


def test_a_key_of_another_scope_reads_nothing(shop_: Shop, client_with: Callable[..., ApiClient]) -> None:
    key = client_with(Scope.EVENTS_WRITE, Scope.CATALOGUE_WRITE).headers["Authorization"]
    assert shop_.ask(HTTP_AUTHORIZATION=key).status == 403


def test_a_host_that_is_not_ours_is_never_answered(shop_: Shop) -> None:
    for _ in range(2):
        environ = RequestFactory().get(HOME).environ | {"HTTP_HOST": "evil.example", "HTTP_AUTHORIZATION": shop_._key}
        started: list[Any] = []
        list(shop_.door(environ, lambda *start, started=started: started.extend(start)))
        assert started[0].startswith("400")
    assert shop_.django.asked == 2


def test_http_is_not_answered_where_django_redirects_to_https(client_with: Callable[..., ApiClient]) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        shop = Shop(client_with(Scope.RECOMMENDATIONS_READ).headers["Authorization"])
        secure = {"HTTP_X_FORWARDED_PROTO": "https"}
        for _ in range(2):
            address = shop.ask(query={"n": 1}, **secure).body["results"][0]["product"]["image_url"]
            assert address.startswith("https://127.0.0.1:8000/")
        assert shop.django.asked == 1
        environ = RequestFactory().get(HOME).environ | {"HTTP_HOST": "127.0.0.1:8000", "HTTP_AUTHORIZATION": shop._key}
        started: list[Any] = []
        list(shop.door(environ, lambda *start: started.extend(start)))
        assert started[0].startswith("301")


def test_requests_are_counted_once_whichever_door_answers(shop_: Shop, client_with: Callable[..., ApiClient]) -> None:
    key = client_with(Scope.RECOMMENDATIONS_READ, requests_per_minute=6).headers["Authorization"]
    replies = [shop_.ask(query={"n": "nonsense" if nth == 2 else "3"}, HTTP_AUTHORIZATION=key) for nth in range(8)]
    assert [reply.status for reply in replies] == [200, 200, 400, 200, 200, 200, 429, 429]
    assert int(replies[-1].headers["Retry-After"]) > 0


def test_every_answer_says_what_is_left_of_the_limit(shop_: Shop, client_with: Callable[..., ApiClient]) -> None:
    key = client_with(Scope.RECOMMENDATIONS_READ, requests_per_minute=50).headers["Authorization"]
    replies = [shop_.ask(app, query={"n": 3}, HTTP_AUTHORIZATION=key) for app in (None, WSGIHandler(), None)]
    assert {reply.headers["RateLimit-Policy"] for reply in replies} == {'"requests";q=50;w=60'}
    left = [int(re.fullmatch(r'"requests";r=(\d+);t=\d+', reply.headers["RateLimit"])[1]) for reply in replies]  # type: ignore[index]
    assert left == [49, 48, 47]


def test_a_revoked_key_is_refused(shop_: Shop) -> None:
    key = keys.key_ring().find(shop_._key.removeprefix("Api-Key ").partition(".")[0])
    assert key is not None
    keys.revoke_key(key=keys.ApiKey.objects.get(pk=key.pk), by=None)
    keys.key_ring.drop()
    assert shop_.ask().status == 401


def test_answers_of_the_fast_door_are_written_as_slates(shop_: Shop) -> None:
    write_slates()
    ids = {shop_.ask(query={"user_id": "u0", "n": 3}).body["recommendation_id"] for _ in range(3)}
    shop_.ask(query={"user_id": "u0", "n": 3, "dry_run": "true"})
    assert write_slates() == 3
    assert ids <= set(Slate.objects.values_list("recommendation_id", flat=True))


def test_a_bug_behind_the_fast_door_is_left_to_django(shop_: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(doors, "serve_written", broken)
    assert shop_.ask(query={"n": 3}).status == 200  # Django's own way is whole
    assert shop_.django.asked == 1


def test_the_fast_door_leaves_pages_to_django_and_learns_nothing_of_their_answers(
    shop_: Shop, client_with: Callable[..., ApiClient]
) -> None:
    origin = "https://shop.example"
    page = client_with(Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ, origins=[origin]).headers["Authorization"]
    new = Shop(page)
    for asked in (1, 2):
        answer = new.ask(HTTP_ORIGIN=origin)
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"], new.django.asked) == (200, origin, asked)
        assert "score" not in answer.body["results"][0]
    assert new.ask().status == 403  # no page at all
    server = shop_.ask().headers["Vary"]
    assert "Origin" in server
    assert not any(
        name.startswith("Access-Control") for name in shop_.ask(new.door, HTTP_AUTHORIZATION=shop_._key).headers
    )
    assert not any(name.startswith("Access-Control") for name in shop_.ask(new.door).headers)
    assert shop_.ask(HTTP_ORIGIN=origin).status == 403
