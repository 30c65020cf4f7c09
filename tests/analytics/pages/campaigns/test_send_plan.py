"""The page of a plan, and the approval that stands on it: what is missing, stale or not theirs is said."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.http import QueryDict
from django.test import Client

from analytics.queries.campaigns import plans as plan_query
from recommendations.models import (
    Agent,
    Campaign,
    CampaignVersion,
    Considered,
    Occurrence,
    PressureRules,
    SendPlan,
    Staff,
)
from recommendations.push_terms import AgentStatus, CampaignKind, Verdict
from recommendations.services.agents.supervision import let_go
from recommendations.services.campaigns import lifecycle
from recommendations.services.push import sendings
from recommendations.services.push.plans import make_plan
from recommendations.terms import Role, RunStatus
from tests.analytics.pages.campaigns.sent_to_forty import (
    _installed,
    campaign,
    merchandiser,
    now,
    publisher,
    rows_of,
    rules,
    sent,
)
from tests.analytics.pages.weights.forms import flat, text
from tests.services.campaigns.test_form import draft, what
from tests.services.push.test_plans import planned, written

__all__ = ["_installed", "campaign", "merchandiser", "now", "publisher", "rules"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]


def hidden_in(client: Client, address: str) -> dict[str, str]:
    """What the form of a page sends along unseen."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', client.get(address).content.decode())
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}


