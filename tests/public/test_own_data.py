"""What is kept of somebody: in words, as a file, erased; and the link to it, which goes to their own mailbox."""

import email
import re
from collections.abc import Iterator
from datetime import timedelta
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from kombu.exceptions import OperationalError

from analytics.templatetags.activity import author
from recommendations import tasks
from recommendations.channels.protocol import Taken
from recommendations.models import (
    Address,
    AuditEntry,
    ConsentStatement,
    Considered,
    Contact,
    Item,
    Message,
    ShopOccasion,
    Suppression,
)
from recommendations.push_terms import AddressState, Channel
from recommendations.services.access.rates import RateLimiter
from recommendations.services.contacts import own_data
from recommendations.services.contacts.tokens import LinkKind, SignedLink, token_of
from recommendations.store.contacts.sealing import digest_of, seal
from tests.channels.test_smtp import free_port
from tests.public.pages import HEADERS, UNKNOWN, contact, do, page_of, rows, shown
from tests.store.push.test_people import message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


class Office:
    """A post office that takes what it is told to take."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.mails.append((list(envelope.rcpt_tos), bytes(envelope.content or b"")))
        return self.answer


@pytest.fixture
def office(settings: LazySettings) -> Iterator[Office]:
    own = Office()
    controller = Controller(own, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": controller.port}
    yield own
    controller.stop()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[Any]]]:
    """What was given to the broker, with a clock that stands."""
    messages: list[tuple[str, list[Any]]] = []
    monkeypatch.setattr(
        own_data.current_app, "send_task", lambda name, args, **options: messages.append((name, args)), raising=False
    )
    limiter = RateLimiter(clock=lambda: 1_800_000_000.0)
    monkeypatch.setattr(own_data, "rates", lambda: limiter)
    return messages


def test_the_link_goes_to_the_address_by_a_worker(office: Office, sent: list[tuple[str, list[Any]]]) -> None:
    address = contact()
    text = do(page_of(address), act="data")
    assert "A mail with the link goes to u•••@example.com." in text
    assert sent == [(tasks.send_own_data_link.name, [address.pk])]
    tasks.send_own_data_link(address.pk)
    [(recipients, content)] = office.mails
    assert recipients == ["u1@example.com"]
    mail = email.message_from_bytes(content, policy=default)
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("What Recsite stores about you", "auto-generated")
    assert mail["To"] == "u1@example.com"
    plain, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    [link] = re.findall(r"http://127\.0\.0\.1:8000(/m/d/\S+)", plain)
    assert link in html
    assert "1 Market Square" in plain
    assert "1 Market Square" in html
    assert "My data" in shown(Client().get(link))


def test_the_mail_is_in_the_language_of_the_contact(office: Office) -> None:
    address = contact(language="zh-CN")
    assert isinstance(own_data.send_link(address.pk, now=timezone.now()), Taken)
    mail = email.message_from_bytes(office.mails[0][1], policy=default)
    assert mail["Subject"] == "Recsite 保存的关于您的数据"
    assert "查看保存的内容" in mail.get_body(("plain",)).get_content()


def test_a_server_that_asks_to_come_again_is_asked_again(office: Office) -> None:
    office.answer = "451 4.7.1 greylisted"
    address = contact()
    with pytest.raises(own_data.NotTakenError):
        own_data.send_link(address.pk, now=timezone.now())


def test_nobody_is_written_to_whose_address_is_gone(office: Office) -> None:
    address = contact()
    page = page_of(address, LinkKind.OWN_DATA)
    Client().post(page, {"act": "erase"})
    assert own_data.send_link(address.pk, now=timezone.now()) is None
    assert office.mails == []


def test_three_links_an_hour(office: Office, sent: list[tuple[str, list[Any]]]) -> None:
    page = page_of(contact())
    for _ in range(3):
        do(page, act="data")
    answer = Client().post(page, {"act": "data"})
    assert (answer.status_code, len(sent)) == (429, 3)
    assert 0 < int(answer["Retry-After"]) <= 3_600
    assert "Three links were sent within an hour." in answer.content.decode()
    do(page_of(contact(user_id="u2")), act="data")
    assert len(sent) == 4


@pytest.mark.usefixtures("sent")
def test_without_a_mail_server_the_page_says_so(settings: LazySettings) -> None:
    settings.PUSH_MAIL_SERVER = {}
    answer = Client().post(page_of(contact()), {"act": "data"})
    assert answer.status_code == 503
    assert "The mail cannot be sent at the moment." in answer.content.decode()


def test_without_a_broker_the_page_says_so(
    office: Office, sent: list[tuple[str, list[Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(own_data.current_app, "send_task", away, raising=False)
    assert Client().post(page_of(contact()), {"act": "data"}).status_code == 503


def test_the_page_says_in_words_what_is_kept_and_not_the_whole_address() -> None:
    page = page_of(contact(time_zone="Asia/Tokyo"), LinkKind.OWN_DATA)
    before = rows()
    text = shown(Client().get(page))
    for words in ("u•••@example.com", "Asia/Tokyo", "English", "Recommendations for you · E-mail · Given", "server"):
        assert words in text
    assert "u1@example.com" not in text
    assert "我的数据" in shown(Client().get(f"{page}?language=zh-hans"))
    assert rows() == before


def test_the_page_names_a_browser_and_the_channel_of_each_word() -> None:
    address = contact()
    browser = {"endpoint": "https://push.example.com/send/secret", "p256dh": "p", "auth": "a"}
    Address.objects.create(
        contact_id=address.contact_id, channel=Channel.WEB_PUSH, sealed=seal(browser),
        digest=digest_of(Channel.WEB_PUSH, browser), state=AddressState.ACTIVE, created_at=timezone.now(),
    )  # fmt: skip
    ConsentStatement.objects.create(
        contact_id=address.contact_id, channel=Channel.WEB_PUSH, purpose="for_you", state="given", source="browser",
        at=timezone.now(),
    )  # fmt: skip
    page = page_of(address, LinkKind.OWN_DATA)
    text = shown(Client().get(page))
    for words in ("Recommendations for you · Browser notification · Given", "Recommendations for you · E-mail · Given"):
        assert words in text
    for words in ("<dt>Browser notification</dt><dd>•••@push.example.com", "<dt>E-mail</dt><dd>u•••@example.com"):
        assert words in text
    assert "secret" not in text


def test_an_address_that_nobody_confirmed_may_be_a_strangers_and_shows_nothing() -> None:
    """A mistyped address is in somebody else's hands, who would read every other address in the file, or erase it."""
    address = contact()
    page, centre = page_of(address, LinkKind.OWN_DATA), page_of(address)
    Address.objects.filter(pk=address.pk).update(confirmed_at=None, state=AddressState.UNCONFIRMED)
    before = rows()
    for answer in (Client().get(page), *(Client().post(page, {"act": act}) for act in ("file", "erase", "show"))):
        assert "waits to be confirmed" in shown(Client().get(answer.headers["Location"]))
    refused = Client().post(centre, {"act": "data"})
    assert (refused.status_code, "Confirm this address first" in refused.content.decode()) == (403, True)
    text = shown(Client().get(centre))
    assert ("Mail me the link" in text, "once this address is confirmed" in text) == (False, True)
    assert rows() == before


