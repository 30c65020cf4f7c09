"""Figures of a campaign after an erasure: every page counts who was erased since, and says the same of them."""

import re
from datetime import datetime

import pytest
from django.test import Client

from recommendations.models import Campaign, Considered, Contact, Message, Occurrence
from recommendations.push_terms import MessageState, Verdict
from recommendations.services.contacts.reading import erase_contact
from tests.analytics.pages.campaigns.sent_to_forty import _installed, campaign, merchandiser, now, rules, sent

__all__ = ["_installed", "campaign", "merchandiser", "now", "rules"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]

REMARK = (
    "2 of the messages went to people whose contacts have been erased since: they count as sent on the day of their "
    "sending, what came of them is not known any more."
)


def text(client: Client, address: str) -> str:
    answer = client.get(address, headers={"HX-Request": "true"} if "report" in address or "proof" in address else {})
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def erase(sending: Occurrence, verdict: Verdict, now: datetime) -> None:
    """Erase the first one who got this verdict."""
    one = Considered.objects.filter(occurrence=sending, verdict=verdict).order_by("pk")[0]
    erase_contact(Contact.objects.get(pk=one.customer_id), now=now)


@pytest.fixture
def mails(campaign: Campaign, now: datetime) -> tuple[Occurrence, int]:
    """A sending whose mails were all taken, one of who got it at once and one of who got it later are erased since."""
    sending = sent(campaign, now)
    own = Message.objects.exclude(state=MessageState.HELD)
    own.update(state=MessageState.TAKEN, handed_at=now, settled_at=now)
    number = own.count()
    for verdict in (Verdict.NOW, Verdict.LATER):
        erase(sending, verdict, now)
    sending.refresh_from_db()
    return sending, number


def test_every_page_has_the_same_number_and_says_the_same(
    merchandiser: Client, campaign: Campaign, mails: tuple[Occurrence, int]
) -> None:
    number = mails[1]
    own = f"/campaigns/{campaign.pk}/"
    assert text(merchandiser, f"{own}report/").startswith(f"{number} messages sent, ")
    for address, words in {
        own: f"Messages sent {number} ",
        "/campaigns/": f"{number} messages in the last seven days",
        "/campaigns/calendar/": f"{number} sent",
    }.items():
        page = text(merchandiser, address)
        assert (words in page, REMARK in page) == (True, True), address
    proof = text(merchandiser, "/campaigns/pressure/proof/")
    assert f"of {number - 2} messages broke a rule." in proof
    assert "2 more went to people whose contacts have been erased since: only the number is left" in proof


def test_the_parts_of_a_sending_add_up(merchandiser: Client, mails: tuple[Occurrence, int]) -> None:
    sending, number = mails
    assert sending.counts["now"] + sending.counts["later"] == number
    page = text(merchandiser, f"/campaigns/{sending.campaign_id}/sendings/{sending.pk}/")
    assert f"E-mail {number - 2} contact erased since 2 " in page
    assert f"quiet hours: {sending.counts['later'] - 1}, first at" in page
    assert "contact erased since: 1" in page


def test_shares_are_of_what_is_known(merchandiser: Client, campaign: Campaign, mails: tuple[Occurrence, int]) -> None:
    """Whoever was erased may have clicked: nobody knows, so they are not among those who did not."""
    message = Message.objects.filter(state=MessageState.TAKEN).order_by("pk")[0]
    message.events.create(kind="clicked", at=message.handed_at, told_as="settled")
    page = text(merchandiser, f"/campaigns/{campaign.pk}/")
    assert f"People who clicked 1 {100 / (mails[1] - 2):.1f}%" in page


def test_where_all_are_erased_it_is_no_page_of_nothing(merchandiser: Client, campaign: Campaign, now: datetime) -> None:
    sending = sent(campaign, now)
    Message.objects.exclude(state=MessageState.HELD).update(state=MessageState.TAKEN, handed_at=now, settled_at=now)
    number = Message.objects.filter(state=MessageState.TAKEN).count()
    for contact in Contact.objects.all():
        erase_contact(contact, now=now)
    assert f"Messages sent {number} " in text(merchandiser, f"/campaigns/{campaign.pk}/")
    proof = text(merchandiser, "/campaigns/pressure/proof/")
    assert f"{number} messages have left, to people whose contacts have been erased since" in proof
    page = text(merchandiser, f"/campaigns/{campaign.pk}/sendings/{sending.pk}/")
    assert f"contact erased since {number} " in page
