"""Messages of a customer: what they got and did, how much they still bear, why nothing came and what comes next."""

import re
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from analytics.queries.customer.messages import messages_of
from analytics.queries.customer.profile import timeline
from recommendations.customer_codes import customer_code
from recommendations.models import (
    Address,
    Campaign,
    Considered,
    Contact,
    Customer,
    CustomerAlias,
    Message,
    MessageEvent,
    Permission,
)
from recommendations.push_terms import (
    SETTLED_CLICK,
    CampaignKind,
    Channel,
    MessageEventKind,
    MessageState,
    SuppressionReason,
    Verdict,
)
from recommendations.store.contacts import silence
from tests.analytics.pages.campaigns.test_report import campaign
from tests.push_records import contact, pressure
from tests.store.push.test_people import message

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
CAPS = [{"channel": "email", "most": 1, "hours": 24}, {"channel": "email", "most": 3, "hours": 168}]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def ann(now: datetime) -> Address:
    pressure(caps=CAPS, quiet_from=time(0), quiet_until=time(0), created_at=now - timedelta(days=60))
    return contact("ann")


def page(client: Client, who: int, **more: Any) -> str:
    address = f"/customers/{customer_code(who)}/messages/"
    html = client.get(address, headers={"HX-Request": "true"}, **more).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def sent(to: Address, at: datetime, **fields: Any) -> Message:
    one = message(to, due_at=at, handed_at=at, **fields)
    Campaign.objects.filter(pk=one.campaign_id).update(name=f"Picks {one.pk}")
    one.campaign.versions.all().update(is_live=False)
    return one


def test_messages_stand_with_what_became_of_them(ann: Address, admin: Client, now: datetime) -> None:
    clicked = sent(ann, now - 30 * HOUR)
    MessageEvent.objects.create(message=clicked, kind=MessageEventKind.CLICKED, at=now, told_as=SETTLED_CLICK)
    MessageEvent.objects.create(message=clicked, kind=MessageEventKind.UNSUBSCRIBED, at=now)
    scanned = sent(ann, now - 60 * HOUR)
    MessageEvent.objects.create(message=scanned, kind=MessageEventKind.MACHINE_CLICKED, at=now)
    sent(ann, now - 90 * HOUR, state=MessageState.WITHDRAWN, reason="done_already")
    sent(ann, now - 95 * HOUR, state=MessageState.HELD)
    lines = messages_of([ann.contact_id], now=now).lines
    assert [(line.words, bool(line.clicked), bool(line.left), line.machine) for line in lines] == [
        ("Sent", True, True, False), ("Sent", False, False, True),
        ("Withdrawn: Bought or seen already", False, False, False),
        ("Held out: it would have been sent", False, False, False),
    ]  # fmt: skip
    MessageEvent.objects.create(message=clicked, kind=MessageEventKind.RESUBSCRIBED, at=now + HOUR)
    assert messages_of([ann.contact_id], now=now).lines[0].left is None
    text = page(admin, ann.contact_id)
    assert "0 of 1 mail in 24 hours · 2 of 3 mails this week ; the next message may come at once." in text
    weeks = timeline([ann.contact_id])
    assert sorted({week.words for week in weeks.weeks}) == ["Message held out", "Message sent", "Message withdrawn"]
    assert (weeks.events, weeks.last) == (0, None)


def test_the_next_one_may_come_when_every_window_has_room(ann: Address, now: datetime) -> None:
    sent(ann, now - 2 * HOUR)
    told = messages_of([ann.contact_id], now=now)
    assert told.used == ["1 of 1 mail in 24 hours", "1 of 3 mails this week"]
    expected = timezone.localtime(now + 22 * HOUR)
    assert told.next_words == f"{expected:%A %H:%M}"
    Contact.objects.update(most_a_week=1)
    assert messages_of([ann.contact_id], now=now).used[-1] == "1 of 1 message this week"
    assert str(timezone.localtime(now + 166 * HOUR).year) in messages_of([ann.contact_id], now=now).next_words


