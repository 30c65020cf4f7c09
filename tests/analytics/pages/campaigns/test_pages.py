"""The list of campaigns, the page of one, and what is done with it; the numbers add up."""

import json
import re
import shlex
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from analytics.queries.campaigns.view import trigger_call
from recommendations.models import (
    Audience,
    AuditEntry,
    Campaign,
    CampaignVersion,
    Item,
    Message,
    MessageEvent,
    Occurrence,
    Staff,
)
from recommendations.push_terms import CampaignKind, MessageState, OccurrenceState, Purpose, Trigger
from recommendations.services.campaigns import lifecycle
from recommendations.terms import Role
from tests.analytics import records
from tests.analytics.pages.campaigns.forms import begun, page
from tests.architecture.source import ROOT
from tests.push_records import contact

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": 1}
    settings.PUSH_FROM, settings.POSTAL_ADDRESS = "a@shop.example", "1 Market Square"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def go_live(campaign: Campaign, **fields: Any) -> CampaignVersion:
    values = {"number": 1, "frozen": campaign.draft, "note": "as agreed", "starts_at": timezone.now()}
    return CampaignVersion.objects.create(campaign=campaign, **values | fields)


def sending(version: CampaignVersion, *, key: str = "1", **fields: Any) -> Occurrence:
    values = {"due_at": timezone.now(), "state": OccurrenceState.DECIDED}
    return Occurrence.objects.create(campaign=version.campaign, version=version, key=key, **values | fields)


def message(of: Occurrence, name: str, state: MessageState = MessageState.TAKEN, **fields: Any) -> Message:
    address = contact(name)
    values = {"settled_at": timezone.now(), "due_at": of.due_at, "expires_at": of.due_at + timedelta(days=3)}
    return Message.objects.create(
        campaign=of.campaign, version=of.version, occurrence=of, customer_id=address.contact_id, key=of.key,
        channel="email", state=state, **values | fields,
    )  # fmt: skip


def event(of: Message, kind: str, **fields: Any) -> None:
    MessageEvent.objects.create(message=of, kind=kind, **{"at": timezone.now()} | fields)


