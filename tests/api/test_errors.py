"""Errors of the API: each is a problem that says what and where, and never more than that."""

import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpResponse
from django.test import Client
from django.urls import include, path
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.terms import Scope
from tests.api.conftest import ApiClient, problem
from tests.api.test_access import ADDRESSES, METHODS, NEEDS
from tests.dead_servers import dead_database

EVENTS = "/api/v1/events/"
HOME = "/api/v1/placements/home/recommend/"
RAISED = {
    "missing": Http404("no such placement"),
    "forbidden": PermissionDenied("not yours"),
    "invalid": ValidationError({"items": [{}, {"price": ["too high"]}], "a/b": ["odd"], "non_field_errors": ["both"]}),
    "bug": ZeroDivisionError("secret detail"),
}


class Raising(APIView):
    required_scope = Scope.METRICS_READ

    def get(self, request: Request, kind: str) -> HttpResponse:
        raise RAISED[kind]

    def post(self, request: Request, kind: str) -> HttpResponse:
        return HttpResponse(repr(request.data))


urlpatterns = [path("raising/<str:kind>/", Raising.as_view()), path("api/", include("recommendations.api.urls"))]


@pytest.fixture
def raising(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.METRICS_READ)


@pytest.fixture
def events(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.EVENTS_WRITE)


@pytest.mark.urls(__name__)
def test_http_errors_of_a_view(raising: ApiClient) -> None:
    assert problem(raising.get("/raising/missing/"), 404)["detail"] == "no such placement"
    assert problem(raising.get("/raising/forbidden/"), 403)["type"] == "urn:recsite:problem:forbidden"


@pytest.mark.urls(__name__)
def test_nested_errors_of_a_serializer_become_json_pointers(raising: ApiClient) -> None:
    assert problem(raising.get("/raising/invalid/"), 400)["errors"] == [
        {"pointer": "/items/1/price", "message": "too high"},
        {"pointer": "/a~1b", "message": "odd"},
        {"pointer": "", "message": "both"},
    ]


@pytest.mark.urls(__name__)
def test_a_bug_is_reported_to_us_and_not_to_the_caller(raising: ApiClient) -> None:
    with pytest.raises(ZeroDivisionError):  # Django's signal of a failed request, which the test client raises again
        raising.get("/raising/bug/")
    raising._client.raise_request_exception = False
    answer = raising.get("/raising/bug/")
    problem(answer, 500)
    assert b"secret detail" not in answer.content
    assert b"ZeroDivision" not in answer.content