def test_what_a_visitor_got_counts_for_the_customer(ann: Address, admin: Client, now: datetime) -> None:
    visitor = contact("visitor")
    CustomerAlias.objects.create(anonymous_id=visitor.contact_id, customer_id=ann.contact_id, source="sign in")
    sent(visitor, now - HOUR)
    assert "1 of 1 mail in 24 hours" in page(admin, ann.contact_id)
    address = f"/customers/{customer_code(visitor.contact_id)}/messages/"
    assert admin.get(address)["Location"] == f"/customers/{customer_code(ann.contact_id)}/messages/"
    assert admin.get("/customers/C-99999/messages/").status_code == 404


def test_why_nothing_came_is_said_with_the_campaign(ann: Address, admin: Client, now: datetime) -> None:
    assert "Nothing was sent this week: no campaign had them in view." in page(admin, ann.contact_id)
    occurrence = campaign(CampaignKind.RECURRING, weekdays=(1, 2, 3, 4, 5, 6, 7))
    values = {"occurrence": occurrence, "customer_id": ann.contact_id, "key": "1", "would_send": False}
    winner = Campaign.objects.create(slug="w", name="Winner", kind=CampaignKind.ONCE, purpose="news")
    considered = Considered.objects.create(
        **values, verdict=Verdict.OUTRANKED, lost_to=winner, wanted_at=now - HOUR, decided_at=now - HOUR
    )
    text = page(admin, ann.contact_id)
    assert "Why nothing was sent this week Picks &lt;1&gt; : “Winner” had the better message" in text
    assert "Next: Picks &lt;1&gt; is looked at again every hour, until" in text
    Considered.objects.filter(pk=considered.pk).update(verdict=Verdict.TOO_LITTLE, lost_to=None)
    text = page(admin, ann.contact_id)
    assert "Nothing good to say" in text
    assert re.search(r"Next: Picks &lt;1&gt; comes \w+day 09:00", text)
    Considered.objects.filter(pk=considered.pk).update(decided_at=now - timedelta(days=8))
    assert "Nothing good to say" not in page(admin, ann.contact_id)


def test_what_waits_comes_next(ann: Address, admin: Client, now: datetime) -> None:
    waiting = sent(ann, now + 2 * HOUR, state=MessageState.DUE)
    Message.objects.filter(pk=waiting.pk).update(handed_at=None)
    told = messages_of([ann.contact_id], now=now)
    assert told.coming == waiting.campaign
    assert f"Next: Picks {waiting.pk} waits for its hour:" in page(admin, ann.contact_id)


def test_where_nothing_may_be_sent_that_is_said_with_why_and_no_campaign_comes(
    ann: Address, admin: Client, now: datetime
) -> None:
    campaign(CampaignKind.RECURRING, weekdays=(1, 2, 3, 4, 5, 6, 7))
    assert "Next: Picks" in page(admin, ann.contact_id)

    def shut() -> str:
        text = page(admin, ann.contact_id)
        assert "Next:" not in text
        assert "at once" not in text
        return text

    Permission.objects.filter(purpose="for_you").update(state="withdrawn")
    text = page(admin, ann.contact_id)
    assert "the next message may come at once." in text  # of another purpose, and this campaign's is none
    assert "Next:" not in text
    Customer.objects.update(personalise=False)
    Permission.objects.filter(purpose="news").update(state="withdrawn")
    assert "Nothing may be sent: they object to personalisation, and have not said yes to news and offers." in shut()
    Permission.objects.update(state="withdrawn")
    assert "Nothing may be sent: they have said yes to nothing, or taken it back." in shut()
    silence.silence(Channel.EMAIL, bytes(ann.digest), reason=SuppressionReason.STAFF, now=now)
    assert "Nothing may be sent: their address is blocked." in shut()
    Address.objects.update(state="gone")
    assert "Nothing may be sent: no address of theirs is in use." in shut()
