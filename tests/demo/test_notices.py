"""Notifications and webhooks in the demo's mailbox, and the browsers that some of its customers have."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_django
from django.test import Client

from demo import browsers
from demo.browsers import browser_of, opened_for
from demo.contacts import BROWSERS, GIVEN, invent_contacts
from recommendations.channels.sealing import bytes_of_base64url, seal
from recommendations.customer_codes import customer_code
from recommendations.models import Address, Contact, Customer, Permission
from recommendations.push_terms import Channel
from recommendations.store.contacts.sealing import digest_of, unseal
from recommendations.store.contacts.sealing import seal as seal_address
from recommendations.store.push.people import reach_of
from recommendations.terms import Role
from recsite import supervisor
from recsite.post import push_service
from tests.demo.mails import ORIGIN, put_hook, put_push
from tests.demo.test_mailbox import client_as, page
from tests.push_browsers import TestBrowser

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
TOLD = {"id": "m1", "title": "Running low? <b>", "body": "黑芝麻糊", "url": "https://recsite.example/m/c/abc/"}


@pytest.fixture
def folder(tmp_path: Path, settings: pytest_django.Settings) -> Path:
    settings.MAILBOX = tmp_path / "post"
    return settings.MAILBOX


@pytest.fixture
def publisher() -> Client:
    return client_as(Role.PUBLISHER)


def test_what_is_sealed_for_an_invented_browser_is_opened_for_its_customer_alone() -> None:
    keys = {name: bytes_of_base64url(browser_of(7, push_service=ORIGIN)[name]) for name in ("p256dh", "auth")}
    sealed = seal(b'{"title":"Tea"}', **keys)
    assert opened_for(7, sealed) == {"title": "Tea"}
    assert opened_for(8, sealed) is None
    assert opened_for(7, sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    for noise in (b"", b"x", bytes(86), bytes(200), seal(b"[1]", **keys), seal(b"no json", **keys)):
        assert opened_for(7, noise) is None


def test_a_notification_is_shown_as_the_customer_would_see_it(folder: Path, publisher: Client) -> None:
    key = put_push(folder, customer=7, **TOLD)
    listed = page(publisher, kind="pushes")
    assert "Running low? &lt;b&gt;" in listed
    assert customer_code(7) in listed
    opened = page(publisher, "notice", "pushes", key)
    assert "黑芝麻糊" in opened
    assert f'href="{TOLD["url"]}"' in opened
    assert "urgency" in opened


def test_what_is_sealed_for_a_browser_of_the_shop_stays_sealed(folder: Path, publisher: Client) -> None:
    key = put_push(folder, customer=None, **TOLD)
    assert "Sealed for a browser of the shop" in page(publisher, kind="pushes")
    opened = page(publisher, "notice", "pushes", key)
    assert "that browser has the only key" in opened
    assert "Running low" not in opened


def test_a_browser_of_the_shop_is_known_by_its_endpoint(folder: Path, publisher: Client) -> None:
    own = {"endpoint": f"{ORIGIN}/push/abc", **TestBrowser("x").keys}
    customer = Customer.objects.create(pseudonym=b"somebody")
    Address.objects.create(
        contact=Contact.objects.create(customer=customer, language="en"), channel=Channel.WEB_PUSH,
        sealed=seal_address(own), digest=digest_of(Channel.WEB_PUSH, own), state="active",
    )  # fmt: skip
    put_push(folder, customer=None, **TOLD)
    assert f"/customers/{customer_code(customer.pk)}/" in page(publisher, kind="pushes")


def test_a_link_that_is_none_leads_nowhere(folder: Path, publisher: Client) -> None:
    key = put_push(folder, customer=7, **TOLD | {"url": "javascript:alert(1)"})
    assert "javascript:alert(1)" not in page(publisher, "notice", "pushes", key)


def test_a_webhook_is_shown_as_it_came(folder: Path, publisher: Client) -> None:
    key = put_hook(folder, {"type": "recommendations.push", "data": {"user_id": "u<1>"}})
    odd = put_hook(folder, "no json", minutes=1)
    assert "recommendations.push" in page(publisher, kind="hooks")
    assert "u&lt;1&gt;" in page(publisher, "notice", "hooks", key)
    assert "no json" in page(publisher, "notice", "hooks", odd)


def test_who_may_not_publish_opens_none(folder: Path) -> None:
    key, viewer = put_push(folder, customer=7, **TOLD), client_as(Role.VIEWER)
    assert viewer.get(f"/mailbox/pushes/{key}/").status_code == 403
    assert f"/mailbox/pushes/{key}/" not in page(viewer, kind="pushes")


def test_nothing_else_is_opened(folder: Path, publisher: Client) -> None:
    key = put_push(folder, customer=7, **TOLD)
    for address in (
        f"hooks/{key}",
        f"letters/{key}",
        f"pushes/{key}x",
        "pushes/passwd",
        f"pushes/{'1' * 20}-{'0' * 16}",
    ):
        assert publisher.get(f"/mailbox/{address}/").status_code == 404, address


def test_the_tabs_say_how_many_there_are(folder: Path, publisher: Client) -> None:
    assert "No notification" in page(publisher, kind="pushes")
    assert "No webhook" in page(publisher, kind="hooks")
    for number in range(3):
        put_push(folder, customer=7, minutes=number, **TOLD)
    assert "Browser notifications (3)" in page(publisher)
    assert page(publisher, kind="nonsense")


def test_the_post_office_knows_invented_browsers_by_the_same_name() -> None:
    assert browsers.INVENTED == push_service.INVENTED
    assert supervisor.push_service(8002) == ORIGIN


def test_some_of_the_invented_customers_let_the_shop_notify() -> None:
    Customer.objects.bulk_create(Customer(pseudonym=f"household {number}".encode()) for number in range(1_000))
    invent_contacts(now=NOW, push_service=ORIGIN)
    own = Address.objects.filter(channel=Channel.WEB_PUSH)
    assert own.count() / 1_000 == pytest.approx(GIVEN * BROWSERS, abs=0.04)
    assert all(unseal(each.sealed)["endpoint"].startswith(f"{ORIGIN}/push/invented-C-") for each in own)
    said = set(Permission.objects.filter(channel=Channel.WEB_PUSH, state="given").values_list("contact", flat=True))
    assert said == set(own.values_list("contact", flat=True))
    assert not Permission.objects.filter(channel=Channel.WEB_PUSH).exclude(state="given").exists()
    one = own[0].contact_id
    assert {each.channel for each in reach_of(one, now=NOW)[0]} == {Channel.EMAIL, Channel.WEB_PUSH}
