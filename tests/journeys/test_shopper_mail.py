"""A shopper with a real mail: out by its link and back, a pause, fewer mails, and out by the mail program's own button.

Each time the database says what holds, and the next sending keeps to it.
"""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
import pytest_django
import requests
from aiosmtpd.controller import Controller
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone
from playwright.sync_api import Browser

from recommendations.models import ConsentStatement, Contact, Item, Message, Permission, PressureRules
from recommendations.push_terms import CampaignKind, MessageState, Purpose
from recommendations.services.campaigns.lifecycle import approve, create_campaign
from recommendations.services.campaigns.presets import preset_of
from recommendations.services.push import ticks
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recsite.post.mails import PostOffice
from tests.journeys.conftest import Visitor, committed
from tests.journeys.test_shopper import done, press, switched
from tests.post_office import free_port
from tests.push_records import contact

pytestmark = pytest.mark.django_db

LATER = timedelta(hours=5)
READERS = ("u45", "u46")


@pytest.fixture(scope="module", autouse=True)
def _readers(site: str) -> None:
    """Two customers who may be written to at any hour and as often as one likes; all others pause."""

    def furnish() -> None:
        Contact.objects.update(paused_until=timezone.now() + timedelta(days=30))
        for name in READERS:
            contact(name)
        PressureRules.objects.update(quiet_from="00:00", quiet_until="00:00", holdout=0, caps=[])
        Item.objects.update(url=Concat(Value("https://shop.example/item/"), F("shop_id")))
        fetch.announce(*fetch.Changed)

    committed(furnish)


@pytest.fixture(autouse=True)
def mailbox(site: str, tmp_path: Path, settings: pytest_django.Settings) -> Iterator[Path]:
    """The folder of the mails that have arrived."""
    settings.PUBLIC_URL, settings.FOUR_EYES = site, False
    settings.PUSH_FROM, settings.POSTAL_ADDRESS = "hello@shop.example", "1 Market Square"
    port = free_port()
    settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": port}
    controller = Controller(PostOffice(tmp_path / "post"), hostname="127.0.0.1", port=port)
    controller.start()
    yield tmp_path / "post"
    controller.stop()


@pytest.fixture
def phone(site: str, browser: Browser) -> Iterator[Visitor]:
    """A telephone that has never been here."""
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 390, "height": 844})
    yield Visitor(page=context.new_page(), site=site)
    context.close()


def decide(name: str, *, waits: bool = False) -> int:
    """Let a campaign go live and decide it; its messages may be made to wait. The campaign's key."""

    def work() -> int:
        now, preset = timezone.now(), preset_of(CampaignKind.ONCE)
        campaign = create_campaign(
            name=name, kind=CampaignKind.ONCE, trigger=None, purpose=Purpose.FOR_YOU,
            draft=preset.draft() | {"when": {}}, by=None, now=now,
        )  # fmt: skip
        approve(campaign=campaign, revision=1, expected={}, note="as planned", by=None, now=now)
        ticks.decide(now=timezone.now())
        if waits:
            Message.objects.filter(campaign=campaign).update(due_at=now + LATER)
        return campaign.pk

    return committed(work)


def arrived(folder: Path, name: str) -> list[EmailMessage]:
    """Send what is due; the mails that a reader has by now, the last one last."""
    committed(lambda: [None for _ in iter(ticks.send, 0)])
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in sorted(folder.glob("*.eml"))]
    return [mail for mail in mails if mail["To"] == f"{name}@example.com"]


def open_mail(phone: Visitor, mail: EmailMessage, *, link: str) -> None:
    """Show a mail as a mail program does, and follow one of its links."""
    body = mail.get_body(("html",))
    assert body is not None
    shown, address = body.get_content(), f"{phone.site}/mail-program"  # which has no policy of ours
    phone.page.route(address, lambda route: route.fulfill(body=shown, content_type="text/html; charset=utf-8"))
    phone.page.goto(address)
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.page.get_by_role("link", name=link, exact=True).click()
    phone.page.wait_for_url("**/m/**")


def of(name: str) -> Contact:
    return Contact.objects.get(customer__pseudonym=pseudonym(name))


def holds(name: str) -> str:
    """What the database says of the purpose of the mails."""
    return committed(lambda: Permission.objects.get(contact=of(name).pk, purpose=Purpose.FOR_YOU).state)