class TestPlan:
    def test_of_a_campaign_that_the_night_does_not_know_it_says_who_decides(
        self, merchandiser: Client, campaign: Campaign, now: datetime
    ) -> None:
        planned(campaign, now)
        words = "The agent knows this campaign from the night after its approval on."
        assert words not in text(merchandiser, f"/campaigns/{campaign.pk}/plan/")
        let_go(AgentStatus.WATCHES, note="to see", by=None, now=now)
        Agent.objects.update(status=AgentStatus.ACTS)
        assert words in text(merchandiser, f"/campaigns/{campaign.pk}/plan/")

    def test_from_no_plan_to_its_waterfall(self, merchandiser: Client, campaign: Campaign) -> None:
        address = f"/campaigns/{campaign.pk}/plan/"
        assert "No plan yet" in text(merchandiser, address)
        begun = merchandiser.post(address, {"when": "now"})
        assert (begun.status_code, begun["Location"]) == (302, address)
        page = text(merchandiser, address)
        assert "Waiting for a worker." in page
        assert f'hx-get="{address}"' in page
        assert "every 1s" in page
        make_plan(SendPlan.objects.get().pk)
        panel = flat(merchandiser.get(address, headers={"HX-Request": "true"}))
        assert "every 1s" not in panel
        audience, *lines = rows_of(panel)
        assert (audience, sum(lines), len(lines)) == (60, 60, len(Verdict))
        counts = Occurrence.objects.get().counts
        assert f"would have been sent: {counts['would_send']}" in panel
        assert f"Of 60 people {counts['now']} would get it at once and {counts['later']} later." in panel
        assert "20 of them because no address of theirs is in use." in panel
        assert f"quiet hours: {counts['later']}, first at" in panel
        assert flat(merchandiser.get(address)).count('id="waterfall"') == 1

    def test_it_is_cancelled(self, merchandiser: Client, campaign: Campaign) -> None:
        address = f"/campaigns/{campaign.pk}/plan/"
        merchandiser.post(address, {"when": "tomorrow"})
        answer = merchandiser.post(address, {"cancel": "yes"}, headers={"HX-Request": "true"})
        assert "The plan was cancelled." in flat(answer)
        assert SendPlan.objects.get().status == RunStatus.CANCELLED
        assert merchandiser.post(address, {"cancel": "yes"}).status_code == 302  # a second click

    @pytest.mark.parametrize(
        "sent", [{"when": "at", "at": "2031-01-01T10:00"}, {"when": "at", "at": "soon"}, {"when": "x"}]
    )
    def test_another_moment_is_refused_and_what_was_typed_stays(
        self, merchandiser: Client, campaign: Campaign, sent: dict[str, str]
    ) -> None:
        answer = merchandiser.post(f"/campaigns/{campaign.pk}/plan/", sent)
        assert answer.status_code == 422
        assert "Choose a moment of the next seven days." in flat(answer)
        assert f'value="{sent.get("at", "")}"' in flat(answer)
        assert not SendPlan.objects.exists()

    def test_an_unfinished_draft_names_what_it_lacks_and_where(self, merchandiser: Client, campaign: Campaign) -> None:
        Campaign.objects.update(draft=draft(what={}, when={"expires_hours": 1}))
        answer = merchandiser.post(f"/campaigns/{campaign.pk}/plan/", {"when": "now"})
        page = flat(answer)
        assert (answer.status_code, "The draft is not finished" in page) == (422, True)
        assert f'href="/campaigns/{campaign.pk}/edit/?step=what"' in page
        assert f'href="/campaigns/{campaign.pk}/edit/?step=when"' in page

    def test_a_plan_of_an_earlier_draft_says_so(self, merchandiser: Client, campaign: Campaign, now: datetime) -> None:
        planned(campaign, now)
        Campaign.objects.update(revision=4)
        page = text(merchandiser, f"/campaigns/{campaign.pk}/plan/")
        assert "This plan is of revision 1; the draft is at 4." in page
        assert rows_of(page)[0] == 60

    def test_what_failed_says_why(self, merchandiser: Client, campaign: Campaign, now: datetime) -> None:
        Campaign.objects.update(draft=draft(what=what(blocks=[{"placement": "cellar", "n": 4}])))
        merchandiser.post(f"/campaigns/{campaign.pk}/plan/", {"when": "now"})
        make_plan(SendPlan.objects.get().pk)
        assert "The placement “cellar” is gone" in text(merchandiser, f"/campaigns/{campaign.pk}/plan/")
        SendPlan.objects.update(message="")
        assert "Nothing is loaded yet" in text(merchandiser, f"/campaigns/{campaign.pk}/plan/")

    def test_what_came_once_is_not_planned_again_nor_asks_for_work(
        self, merchandiser: Client, publisher: Client, campaign: Campaign, now: datetime
    ) -> None:
        planned(campaign, now)
        sent(campaign, now)
        answer = merchandiser.post(f"/campaigns/{campaign.pk}/plan/", {"when": "now"})
        assert (answer.status_code, "It comes once, and it has come." in flat(answer)) == (422, True)
        Campaign.objects.update(revision=4)
        for client in (merchandiser, publisher):
            page = text(client, f"/campaigns/{campaign.pk}/plan/")
            assert rows_of(page)[0] == 60
            for work in ("the draft is at", "Ask for review", "Approve…"):
                assert work not in page, work
        for place in ("review", "approve"):
            assert "Nobody has seen yet" not in text(publisher, f"/campaigns/{campaign.pk}/{place}/")
        Campaign.objects.update(draft=draft(when={"expires_hours": 48}))
        assert "The draft was changed since" not in text(merchandiser, f"/campaigns/{campaign.pk}/")
        Campaign.objects.update(ended_at=now)
        assert "no more plans are made of it" in text(merchandiser, f"/campaigns/{campaign.pk}/plan/")

    def test_who_only_looks_may_not_make_one(self, client_of: Callable[[Role], Client], campaign: Campaign) -> None:
        viewer, address = client_of(Role.VIEWER), f"/campaigns/{campaign.pk}/plan/"
        assert "can make one" in text(viewer, address)
        assert viewer.post(address, {"when": "now"}).status_code == 403
        assert viewer.get("/campaigns/999/plan/").status_code == 404

    def test_moments_are_of_the_clock_of_the_shop(self) -> None:
        london = ZoneInfo("Europe/London")
        afternoon = datetime(2026, 7, 1, 15, tzinfo=london)
        choices = {each.code: each.at for each in plan_query.moment_choices(afternoon)}
        assert choices["tonight"] == datetime(2026, 7, 1, 20, tzinfo=london)
        assert choices["tomorrow"] == datetime(2026, 7, 2, 9, tzinfo=london)
        late = {each.code for each in plan_query.moment_choices(datetime(2026, 7, 1, 21, tzinfo=london))}
        assert late == {"now", "tomorrow", "at"}
        typed = plan_query.moment_in(QueryDict("when=at&at=2026-07-03T10:30"), now=afternoon)
        assert typed == datetime(2026, 7, 3, 10, 30, tzinfo=london)

    def test_what_comes_again_is_planned_for_its_next_day(self, merchandiser: Client, campaign: Campaign) -> None:
        london, address = ZoneInfo("Europe/London"), f"/campaigns/{campaign.pk}/plan/"
        monday = datetime(2026, 11, 30, 5, 40, tzinfo=london)
        weekly = Campaign(kind=CampaignKind.RECURRING, draft=draft(when={"weekdays": [1, 4], "hour": "05:05:00"}))
        [choice] = [each for each in plan_query.moment_choices(monday, weekly) if each.code == "next"]
        assert choice.at == datetime(2026, 12, 3, tzinfo=london)
        assert plan_query.moment_in(QueryDict("when=next"), now=monday, campaign=weekly) == choice.at
        assert plan_query.next_day(campaign, now=monday) is None
        Campaign.objects.update(kind=CampaignKind.RECURRING, draft=weekly.draft)
        assert "Its next day, " in text(merchandiser, address)
        merchandiser.post(address, {"when": "next"})
        make_plan(SendPlan.objects.get().pk)
        job = SendPlan.objects.select_related("occurrence").get()
        assert job.as_of.astimezone(london).isoweekday() in {1, 4}
        later = Considered.objects.filter(occurrence=job.occurrence, verdict=Verdict.LATER)
        assert job.as_of.astimezone(london).date() in {
            each.due_at.astimezone(london).date() for each in later if each.due_at
        }
        assert "As if it came at that moment" in text(merchandiser, address)