def sent_mails(address: Address, number: int) -> list[Message]:
    """Mails that were taken, an hour apart, the newest first; another one waits, and one is somebody else's."""
    now = timezone.now()
    every = [message(address, handed_at=now - timedelta(hours=hours)) for hours in range(1, number + 1)]
    message(address, state="due", handed_at=None)
    message(contact(user_id="u2", email="u2@example.com"))
    return every


def test_the_page_lists_what_was_sent_and_whether_it_was_followed() -> None:
    address = contact(time_zone="Asia/Tokyo")
    page = page_of(address, LinkKind.OWN_DATA)
    assert "Nothing so far." in shown(Client().get(page)).split('id="sent"')[1]
    newest, older = sent_mails(address, 2)
    older.events.create(kind="clicked", at=timezone.now())
    newest.events.create(kind="machine_clicked", at=timezone.now())
    listed = re.findall(r"<li>(.*?)</li>", shown(Client().get(page)).split('id="sent"')[1], re.DOTALL)
    assert [("a link in it was followed" in each, "no link followed" in each) for each in listed] == [
        (False, True), (True, False),
    ]  # fmt: skip
    with timezone.override("Asia/Tokyo"):
        assert date_format(timezone.localtime(newest.handed_at), "DATETIME_FORMAT") in listed[0]
    assert all("Recommendations for you · E-mail" in each for each in listed)
    text = shown(Client().get(page))
    assert "Messages are kept for 400 days" in text
    assert newest.campaign.name not in text  # which is for staff