class TestList:
    def test_nothing_yet_says_what_to_start_with(self, admin: Client, client_of: Callable[[Role], Client]) -> None:
        assert "/campaigns/new/?start=cart_left" in page(admin, "/campaigns/")
        assert "/campaigns/new/" not in page(client_of(Role.VIEWER), "/campaigns/")

    def test_what_came_of_the_week_adds_up(self, admin: Client, now: datetime) -> None:
        weekly = sending(go_live(begun()))
        cart = sending(go_live(begun(CampaignKind.TRIGGERED, Trigger.CART_LEFT)))
        messages = [message(weekly, f"u{number}") for number in range(3)] + [message(cart, "v")]
        message(weekly, "old", settled_at=now - timedelta(days=8))
        message(weekly, "due", MessageState.DUE)
        event(messages[0], "clicked", place=0)
        event(messages[0], "clicked", place=1)  # the same person
        event(messages[1], "machine_clicked")
        event(messages[1], "unsubscribed", at=now - timedelta(hours=2))
        event(messages[2], "unsubscribed", at=now - timedelta(hours=2))
        event(messages[2], "resubscribed", at=now - timedelta(hours=1))
        text = page(admin, "/campaigns/")
        assert "2 live · 4 messages in the last seven days, 25.0% unsubscribed" in text
        row = text.split("For you this week</a>")[1].split("</tr>")[0]
        assert 'data-label="Sent, 7 days">3<' in row
        assert 'data-label="People who clicked">1<' in row
        assert 'data-label="Unsubscribed">1<' in row

    def test_rows_say_what_a_campaign_is_for_whom_and_when_it_comes(self, admin: Client) -> None:
        tea = Audience.objects.create(name="Tea drinkers", conditions={"all": [], "none": []})
        weekly = begun()
        weekly.draft["who"] = {"any_of": [], "none_of": [tea.pk]}
        weekly.save()
        go_live(weekly)
        later = begun(CampaignKind.ONCE)
        go_live(later, starts_at=datetime.fromisoformat("2031-05-06T10:00Z"))
        text = page(admin, "/campaigns/")
        assert "Everybody, but not Tea drinkers" in text
        assert "Every Thursday, at 5 p.m. by the customer's clock" in text
        assert "next: May 6, 2031" in text
        assert "Scheduled" in text

    def test_it_is_filtered_by_status_and_the_archive_stands_behind_a_switch(self, admin: Client) -> None:
        go_live(begun())
        draft = begun(CampaignKind.ONCE, name="A draft")
        Campaign.objects.filter(pk=begun(CampaignKind.ONCE, name="Long gone").pk).update(archived_at=timezone.now())
        everything = page(admin, "/campaigns/")
        assert "A draft" in everything
        assert "Long gone" not in everything
        assert "1 archived campaign" in everything
        live = page(admin, "/campaigns/?status=live")
        assert "For you this week" in live
        assert draft.name not in live
        archive = page(admin, "/campaigns/?archived=yes")
        assert "Long gone" in archive
        assert "A draft" not in archive
        assert "A draft" in page(admin, "/campaigns/?status=nonsense")

    def test_alerts_say_what_somebody_has_to_look_at(self, admin: Client, settings: LazySettings) -> None:
        settings.POSTAL_ADDRESS = ""
        stopped = begun(CampaignKind.TRIGGERED, Trigger.CART_LEFT)
        go_live(stopped)
        Campaign.objects.filter(pk=stopped.pk).update(paused_at=timezone.now(), pause_reason="too many complaints")
        braked = sending(go_live(begun()), state=OccurrenceState.WAITING)
        text = page(admin, "/campaigns/")
        assert "<code>POSTAL_ADDRESS</code>" in text
        assert "too many complaints" in text
        assert "A sending of “For you this week” waits for somebody." in text
        assert f"/campaigns/{braked.campaign_id}/sendings/{braked.pk}/" in text

    def test_a_frozen_form_that_cannot_be_read_does_not_hide_the_others(self, admin: Client) -> None:
        go_live(begun(), frozen={"when": {"weekdays": "x"}})
        begun(CampaignKind.ONCE, name="Another")
        text = page(admin, "/campaigns/")
        assert "Not finished" in text
        assert "Another" in text

    def test_it_is_found_by_its_name(self, admin: Client) -> None:
        campaign = begun(name="Autumn harvest")
        for address in (
            "/search/?q=harvest",
            "/search/palette/?q=harvest",
            f"/search/palette/?recent=campaign:{campaign.pk}",
        ):
            assert f"/campaigns/{campaign.pk}/" in page(admin, address), address