class TestApproval:
    def test_review_and_approval(self, client_of: Callable[[Role], Client], campaign: Campaign, now: datetime) -> None:
        merchandiser, publisher = client_of(Role.MERCHANDISER), client_of(Role.PUBLISHER)
        Campaign.objects.update(author=Staff.objects.get(email="merchandiser@example.com"))
        counts = planned(campaign, now).occurrence.counts  # type: ignore[union-attr]
        review, approve = f"/campaigns/{campaign.pk}/review/", f"/campaigns/{campaign.pk}/approve/"
        assert merchandiser.post(review, {"note": " "}).status_code == 422
        assert merchandiser.post(review, {"note": "For spring"})["Location"] == f"/campaigns/{campaign.pk}/"
        assert merchandiser.get(approve).status_code == 403
        page = text(publisher, approve)
        assert "For spring" in page
        assert f"{counts['now']} now, {counts['later']} later" in page
        assert publisher.post(approve, {"note": "", "revision": 1}).status_code == 422
        assert publisher.post(approve, {"note": "fine", "revision": 1})["Location"] == f"/campaigns/{campaign.pk}/"
        version = CampaignVersion.objects.get()
        assert (version.expected["now"], version.note) == (counts["now"], "fine")

    def test_without_a_plan_it_has_to_be_said(self, publisher: Client, campaign: Campaign) -> None:
        approve = f"/campaigns/{campaign.pk}/approve/"
        assert "Nobody has seen yet what this draft would do." in text(publisher, approve)
        refused = publisher.post(approve, {"note": "fine", "revision": 1})
        assert refused.status_code == 422
        assert "Make the plan first, or tick “Approve without a plan” and say in the note why." in flat(refused)
        assert ">fine</textarea>" in flat(refused)
        publisher.post(approve, {"note": "small audience", "revision": 1, "without_plan": "yes"})
        assert CampaignVersion.objects.get().expected == {}

    def test_a_second_click_approves_nothing_more_and_says_so(self, publisher: Client, campaign: Campaign) -> None:
        approve = f"/campaigns/{campaign.pk}/approve/"
        sent = {"note": "small audience", "revision": 1, "without_plan": "yes"}
        publisher.post(approve, sent)
        answer = publisher.post(approve, sent, follow=True)
        assert answer.redirect_chain == [(f"/campaigns/{campaign.pk}/", 302)]
        assert "is approved already: v1 is this very draft." in flat(answer)
        assert CampaignVersion.objects.count() == 1

    def test_a_stale_page_says_who_changed_it(self, publisher: Client, campaign: Campaign) -> None:
        Campaign.objects.update(revision=2, author=Staff.objects.create(email="ann@shop.example", name="Ann Lee"))
        answer = publisher.post(f"/campaigns/{campaign.pk}/approve/", {"note": "x", "revision": 1, "without_plan": "y"})
        assert (answer.status_code, "Ann Lee changed the draft" in flat(answer)) == (409, True)
        assert not CampaignVersion.objects.exists()

    def test_a_page_that_was_open_while_somebody_sent_the_draft_back_approves_nothing(
        self, publisher: Client, campaign: Campaign, now: datetime
    ) -> None:
        tom = Staff.objects.create(email="tom@shop.example", name="Tom")
        lifecycle.ask_for_review(campaign=campaign, note="For spring", by=None, now=now)
        approve = f"/campaigns/{campaign.pk}/approve/"
        open_page = hidden_in(publisher, approve)
        lifecycle.send_back(campaign=campaign, note="Not in May", by=tom)
        answer = publisher.post(approve, {**open_page, "note": "fine", "without_plan": "yes"})
        page = flat(answer)
        assert (answer.status_code, CampaignVersion.objects.count()) == (409, 0)
        assert "Tom sent it back meanwhile: “Not in May”" in page
        assert "Nothing was approved" in page
        assert "Tom sent the draft back, just now:</strong> Not in May" in text(publisher, approve)
        publisher.post(approve, {**hidden_in(publisher, approve), "note": "it is urgent", "without_plan": "yes"})
        assert CampaignVersion.objects.get().note == "it is urgent"  # who has read it may decide otherwise

    def test_nobody_approves_what_they_wrote(
        self, publisher: Client, campaign: Campaign, settings: LazySettings
    ) -> None:
        settings.FOUR_EYES = True
        Campaign.objects.update(author=Staff.objects.get(email="publisher@example.com"))
        approve = f"/campaigns/{campaign.pk}/approve/"
        assert "You wrote part of this draft, so somebody else has to approve it." in text(publisher, approve)
        answer = publisher.post(approve, {"note": "x", "revision": 1, "without_plan": "y"})
        assert (answer.status_code, CampaignVersion.objects.count()) == (422, 0)

    def test_what_is_missing_is_named(self, publisher: Client, campaign: Campaign, settings: LazySettings) -> None:
        settings.POSTAL_ADDRESS, settings.PUSH_FROM = "", ""
        answer = publisher.post(f"/campaigns/{campaign.pk}/approve/", {"note": "x", "revision": 1, "without_plan": "y"})
        page = flat(answer)
        assert answer.status_code == 422
        assert "<code>PUSH_FROM</code>, <code>POSTAL_ADDRESS</code>" in page
        settings.POSTAL_ADDRESS = "1 Market Square"
        Campaign.objects.update(draft={})
        assert "The draft is not finished" in text(publisher, f"/campaigns/{campaign.pk}/approve/")
        assert publisher.post(f"/campaigns/{campaign.pk}/review/", {"note": "x"}).status_code == 422


def test_plans_and_sendings_of_an_empty_shop_are_empty(merchandiser: Client, now: datetime, monkeypatch: Any) -> None:
    monkeypatch.setattr(sendings, "people_in", lambda **_groups: [])
    campaign = written("Nobody")
    planned(campaign, now)
    assert "Nobody is in view of it." in text(merchandiser, f"/campaigns/{campaign.pk}/plan/")
    assert PressureRules.objects.exists()
