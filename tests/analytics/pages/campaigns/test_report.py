"""The report of a campaign: one sentence, a funnel that adds up, honest words beside it, and sending again."""

import re
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from analytics.queries.campaigns.funnel import FunnelStep
from analytics.queries.campaigns.report import report_of
from analytics.templatetags.display import day, one_stop
from recommendations.models import Campaign, CampaignVersion, Contact, Message, MessageEvent, Occurrence
from recommendations.push_terms import SETTLED_CLICK, CampaignKind, MessageEventKind, MessageState, Purpose
from recommendations.services.campaigns.form import as_json, frozen_of
from recommendations.services.contacts.reading import erase_contact
from recommendations.terms import Role
from tests.push_records import contact
from tests.services.campaigns.test_form import draft
from tests.store.push.test_people import message

pytestmark = pytest.mark.django_db


def campaign(kind: CampaignKind = CampaignKind.ONCE, *, weekdays: tuple[int, ...] = (), **version: Any) -> Occurrence:
    form = frozen_of(draft(), recurring=False, triggered=False)
    if weekdays:
        form.when.weekdays, form.when.hour = list(weekdays), time(9)
    made = Campaign.objects.create(slug="picks", name="Picks <1>", kind=kind, purpose=Purpose.FOR_YOU)
    starts = timezone.now() - timedelta(days=30)
    values = {"number": 1, "frozen": as_json(form), "starts_at": starts, **version}
    live = CampaignVersion.objects.create(campaign=made, **values)
    return Occurrence.objects.create(
        campaign=made, version=live, key="1", due_at=starts, state="finished",
        counts={"now": 4, "later": 1, "no_address": 3, "held_out": 2, "would_send": 1},
    )  # fmt: skip


@pytest.fixture
def sent() -> Campaign:
    """Three mails taken, of which one was clicked; one withdrawn, one of which nothing is known, one held out."""
    occurrence = campaign()
    own = {"campaign": occurrence.campaign, "version": occurrence.version, "occurrence": occurrence}
    at = timezone.now() - timedelta(days=2)
    addresses = [contact(name) for name in "abcdef"]
    states = [MessageState.TAKEN] * 3 + [MessageState.WITHDRAWN, MessageState.UNKNOWN, MessageState.HELD]
    every = [
        message(
            address, **own, state=state, due_at=at, handed_at=None if state in {"withdrawn", "held"} else at,
            settled_at=at, reason="done_already" if state == "withdrawn" else "",
        )
        for address, state in zip(addresses, states, strict=True)
    ]  # fmt: skip
    MessageEvent.objects.create(message=every[0], kind=MessageEventKind.CLICKED, at=at, told_as=SETTLED_CLICK)
    MessageEvent.objects.create(message=every[1], kind=MessageEventKind.MACHINE_CLICKED, at=at)
    MessageEvent.objects.create(message=every[1], kind=MessageEventKind.UNSUBSCRIBED, at=at)
    return occurrence.campaign


def page(client: Client, campaign: Campaign) -> str:
    html = client.get(f"/campaigns/{campaign.pk}/report/", headers={"HX-Request": "true"}).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_sentence_comes_first_and_machines_are_apart(admin: Client, sent: Campaign) -> None:
    text = page(admin, sent)
    assert text.startswith("3 messages sent, 1 person clicked (33.3%), 1 unsubscribed; 0 bought something shown within")
    assert "within 72 h of a click: $0.00." in text
    assert "1 link was opened by a machine and counts nowhere." in text
    assert "after the message, not because of it" in text
    assert "No figure yet: nobody's 7 days are over." in text


def test_the_funnel_adds_up(sent: Campaign) -> None:
    steps = report_of(sent, now=timezone.now()).funnel
    assert [(step.words, step.count) for step in steps if not step.minus and not step.beside] == [
        ("Considered", 10), ("Planned", 5), ("Taken by the provider", 3), ("Clicked by a person", 1),
    ]  # fmt: skip
    assert ("Withdrawn: Bought or seen already", 1) in [(step.words, step.count) for step in steps if step.minus]
    assert adds_up(steps)


def adds_up(steps: list[FunnelStep] | Any) -> bool:
    """Whether every step is the one before it without what was taken away between."""
    left = None
    for step in steps:
        if step.beside:
            continue
        if step.minus:
            left -= step.count
        elif left is not None and left != step.count:
            return False
        else:
            left = step.count
    return True