class TestPage:
    def test_what_was_never_approved_is_its_editor_for_those_who_may_write(
        self, admin: Client, client_of: Callable[[Role], Client]
    ) -> None:
        campaign = begun()
        assert admin.get(f"/campaigns/{campaign.pk}/")["Location"] == f"/campaigns/{campaign.pk}/edit/"
        viewer = client_of(Role.VIEWER)
        assert "never approved" in page(viewer, f"/campaigns/{campaign.pk}/")
        assert viewer.get(f"/campaigns/{campaign.pk}/edit/").status_code == 403
        assert admin.get("/campaigns/999/").status_code == 404

    def test_it_says_what_runs_and_what_was_sent(self, admin: Client) -> None:
        campaign = begun()
        version = go_live(campaign)
        one = sending(version, counts={"now": 3, "later": 2, "no_consent": 7, "held_out": 1})
        sending(version, key="plan", state=OccurrenceState.PLANNED)
        for number in range(2):
            message(one, f"u{number}")
        message(one, "waits", MessageState.DUE)
        text = page(admin, f"/campaigns/{campaign.pk}/")
        assert "as agreed" in text
        assert text.count("Still to leave") == 2  # the head, and one sending: a plan is none
        cells = {
            name: text.split(f'data-label="{name}">')[1].split("<")[0]
            for name in ("In view", "To be sent", "Sent", "Still to leave")
        }
        assert cells == {"In view": "13", "To be sent": "5", "Sent": "2", "Still to leave": "1"}
        assert "The draft was changed" not in text

    def test_the_sums_of_a_sending_add_up_and_it_is_over_when_nothing_waits(self, admin: Client) -> None:
        counts = {"now": 4, "later": 3, "capped": 1, "no_address": 2, "erased_taken": 1, "erased_messages": 1}
        campaign = begun(CampaignKind.ONCE)
        one = sending(go_live(campaign), counts=counts)
        for number, state in enumerate(("taken", "taken", "due", "handing", "expired", "unknown")):
            message(one, f"u{number}", MessageState(state))
        address = f"/campaigns/{campaign.pk}/"

        def row() -> list[str]:
            table = page(admin, address).split('id="sendings-title"')[1].split("</table>")[0]
            return re.findall(r'<td[^>]*data-label="[^"]+">([^<]*)</td>', table)

        assert row() == ["Going out", "10", "7", "3", "2", "2"]  # 7 = 3 sent + 2 to leave + 2 that came to nothing
        Message.objects.filter(state__in=["due", "handing"]).update(state=MessageState.TAKEN)
        assert row() == ["Going out", "10", "7", "5", "0", "2"]  # who has had enough may still get it
        Occurrence.objects.update(due_at=timezone.now() - timedelta(days=30))
        assert row()[0] == "Finished"
        Occurrence.objects.update(due_at=timezone.now(), counts=counts | {"capped": 0})
        assert row()[0] == "Finished"
        assert "Going out" not in page(admin, f"{address}sendings/{one.pk}/")
        Occurrence.objects.update(counts=counts)
        Campaign.objects.update(ended_at=timezone.now())
        assert row()[0] == "Finished"

    def test_it_has_its_short_name_and_the_call_of_the_shop_to_copy(
        self, admin: Client, settings: LazySettings
    ) -> None:
        settings.PUBLIC_URL = "https://recsite.shop.example"
        weekly = begun()
        go_live(weekly)
        text = page(admin, f"/campaigns/{weekly.pk}/")
        assert f'id="short-name" readonly value="{weekly.slug}"' in text
        assert 'data-copies="short-name"' in text
        assert "trigger-call" not in text
        called = begun(CampaignKind.TRIGGERED, Trigger.SHOP)
        draft = page(admin, f"/campaigns/{called.pk}/edit/")
        go_live(called)
        for shown in (draft, page(admin, f"/campaigns/{called.pk}/")):
            assert f'curl -X POST "https://recsite.shop.example/api/v1/campaigns/{called.slug}/trigger/"' in shown
            assert 'data-copies="trigger-call"' in shown
        docs = (ROOT / "docs/push.md").read_text(encoding="utf-8")
        settings.PUBLIC_URL = "$RECSITE"
        assert trigger_call(called).replace(called.slug, "appointment") in docs
        records.item("gone")
        Item.objects.update(retired_at=timezone.now())
        records.item("Bob's tea")
        line = trigger_call(called).replace("\\\n", "")
        assert json.loads(shlex.split(line)[-1])["item_ids"] == ["Bob's tea"]

    def test_a_version_names_everybody_who_wrote_it(self, admin: Client) -> None:
        campaign = begun()
        staff = [Staff.objects.create(email=f"{name}@shop.example", name=name) for name in ("Ann", "Bo", "Cy")]

        def change(by: Staff, holdout: float) -> None:
            campaign.refresh_from_db()
            mine = campaign.draft | {"safety": {"holdout": holdout}}
            lifecycle.save_draft(
                campaign=campaign, name=campaign.name, draft=mine, revision=campaign.revision, by=by,
                now=timezone.now(),
            )  # fmt: skip

        for number, writers in enumerate((staff[:2], staff[2:])):
            for place, each in enumerate(writers):
                change(each, 0.1 + number / 10 + place / 100)
            campaign.refresh_from_db()
            lifecycle.approve(
                campaign=campaign, revision=campaign.revision, expected={}, note="x", by=None, now=timezone.now()
            )
        cells = re.findall(r'data-label="Written by">([^<]*)<', page(admin, f"/campaigns/{campaign.pk}/"))
        assert cells == ["Cy", "Ann and Bo"]

    def test_a_draft_that_differs_is_said_with_what_differs(self, admin: Client) -> None:
        campaign = begun()
        go_live(campaign)
        campaign.draft["what"]["texts"]["en"]["heading"] = "Other"
        campaign.draft["safety"]["holdout"] = 0.1
        campaign.save()
        text = page(admin, f"/campaigns/{campaign.pk}/")
        assert "what runs is v1" in text
        assert "Heading (English), Held out" in text

    def test_what_is_as_it_was_is_not_said_to_differ(self, admin: Client) -> None:
        campaign = begun()
        go_live(campaign)
        campaign.draft["when"]["clock"] = "customer"  # said, and not only meant
        campaign.save()
        assert "The draft was changed" not in page(admin, f"/campaigns/{campaign.pk}/")


