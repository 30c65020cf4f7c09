"""Floods of events through the API: what is refused, what is taken without a name, and who is not touched by it."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.test import override_settings
from django.utils import timezone

from recommendations.models import Customer, Event, SourceHour
from recommendations.services.access import quotas
from recommendations.services.operations.housekeeping import write_source_hours
from recommendations.store.live import counters
from recommendations.store.live.counters import Counted
from recommendations.store.live.source_counts import source_counters
from recommendations.terms import CustomerKind, Scope, Side
from tests.api.conftest import ApiClient, problem
from tests.api.events.conftest import EVENTS, event, key_of, purchase, results, when

MERGE = "/api/v1/users/merge/"


@pytest.fixture
def pages(shop: None, client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.EVENTS_WRITE, side=Side.PAGE)


def view(visitor: str, **fields: Any) -> dict[str, Any]:
    return event(**{"user_id": ..., "anonymous_id": visitor, "session_id": "s1", "timestamp": when(minutes=1)} | fields)


def send(client: ApiClient, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    return results(client.post(EVENTS, {"events": rows}))


def test_a_flood_of_new_people_goes_on_without_names(pages: ApiClient, client_with: Callable[..., ApiClient]) -> None:
    send(pages, view("known"))
    flood = send(pages, *(view(f"invented-{number}") for number in range(100)))
    assert {row["verdict"] for row in flood} == {"accepted"}
    nameless = [row for row in flood if "ignored" in row]
    assert len(nameless) == 100 - (quotas.ADDRESS_PEOPLE - 1)
    assert all(row["ignored"][0].endswith("/anonymous_id") for row in nameless)
    assert Customer.objects.count() == quotas.ADDRESS_PEOPLE
    assert Event.objects.filter(customer=None, session_id=None).count() == len(nameless)
    # who is known goes on as ever, and so does whomever the server brings
    assert "ignored" not in send(pages, view("known"))[0]
    assert Event.objects.filter(customer=key_of("known", CustomerKind.ANONYMOUS), session_id="s1").count() == 2
    server = client_with(Scope.EVENTS_WRITE)
    assert "ignored" not in send(server, view("brought", timestamp=when(minutes=1)))[0]


CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0"


def told_hour() -> SourceHour:
    """What the only key sent in this hour."""
    source_counters().tell()
    write_source_hours(now=timezone.now())
    return SourceHour.objects.get()


@pytest.mark.parametrize(
    ("agent", "named"), [(CRAWLER, False), (BROWSER, True), ("okhttp/4.12", True), (f"{BROWSER} HeadlessChrome", True)]
)
def test_a_crawler_is_nobody(pages: ApiClient, agent: str, named: bool) -> None:
    pages.headers["User-Agent"] = agent
    [row] = send(pages, view("a1"))
    assert row["verdict"] == "accepted"
    assert ("ignored" not in row) == named
    assert Customer.objects.count() == named
    hour = told_hour()
    assert (hour.crawled, hour.not_kept) == (int(not named), 0)


def test_who_is_named_without_a_proof_is_counted(pages: ApiClient) -> None:
    send(pages, view("a1", user_id="u1"), view("a2", user_id="u1", proof="x"), view("a3"))
    pages.post(EVENTS, view("a1", user_id="u1", anonymous_id=...))
    assert told_hour().unproven == 3


def test_the_end_of_a_flood_is_counted_though_nothing_follows(pages: ApiClient) -> None:
    """Counts are told once a second; after the last request none may come."""
    for count in (1, 200, 3):
        send(pages, *(view("a1") for _ in range(count)))
    until = time.monotonic() + 10
    while not SourceHour.objects.filter(lines=204).exists() and time.monotonic() < until:
        time.sleep(0.2)
        write_source_hours(now=timezone.now())
    assert SourceHour.objects.get().lines == 204


def test_a_servers_name_is_not_looked_at(shop: None, client_with: Callable[..., ApiClient]) -> None:
    server = client_with(Scope.EVENTS_WRITE)
    server.headers["User-Agent"] = CRAWLER
    [row] = send(server, view("a1"))
    assert "ignored" not in row


def test_a_retry_of_an_event_without_a_name_is_a_duplicate(pages: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "ADDRESS_PEOPLE", 0)
    row = view("a1")
    assert [send(pages, row)[0]["verdict"] for _ in range(2)] == ["accepted", "duplicate"]


def test_lines_beyond_the_quota_of_an_address_are_refused_whole(pages: ApiClient) -> None:
    rows = [view("a1", items=[{"item_id": f"SKU{place % 5}"} for place in range(50)]) for _ in range(13)]
    for row in rows[:12]:
        assert pages.post(EVENTS, row).status_code == 202
    refused = pages.post(EVENTS, rows[12])
    body = problem(refused, 429)
    assert (body["quota"], body["limit"]) == ("address_lines", 600)
    assert "600" in body["detail"]
    assert "from your server" in body["detail"]
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert not Event.objects.filter(event_id=rows[12]["event_id"]).exists()


def test_lines_of_a_key(shop: None, client_with: Callable[..., ApiClient]) -> None:
    server = client_with(Scope.EVENTS_WRITE, lines_per_minute=10)
    assert server.post(EVENTS, {"events": [view("a1")] * 10}).status_code == 202
    assert problem(server.post(EVENTS, view("a1")), 429)["quota"] == "lines"
    assert problem(server.post(MERGE, {"anonymous_id": "a1", "user_id": "u1"}), 429)["quota"] == "lines"


def test_a_request_that_is_too_large_at_any_time_is_to_be_divided(
    shop: None, client_with: Callable[..., ApiClient]
) -> None:
    server = client_with(Scope.EVENTS_WRITE, lines_per_minute=10)
    answer = server.post(EVENTS, {"events": [view("a1")] * 11})
    assert "11: divide it" in problem(answer, 413)["detail"]
    assert "Retry-After" not in answer


def test_bytes_beyond_the_quota_of_an_address_are_not_even_read(
    pages: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "ADDRESS_BYTES", 2_000)
    assert pages.send("POST", EVENTS, b" " * 1_900).status_code == 400
    assert problem(pages.send("POST", EVENTS, b" " * 1_900), 429)["quota"] == "address_bytes"


def test_each_visitor_behind_the_proxy_has_an_address(pages: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "ADDRESS_LINES", 1)
    statuses = []
    with override_settings(BEHIND_PROXY=True):
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
            pages.headers["X-Real-IP"] = address
            statuses.append(pages.post(EVENTS, view("a1")).status_code)
    assert statuses == [202, 429, 202]


def test_what_a_key_sent_is_counted_by_the_hour(
    pages: ApiClient, client_with: Callable[..., ApiClient], valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "ADDRESS_PEOPLE", 2)
    monkeypatch.setattr(quotas, "ADDRESS_LINES", 5)
    two = [{"item_id": "SKU1"}, {"item_id": "SKU2"}]
    send(pages, view("a1"), view("a2"))
    send(pages, view("a3"), view("a1", items=two))
    problem(pages.post(EVENTS, view("a1")), 429)
    server = client_with(Scope.EVENTS_WRITE)
    send(server, purchase(items=two), event(), event(items=[{"item_id": "nothing"}]))
    source_counters().tell()
    for _ in range(2):  # what is written twice is there once
        write_source_hours(now=timezone.now())
    names = ("key__side", "lines", "people", "new_people", "purchases", "not_kept", "refused")
    assert sorted(SourceHour.objects.values_list(*names)) == [("page", 5, 2, 2, 0, 1, 1), ("server", 3, 1, 1, 2, 0, 0)]
    totals = counters.totals() or {}
    assert totals[Counted.NEW_PEOPLE, "page"] == 2
    assert totals[Counted.NEW_PEOPLE, "server"] == 1
    assert totals[Counted.EVENTS_REFUSED, "address_people"] == 1
    assert totals[Counted.EVENTS_REFUSED, "address_lines"] == 1
    valkey.flushdb()  # the record keeps what Valkey forgets
    send(server, event())
    source_counters().tell()
    write_source_hours(now=timezone.now())
    assert SourceHour.objects.get(key__side="server").lines == 3


def test_answers_say_what_is_left_of_each_quota(pages: ApiClient) -> None:
    answer = pages.post(EVENTS, {"events": [view("a1")] * 3})
    assert answer["RateLimit-Policy"] == '"requests";q=60000;w=60, "address_lines";q=600;w=60, "lines";q=6000;w=60'
    left = re.findall(r'"(\w+)";r=(\d+);t=(\d+)', answer["RateLimit"])
    assert [(name, int(count)) for name, count, _resets in left] == [
        ("requests", 59_999), ("address_lines", 597), ("lines", 5_997),
    ]  # fmt: skip
    assert all(1 <= int(resets) <= 60 for *_, resets in left)


def test_a_refusal_says_what_is_left_of_its_quota(shop: None, client_with: Callable[..., ApiClient]) -> None:
    server = client_with(Scope.EVENTS_WRITE, lines_per_minute=3)
    assert server.post(EVENTS, {"events": [view("a1")] * 3}).status_code == 202
    refused = server.post(EVENTS, view("a1"))
    assert '"lines";q=3;w=60' in refused["RateLimit-Policy"]
    assert f'"lines";r=0;t={refused["Retry-After"]}' in refused["RateLimit"]
    slow = client_with(Scope.EVENTS_WRITE, requests_per_minute=0)
    assert '"requests";r=0' in slow.post(EVENTS, view("a1"))["RateLimit"]
    assert "RateLimit" not in ApiClient().post(EVENTS, view("a1")).headers
