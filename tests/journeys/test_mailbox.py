"""The demo's mailbox in a browser: a confirmation mail comes by SMTP, is opened and followed; no mail can hurt."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_django
from aiosmtpd.controller import Controller
from django.conf import settings as site_settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, expect
from pytest_django.live_server_helper import LiveServer

from demo.contacts import invent_contacts
from demo.mailbox import keys_of
from recommendations.models import Address, Contact, Customer, Permission, Staff
from recommendations.push_terms import AddressState
from recommendations.services.contacts.confirmations import send_waiting
from recommendations.store.contacts.sealing import unseal
from recommendations.terms import Role
from recsite.post.mails import PostOffice
from tests.demo.mails import mail, put
from tests.demo.test_mailbox import HOSTILE
from tests.journeys.conftest import Visitor
from tests.post_office import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path, settings: pytest_django.Settings, live_server: LiveServer) -> Path:
    settings.MAILBOX, settings.PUBLIC_URL = tmp_path / "post", live_server.url
    return settings.MAILBOX


@pytest.fixture
def browsing(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture
def staff(browsing: BrowserContext, live_server: LiveServer) -> Visitor:
    """A viewer who is signed in."""
    client = Client()
    client.force_login(Staff.objects.create_user("publisher@example.com", "pw", role=Role.PUBLISHER))
    name = site_settings.SESSION_COOKIE_NAME
    browsing.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    return Visitor(page=browsing.new_page(), site=live_server.url)


@pytest.fixture
def office(folder: Path, settings: pytest_django.Settings) -> Iterator[None]:
    controller = Controller(PostOffice(folder), hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": controller.port}
    try:
        yield
    finally:
        controller.stop()


@pytest.mark.usefixtures("office")
def test_a_confirmation_mail_is_opened_followed_and_confirmed(staff: Visitor, folder: Path) -> None:
    Customer.objects.bulk_create([Customer(pseudonym=f"household {number}".encode()) for number in range(200)])
    now = timezone.now()
    invent_contacts(now=now)
    Contact.objects.update(language="en")
    waiting = Address.objects.filter(state=AddressState.UNCONFIRMED)
    assert send_waiting(now=now) == waiting.count() == len(keys_of(folder)) > 0
    address = waiting.earliest("pk")
    page = staff.page
    staff.visit("/")
    page.get_by_role("link", name="Mailbox", exact=True).click()
    page.get_by_label("Recipient or subject").fill(unseal(address.sealed)["email"].upper())
    page.get_by_role("button", name="Search", exact=True).click()
    page.locator("tbody th a").click()
    expect(page.get_by_role("cell", name="Page to confirm the address")).to_be_visible()
    assert staff.complaints() == []
    letter = page.frame_locator("iframe.mail-frame")
    with page.expect_popup() as popup:
        letter.get_by_role("link").first.click()
    customers = popup.value
    customers.get_by_role("button").first.click()
    expect(customers.locator("main")).to_contain_text("confirmed")
    address.refresh_from_db()
    assert address.state == AddressState.ACTIVE
    assert set(Permission.objects.filter(contact=address.contact_id).values_list("state", flat=True)) == {"given"}


def test_a_hostile_mail_does_nothing(staff: Visitor, folder: Path) -> None:
    asked: list[str] = []
    staff.page.context.on("request", lambda request: asked.append(request.url))
    covers = '<style>body{position:fixed;inset:0;background:red;z-index:9}</style><input autofocus value="x">'
    key = put(folder, mail(html=HOSTILE + covers + '<a href="/account/" target="_top">top</a><button>send</button>'))
    staff.visit(f"/mailbox/{key}/?width=phone")
    frame = next(frame for frame in staff.page.frames if frame.url.endswith("/html/"))
    for text in ("run", "top"):
        frame.get_by_role("link", name=text, exact=True).click(no_wait_after=True)
    staff.page.wait_for_timeout(500)
    assert staff.page.url.endswith("?width=phone")
    assert staff.page.evaluate("window.hurt") is None
    assert frame.url.endswith(f"/mailbox/{key}/html/")
    assert [url for url in asked if "evil" in url] == []
    box = staff.page.locator("iframe.mail-frame").bounding_box()
    assert box
    assert box["width"] <= 391
    expect(staff.page.locator("h1")).to_be_visible()


def test_the_frame_alone_runs_nothing_either(staff: Visitor, folder: Path, live_server: LiveServer) -> None:
    """Somebody may open its address in a tab; there it has no origin either."""
    key = put(folder, mail(html="<script>document.title = 'hurt'</script><p>Hello</p>"))
    staff.page.goto(f"{live_server.url}/mailbox/{key}/html/")
    assert staff.page.title() != "hurt"
