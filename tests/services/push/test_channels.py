"""From a live campaign to browsers and to the shop's own systems, by real servers: opened, verified, never astray."""

import os
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import http_ece
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import LazySettings
from django.utils import timezone
from py_vapid import Vapid02
from standardwebhooks.webhooks import Webhook as Reference

from recommendations.channels.sealing import base64url
from recommendations.models import (
    Address,
    Contact,
    Customer,
    CustomerAlias,
    Endpoint,
    Message,
    PressureRules,
    Slate,
    Staff,
)
from recommendations.push_terms import AddressState, Channel, ConsentSource, ConsentState, MessageState, Purpose
from recommendations.services.endpoints.book import create, switch
from recommendations.services.parcels.notification import ShownNotification
from recommendations.services.push import ticks
from recommendations.services.push.following import target_of
from recommendations.services.push.pace import line_state
from recommendations.services.push.trying import EXAMPLE_ID, EXAMPLE_OCCASION, EXAMPLE_RECOMMENDATION, look_at
from recommendations.store.contacts import ledger
from recommendations.store.contacts.ledger import Statement
from recommendations.store.contacts.sealing import digest_of, seal
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import CustomerKind
from tests.channels.web_server import WebServer, web_server
from tests.services.campaigns.test_form import what
from tests.services.push.test_sendings import campaign

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]

BROWSER, AUTH = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
POINT = BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@pytest.fixture(autouse=True)
def _rules() -> None:
    PressureRules.objects.create(
        number=1, quiet_from=time(0), quiet_until=time(0), holdout=0.0, season="2026-2", is_default=True
    )


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def service(settings: LazySettings) -> Iterator[WebServer]:
    """A push service of this machine."""
    with web_server(status=201) as own:
        settings.PUSH_SERVICE_HOSTS = [own.origin]
        yield own


@pytest.fixture
def receiver(settings: LazySettings) -> Iterator[WebServer]:
    """A system of the shop's on this machine."""
    with web_server(status=204, body=b"") as own:
        settings.WEBHOOK_HOSTS = [own.origin]
        yield own


def reached(customer: Customer, channel: Channel, opened: dict[str, str], *, proven: bool = True) -> Address:
    """An address in use of somebody who said yes to everything there."""
    Contact.objects.get_or_create(customer=customer, defaults={"language": "en"})
    ledger.record(
        [
            Statement(
                contact=customer.pk, channel=channel, purpose=purpose, state=ConsentState.GIVEN,
                at=timezone.now() - timedelta(days=1), source=ConsentSource.BROWSER,
            )
            for purpose in Purpose
        ]
    )  # fmt: skip
    return Address.objects.create(
        contact_id=customer.pk, channel=channel, sealed=seal(opened), digest=digest_of(channel, opened),
        state=AddressState.ACTIVE, confirmed_at=timezone.now(), proven=proven,
    )  # fmt: skip


def browser(service: WebServer, name: str, *, customer: Customer | None = None, proven: bool = True) -> Address:
    owner = customer or Customer.objects.get_or_create(pseudonym=pseudonym(name))[0]
    opened = {"endpoint": f"{service.origin}/{name}", "p256dh": base64url(POINT), "auth": base64url(AUTH)}
    return reached(owner, Channel.WEB_PUSH, opened, proven=proven)


def hooked(name: str) -> Address:
    owner = Customer.objects.get_or_create(pseudonym=pseudonym(name))[0]
    return reached(owner, Channel.WEBHOOK, {"user_id": name})


def live(now: datetime, channel: str, name: str = "weekly", *, purpose: str = "for_you", **parts: Any) -> None:
    campaign(name, now, purpose=purpose, parts={"channels": [channel], **parts})
    ticks.decide(now=now)


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Message.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def again() -> None:
    Message.objects.filter(state=MessageState.DUE).update(due_at=timezone.now() - timedelta(seconds=1))


