"""News is the same for everybody: for who has bought, for who is looking around right now, and for who objects."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from recommendations.channels.smtp import Smtp, SmtpServer
from recommendations.models import Customer, Message, PressureRules, Slate
from recommendations.push_terms import SENDING, Channel, Purpose
from recommendations.services.push.deciding import Ground
from recommendations.services.push.sender import ChannelSender
from recommendations.services.push.sendings import LiveCampaign, decide_pushes, plan
from recommendations.services.push.trying import look_at
from recommendations.simulation.message_lists import current_snapshot
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from tests.post_office import Office, post_office
from tests.push_records import contact, pressure
from tests.services.campaigns.test_form import what
from tests.services.push.test_sendings import campaign

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]

PEOPLE = ("u3", "u4", "u5", "objects")
PLACEMENTS = ("email", "home", "trending")


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.SHOP_NAME, settings.POSTAL_ADDRESS = "hello@shop.example", "Corner", "1 Market Square"
    pressure(quiet_from="00:00", quiet_until="00:00")


@pytest.fixture
def office() -> Iterator[Office]:
    with post_office() as own:
        yield own


@pytest.fixture(params=PLACEMENTS)
def news(request: pytest.FixtureRequest) -> LiveCampaign:
    """A campaign of news for four people, one of whom objects to recommendations by what they did."""
    for name in PEOPLE:
        contact(name)
    Customer.objects.filter(pseudonym=pseudonym("objects")).update(personalise=False)
    lists = what(blocks=[{"placement": request.param, "n": 4}])
    return campaign("news", timezone.now(), purpose=Purpose.NEWS, parts={"what": lists})


def sent_by(office: Office) -> list[Message]:
    line = Smtp(SmtpServer(host="127.0.0.1", port=office.port, timeout=2), sender=lambda parcel: "back@shop.example")
    sender = ChannelSender(channel=Channel.EMAIL, line=line, holder="me", clock=timezone.now)
    while sender.send_some(current_snapshot()):
        pass
    line.close()
    return list(Message.objects.order_by("pk"))


def text_of(mail: Any) -> str:
    """What a mail says, without the links and what stands below the list."""
    text = str(mail.get_body(("plain",)).get_content()).replace("\r\n", "\n")
    return re.sub(r"http\S+", "#", text)


def test_everybody_gets_the_same_items_and_no_reason_speaks_of_a_person(news: LiveCampaign, office: Office) -> None:
    keys = [Customer.objects.get(pseudonym=pseudonym(name)).pk for name in PEOPLE]
    looks = [
        look_at(news.campaign, news.form, customer=key, language="", now=timezone.now()).letter.text for key in keys
    ]
    decide_pushes(now=timezone.now())
    messages = sent_by(office)
    assert len(office.mails) == len(messages) == len(PEOPLE)
    assert len({tuple(message.items) for message in messages}) == 1
    assert len({text_of(mail) for mail in office.mails} | set(looks)) == 1
    assert not Slate.objects.filter(personalised=True).exists()
    named = {slate.customer_id for slate in Slate.objects.all()}
    assert named == {*keys[:-1], None}, "a list is told to its customer, unless they object"


def test_what_somebody_does_meanwhile_changes_nobodys_list(
    news: LiveCampaign, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    planned = plan(news, ground=Ground(snapshot=current_snapshot(), rules=PressureRules.objects.get(), now=now))
    before = {each.case.customer: list(each.items) for each in planned if each.verdict in SENDING}
    assert len({tuple(items) for items in before.values()}) == 1
    [*bought] = next(iter(before.values()))
    decode = fetch.decode

    def as_a_buyer(*args: Any, **fields: Any) -> Any:
        told = decode(*args, **fields)
        now = timezone.now().timestamp()
        state = told.state.__class__(bought=dict.fromkeys(bought, now - 60), disliked=dict.fromkeys(bought, now - 60))
        return told._replace(state=state)

    monkeypatch.setattr(fetch, "decode", as_a_buyer)
    decide_pushes(now=timezone.now())
    assert {message.customer_id: list(message.items) for message in sent_by(office)} == before
