"""Browser notifications on the preference page: switches of their own, and they stop with everything."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from recommendations.models import Address, Message, Permission, Suppression
from recommendations.push_terms import AddressState, Channel, ConsentSource, ConsentState, MessageState, Purpose
from recommendations.store.contacts import ledger
from recommendations.store.contacts.ledger import Statement
from recommendations.store.contacts.sealing import digest_of, seal
from tests.public.pages import contact, do, page_of, shown, undone
from tests.push_browsers import TestBrowser
from tests.push_records import campaign

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

OFF = {"act": "purpose", "channel": "web_push", "purpose": "for_you", "on": "no"}


def browser(of: Address, name: str = "one") -> Address:
    """A browser of the same contact, with a yes to what it is recommended."""
    own, now = TestBrowser(name), timezone.now()
    opened = {"endpoint": own.endpoint, **own.keys}
    address = Address.objects.create(
        contact_id=of.contact_id, channel=Channel.WEB_PUSH, sealed=seal(opened), confirmed_at=now, proven=True,
        digest=digest_of(Channel.WEB_PUSH, opened), state=AddressState.ACTIVE,
    )  # fmt: skip
    said = Statement(
        contact=of.contact_id, channel=Channel.WEB_PUSH, purpose=Purpose.FOR_YOU, state=ConsentState.GIVEN,
        at=now - timedelta(hours=1), source=ConsentSource.BROWSER,
    )  # fmt: skip
    ledger.record([said])
    return address


def waiting(address: Address) -> Message:
    occurrence, now = campaign(f"c{address.pk}"), timezone.now()
    return Message.objects.create(
        campaign=occurrence.campaign, version=occurrence.version, occurrence=occurrence, key="1", items=[],
        customer_id=address.contact_id, contact=address.contact_id, channel=address.channel, address=address,
        state=MessageState.DUE, due_at=now, expires_at=now + timedelta(days=1),
    )  # fmt: skip


def states() -> Mapping[tuple[str, str], str]:
    return {(each.channel, each.purpose): each.state for each in Permission.objects.all()}


def test_who_has_no_browser_sees_no_switches_for_it() -> None:
    text = shown(Client().get(page_of(contact())))
    assert "Browser notifications" not in text
    assert "or to your browsers" not in text


def test_a_channel_is_switched_off_and_on_alone() -> None:
    mail = contact()
    note, page = waiting(browser(mail)), page_of(mail)
    assert "Browser notifications" in shown(Client().get(page))
    text = do(page, **OFF)
    assert escape("You get no browser notifications of “Recommendations for you” any more.") in text
    assert (states()["web_push", "for_you"], states()["email", "for_you"]) == ("withdrawn", "given")
    note.refresh_from_db()
    assert note.state == MessageState.WITHDRAWN
    text = undone(page, text)
    assert states()["web_push", "for_you"] == "given"
    assert escape("You said yes to “News and offers for everybody” as browser notifications.") in do(
        page, act="purpose", channel="web_push", purpose="news", on="yes"
    )
    assert (states()["web_push", "news"], states()["email", "news"]) == ("given", "refused")


def test_to_stop_everything_stops_every_browser_and_is_undone() -> None:
    mail = contact()
    browsers = [browser(mail, name) for name in ("one", "two")]
    notes, page = [waiting(each) for each in (mail, *browsers)], page_of(mail)
    text = do(page, act="stop")
    assert "Everything is stopped. Nothing more will be sent to you." in text
    assert {state for (_, purpose), state in states().items() if purpose == "for_you"} == {"withdrawn"}
    silent = {bytes(digest) for digest in Suppression.objects.values_list("digest", flat=True)}
    assert silent == {bytes(each.digest) for each in (mail, *browsers)}
    for note in notes:
        note.refresh_from_db()
        assert note.state == MessageState.WITHDRAWN
    undone(page, text)
    assert not Suppression.objects.exists()
    assert (states()["web_push", "for_you"], states()["email", "for_you"]) == ("given", "given")


def test_one_yes_lets_all_browsers_speak_again_and_no_mail() -> None:
    mail = contact()
    for name in ("one", "two"):
        browser(mail, name)
    do(page_of(mail), act="stop")
    do(page_of(mail), act="purpose", channel="web_push", purpose="reminders", on="yes")
    assert [each.channel for each in Suppression.objects.all()] == [Channel.EMAIL]


def test_a_channel_without_an_address_is_not_understood() -> None:
    answer = Client().post(page_of(contact()), OFF)
    assert answer.status_code == 400
    assert ("web_push", "for_you") not in states()


def test_in_chinese() -> None:
    mail = contact(language="zh-CN")
    browser(mail)
    text = shown(Client().get(page_of(mail)))
    assert "浏览器通知" in text
    assert "发送到您允许本店通知的设备上。" in text
