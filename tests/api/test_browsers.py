"""``/api/v1/push/``: whose a browser is, what is refused, and that nothing is doubled."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from recommendations.channels.sealing import application_server_key, vapid_key
from recommendations.ingest.proofs import prove
from recommendations.models import Address, ConsentStatement, Contact, Customer, Message, Permission, Suppression
from recommendations.push_terms import AddressState, Channel, ConsentSource, MessageState, SuppressionReason
from recommendations.services.access import keys
from recommendations.services.contacts.reading import erase_contact
from recommendations.store.contacts.browsers import MOST
from recommendations.store.contacts.sealing import unseal
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import CustomerKind, Scope
from tests.api.conftest import ApiClient, problem
from tests.push_browsers import VAPID_KEY, TestBrowser
from tests.push_records import campaign

SHOP = "https://shop.example"
KEY, SUBSCRIPTIONS = "/api/v1/push/key/", "/api/v1/push/subscriptions/"


@pytest.fixture(autouse=True)
def keyed(settings: LazySettings) -> None:
    settings.VAPID_KEY, settings.PUSH_SERVICE_HOSTS = VAPID_KEY, []


@pytest.fixture
def page(client_with: Callable[..., ApiClient], valkey: redis.Redis) -> ApiClient:
    """A page of the shop, with the key that everybody can read in it."""
    valkey.set("live:built", 1)
    client = client_with(Scope.EVENTS_WRITE, Scope.PUSH_SUBSCRIBE, origins=[SHOP])
    client.headers["Origin"] = SHOP
    return client


def subscribe(client: ApiClient, body: dict[str, Any], status: int = 201) -> Any:
    answer = client.post(SUBSCRIPTIONS, body)
    assert answer.status_code == status, answer.content
    return answer.json()


def proof(user_id: str = "u1", anonymous_id: str | None = "a1", **lasts: Any) -> dict[str, Any]:
    text = prove(user_id=user_id, anonymous_id=anonymous_id, now=timezone.now(), **lasts).text
    return {"user_id": user_id, "anonymous_id": anonymous_id, "proof": text}


def customer(name: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> Customer:
    return Customer.objects.get(pseudonym=pseudonym(name, kind=kind))


def in_use() -> list[tuple[int, bool]]:
    return list(Address.objects.filter(state=AddressState.ACTIVE).order_by("pk").values_list("contact", "proven"))


def test_the_key_is_the_public_half(page: ApiClient) -> None:
    answer = page.get(KEY)
    assert answer.json() == {"key": application_server_key(vapid_key(VAPID_KEY))}
    assert answer["Access-Control-Allow-Origin"] == SHOP


def test_a_visitors_browser_is_the_visitors(page: ApiClient) -> None:
    browser = TestBrowser("one")
    body = browser.body("for_you", "reminders", anonymous_id="a1", language="zh-CN", time_zone="Asia/Shanghai")
    assert subscribe(page, body) == {"verdict": "subscribed", "whose": "visitor"}
    [address] = Address.objects.all()
    assert (address.channel, address.proven) == (Channel.WEB_PUSH, False)
    assert address.contact_id == customer("a1", CustomerKind.ANONYMOUS).pk
    assert unseal(address.sealed) == {"endpoint": browser.endpoint, **browser.keys}
    assert b"mozilla" not in bytes(address.sealed)
    contact = Contact.objects.get()
    assert (contact.language, contact.time_zone) == ("zh-hans", "Asia/Shanghai")
    assert sorted(Permission.objects.values_list("channel", "purpose", "state", "source")) == [
        ("web_push", "for_you", "given", "browser"), ("web_push", "reminders", "given", "browser"),
    ]  # fmt: skip
    assert {each.proof["page"] for each in ConsentStatement.objects.all()} == {SHOP}


def test_the_same_endpoint_again_doubles_nothing(page: ApiClient) -> None:
    browser = TestBrowser("one")
    subscribe(page, browser.body(anonymous_id="a1"))
    subscribe(page, browser.body("for_you", "news", anonymous_id="a1"), 200)
    subscribe(page, browser.body("for_you", "news", anonymous_id="a1"), 200)
    assert Address.objects.count() == 1
    assert sorted(ConsentStatement.objects.values_list("purpose", "state")) == [("for_you", "given"), ("news", "given")]


@pytest.mark.parametrize(
    "whose",
    [
        {"user_id": "u1"},
        {"user_id": "u1", "anonymous_id": "a1"},
        {"user_id": "u1", "proof": "673d2a10.abc"},
        {**proof("u2"), "user_id": "u1"},
        {**proof("u1", "a2"), "anonymous_id": "a1"},
        proof("u1", "a1", lasts=timedelta(seconds=-1)),
    ],
    ids=["an id", "both ids", "an invented one", "another customer's", "another visitor's", "an old one"],
)
def test_a_customers_browser_needs_a_proof(page: ApiClient, whose: dict[str, Any]) -> None:
    answer = problem(page.post(SUBSCRIPTIONS, TestBrowser("one").body(**whose)), 403)
    assert answer["code"] == "browser_needs_proof"
    assert answer["errors"][0]["pointer"] == "/proof"
    assert not Contact.objects.exists()
    assert not Customer.objects.exists()


def test_a_proof_moves_a_browser_to_its_customer_and_takes_what_waits(page: ApiClient) -> None:
    browser = TestBrowser("one")
    subscribe(page, browser.body(anonymous_id="a1"))
    visitor = Address.objects.get()
    waiting = message(visitor)
    assert subscribe(page, browser.body("reminders", **proof())) == {"verdict": "subscribed", "whose": "customer"}
    assert in_use() == [(customer("u1").pk, True)]
    visitor.refresh_from_db()
    assert (visitor.state, bytes(visitor.sealed)) == (AddressState.GONE, b"")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (MessageState.WITHDRAWN, "no_address")
    subscribe(page, browser.body(anonymous_id="a2"))  # signed out, and somebody else sits there
    assert in_use() == [(customer("a2", CustomerKind.ANONYMOUS).pk, False)]


def test_a_browser_that_is_proven_stays_so(page: ApiClient) -> None:
    browser = TestBrowser("one")
    subscribe(page, browser.body(**proof()))
    subscribe(page, browser.body(**proof()), 200)
    assert in_use() == [(customer("u1").pk, True)]


def message(address: Address) -> Message:
    occurrence = campaign()
    return Message.objects.create(
        campaign=occurrence.campaign, version=occurrence.version, occurrence=occurrence,
        customer_id=address.contact_id, contact=address.contact_id, key="1", channel=address.channel, address=address,
        state=MessageState.DUE, due_at=timezone.now(), expires_at=timezone.now() + timedelta(days=1), items=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"endpoint": "https://push.example.com/x"}, "/endpoint"),
        ({"endpoint": "http://updates.push.services.mozilla.com/x"}, "/endpoint"),
        ({"endpoint": "https://updates.push.services.mozilla.com.evil.example/x"}, "/endpoint"),
        ({"endpoint": "https://updates.push.services.mozilla.com@evil.example/x"}, "/endpoint"),
        ({"endpoint": "https://updates.push.services.mozilla.com:22/x"}, "/endpoint"),
        ({"endpoint": "https://127.0.0.1/x"}, "/endpoint"),
        ({"endpoint": "https://notify.windows.com.evil.example/x"}, "/endpoint"),
        ({"endpoint": "file:///etc/passwd"}, "/endpoint"),
        ({"keys": {**TestBrowser("x").keys, "p256dh": "B" * 87}}, "/keys/p256dh"),
        ({"keys": {**TestBrowser("x").keys, "p256dh": TestBrowser("x").keys["p256dh"][:-4]}}, "/keys/p256dh"),
        ({"keys": {**TestBrowser("x").keys, "p256dh": "~" * 87}}, "/keys/p256dh"),
        ({"keys": {**TestBrowser("x").keys, "auth": "AAAA"}}, "/keys/auth"),
        ({"purposes": []}, "/purposes"),
        ({"purposes": ["ads"]}, "/purposes/0"),
        ({"anonymous_id": None}, "/anonymous_id"),
    ],
)
def test_what_no_browser_sends_is_refused(page: ApiClient, change: dict[str, Any], pointer: str) -> None:
    answer = problem(page.post(SUBSCRIPTIONS, {**TestBrowser("one").body(anonymous_id="a1"), **change}), 400)
    assert [each["pointer"] for each in answer["errors"]] == [pointer]
    assert answer.get("code") == ("unknown_push_service" if pointer == "/endpoint" else None)
    assert not Contact.objects.exists()


def test_a_push_service_of_ones_own_is_named_in_the_settings(page: ApiClient, settings: LazySettings) -> None:
    settings.PUSH_SERVICE_HOSTS = ["push.example.com"]
    body = TestBrowser("one").body(anonymous_id="a1") | {"endpoint": "https://push.example.com/x"}
    subscribe(page, body)


def test_an_endpoint_is_not_taken_over_with_other_keys(page: ApiClient) -> None:
    subscribe(page, TestBrowser("one").body(**proof()))
    problem(page.post(SUBSCRIPTIONS, TestBrowser("one").body(anonymous_id="a9")), 409)
    assert in_use() == [(customer("u1").pk, True)]


def test_of_eleven_browsers_the_oldest_goes(page: ApiClient) -> None:
    browsers = [TestBrowser(f"b{number}") for number in range(MOST + 1)]
    for browser in browsers[:-1]:
        subscribe(page, browser.body(**proof()))
    subscribe(page, browsers[0].body(**proof()), 200)  # heard of again
    subscribe(page, browsers[-1].body(**proof()))
    active = Address.objects.filter(state=AddressState.ACTIVE)
    left = {unseal(each.sealed)["endpoint"] for each in active}
    assert left == {each.endpoint for each in browsers} - {browsers[1].endpoint}


def test_a_browser_leaves_by_its_own_secret_with_all_that_waits(page: ApiClient) -> None:
    browser, other = TestBrowser("one"), TestBrowser("two")
    subscribe(page, browser.body("for_you", "news", anonymous_id="a1"))
    subscribe(page, other.body(anonymous_id="a1"))
    waiting = message(Address.objects.order_by("pk")[0])
    for guess in ({"auth": other.keys["auth"]}, {"endpoint": f"{browser.endpoint}x"}):
        end = {"endpoint": browser.endpoint, "auth": browser.keys["auth"]} | guess
        problem(page.send("DELETE", SUBSCRIPTIONS, end), 404)
    assert len(in_use()) == 2
    assert left(page, browser).json() == {"verdict": "unsubscribed"}
    waiting.refresh_from_db()
    assert waiting.state == MessageState.WITHDRAWN
    assert set(Permission.objects.values_list("state", flat=True)) == {"given"}  # the other one stays
    left(page, other)
    assert set(Permission.objects.values_list("state", "source")) == {("withdrawn", ConsentSource.BROWSER)}
    problem(page.send("DELETE", SUBSCRIPTIONS, {"endpoint": other.endpoint, "auth": other.keys["auth"]}), 404)


def left(page: ApiClient, browser: TestBrowser) -> HttpResponse:
    answer = page.send("DELETE", SUBSCRIPTIONS, {"endpoint": browser.endpoint, "auth": browser.keys["auth"]})
    assert answer.status_code == 200, answer.content
    return answer


def test_who_was_erased_gets_nothing_until_the_browser_asks_again(page: ApiClient) -> None:
    browser = TestBrowser("one")
    subscribe(page, browser.body(anonymous_id="a1"))
    erase_contact(Contact.objects.get(), now=timezone.now())
    assert Suppression.objects.get().reason == SuppressionReason.ERASED
    assert not Address.objects.exists()
    subscribe(page, browser.body(anonymous_id="a1"))
    assert not Suppression.objects.exists()


def test_one_visitor_subscribes_twenty_times_an_hour(page: ApiClient) -> None:
    for number in range(20):
        subscribe(page, TestBrowser(f"b{number}").body(anonymous_id="a1"))
    answer = page.post(SUBSCRIPTIONS, TestBrowser("more").body(anonymous_id="a1"))
    assert problem(answer, 429)["quota"] == "visitor_browsers"
    assert 0 < int(answer["Retry-After"]) <= 3600
    subscribe(page, TestBrowser("other").body(anonymous_id="a2"))
    for number in range(3, 41):
        page.post(SUBSCRIPTIONS, TestBrowser(f"c{number}").body(anonymous_id=f"a{number}"))
    answers = [page.post(SUBSCRIPTIONS, TestBrowser("last").body(anonymous_id=f"z{number}")) for number in range(3)]
    assert json.loads(answers[-1].content)["quota"] == "address_browsers"


def test_a_page_of_elsewhere_and_other_keys_are_refused(page: ApiClient, client_with: Callable[..., ApiClient]) -> None:
    body = TestBrowser("one").body(anonymous_id="a1")
    page.headers["Origin"] = "https://evil.example"
    problem(page.post(SUBSCRIPTIONS, body), 403)
    del page.headers["Origin"]
    problem(page.post(SUBSCRIPTIONS, body), 403)
    problem(client_with(Scope.EVENTS_WRITE, Scope.CONTACTS_WRITE).post(SUBSCRIPTIONS, body), 403)
    assert not Contact.objects.exists()


def test_a_browser_asks_before_it_takes_a_subscription_back(page: ApiClient) -> None:
    asked = {"Origin": SHOP, "Access-Control-Request-Method": "DELETE"}
    answer = Client().options(SUBSCRIPTIONS, headers=asked)
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Methods"] == "DELETE, POST"


def test_without_keys_it_says_which_are_missing(page: ApiClient, settings: LazySettings) -> None:
    settings.VAPID_KEY = ""
    assert "VAPID_KEY" in problem(page.get(KEY), 503)["detail"]
    settings.CONTACT_KEYS = []
    answer = page.post(SUBSCRIPTIONS, TestBrowser("one").body(anonymous_id="a1"))
    assert "CONTACT_KEYS" in problem(answer, 503)["detail"]
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize("scopes", [{Scope.PUSH_SUBSCRIBE}, {Scope.EVENTS_WRITE, Scope.PUSH_SUBSCRIBE}])
def test_a_key_of_a_page_subscribes_from_its_origins_alone(db: None, scopes: set[Scope]) -> None:
    with pytest.raises(keys.ReadablePageKeyError):
        keys.create_key(name="x", scopes=scopes, by=None, side=keys.Side.PAGE)