def test_a_browser_opens_what_was_decided_for_its_owner(now: datetime, service: WebServer) -> None:
    for number in range(3):
        browser(service, f"u{number}")
    live(now, "web_push")
    assert (ticks.send(Channel.EMAIL), ticks.send(Channel.WEB_PUSH), ticks.send(Channel.WEB_PUSH)) == (0, 3, 0)
    assert states() == {MessageState.TAKEN: 3}
    for message in Message.objects.all():
        name = Customer.objects.get(pk=message.customer_id).pk
        [post] = [each for each in service.posts if _opened(each.body)["id"] == f"message-{message.pk}"]
        told = _opened(post.body)
        assert told["rid"] == message.recommendation_id
        assert told["title"] == "For you this week"
        assert told["url"].startswith("http")
        assert "/m/c/" in told["url"]
        assert message.recommendation_id in target_of(message, 0)
        slate = Slate.objects.get(recommendation_id=message.recommendation_id)
        assert (slate.placement, slate.customer_id, list(slate.items)) == ("web_push", name, message.items)
        assert Vapid02.verify(post.headers["authorization"])
        assert 0 < int(post.headers["ttl"]) <= 72 * 3600
        assert len(post.headers["topic"]) == 32
    assert len({post.headers["topic"] for post in service.posts}) == 3


def _opened(body: bytes) -> dict[str, str]:
    opened = http_ece.decrypt(body, private_key=BROWSER, auth_secret=AUTH, version="aes128gcm")
    return msgspec.json.decode(opened, type=dict[str, str])


def test_the_preview_is_what_a_browser_shows_and_what_a_webhook_says(
    now: datetime, service: WebServer, receiver: WebServer
) -> None:
    for number in range(3):
        browser(service, f"u{number}")
        hooked(f"u{number + 3}")
    create("ERP", receiver.origin, by=_admin(), now=now)
    one = campaign("weekly", now, parts={"channels": ["web_push", "webhook"]})
    looks = {
        key: look_at(one.campaign, one.form, customer=key, language="", now=now)
        for key in Contact.objects.values_list("pk", flat=True)
    }
    ticks.decide(now=now)
    assert (ticks.send(Channel.WEB_PUSH), ticks.send(Channel.WEBHOOK)) == (3, 3)
    pushed = {_opened(post.body)["rid"]: _opened(post.body) for post in service.posts}
    hooks = {(told := msgspec.json.decode(post.body))["data"]["recommendation_id"]: told for post in receiver.posts}
    for message in Message.objects.all():
        look = looks[message.customer_id]
        if message.channel == Channel.WEB_PUSH:
            told = pushed[message.recommendation_id]
            assert look.notification == ShownNotification(title=told["title"], body=told["body"], icon=told["icon"])
        else:
            hook = hooks[message.recommendation_id]
            own = {"user_id": EXAMPLE_ID, "occasion": EXAMPLE_OCCASION, "recommendation_id": EXAMPLE_RECOMMENDATION}
            seen = msgspec.json.decode(look.hook)
            assert seen["data"] == hook["data"] | own
            assert list(seen) == list(hook)


def test_a_subscription_that_is_gone_gets_nothing_more(now: datetime, service: WebServer) -> None:
    address = browser(service, "u1")
    live(now, "web_push")
    live(now, "web_push", "daily", what=what(blocks=[{"placement": "trending", "n": 3}]))
    waiting = Message.objects.filter(state=MessageState.DUE).count()
    assert waiting == 2
    service.status = 410
    Message.objects.filter(pk=Message.objects.latest("pk").pk).update(due_at=now + timedelta(hours=1))
    assert ticks.send(Channel.WEB_PUSH) == 1
    assert states() == {MessageState.GONE: 1, MessageState.WITHDRAWN: 1}
    address.refresh_from_db()
    assert (address.state, bytes(address.sealed)) == (AddressState.GONE, b"")
    service.status = 201
    again()
    assert ticks.send(Channel.WEB_PUSH) == 0
    assert len(service.posts) == 1


def test_a_push_service_that_is_away_shuts_its_own_line_alone(
    now: datetime, service: WebServer, receiver: WebServer
) -> None:
    for number in range(8):
        browser(service, f"u{number}")
        hooked(f"u{number}")
    create("ERP", receiver.origin, by=_admin(), now=now)
    live(now, "web_push")
    live(now, "webhook", "daily", what=what(blocks=[{"placement": "trending", "n": 3}]))
    service.status = 503
    assert ticks.send(Channel.WEB_PUSH) == 5
    assert ticks.send(Channel.WEB_PUSH) == 0
    assert line_state(Channel.WEB_PUSH) is not None
    assert (ticks.send(Channel.WEBHOOK), len(receiver.posts)) == (8, 8)
    assert states() == {MessageState.DUE: 8, MessageState.TAKEN: 8}


