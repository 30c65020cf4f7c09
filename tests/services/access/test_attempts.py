"""Attempts to sign in: what locks whom out, what stands in the trail, and how many threads passwords may hold."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import LazySettings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client

from recommendations.models import AuditEntry, Staff
from recommendations.services.access import hashing
from recommendations.services.access.addresses import client_network
from recommendations.terms import Role
from tests.analytics.conftest import client_of as client_of

PASSWORD = "correct horse battery"
SLOW = "recommendations.services.access.hashing.OneAtATime"


def try_(client: Client, name: str, password: str = "wrong", address: str = "203.0.113.7") -> int:
    return client.post("/login/", {"username": name, "password": password}, REMOTE_ADDR=address).status_code


def trail() -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.filter(object_type="staff").order_by("pk")
    return [(entry.verb, entry.label, entry.after["address"]) for entry in entries if entry.after]


@pytest.fixture
def ada(db: None) -> Staff:
    return Staff.objects.create_user("ada@example.com", PASSWORD, role=Role.VIEWER)


def test_one_address_with_many_names_is_locked_and_others_are_not(client: Client, ada: Staff) -> None:
    for number in range(49):
        assert try_(client, f"name-{number}@example.com") == 200
    assert try_(client, ada.email, PASSWORD) == 302  # colleagues share an address, and get in until here
    client.post("/logout/")
    assert try_(client, "name-50@example.com") == 429
    assert try_(client, ada.email, PASSWORD) == 429
    assert try_(client, ada.email, PASSWORD, "203.0.113.8") == 302


def test_half_an_ipv6_address_counts(client: Client, ada: Staff, settings: LazySettings) -> None:
    settings.FAILURES_PER_ADDRESS = 3
    for number in range(3):
        try_(client, f"name-{number}@example.com", address=f"2001:db8::{number}")
    assert try_(client, ada.email, PASSWORD, "2001:db8::ffff") == 429
    assert try_(client, ada.email, PASSWORD, "2001:db8:0:1::1") == 302


def test_logins_good_and_bad_stand_in_the_trail(client: Client, ada: Staff, settings: LazySettings) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    try_(client, "secret-typed-as-name", "wrong")
    try_(client, "ADA@example.com", "wrong")
    try_(client, ada.email, PASSWORD)
    client.post("/logout/")
    for _ in range(4):
        try_(client, ada.email, "wrong")
    here = "203.0.113.7"
    assert trail() == [
        ("wrong password", "", here),
        ("wrong password", ada.email, here),
        ("sign in", ada.email, here),
        ("wrong password", ada.email, here),
        ("wrong password", ada.email, here),
        ("lock out", ada.email, here),  # once; what comes after is not counted
    ]
    assert AuditEntry.objects.get(verb="sign out").staff == ada
    assert "secret-typed-as-name" not in str(list(AuditEntry.objects.values()))


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
def test_only_who_manages_staff_reads_of_staff_and_keys(client_of: Callable[[Role], Client], role: Role) -> None:
    client = client_of(role)
    ann = Staff.objects.create_user("ann@example.com", role=Role.PUBLISHER)
    for kind, label in (("staff", "ann@example.com"), ("apikey", "Shop, server"), ("rule", "More tea")):
        after = {"role": "publisher"}
        AuditEntry.objects.create(staff=ann, verb="change", object_type=kind, object_id="1", label=label, after=after)
    pages = ["/activity/", "/activity/?type=staff", "/activity/?format=csv", "/activity/?type=apikey"]
    if role in {Role.CATALOGUE_ADMIN, Role.ADMIN}:
        pages += ["/admin/recommendations/auditentry/", "/admin/recommendations/auditentry/?object_type=staff"]
    texts = "".join(client.get(page).content.decode() for page in pages)
    assert "More tea" in texts
    for secret in ("ann@example.com", "Shop, server"):
        assert (secret in texts) is (role == Role.ADMIN), secret
    if role == Role.CATALOGUE_ADMIN:
        entry = AuditEntry.objects.get(object_type="staff", object_id="1")
        assert client.get(f"/admin/recommendations/auditentry/{entry.pk}/change/").status_code == 302


def test_who_is_not_signed_in_is_no_schedule(client: Client, client_of: Callable[[Role], Client], ada: Staff) -> None:
    try_(client, ada.email)
    admin = client_of(Role.ADMIN)
    page = admin.get("/activity/?verb=wrong+password").content.decode()
    assert "someone not signed in" in page
    assert "typed a wrong password for" in page
    assert "No activity matches" in admin.get("/activity/?staff=0").content.decode()


@pytest.fixture
def slow_hashes(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing as in production, so slow that several meet."""
    settings.PASSWORD_HASHERS = [SLOW]
    monkeypatch.setattr(hashing.OneAtATime, "iterations", 400_000)
    monkeypatch.setattr(hashing, "PATIENCE", 0.5)


@pytest.mark.django_db(transaction=True)
def test_wrong_logins_hold_one_thread_and_one_that_waits(slow_hashes: None) -> None:
    Staff.objects.create_user("ada@example.com", PASSWORD)
    stop = threading.Event()

    def guess(number: int) -> list[int]:
        codes = []
        while not stop.is_set():
            codes.append(try_(Client(), f"{number}-{len(codes)}@example.com", address=f"198.51.100.{number}"))
        connection.close()
        return codes

    def look() -> float:
        begin = time.monotonic()
        assert Client().get("/login/").status_code == 200
        connection.close()
        return time.monotonic() - begin

    with ThreadPoolExecutor(9) as pool:
        guesses = [pool.submit(guess, number) for number in range(8)]
        time.sleep(0.5)
        looks = [pool.submit(look).result(timeout=20) for _ in range(5)]
        stop.set()
        codes = [code for each in guesses for code in each.result(timeout=60)]
    assert set(codes) == {200, 503}
    assert codes.count(503) > codes.count(200)
    assert max(looks) < 5


@pytest.mark.django_db
def test_a_busy_moment_is_said_with_when_to_come_back(client: Client, slow_hashes: None) -> None:
    Staff.objects.create_user("ada@example.com", PASSWORD)
    with hashing._hashing:
        answer = client.post("/login/", {"username": "ada@example.com", "password": PASSWORD})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "try again in a few seconds" in answer.content.decode()
    assert client.post("/login/", {"username": "ada@example.com", "password": PASSWORD}).status_code == 302


def test_a_third_is_refused_while_one_hashes_and_one_waits(slow_hashes: None) -> None:
    with hashing._hashing, hashing._waiting, pytest.raises(hashing.HashingBusyError):
        make_password(PASSWORD)


@pytest.mark.parametrize("address", ["", "unknown", "1::2::3"])
def test_an_odd_address_counts_as_it_is(rf: object, address: str) -> None:
    assert client_network(rf.get("/", REMOTE_ADDR=address)) == address  # type: ignore[attr-defined]