@pytest.mark.parametrize("path", ["/api/v1/nothing/here/", "/api/v2/events/", "/api/nothing/", "/api/"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_an_unknown_address(method: str, path: str, db: None) -> None:
    assert path in problem(Client().generic(method, path), 404)["detail"]


@pytest.mark.parametrize("name", sorted({*ADDRESSES} - {"metrics", "foreign-events"}))
def test_an_api_address_without_its_slash_is_a_404_that_names_it(name: str, db: None) -> None:
    address, method, _scope = ADDRESSES[name]
    assert (
        f"{address[:-1]}; the address ends with a slash: {address}"
        in problem(Client().generic(method, address[:-1]), 404)["detail"]
    )


@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_a_method_that_is_not_allowed_is_a_405(name: str, client_with: Callable[..., ApiClient]) -> None:
    client = client_with(*Scope)
    for method in {*METHODS, "TRACE"} - NEEDS[name].keys():
        answer = client.send(method, ADDRESSES[name][0], {})
        problem(answer, 405)
        assert set(answer["Allow"].split(", ")) == {*NEEDS[name], "OPTIONS"}, method
    options = client.send("OPTIONS", ADDRESSES[name][0])
    assert options.status_code == 200
    assert set(options["Allow"].split(", ")) == {*NEEDS[name], "OPTIONS"}


@pytest.mark.parametrize("path", ["/api/docs/", "/api/schema/", "/api/v1/items/x/tile.svg", "/api/v1/items/x/tile.png"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_public_page_is_only_read(method: str, path: str, db: None) -> None:
    answer = Client(enforce_csrf_checks=True).generic(method, path)
    problem(answer, 405)
    assert answer["Allow"] == "GET, HEAD"


def test_a_page_without_its_slash_is_found(db: None) -> None:
    assert Client().get("/api/docs", follow=True).redirect_chain == [("/api/docs/", 301)]


def test_a_parameter_that_comes_twice(client_with: Callable[..., ApiClient]) -> None:
    shop = client_with(Scope.RECOMMENDATIONS_READ)
    refused = problem(shop.send("GET", f"{HOME}?n=1&n=2&user_id=a&user_id=b&basket=x&basket=y"), 400)
    assert [flaw["pointer"] for flaw in refused["errors"]] == ["n", "user_id"]


@pytest.mark.parametrize("address", [HOME, "/metrics"])
def test_too_many_parameters(address: str, client_with: Callable[..., ApiClient]) -> None:
    refused = problem(client_with(*Scope).send("GET", f"{address}?{'&'.join(['x=1'] * 1_001)}"), 400)
    assert refused["detail"] == "The request has too many parameters."


@pytest.mark.parametrize("content_type", ["text/csv", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_of_another_type(content_type: str, events: ApiClient) -> None:
    problem(events.post(EVENTS, b'{"events":[]}', content_type=content_type), 415)


def test_an_answer_of_another_type(events: ApiClient) -> None:
    events.headers["Accept"] = "text/csv"
    problem(events.post(EVENTS, {"events": []}), 406)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"{", "too early"),
        (b'{"events": [}', "byte 12 (line 1, column 13)"),
        (b'{"events":\n [\n oops]}', "byte 15 (line 3, column 2)"),
        (b'{"events": [NaN]}', "byte 12"),
        (b'{"events": [1,]}', "byte 14"),
        (b"\xef\xbb\xbf{}", "byte 0"),
        (b'{"events": ["\xff"]}', "not UTF-8: byte 13"),
        (b"\xff\xfe{\x00", "not UTF-8: byte 0"),
        (b"[" * 1_000_000, "Send an object, not an array. Send {“events”"),
        (b'{"events": [' + b'{"a":' * 300_000, "nested too deeply"),
        (b'{"events": []} trailing', "unexpected character"),
    ],
)
def test_a_body_that_is_no_json(body: bytes, said: str, events: ApiClient) -> None:
    begin = time.monotonic()
    assert said in problem(events.post(EVENTS, body), 400)["detail"]
    assert time.monotonic() - begin < 1


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("body", [b"{", b'"\xff"', b"[" * 1_000_000, b"NaN"])
def test_a_body_that_is_no_json_where_the_framework_decodes(body: bytes, raising: ApiClient) -> None:
    problem(raising.post("/raising/any/", body), 400)
    assert raising.post("/raising/any/", b'{"a": [1, 2.5, null]}').content == b"{'a': [1, 2.5, None]}"


def test_a_body_that_is_too_large(events: ApiClient) -> None:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert limit == 2 * 1024 * 1024
    assert str(limit) in problem(events.post(EVENTS, b" " * (limit + 1)), 413)["detail"]
    problem(events.post(EVENTS, b" " * limit), 400)


def test_chunks_need_a_length(events: ApiClient) -> None:
    answer = events._client.generic(
        "POST", EVENTS, b"", "application/json", headers={**events.headers, "Transfer-Encoding": "chunked"}
    )
    problem(answer, 411)


def test_503_within_a_second_while_postgresql_is_away(
    transactional_db: None, client_with: Callable[..., ApiClient]
) -> None:
    events = client_with(Scope.EVENTS_WRITE)
    body = {"event_id": "0192f0c1-0000-7000-8000-000000000001", "name": "view_homepage", "user_id": "u1"}
    body["timestamp"] = f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}"
    assert events.post(EVENTS, body).status_code == 202
    with dead_database():
        begin = time.monotonic()
        answer = events.post(EVENTS, body)
        took = time.monotonic() - begin
        others = [events.post(EVENTS, body) for _ in range(20)]  # these hold no thread
        took_all = time.monotonic() - begin
    for each in (answer, *others):
        problem(each, 503)
        assert each["Retry-After"] == "1"
    assert took <= 1
    assert took_all <= took + 0.4
    time.sleep(0.6)
    assert events.post(EVENTS, body).json()["duplicates"] == 1


def test_an_unknown_key_while_postgresql_is_away_is_503_and_not_401(transactional_db: None) -> None:
    with dead_database():
        for _ in range(3):
            begin = time.monotonic()
            problem(ApiClient("Api-Key who.knows").post(EVENTS, {}), 503)
            assert time.monotonic() - begin <= 1


def test_terminated_backends_never_give_500(transactional_db: None, client_with: Callable[..., ApiClient]) -> None:
    events = client_with(Scope.EVENTS_WRITE)
    body = {"event_id": "0192f0c1-0000-7000-8000-000000000001", "name": "view_homepage", "user_id": "u1"}
    body["timestamp"] = f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}"
    assert events.post(EVENTS, body).status_code == 202
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        cursor.execute("SELECT pg_backend_pid()")
    assert events.post(EVENTS, body).status_code in {202, 503}
    assert events.post(EVENTS, body).status_code == 202