def test_of_many_the_newest_are_listed_and_how_many_there_are() -> None:
    address = contact()
    sent_mails(address, 52)
    text = shown(Client().get(page_of(address, LinkKind.OWN_DATA))).split('id="sent"')[1]
    assert (text.count("<li>"), "The latest 50 of 52; the file has all of them." in text) == (50, True)


def test_the_file_has_every_row_that_an_erasure_takes() -> None:
    address = contact()
    [sent] = sent_mails(address, 1)
    sent.events.create(kind="clicked", place=2, at=timezone.now())
    soap = Item.objects.create(shop_id="soap", title="Soap", listed_at=timezone.now())
    Message.objects.filter(contact=address.contact_id).update(items=[soap.pk])
    Considered.objects.create(
        occurrence=sent.occurrence, customer_id=address.contact_id, key="1", verdict="capped", would_send=False,
        wanted_at=timezone.now(), decided_at=timezone.now(),
    )  # fmt: skip
    ShopOccasion.objects.create(
        campaign=sent.campaign, customer_id=address.contact_id, key="order-1", item=soap, data={"day": "Friday"}
    )
    page = page_of(address, LinkKind.OWN_DATA)
    content = Client().post(page, {"act": "file"}).json()
    assert [(each["state"], each["items"]) for each in content["messages"]] == [("due", ["soap"]), ("taken", ["soap"])]
    assert [(each["what"], each["link"]) for each in content["messages"][1]["what_came_of_it"]] == [("clicked", 2)]
    assert [each["verdict"] for each in content["decisions"]] == ["capped"]
    assert [(each["occasion"], each["item"], each["data"]) for each in content["occasions"]] == [
        ("order-1", "soap", {"day": "Friday"})
    ]
    Client().post(page, {"act": "erase"})
    assert (Message.objects.count(), Considered.objects.count(), ShopOccasion.objects.count()) == (1, 0, 0)


def test_the_file_has_all_of_it_and_looking_never_sends_it() -> None:
    page = page_of(contact(), LinkKind.OWN_DATA)
    answer = Client().post(page, {"act": "file"})
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert {name: answer[name] for name in HEADERS} == HEADERS
    content = answer.json()
    assert [each["address"] for each in content["addresses"]] == ["u1@example.com"]
    assert {each["purpose"]: each["state"] for each in content["permissions"]} == {
        "for_you": "given",
        "news": "refused",
    }
    assert content["statements"][0]["proof"] == {"form": "checkout", "text_version": "3"}
    assert content["contact"]["recommendations_by_traits"] is True
    assert Client().get(f"{page}?act=file")["Content-Type"].startswith("text/html")


def test_erasure_leaves_no_row_but_the_silence_and_answers_with_a_receipt() -> None:
    address = contact(time_zone="Asia/Tokyo")
    page, centre = page_of(address, LinkKind.OWN_DATA), page_of(address)
    text = shown(Client().post(page, {"act": "erase"}))
    assert "It is erased" in text
    assert re.findall(r"<dd>(\d+)</dd>", text) == ["1", "2"]  # an address and two statements
    assert re.search(r"<dd>[^<]+ \(Asia/Tokyo\)</dd>", text)  # the moment is by their clock
    assert [model.objects.count() for model in (Contact, Address, ConsentStatement)] == [0, 0, 0]
    assert Suppression.objects.get().reason == "erased"
    [entry] = AuditEntry.objects.all()
    assert (entry.verb, author(entry), entry.object_id) == ("erase own", "The customer", str(address.contact_id))
    for gone in (page, centre):
        for ask in (Client().get, Client().post):
            answer = ask(gone, {"act": "file"})
            assert (answer.status_code, UNKNOWN in answer.content.decode()) == (404, True)


def test_a_link_lasts_an_hour() -> None:
    address, now = contact(), timezone.now()
    for minutes, status in ((58, 200), (62, 404)):
        token = token_of(SignedLink(LinkKind.OWN_DATA, address.pk), now=now - timedelta(minutes=minutes))
        assert Client().get(f"/m/d/{token}/").status_code == status


def test_no_address_is_in_an_error_or_a_log_of_ours(
    office: Office, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    office.answer = "451 4.7.1 <u1@example.com> greylisted"
    with pytest.raises(own_data.NotTakenError) as caught:
        own_data.send_link(contact().pk, now=timezone.now())
    captured = capsys.readouterr()
    ours = [record.getMessage() for record in caplog.records if record.name != "mail.log"]  # of the post office
    assert "outcome" in str(ours)
    assert "u1@" not in f"{caught.value}{ours}{captured.out}{captured.err}"
