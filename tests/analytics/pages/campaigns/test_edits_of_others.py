"""Edits of a campaign that somebody else changed meanwhile, that is over, or that waits for a review."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from recommendations.engine.push.schedule import ONCE
from recommendations.models import Campaign, Staff
from recommendations.push_terms import CampaignKind
from recommendations.services.campaigns import lifecycle
from recommendations.services.campaigns.lifecycle import form_of
from recommendations.terms import Role
from tests.analytics.pages.campaigns.forms import begun, page_of, save

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail_is_set")]


class TestStale:
    def test_a_stale_form_is_refused_with_the_differences_and_either_can_be_taken(
        self, admin: Client, client_of: Callable[[Role], Client]
    ) -> None:
        campaign = begun()
        other = client_of(Role.MERCHANDISER)
        save(other, campaign, en__heading="Theirs", holdout="10")
        answer = save(admin, campaign, en__heading="Mine", expires_hours="48")
        page = page_of(answer)
        assert answer.status_code == 409
        assert "The merchandiser saved it" in page
        rows = re.findall(r'<th scope="row">([^<]*)</th><td>([^<]*)</td><td>(?:<em>)?([^<]*)', page)
        assert rows == [
            ("Heading (English)", "Theirs", "Mine"),
            ("Held out", "10%", "taken along: you did not change it"),
        ]  # fmt: skip
        assert 'id="holdout" name="holdout" value="10"' in page
        assert 'value="Mine"' in page
        assert 'name="revision" value="1"' in page
        assert 'name="over" value="2"' in page
        campaign.refresh_from_db()
        assert campaign.draft["what"]["texts"]["en"]["heading"] == "Theirs"
        save(admin, campaign, en__heading="Mine", revision="1", over="2")
        campaign.refresh_from_db()
        assert campaign.draft["what"]["texts"]["en"]["heading"] == "Mine"

    def test_what_only_one_of_two_changed_is_merged_and_said(
        self, admin: Client, client_of: Callable[[Role], Client]
    ) -> None:
        campaign = begun()
        other = client_of(Role.MERCHANDISER)
        save(other, campaign, name="Theirs", holdout="10", **{"zh-hans-heading": "他们的"})
        page = page_of(admin.get(save(admin, campaign, en__heading="Mine", expires_hours="48")["Location"]))
        said = "Kept as The merchandiser saved it meanwhile: Name, Heading (Simplified Chinese) and Held out."
        assert said in page
        former = campaign
        campaign = Campaign.objects.get()
        form, texts = form_of(campaign), form_of(campaign).what.texts
        assert (campaign.name, form.safety.holdout, form.when.expires_hours) == ("Theirs", 0.1, 48)
        assert (texts["en"].heading, texts["zh-hans"].heading, campaign.revision) == ("Mine", "他们的", 3)
        save(other, campaign, expires_hours="72")
        answer = save(admin, former, name="Mine", expires_hours="96", en__heading="Mine", holdout="0")
        assert answer.status_code == 409  # of two revisions before: their two changes count as one
        assert re.findall(r'<th scope="row">([^<]*)</th><td>([^<]*)</td><td>([^<]*)<', page_of(answer))[:1] == [
            ("Name", "Theirs", "Mine")
        ]

    def test_without_the_trail_of_what_was_before_all_that_differs_is_shown(self, admin: Client) -> None:
        campaign = begun()
        Campaign.objects.update(revision=7)
        answer = save(admin, campaign, en__heading="Mine", expires_hours="48")
        page = page_of(answer)
        assert answer.status_code == 409
        assert re.findall(r'<th scope="row">([^<]*)</th>', page) == ["Heading (English)", "Too late after"]
        assert 'value="Mine"' in page

    def test_another_name_alone_is_a_difference(self, admin: Client) -> None:
        campaign = begun()
        save(admin, campaign)
        campaign.refresh_from_db()
        revision = campaign.revision
        save(admin, campaign, name="Theirs")
        answer = save(admin, campaign, name="Mine", revision=str(revision))
        assert answer.status_code == 409
        assert "Theirs" in page_of(answer)


class TestOver:
    def test_what_has_ended_is_copied_and_not_changed(self, admin: Client) -> None:
        campaign = begun()
        lifecycle.end(campaign=campaign, by=None, now=timezone.now())
        for answer in (admin.get(f"/campaigns/{campaign.pk}/edit/"), save(admin, campaign, name="Other")):
            assert answer["Location"] == f"/campaigns/{campaign.pk}/"
        campaign.refresh_from_db()
        assert campaign.name == "For you this week"


class TestReview:
    def test_what_refuses_leads_to_its_field(self, admin: Client, settings: LazySettings) -> None:
        settings.POSTAL_ADDRESS = ""
        campaign = begun()
        save(admin, campaign, weekdays=[])
        page = page_of(admin.get(f"/campaigns/{campaign.pk}/edit/?step=review"))
        assert '<a href="#weekdays">Days of the week</a>' in page
        assert "POSTAL_ADDRESS" in page
        assert "2 things to fix first" in page
        assert f'href="/campaigns/{campaign.pk}/plan/"' in page
        assert re.search(
            rf'href="/campaigns/{campaign.pk}/review/">(<svg.*?</svg>)?Ask for review…</a>', page, re.DOTALL
        )

    def test_a_moment_that_is_over_is_said_in_the_review_and_at_its_field(self, admin: Client) -> None:
        campaign = begun(CampaignKind.ONCE)
        once = {"starts": "at", "weekdays": [], "hour": ""}
        page = page_of(admin.get(save(admin, campaign, **once, starts_at="2025-11-01T10:00")["Location"]))
        assert 'id="starts_at-error">This moment is over: choose one that is to come, or leave the field empty' in page
        assert '<a href="#starts_at">Starts</a>' in page
        assert "1 thing to fix first" in page
        for place in ("review", "approve", "plan"):
            assert "This moment is over" in page_of(admin.get(f"/campaigns/{campaign.pk}/{place}/")), place
        campaign.refresh_from_db()
        assert "This moment is over" not in page_of(
            admin.get(save(admin, campaign, **once, starts_at="2099-11-01T10:00")["Location"])
        )

    def test_what_has_come_once_says_so_at_the_top_and_offers_a_copy(self, admin: Client) -> None:
        campaign = begun(CampaignKind.ONCE)
        version = lifecycle.approve(campaign=campaign, revision=1, expected={}, note="x", by=None, now=timezone.now())
        campaign.occurrences.create(version=version, key=ONCE, due_at=timezone.now())
        for place in ("edit", "review", "approve", "plan"):
            page = page_of(admin.get(f"/campaigns/{campaign.pk}/{place}/"))
            top = page.split('role="status">')
            said = [part for part in top if "It comes once, and it has come." in part[:400]]
            assert [f'action="/campaigns/{campaign.pk}/copy/"' in part[:800] for part in said] == [True], place
            assert "until this is approved" not in page, place
        page = page_of(admin.get(f"/campaigns/{campaign.pk}/edit/?step=review"))
        assert "1 thing to fix first" in page
        assert f'href="/campaigns/{campaign.pk}/review/"' not in page
        assert admin.post(f"/campaigns/{campaign.pk}/review/", {"note": "again"}).status_code == 422
        campaign.refresh_from_db()
        assert campaign.review_asked_at is None

    def test_who_may_not_approve_is_not_offered_it(self, client_of: Callable[[Role], Client]) -> None:
        campaign = begun()
        link = f'href="/campaigns/{campaign.pk}/approve/"'
        assert link not in page_of(client_of(Role.MERCHANDISER).get(f"/campaigns/{campaign.pk}/edit/"))
        assert link in page_of(client_of(Role.PUBLISHER).get(f"/campaigns/{campaign.pk}/edit/"))

    def test_a_change_takes_the_request_for_review_back(self, admin: Client) -> None:
        campaign, bo = begun(), Staff.objects.create(email="bo@shop.example")
        lifecycle.ask_for_review(campaign=campaign, note="look", by=bo, now=timezone.now() - timedelta(days=1))
        assert "In review" in page_of(admin.get(f"/campaigns/{campaign.pk}/edit/"))
        page = page_of(admin.get(save(admin, campaign, holdout="5")["Location"]))
        assert "“For you this week” saved. It is no longer waiting for approval: ask again." in page
        assert "In review" not in page
        said = "changed the draft, just now, while it waited for approval. It waits no longer: ask again."
        assert said in page
        assert said in page_of(admin.get(f"/campaigns/{campaign.pk}/review/"))
        assert "took back the request for review of" in page_of(admin.get("/activity/?type=campaign"))
        campaign.refresh_from_db()
        page = page_of(admin.get(save(admin, campaign, holdout="6")["Location"]))
        assert "no longer waiting" not in page
        lifecycle.ask_for_review(campaign=campaign, note="look again", by=bo, now=timezone.now())
        assert said not in page_of(admin.get(f"/campaigns/{campaign.pk}/edit/"))