def state(campaign: int, name: str) -> str | None:
    """What became of a campaign's message to a reader; None where there is none."""
    own = Message.objects.filter(campaign=campaign)
    return committed(lambda: own.filter(contact=of(name).pk).values_list("state", flat=True).first())


def test_from_a_mail_to_no_and_back_and_to_less(phone: Visitor, mailbox: Path) -> None:
    reader, page = READERS[0], phone.page
    decide("First")
    waiting = decide("Waits", waits=True)
    [mail] = arrived(mailbox, reader)
    assert state(waiting, reader) == MessageState.DUE
    open_mail(phone, mail, link="Unsubscribe")
    page.get_by_role("heading", name="Unsubscribe from “Recommendations for you”?").wait_for()
    assert phone.complaints() == []
    assert (holds(reader), state(waiting, reader)) == ("given", MessageState.DUE)  # looking changes nothing

    page.get_by_role("button").click()
    page.get_by_role("heading", name="You are unsubscribed from “Recommendations for you”.").wait_for()
    assert phone.complaints() == []
    assert (holds(reader), state(waiting, reader)) == ("withdrawn", MessageState.WITHDRAWN)
    assert state(decide("Not for them"), reader) is None
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("heading", name="Undone").wait_for()
    assert holds(reader) == "given"
    assert state(waiting, reader) == MessageState.WITHDRAWN  # what was taken away does not come after all
    again = decide("Again")
    assert len(arrived(mailbox, reader)) == 2
    assert state(again, reader) == MessageState.TAKEN

    page.get_by_role("link", name="Choose what you get").click()
    waiting = decide("Waits for the pause", waits=True)
    assert "Paused: nothing is sent until" in press(phone, "button", "Pause for 4 weeks")
    until = committed(lambda: of(reader)).paused_until
    assert until is not None
    assert timedelta(days=27) < until - timezone.now() <= timedelta(days=28, hours=1)
    committed(lambda: Message.objects.filter(campaign=waiting).update(due_at=timezone.now()))
    decide("In the pause")
    assert len(arrived(mailbox, reader)) == 2
    assert state(waiting, reader) != MessageState.TAKEN
    assert press(phone, "button", "End the pause") == "The pause is over."

    page.get_by_label("At most one a week").check()
    assert press(phone, "button", "Save how often") == "You get at most 1 mail a week."
    assert committed(lambda: of(reader)).most_a_week == 1
    decide("One too many")
    assert len(arrived(mailbox, reader)) == 2
    page.get_by_role("switch", name="Recommendations for you").click()
    assert "You are unsubscribed" in done(phone)
    assert switched(phone, "Recommendations for you") == "false"
    assert (holds(reader), phone.complaints(), page.context.cookies()) == ("withdrawn", [], [])


def test_out_by_the_button_of_the_mail_program_and_in_chinese(phone: Visitor, mailbox: Path) -> None:
    reader = READERS[1]
    committed(lambda: Contact.objects.filter(pk=of(reader).pk).update(language="zh-hans"))
    decide("Chinese")
    mail = arrived(mailbox, reader)[-1]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    one_click = str(mail["List-Unsubscribe"]).strip("<>")
    answer = requests.post(one_click, data={"List-Unsubscribe": "One-Click"}, timeout=20)
    assert (answer.status_code, answer.history, dict(answer.cookies)) == (200, [], {})
    assert holds(reader) == "withdrawn"
    said = committed(lambda: ConsentStatement.objects.filter(contact=of(reader)).latest("pk"))
    assert (said.source, said.purpose) == ("one_click", Purpose.FOR_YOU)

    open_mail(phone, mail, link="选择接收内容")
    assert phone.page.locator("html").get_attribute("lang") == "zh-hans"
    assert switched(phone, "为您推荐") == "false"
    phone.page.get_by_role("switch", name="为您推荐").click()
    assert "为您推荐" in done(phone)
    assert (holds(reader), phone.complaints()) == ("given", [])
    decide("Wanted again")
    mail = arrived(mailbox, reader)[-1]
    open_mail(phone, mail, link="退订")
    phone.page.get_by_role("button", name="退订", exact=True).click()
    phone.page.get_by_role("button", name="撤销").wait_for()
    assert (holds(reader), phone.complaints()) == ("withdrawn", [])
