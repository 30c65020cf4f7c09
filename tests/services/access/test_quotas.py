"""Quotas of events hold over processes, by the address and by the key, and without Valkey in each process."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis

from recommendations.models import ApiKey, SourceHour
from recommendations.services.access import quotas as access
from recommendations.services.access.keys import KnownKey, create_key
from recommendations.services.access.quotas import EventQuotas, OverQuotaError, Quota
from recommendations.services.access.rates import HOUR, RateLimiter
from recommendations.store.live.valkey import Link
from recommendations.terms import Scope, Side

START = 1_790_000_000.0 // HOUR * HOUR


class Processes:
    """Three processes that take turns, under one clock."""

    def __init__(self, key: KnownKey) -> None:
        self.now = START
        self.key = key
        self._limiters = [RateLimiter(clock=self.clock) for _ in range(3)]
        self._turn = 0

    def clock(self) -> float:
        return self.now

    def request(self, address: str = "192.0.2.1") -> EventQuotas:
        self._turn += 1
        limiter = self._limiters[self._turn % 3]
        return EventQuotas(self.key, address, clock=self.clock, limiter=lambda: limiter)


def known(side: Side = Side.PAGE, **limits: int | None) -> KnownKey:
    return KnownKey(
        1, "k", "", side, frozenset({Scope.EVENTS_WRITE}), 60_000,
        lines_per_minute=limits.get("lines"), new_people_per_hour=limits.get("people"),
    )  # fmt: skip


@pytest.fixture
def pages(valkey: redis.Redis) -> Processes:
    return Processes(known())


def lines(processes: Processes, requests: int, *, each: int = 1, address: Callable[[int], str]) -> tuple[int, Quota]:
    """Lines that were taken of so many requests, a millisecond apart, and the quota that refused the last."""
    taken, quota = 0, None
    for number in range(requests):
        processes.now += 0.001
        try:
            processes.request(address(number)).take_lines(each)
            taken += each
        except OverQuotaError as error:
            quota = error.quota
    assert quota is not None
    return taken, quota


def test_lines_of_an_address(pages: Processes) -> None:
    taken, quota = lines(pages, 400, each=3, address=lambda _: "192.0.2.1")
    assert (quota, 600 <= taken <= 620) == (Quota.ADDRESS_LINES, True)
    pages.request("192.0.2.2").take_lines(3)
    pages.now += 60
    pages.request("192.0.2.1").take_lines(3)


def test_lines_of_a_page_from_many_addresses(pages: Processes) -> None:
    taken, quota = lines(pages, 700, each=10, address=lambda number: f"192.0.2.{number % 100}")
    assert (quota, 6_000 <= taken <= 6_200) == (Quota.LINES, True)


def test_what_an_address_sends_too_much_takes_nothing_from_the_others(pages: Processes) -> None:
    lines(pages, 300, each=30, address=lambda _: "192.0.2.1")  # 9,000 lines tried
    taken, _quota = lines(pages, 200, each=50, address=lambda number: f"198.51.100.{number}")
    assert taken >= 6_000 - 700


def test_lines_of_a_server_come_from_one_address(valkey: redis.Redis) -> None:
    taken, quota = lines(Processes(known(Side.SERVER)), 130, each=500, address=lambda _: "192.0.2.1")
    assert (quota, 60_000 <= taken <= 61_500) == (Quota.LINES, True)


def test_a_key_may_have_a_limit_of_its_own(valkey: redis.Redis) -> None:
    assert lines(Processes(known(Side.SERVER, lines=7)), 20, address=lambda _: "192.0.2.1")[0] == 7


def test_a_request_that_is_beyond_a_quota_by_itself_says_so(pages: Processes) -> None:
    with pytest.raises(OverQuotaError) as caught:
        pages.request().take_lines(601)
    assert caught.value.alone


def test_bytes_of_an_address(pages: Processes) -> None:
    for _ in range(4):
        pages.request().take_bytes(1024 * 1024)
    with pytest.raises(OverQuotaError) as caught:
        pages.request().take_bytes(100_000)
    assert caught.value.quota == Quota.ADDRESS_BYTES
    Processes(known(Side.SERVER)).request().take_bytes(5 * 1024 * 1024)


def test_one_network_of_ipv6_is_one_address(pages: Processes) -> None:
    taken, quota = lines(pages, 300, each=3, address=lambda number: f"2001:db8::{number:x}")
    assert (quota, 600 <= taken <= 620) == (Quota.ADDRESS_LINES, True)
    pages.request("2001:db8:0:1::1").take_lines(3)
    lines(pages, 300, each=3, address=lambda number: ("::ffff:192.0.2.9", "192.0.2.9")[number % 2])


@pytest.mark.django_db
def test_addresses_are_kept_as_a_hash_of_the_day_and_not_for_long(pages: Processes, valkey: redis.Redis) -> None:
    pages.request("192.0.2.77").take_lines(600)
    pages.request("192.0.2.77").newcomers(60, proven=False)
    first = {name for name in valkey.keys("rate:*") if b":k:" not in name}
    assert first
    assert not any(b"192" in name for name in first)
    assert all(0 < valkey.ttl(name) <= 2 * HOUR for name in first)
    pages.now += 24 * HOUR
    pages.request("192.0.2.77").take_lines(600)
    assert {name for name in valkey.keys("rate:*") if b":k:" not in name} - first


# --- new people


def admitted(processes: Processes, requests: int, *, each: int = 1, address: Callable[[int], str]) -> int:
    return sum(processes.request(address(number)).newcomers(each, proven=False) for number in range(requests))


@pytest.mark.django_db
def test_new_people_of_an_address_and_of_a_page(pages: Processes) -> None:
    assert admitted(pages, 30, each=4, address=lambda _: "192.0.2.1") == 60
    assert admitted(pages, 2_000, address=lambda number: f"198.51.{number % 200}.1") in range(540, 547)
    assert pages.request("203.0.113.1").newcomers(5, proven=True) == 5
    pages.now += HOUR
    assert admitted(pages, 30, each=4, address=lambda _: "192.0.2.1") == 60


@pytest.mark.django_db
def test_a_page_may_bring_ten_times_the_usual_people(valkey: redis.Redis) -> None:
    key, _secret = create_key(name="Pages", scopes=[Scope.EVENTS_WRITE], by=None, side=Side.PAGE)
    hour = datetime.fromtimestamp(START, UTC)
    for week, people in enumerate((90, 110, 5_000, 100), start=1):  # a flood of one week changes little
        SourceHour.objects.create(key=key, hour=hour - timedelta(weeks=week), new_people=people)
        SourceHour.objects.create(key=key, hour=hour - timedelta(weeks=week, hours=1), new_people=1)
    processes = Processes(known())
    processes.key = KnownKey(key.pk, key.prefix, "", Side.PAGE, frozenset(key.scopes), 60_000)
    address = lambda number: f"198.51.{number % 200}.1"  # noqa: E731
    assert admitted(processes, 1_200, address=address) in range(1_050, 1_061)
    processes.now += HOUR
    assert admitted(processes, 1_200, address=address) in range(600, 607)


@pytest.mark.django_db
def test_a_key_may_have_a_limit_of_new_people_of_its_own(valkey: redis.Redis) -> None:
    assert admitted(Processes(known(people=7)), 30, address=lambda number: f"198.51.{number}.1") == 7


@pytest.mark.django_db
def test_a_server_brings_as_many_people_as_it_knows(valkey: redis.Redis) -> None:
    assert Processes(known(Side.SERVER)).request().newcomers(10_000, proven=False) == 10_000


@pytest.mark.django_db
def test_without_valkey_each_process_has_the_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Link("redis://127.0.0.1:1/0")
    monkeypatch.setattr("recommendations.services.access.rates.valkey", lambda: away)
    monkeypatch.setattr(access, "valkey", lambda: away)
    away.run(lambda pipeline: pipeline.ping())
    key, _secret = create_key(name="Pages", scopes=[Scope.EVENTS_WRITE], by=None, side=Side.PAGE)
    SourceHour.objects.create(key=key, hour=datetime.fromtimestamp(START, UTC) - timedelta(weeks=1), new_people=1_000)
    processes = Processes(KnownKey(key.pk, key.prefix, "", Side.PAGE, frozenset(key.scopes), 60_000))
    assert admitted(processes, 4_000, address=lambda number: f"198.51.{number % 200}.1") == 3 * 600
    assert ApiKey.objects.count() == 1


@pytest.mark.django_db
def test_the_replay_has_no_quotas(valkey: redis.Redis) -> None:
    key = KnownKey(1, "k", "", Side.SERVER, frozenset(Scope), 60_000, lines_per_minute=1)
    assert Processes(key).request().take_lines(100_000) == {}