def test_who_is_erased_stays_in_the_number_of_mails_and_nothing_untrue_is_said(admin: Client, sent: Campaign) -> None:
    clicked = Message.objects.order_by("pk")[0]
    erase_contact(Contact.objects.get(pk=clicked.contact), now=timezone.now())
    text = page(admin, sent)
    assert text.startswith("3 messages sent, 0 people clicked (0.0%), 1 unsubscribed;")
    assert "1 of the messages went to somebody whose contact has been erased since: it counts as sent" in text
    assert "Held up or cancelled" not in text
    steps = report_of(sent, now=timezone.now()).funnel
    assert [(step.words, step.count) for step in steps if not step.minus and not step.beside] == [
        ("Considered", 10), ("Planned", 5), ("Taken by the provider", 3), ("Clicked by a person", 0),
    ]  # fmt: skip
    assert adds_up(steps)
    erase_contact(Contact.objects.get(pk=Message.objects.get(state=MessageState.WITHDRAWN).contact), now=timezone.now())
    assert adds_up(report_of(sent, now=timezone.now()).funnel)


def test_it_adds_up_where_the_brake_held_a_sending_up(sent: Campaign) -> None:
    Occurrence.objects.create(
        campaign=sent, key="2", due_at=timezone.now(), state="waiting", counts={"now": 70, "no_consent": 5}
    )
    steps = report_of(sent, now=timezone.now()).funnel
    assert (steps[0].count, adds_up(steps)) == (85, True)
    assert ("Held up or cancelled before it was put on its way", 70) in [(step.words, step.count) for step in steps]


def test_what_nobody_knows_of_is_sent_again_by_a_publisher_with_a_note(
    client_of: Callable[[Role], Client], sent: Campaign
) -> None:
    publisher, viewer = client_of(Role.PUBLISHER), client_of(Role.VIEWER)
    assert "1 message: whether it arrived is not known. Send again? One person may get two." in page(publisher, sent)
    assert "Send again?" not in page(viewer, sent)
    address = f"/campaigns/{sent.pk}/again/"
    assert viewer.post(address, {"note": "x"}).status_code == 403
    assert publisher.post(address, {"note": " "}).status_code == 302
    assert Message.objects.filter(state=MessageState.UNKNOWN).count() == 1
    publisher.post(address, {"note": "the server was away"})
    assert Message.objects.filter(state=MessageState.DUE).count() == 1
    assert publisher.post("/campaigns/999999/again/", {"note": "x"}).status_code == 404


def test_before_the_first_sending_it_says_when_that_is(admin: Client) -> None:
    own = campaign(CampaignKind.RECURRING, weekdays=(1, 2, 3, 4, 5, 6, 7)).campaign
    live = own.versions.get()
    expected = timezone.localtime() + timedelta(hours=1)
    live.starts_at, live.frozen["when"]["hour"] = timezone.now() - timedelta(minutes=3), f"{expected:%H:%M:%S}"
    live.save()
    assert f"The first sending is {expected:%A %H:%M} (" in page(admin, own)
    for address in (f"/campaigns/{own.pk}/", "/campaigns/"):  # the same day, though its decision was due already
        assert f"next: {day(expected)}" in " ".join(admin.get(address).content.decode().split())
    live.starts_at, live.frozen["when"]["hour"] = timezone.now() - timedelta(days=30), "09:00:00"
    live.save()
    assert re.search(r"Nothing was sent yet The first sending is \w+day 09:00 \(", page(admin, own))
    own.paused_at = timezone.now()
    own.save()
    assert page(admin, own).endswith("It is paused.")
    CampaignVersion.objects.all().delete()
    assert "It is not approved" in page(admin, own)


def test_it_is_a_page_of_its_own_and_unknown_campaigns_are_none(admin: Client, sent: Campaign) -> None:
    html = admin.get(f"/campaigns/{sent.pk}/report/").content.decode()
    assert "<html" in html
    assert "Picks &lt;1&gt;" in html
    assert admin.get("/campaigns/999999/report/").status_code == 404


def test_a_sentence_ends_in_one_full_stop() -> None:
    assert one_stop("They get it later: Nov. 29, 2026, 4:31 a.m..") == "They get it later: Nov. 29, 2026, 4:31 a.m."
    assert one_stop("It waits.") == "It waits."
