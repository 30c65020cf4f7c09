"""A shopper's browser that lets the demo's shop notify: sealed by us, opened and shown by the shop's service worker."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from playwright.sync_api import Page, expect

from recommendations.channels.outbound import HttpClient
from recommendations.channels.protocol import Parcel, Taken
from recommendations.channels.sealing import authorization, bytes_of_base64url, seal, vapid_key
from recommendations.channels.web_push import PushSender, WebPush
from recommendations.models import Address, Contact, Customer, Permission
from recommendations.push_terms import AddressState, Channel
from recommendations.store.contacts.sealing import unseal
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import CustomerKind, Scope
from recsite.post.web import PostServer
from tests.journeys.conftest import Visitor, committed, until
from tests.journeys.holding import holding
from tests.journeys.notices import Notices
from tests.journeys.shop_process import shop_process, token
from tests.journeys.test_storefront import allow

pytestmark = pytest.mark.django_db

NOTES = 50


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostServer]:
    server = PostServer(tmp_path_factory.mktemp("post"), port=0)
    server.begin()
    with override_settings(PUSH_SERVICE_HOSTS=[server.pushes.origin]):
        yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def shop(site: str, post: PostServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = (Scope.CATALOGUE_WRITE, Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ, Scope.IDENTITY_PROVE)
    pages = (Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ, Scope.PUSH_SUBSCRIBE)
    with shop_process(
        tmp_path_factory.mktemp("demo"),
        recsite=site,
        push=post.pushes.origin,
        server_key=lambda _address: token(*server),
        browser_key=lambda address: token(*pages, origins=(address,)),
    ) as address:
        yield address


@pytest.fixture
def shopper(shop: str, window: Callable[..., Visitor]) -> Iterator[Visitor]:
    person = window(alone=True)
    person.page.context.grant_permissions(["notifications"], origin=shop)
    person.site = shop
    yield person
    committed(lambda: Contact.objects.filter(addresses__channel=Channel.WEB_PUSH).delete())


def shop_as(page: Page, name: str) -> None:
    page.get_by_label("Shopping as").select_option(name)
    page.get_by_role("button", name="Change").click()


def turn_on(shopper: Visitor) -> None:
    panel = shopper.page.get_by_role("region", name="Tell me by notification")
    panel.get_by_role("button", name="Turn on notifications").click()
    expect(panel.get_by_role("status")).to_have_text("Notifications are on for this device.")


def in_use() -> list[tuple[str, bool, dict[str, str]]]:
    """Kind of customer, whether it is proven, and what opens the address, of each browser."""
    living = Address.objects.filter(channel=Channel.WEB_PUSH, state=AddressState.ACTIVE)
    return [
        (each.contact.customer.kind, each.proven, unseal(each.sealed))
        for each in living.select_related("contact__customer")
    ]


def send(post: PostServer, address: dict[str, str], *notes: dict[str, str]) -> None:
    """Hand notes to the push service as the sender does."""
    own = PushSender(key=vapid_key(settings.VAPID_KEY), subject="mailto:a@shop.example", services=[post.pushes.origin])
    line, until_then = WebPush(own), datetime.now(UTC) + timedelta(hours=1)
    for note in notes:
        parcel = Parcel(
            message=1, idempotency_key=note["id"], address=address, content=json.dumps(note).encode(),
            expires_at=until_then,
        )  # fmt: skip
        assert line.hand_over(parcel) == Taken()
    line.close()


def note(number: int) -> dict[str, str]:
    return {
        "id": f"m{number}", "title": "您的咖啡快用完了", "body": "x" * (number % NOTES * 60), "icon": "",
        "url": f"https://recsite.example/m/c/{number}/", "rid": "r-1",
    }  # fmt: skip


def test_fifty_of_fifty_are_opened_and_shown_and_none_that_was_touched(post: PostServer, shopper: Visitor) -> None:
    page, notices = shopper.page, Notices(shopper.page)
    shopper.visit("/")
    allow(page)
    turn_on(shopper)
    [(kind, proven, address)] = committed(in_use)
    assert (kind, proven) == (CustomerKind.ANONYMOUS, False)
    assert address["endpoint"].startswith(f"{post.pushes.origin}/push/")
    send(post, address, *map(note, range(NOTES)))
    expected = [{name: note(number)[name] for name in ("id", "title", "body", "url")} for number in range(NOTES)]
    assert notices.listed(NOTES) == expected
    with page.expect_console_message(lambda message: "could not be opened" in message.text, timeout=20_000):
        post_touched(post, address, note(90))
    send(post, address, note(49), note(91))  # one of them a second time
    assert [each["id"] for each in notices.listed(NOTES + 1)] == [f"m{number}" for number in (*range(NOTES), 91)]


def post_touched(post: PostServer, address: dict[str, str], content: dict[str, str]) -> None:
    """Post a note of which one bit was turned on the way."""
    keys = {name: bytes_of_base64url(address[name]) for name in ("p256dh", "auth")}
    sealed = bytearray(seal(json.dumps(content).encode(), **keys))
    sealed[-1] ^= 1
    origin, now = post.pushes.origin, datetime.now(UTC).timestamp()
    signed = authorization(vapid_key(settings.VAPID_KEY), origin=origin, subject="mailto:a@shop.example", now=now)
    headers = {"Authorization": signed, "TTL": "60", "Content-Encoding": "aes128gcm"}
    client = HttpClient(trusted=[origin])
    assert client.post(address["endpoint"], headers=headers, body=bytes(sealed)).status == 201
    client.close()


def test_a_push_event_of_the_browsers_own_shows_each_message_once(shopper: Visitor) -> None:
    page, notices = shopper.page, Notices(shopper.page)
    shopper.visit("/")
    allow(page)
    turn_on(shopper)
    line, registrations = page.context.new_cdp_session(page), list[dict[str, Any]]()
    line.on("ServiceWorker.workerRegistrationUpdated", lambda event: registrations.extend(event["registrations"]))
    line.send("ServiceWorker.enable")
    until(page, "async () => (await navigator.serviceWorker.getRegistration('/static/worker.js')).active !== null")
    while not registrations:  # the browser tells of them a moment after it was asked
        page.wait_for_timeout(50)
    push = {"origin": shopper.site, "registrationId": registrations[0]["registrationId"]}
    for number in (1, 2, 1):
        line.send("ServiceWorker.deliverPushMessage", {**push, "data": json.dumps(note(number))})
    assert [each["id"] for each in notices.listed(2)] == ["m1", "m2"]
    notices.close()
    line.send("ServiceWorker.deliverPushMessage", {**push, "data": json.dumps(note(2))})
    line.send("ServiceWorker.deliverPushMessage", {**push, "data": json.dumps(note(3))})
    assert [each["id"] for each in notices.listed(3)] == ["m3"]  # although the first has been put away


def test_a_browser_goes_to_the_customer_who_signs_in_and_stops_with_the_next(shopper: Visitor) -> None:
    page = shopper.page
    shopper.visit("/")
    panel = page.get_by_role("region", name="Tell me by notification")
    expect(panel.get_by_role("status")).to_contain_text("Choose “Yes, personalise” first")
    allow(page)
    turn_on(shopper)
    shop_as(page, "u3")
    expect(panel.get_by_role("status")).to_have_text("Notifications are on for this device.")
    [(kind, proven, _)] = committed(in_use)
    assert (kind, proven) == (CustomerKind.SIGNED_IN, True)
    owner = committed(lambda: Contact.objects.get(addresses__proven=True).customer)
    assert bytes(owner.pseudonym) == pseudonym("u3")
    shop_as(page, "")  # somebody else takes over
    expect(page.get_by_role("region", name="Personalisation")).to_be_visible()
    expect(panel.get_by_role("status")).to_contain_text("Choose “Yes, personalise” first")
    assert committed(in_use) == []


def test_the_shopper_turns_them_off_again(shopper: Visitor) -> None:
    page = shopper.page
    shopper.visit("/")
    allow(page)
    panel = page.get_by_role("region", name="Tell me by notification")
    panel.get_by_label("Things we think you will like").uncheck()
    panel.get_by_label("Back in stock").uncheck()
    panel.get_by_role("button", name="Turn on notifications").click()
    expect(panel.get_by_role("status")).to_have_text("Pick at least one thing to hear about.")
    panel.get_by_label("News and offers").check()
    turn_on(shopper)
    visitor = committed(lambda: Customer.objects.get(contact__addresses__channel=Channel.WEB_PUSH).pk)
    assert states(visitor) == {"news": "given"}
    shopper.visit("/cart")
    panel.get_by_role("button", name="Turn off notifications").click()
    expect(panel.get_by_role("status")).to_have_text("Notifications are off. You will get no more.")
    assert states(visitor) == {"news": "withdrawn"}
    assert committed(in_use) == []


def states(contact: int) -> dict[str, str]:
    return committed(lambda: dict(Permission.objects.filter(contact=contact).values_list("purpose", "state")))


def test_while_the_browser_is_asked_the_page_says_so(shopper: Visitor) -> None:
    page = shopper.page
    shopper.visit("/")
    allow(page)
    held = holding(page, "**/push/key/")
    panel = page.get_by_role("region", name="Tell me by notification")
    panel.get_by_role("button", name="Turn on notifications").click()
    expect(panel.get_by_role("status")).to_have_text("Asking your browser…")
    for number in (1, 2):  # asked for the browser's own push service, and for the demo's
        held(number).continue_()
    expect(panel.get_by_role("status")).to_have_text("Notifications are on for this device.")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_control_is_in_order(shop: str, window: Callable[..., Visitor], width: int) -> None:
    person = window(width=width, alone=True)
    person.site = shop
    person.visit("/cart")
    allow(person.page)
    expect(person.page.get_by_role("button", name="Turn on notifications")).to_be_visible()
    assert person.complaints() == []


def test_who_does_not_allow_it_is_told_so(shop: str, window: Callable[..., Visitor]) -> None:
    person = window(alone=True)
    person.site = shop
    person.visit("/")
    allow(person.page)
    panel = person.page.get_by_role("region", name="Tell me by notification")
    panel.get_by_role("button", name="Turn on notifications").click()
    expect(panel.get_by_role("status")).to_contain_text("Your browser does not let us notify you")
    assert committed(in_use) == []


def test_what_waits_is_kept_sealed(post: PostServer, shopper: Visitor) -> None:
    shopper.visit("/")
    allow(shopper.page)
    turn_on(shopper)
    [(_, _, address)] = committed(in_use)
    send(post, address, {**note(7), "title": "a secret title"})
    name = address["endpoint"].rpartition("/")[2]
    waiting = post.pushes.waiting(name, after="", now=datetime.now(UTC))
    assert waiting is not None
    assert b"secret" not in base64.b64decode(waiting[-1].body)