class TestSteps:
    def test_pause_with_a_reason_and_undo(self, admin: Client) -> None:
        campaign = begun()
        go_live(campaign)
        assert "Pause “For you this week”?" in page(admin, f"/campaigns/{campaign.pk}/?open=pause")
        admin.post(f"/campaigns/{campaign.pk}/pause/", {"reason": "the shop is closed"})
        text = page(admin, f"/campaigns/{campaign.pk}/")
        assert "the shop is closed" in text
        token = text.split('name="token" value="')[1].split('"')[0]
        admin.post("/undo/", {"token": token})
        campaign.refresh_from_db()
        assert campaign.paused_at is None
        admin.post(f"/campaigns/{campaign.pk}/pause/")
        admin.post(f"/campaigns/{campaign.pk}/resume/")
        campaign.refresh_from_db()
        assert campaign.paused_at is None

    def test_a_second_pause_says_who_paused_it_and_keeps_the_first_reason(
        self, admin: Client, client_of: Callable[[Role], Client]
    ) -> None:
        campaign = begun()
        go_live(campaign)
        client_of(Role.PUBLISHER).post(f"/campaigns/{campaign.pk}/pause/", {"reason": "the shop is closed"})
        answer = admin.post(f"/campaigns/{campaign.pk}/pause/", {"reason": "too many complaints"}, follow=True)
        text = unescape(answer.content.decode())
        assert "was paused already, by The publisher: nothing was changed" in text
        assert "the shop is closed" in text
        assert "too many complaints" not in text
        assert "is paused: nothing of it leaves until it goes on" not in text
        assert AuditEntry.objects.filter(verb="pause").count() == 1

    def test_the_end_has_its_reason_in_the_history(self, admin: Client) -> None:
        campaign = begun()
        go_live(campaign)
        assert 'name="reason"' in page(admin, f"/campaigns/{campaign.pk}/?open=end")
        admin.post(f"/campaigns/{campaign.pk}/end/", {"reason": "spring is over"})
        assert AuditEntry.objects.get(verb="end").note == "spring is over"
        assert "spring is over" in page(admin, f"/activity/?type=campaign&id={campaign.pk}")

    def test_the_end_says_how_many_wait_and_withdraws_them(self, admin: Client) -> None:
        campaign = begun()
        one = sending(go_live(campaign))
        message(one, "u1", MessageState.DUE)
        message(one, "u2", MessageState.LEASED)
        message(one, "u3")
        assert "2 messages have not left yet and are withdrawn." in page(admin, f"/campaigns/{campaign.pk}/?open=end")
        admin.post(f"/campaigns/{campaign.pk}/end/")
        assert "2 messages that waited were withdrawn" in page(admin, f"/campaigns/{campaign.pk}/")
        assert Message.objects.filter(state=MessageState.WITHDRAWN).count() == 2
        for step in ("pause", "resume", "end"):
            admin.post(f"/campaigns/{campaign.pk}/{step}/")
            assert "nothing was changed" in page(admin, f"/campaigns/{campaign.pk}/"), step

    def test_a_dialog_is_only_for_those_who_may_and_while_it_can_be_done(
        self, client_of: Callable[[Role], Client]
    ) -> None:
        campaign = begun()
        go_live(campaign)
        merchandiser = client_of(Role.MERCHANDISER)
        for step in ("pause", "end", "nonsense"):
            assert "<dialog class" not in page(merchandiser, f"/campaigns/{campaign.pk}/?open={step}")

    def test_a_copy_is_a_draft_to_edit(self, admin: Client) -> None:
        campaign = begun()
        go_live(campaign)
        answer = admin.post(f"/campaigns/{campaign.pk}/copy/")
        copied = Campaign.objects.get(name="Copy of For you this week")
        assert answer["Location"] == f"/campaigns/{copied.pk}/edit/"

    def test_what_runs_is_not_archived_and_what_does_not_comes_back(self, admin: Client) -> None:
        running, draft = begun(), begun(CampaignKind.ONCE)
        go_live(running)
        admin.post(f"/campaigns/{running.pk}/archive/")
        assert "end it first" in page(admin, f"/campaigns/{running.pk}/")
        admin.post(f"/campaigns/{draft.pk}/archive/")
        text = page(admin, "/campaigns/")
        assert "“Picked for you” is archived." in text
        token = text.split('name="token" value="')[1].split('"')[0]
        admin.post("/undo/", {"token": token})
        draft.refresh_from_db()
        assert draft.archived_at is None
        admin.post(f"/campaigns/{draft.pk}/archive/")
        admin.post(f"/campaigns/{draft.pk}/archive/", {"to": "back"})
        draft.refresh_from_db()
        assert draft.archived_at is None

    @pytest.mark.parametrize("step", ["pause", "resume", "end", "copy", "archive", "test"])
    def test_nothing_is_done_by_looking_nor_to_what_is_not_there(self, admin: Client, step: str) -> None:
        campaign = begun()
        assert admin.get(f"/campaigns/{campaign.pk}/{step}/").status_code == 405
        assert admin.post(f"/campaigns/999/{step}/").status_code == 404

    def test_activity_tells_of_it(self, admin: Client) -> None:
        campaign = begun()
        admin.post(f"/campaigns/{campaign.pk}/copy/")
        text = page(admin, "/activity/?type=campaign")
        assert "Campaign" in text
        assert f"/campaigns/{campaign.pk}/" in text
        assert Purpose.FOR_YOU not in text