def test_what_a_dead_sender_was_handing_over_is_handed_over_again_under_the_same_topic(
    now: datetime, service: WebServer
) -> None:
    browser(service, "u1")
    live(now, "web_push")
    assert ticks.send(Channel.WEB_PUSH) == 1
    Message.objects.update(
        state=MessageState.HANDING, holder="dead", settled_at=None, lease_until=now - timedelta(seconds=1)
    )
    assert ticks.settle(now=now) == 1
    assert ticks.send(Channel.WEB_PUSH) == 1
    first, second = service.posts
    assert first.headers["topic"] == second.headers["topic"]
    assert _opened(first.body)["id"] == _opened(second.body)["id"]
    assert states() == {MessageState.TAKEN: 1}


@pytest.mark.parametrize("when", ["before the decision", "after it", "never"])
def test_a_visitors_browser_gets_nothing_of_the_customer_it_was_merged_into(
    now: datetime, service: WebServer, when: str
) -> None:
    visitor = Customer.objects.create(pseudonym=pseudonym("visitor"), kind=CustomerKind.ANONYMOUS)
    customer = Customer.objects.get_or_create(pseudonym=pseudonym("u1"))[0]
    browser(service, "strangers", customer=visitor, proven=False)
    if when == "before the decision":
        CustomerAlias.objects.create(anonymous=visitor, customer=customer, source="api")
    live(now, "web_push", purpose="news", what=what(blocks=[{"placement": "trending", "n": 3}]))
    assert Message.objects.count() == (when != "before the decision")
    browser(service, "own", customer=customer)  # by it the customer could be reached, and wants it
    if when == "after it":
        CustomerAlias.objects.create(anonymous=visitor, customer=customer, source="api")
    ticks.send(Channel.WEB_PUSH)
    assert [post.path for post in service.posts] == (["/strangers"] if when == "never" else [])
    if when == "after it":
        assert list(Message.objects.values_list("state", "reason")) == [("withdrawn", "no_address")]


def _admin() -> Staff:
    return Staff.objects.get_or_create(email="ann@shop.example", defaults={"role": "admin"})[0]


def test_the_shops_own_system_is_told_whom_and_what(now: datetime, receiver: WebServer) -> None:
    fresh = create("ERP", f"{receiver.origin}/hook", by=_admin(), now=now)
    hooked("u1")
    live(now, "webhook")
    assert ticks.send(Channel.WEBHOOK) == 1
    message, [post] = Message.objects.get(), receiver.posts
    told = Reference(fresh.secret).verify(post.body, post.headers)
    assert (told["type"], post.headers["webhook-id"]) == ("recommendations.push", f"message-{message.pk}")
    data = told["data"]
    assert (data["user_id"], data["campaign"], data["language"]) == ("u1", "weekly", "en")
    assert data["recommendation_id"] == message.recommendation_id
    assert [each["rank"] for each in data["results"]] == list(range(1, len(message.items) + 1))
    assert all(each["product"]["title"] and each["reasons"] for each in data["results"])
    assert Slate.objects.get(recommendation_id=message.recommendation_id).placement == "webhook"
    assert Endpoint.objects.get().last_taken_at is not None


def test_what_waits_for_a_webhook_that_is_off_goes_out_when_it_is_on_again(now: datetime, receiver: WebServer) -> None:
    endpoint = create("ERP", receiver.origin, by=_admin(), now=now).endpoint
    hooked("u1")
    live(now, "webhook")
    receiver.status = 410
    again()
    assert ticks.send(Channel.WEBHOOK) == 1
    assert states() == {MessageState.GONE: 1}
    assert Address.objects.get().state == AddressState.ACTIVE  # the customer is still there
    hooked("u2")
    live(now, "webhook", "daily", what=what(blocks=[{"placement": "trending", "n": 3}]))
    assert ticks.send(Channel.WEBHOOK) == 0
    assert states()[MessageState.DUE] == 2
    receiver.status = 204
    switch(endpoint.pk, on=True, by=_admin())
    again()
    assert ticks.send(Channel.WEBHOOK) == 2
    assert states() == {MessageState.GONE: 1, MessageState.TAKEN: 2}


def test_a_receiver_that_fails_shuts_no_line(now: datetime, receiver: WebServer) -> None:
    create("ERP", receiver.origin, by=_admin(), now=now)
    for number in range(8):
        hooked(f"u{number}")
    live(now, "webhook")
    receiver.status = 500
    assert ticks.send(Channel.WEBHOOK) == 8
    assert len(receiver.posts) == 3  # and then it was left alone
    assert line_state(Channel.WEBHOOK) is None
    assert Endpoint.objects.get().failing_since is not None
    assert states() == {MessageState.DUE: 8}