def test_a_campaign_can_be_begun_for_an_audience(client_of: Callable[[Role], Client]) -> None:
    client, tea = client_of(Role.MERCHANDISER), Audience.objects.create(name="Tea", conditions={})
    cards = client.get("/campaigns/new/", {"audience": tea.pk}).content.decode()
    assert "For “Tea”." in cards
    assert f"?audience={tea.pk}&amp;start=once" in cards
    form = client.get("/campaigns/new/", {"audience": tea.pk, "start": "once"}).content.decode()
    assert f'name="audience" value="{tea.pk}"' in form
    client.post("/campaigns/new/", {"start": "once", "name": "For tea", "audience": tea.pk})
    made = Campaign.objects.get(name="For tea")
    assert (made.draft["who"], list(made.audiences.all())) == ({"any_of": [tea.pk]}, [tea])
    client.post("/campaigns/new/", {"start": "once", "name": "For all", "audience": "99999999999999999999"})
    assert Campaign.objects.get(name="For all").draft["who"] == {}


def test_a_campaign_of_news_begins_with_words_and_lists_of_its_own(client_of: Callable[[Role], Client]) -> None:
    client = client_of(Role.MERCHANDISER)
    client.post("/campaigns/new/", {"start": "once", "name": "Picked for you", "purpose": "news"})
    client.post("/campaigns/new/", {"start": "once", "name": "Spring", "purpose": "news"})
    client.post("/campaigns/new/", {"start": "once", "name": "Picked for you", "purpose": "for_you"})
    untouched, own, usual = Campaign.objects.order_by("pk")
    assert [untouched.name, own.name, usual.name] == ["News and offers", "Spring", "Picked for you"]
    assert untouched.draft == own.draft != usual.draft
    assert own.draft["what"]["texts"]["en"]["subjects"] == ["News from {shop}"]
