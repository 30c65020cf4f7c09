"""Pages of plans and sendings: they add up, name why, let go what waits, and are for those who may."""

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from analytics.queries.campaigns import plans as plan_query
from analytics.queries.campaigns.people import ROWS
from analytics.queries.campaigns.sendings import sending_sentence
from recommendations.customer_codes import customer_code
from recommendations.models import (
    Campaign,
    CampaignVersion,
    Considered,
    Contact,
    Message,
    Occurrence,
    PressureRules,
    SendPlan,
    Staff,
)
from recommendations.push_terms import MessageState, OccurrenceState, Verdict
from recommendations.services.push import sendings
from recommendations.services.push.plans import make_plan
from recommendations.services.push.sendings import decide_pushes
from recommendations.terms import Role, RunStatus
from tests.analytics.pages.weights.forms import flat, text
from tests.push_records import contact
from tests.services.campaigns.test_form import draft, what
from tests.services.push.test_plans import launch, planned, rules, written

__all__ = ["rules"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
PEOPLE = 40


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_MAIL_SERVER, settings.PUSH_FROM = {"host": "127.0.0.1", "port": 1}, "a@shop.example"
    settings.POSTAL_ADDRESS, settings.SHOP_TIME_ZONE = "1 Market Square", "Europe/London"


@pytest.fixture
def merchandiser(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.MERCHANDISER)


@pytest.fixture
def publisher(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.PUBLISHER)


@pytest.fixture
def campaign() -> Campaign:
    night = {"quiet_from": time(0), "quiet_until": time(23, 59)}  # of some, all day long
    for number in range(PEOPLE):
        contact(f"u{number}", **(night if number % 5 == 1 else {}))
    return written("Weekly")


def sent(campaign: Campaign, now: datetime) -> Occurrence:
    launch(campaign, now)
    decide_pushes(now=now)
    return campaign.occurrences.exclude(state=OccurrenceState.PLANNED).get()


def rows_of(page: str) -> list[int]:
    """Numbers of people in the table of the waterfall, the audience first."""
    table = page.split("waterfall-table", 1)[1].split("</table>")[0]
    return [int(each.replace(",", "")) for each in re.findall(r'</th>\s*<td class="num">([\d,]+)</td>', table)]


class TestPlan:
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
        assert "20 of them because no address of theirs is known." in panel
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

    def test_what_came_once_is_not_planned_again(self, merchandiser: Client, campaign: Campaign, now: datetime) -> None:
        sent(campaign, now)
        answer = merchandiser.post(f"/campaigns/{campaign.pk}/plan/", {"when": "now"})
        assert (answer.status_code, "It comes once, and it has come." in flat(answer)) == (422, True)
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


class TestSending:
    def test_it_says_what_became_of_it(self, merchandiser: Client, campaign: Campaign, now: datetime) -> None:
        sending = sent(campaign, now)
        mine = Message.objects.exclude(state=MessageState.HELD).order_by("pk")
        assert mine.count() > 12
        turned = {"done_already": 2, "no_consent": 1, "no longer wanted": 1}
        for reason, many in turned.items():
            keys = list(mine.filter(state=MessageState.DUE).values_list("pk", flat=True)[:many])
            Message.objects.filter(pk__in=keys).update(state=MessageState.WITHDRAWN, reason=reason)
        left = list(mine.filter(state=MessageState.DUE).values_list("pk", flat=True)[:5])
        Message.objects.filter(pk__in=left).update(state=MessageState.TAKEN)
        page = text(merchandiser, f"/campaigns/{campaign.pk}/sendings/{sending.pk}/")
        assert f"{mine.count()} planned, 5 sent: 2 bought it meanwhile" in page
        assert "1 took their consent back" in page
        assert "1 could not be written to any more" in page
        table = page.split("sequel-table", 1)[1].split("</table>")[0]
        assert sum(map(int, re.findall(r'<td class="num">(\d+)</td>', table))) == mine.count()
        audience, *lines = rows_of(page)
        assert (audience, sum(lines)) == (60, 60)

    def test_it_is_compared_with_the_last_one(self, merchandiser: Client, campaign: Campaign, now: datetime) -> None:
        sending = sent(campaign, now)
        address = f"/campaigns/{campaign.pk}/sendings/{sending.pk}/"
        assert "Compare with the last sending" not in text(merchandiser, address)
        Occurrence.objects.create(
            campaign=campaign, key="0", due_at=now - timedelta(days=7), state=OccurrenceState.DECIDED,
            counts={"no_address": 3, "now": 50, "would_send": 0},
        )  # fmt: skip
        assert "Compare with the last sending" in text(merchandiser, address)
        page = text(merchandiser, f"{address}?compare=yes")
        cells = re.search(r'verdict=no_address">.*?</th>\s*((?:<td[^>]*>[^<]*</td>\s*)+)', page)
        assert cells
        assert re.findall(r">([^<]+)</td>", cells[1]) == ["20", "3", "+17"]

    def test_the_hour_of_a_campaign_is_told_from_quiet_hours(
        self, merchandiser: Client, campaign: Campaign, now: datetime
    ) -> None:
        later = (now.astimezone(ZoneInfo("Europe/London")) + timedelta(hours=2)).strftime("%H:00:00")
        Campaign.objects.update(draft=draft(when={"hour": later, "clock": "customer"}))
        Contact.objects.filter(quiet_from=None).update(time_zone="Asia/Tokyo")
        campaign.refresh_from_db()
        plan = planned(campaign, now)
        assert plan.occurrence is not None
        quiet = Contact.objects.exclude(quiet_from=None).values("customer")
        held_later = Considered.objects.filter(verdict="later")
        by_hour, by_night = (
            held_later.exclude(customer__in=quiet).count(),
            held_later.filter(customer__in=quiet).count(),
        )
        page = text(merchandiser, f"/campaigns/{campaign.pk}/plan/")
        assert f"hour of the campaign: {by_hour}, first at" in page
        assert f"quiet hours: {by_night}, first at" in page
        assert min(by_hour, by_night) > 0

    def test_sentences_hold_whatever_the_counts_are(self) -> None:
        assert sending_sentence({}, leaves=False) == "Nobody is in view of it."
        assert sending_sentence({"now": 5}, leaves=True) == "Of 5 people 5 get it at once and 0 later."
        many = {"now": 676, "later": 388, "no_address": 412, "held_out": 174, "would_send": 121}
        assert sending_sentence(many, leaves=True) == (
            "Of 1,650 people 676 get it at once and 388 later. 586 do not, 412 of them because no address of theirs "
            "is known."
        )


class TestBrake:
    @pytest.fixture
    def waiting(self, campaign: Campaign, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Occurrence:
        monkeypatch.setattr(sendings, "BRAKE_PEOPLE", 5)
        live = launch(campaign, now)
        live.version.expected = {"now": 3}
        live.version.save()
        decide_pushes(now=now)
        return Occurrence.objects.get()

    def test_it_is_released_with_a_note(self, publisher: Client, waiting: Occurrence) -> None:
        address = f"/campaigns/{waiting.campaign_id}/sendings/{waiting.pk}/"
        page = text(publisher, address)
        assert "3 were planned when it was approved" in page
        refused = publisher.post(f"{address}release/", {"note": " "})
        assert (refused.status_code, "Say why. Nothing was changed." in flat(refused)) == (422, True)
        assert publisher.post(f"{address}release/", {"note": "It is May"})["Location"] == address
        assert "everybody is decided afresh" in text(publisher, address)
        decide_pushes(now=timezone.now())
        assert Message.objects.exists()
        publisher.post(f"{address}release/", {"note": "again"})
        assert "Someone has decided about it in the meantime." in text(publisher, address)

    def test_it_is_cancelled_with_a_note(self, publisher: Client, waiting: Occurrence) -> None:
        address = f"/campaigns/{waiting.campaign_id}/sendings/{waiting.pk}/"
        assert publisher.post(f"{address}cancel/", {}).status_code == 422
        publisher.post(f"{address}cancel/", {"note": "a wrong audience"})
        waiting.refresh_from_db()
        assert waiting.state == OccurrenceState.CANCELLED
        publisher.post(f"{address}cancel/", {"note": "again"})
        assert "Someone has decided about it in the meantime." in text(publisher, address)

    def test_what_cannot_leave_says_why(self, publisher: Client, waiting: Occurrence, now: datetime) -> None:
        address = f"/campaigns/{waiting.campaign_id}/sendings/{waiting.pk}/"
        Campaign.objects.update(paused_at=now)
        publisher.post(f"{address}release/", {"note": "go"})
        assert "The campaign is paused or over" in text(publisher, address)
        Campaign.objects.update(paused_at=None)
        Occurrence.objects.update(due_at=now - timedelta(days=5))
        publisher.post(f"{address}release/", {"note": "go"})
        assert "It would come too late by now." in text(publisher, address)

    def test_a_merchandiser_sees_it_and_may_not_decide(self, merchandiser: Client, waiting: Occurrence) -> None:
        address = f"/campaigns/{waiting.campaign_id}/sendings/{waiting.pk}/"
        page = text(merchandiser, address)
        assert "A publisher or an admin can release or cancel it." in page
        assert "data-opens" not in page.split("<main", 1)[1].split("</main>")[0]
        for act in ("release", "cancel"):
            assert merchandiser.post(f"{address}{act}/", {"note": "go"}).status_code == 403
            assert merchandiser.get(f"{address}{act}/").status_code == 405


class TestPeople:
    def test_every_line_opens_its_people(self, merchandiser: Client, campaign: Campaign, now: datetime) -> None:
        sending = sent(campaign, now)
        address = f"/campaigns/{campaign.pk}/sendings/{sending.pk}/people/"
        for verdict in (*Verdict, "would"):
            count = sending.counts["would_send" if verdict == "would" else verdict]
            page = text(merchandiser, f"{address}?verdict={verdict}")
            assert page.count('class="lead-cell"') == min(count, ROWS)
            assert "@example.com" not in page
        assert text(merchandiser, f"{address}?page=3").count('class="lead-cell"') == 60 - 2 * ROWS
        assert text(merchandiser, f"{address}?channel=email&verdict=now&page=x").count('class="lead-cell"') > 0
        assert text(merchandiser, f"{address}?verdict=nonsense&channel=pigeon").count('class="lead-cell"') == ROWS
        assert merchandiser.get(f"/campaigns/999/sendings/{sending.pk}/people/").status_code == 404

    def test_the_file_has_everybody_and_no_address(
        self, merchandiser: Client, campaign: Campaign, now: datetime
    ) -> None:
        sending = sent(campaign, now)
        answer = merchandiser.get(f"/campaigns/{campaign.pk}/sendings/{sending.pk}/people/?format=csv")
        body = answer.content.decode("utf-8-sig")
        head, *lines = csv.reader(io.StringIO(body))
        assert (head[:2], len(lines)) == (["Customer", "Verdict"], 60)
        assert len([line for line in lines if line[1] == "No address"]) == sending.counts["no_address"]
        assert "@" not in body
        assert 'filename="weekly-1.csv"' in answer["Content-Disposition"]


class TestPerson:
    @pytest.mark.parametrize("is_plan", [True, False])
    def test_every_verdict_says_what_would_change_it(
        self, merchandiser: Client, campaign: Campaign, now: datetime, is_plan: bool
    ) -> None:
        sending = planned(campaign, now).occurrence if is_plan else sent(campaign, now)
        assert sending is not None
        case = Considered.objects.filter(verdict="now", occurrence=sending).first()
        assert case is not None
        other = written("Other")
        address = f"/campaigns/{campaign.pk}/sendings/{sending.pk}/people/{customer_code(case.customer_id)}/"
        says = {
            "no_address": "they have confirmed", "no_consent": "say yes to it themselves",
            "suppressed": "let the address speak again", "held_out": "this campaign holds them out",
            "capped": "there is room", "done_already": "A new occasion", "outranked": "“Other” goes first",
            "too_little": "items would be shown; the campaign asks for at least 3", "over_budget": "messages a day",
            "later": "get it later", "now": "They would get it at once." if is_plan else "They get it at once.",
        }  # fmt: skip
        assert set(says) == set(Verdict)
        for verdict, words in says.items():
            Considered.objects.filter(pk=case.pk).update(verdict=verdict, lost_to=other)
            page = text(merchandiser, address)
            assert words in page, verdict
            assert "What would have to change" in page
            assert "@example.com" not in page

    def test_who_has_had_enough_sees_by_what_and_until_when(
        self, merchandiser: Client, campaign: Campaign, now: datetime
    ) -> None:
        sent(campaign, now)
        Campaign.objects.exclude(pk=campaign.pk).delete()
        second = written("Second")
        launch(second, now)
        decide_pushes(now=now + timedelta(minutes=1))
        capped = Considered.objects.filter(occurrence__campaign=second, verdict="capped").first()
        assert capped is not None
        page = text(
            merchandiser,
            f"/campaigns/{second.pk}/sendings/{capped.occurrence_id}/people/{customer_code(capped.customer_id)}/",
        )
        assert "Time has to pass: they may get at most 1 in 24 hours." in page
        assert page.count("Weekly") >= 2  # what they were sent, and what competes

    def test_products_come_with_their_reasons_when_asked_for(
        self, merchandiser: Client, campaign: Campaign, now: datetime
    ) -> None:
        sending = sent(campaign, now)
        case = Considered.objects.filter(verdict="now").first()
        assert case is not None
        address = f"/campaigns/{campaign.pk}/sendings/{sending.pk}/people/{customer_code(case.customer_id)}/"
        assert text(merchandiser, address).count('class="thumb"') == len(case.items)
        lists = flat(merchandiser.get(f"{address}?occasion={case.key}&lists=yes", headers={"HX-Request": "true"}))
        assert "<html" not in lists
        assert "Made now, with the model that it was decided with." in lists
        assert lists.count('class="thumb"') == len(case.items)
        assert lists.count("<small>") > 0
        Occurrence.objects.update(model_version=0)
        assert "it was decided with model" in text(merchandiser, f"{address}?lists=yes")
        gone = address.replace(customer_code(case.customer_id), customer_code(999_999))
        assert merchandiser.get(gone).status_code == 404

    def test_of_a_changed_draft_only_the_verdict_is_known(
        self, merchandiser: Client, campaign: Campaign, now: datetime
    ) -> None:
        plan = planned(campaign, now)
        Campaign.objects.update(revision=2)
        case = Considered.objects.filter(verdict="now").first()
        assert case is not None
        address = f"/campaigns/{campaign.pk}/sendings/{plan.occurrence_id}/people/{customer_code(case.customer_id)}/"
        assert "The draft was changed since" in text(merchandiser, address)
        assert "cannot be made again" in text(merchandiser, f"{address}?lists=yes")


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
        assert (refused.status_code, "Make the plan first" in flat(refused)) == (422, True)
        assert ">fine</textarea>" in flat(refused)
        publisher.post(approve, {"note": "small audience", "revision": 1, "without_plan": "yes"})
        assert CampaignVersion.objects.get().expected == {}

    def test_a_stale_page_says_who_changed_it(self, publisher: Client, campaign: Campaign) -> None:
        Campaign.objects.update(revision=2, author=Staff.objects.create(email="ann@shop.example", name="Ann Lee"))
        answer = publisher.post(f"/campaigns/{campaign.pk}/approve/", {"note": "x", "revision": 1, "without_plan": "y"})
        assert (answer.status_code, "Ann Lee changed the draft" in flat(answer)) == (409, True)
        assert not CampaignVersion.objects.exists()

    def test_nobody_approves_what_they_wrote(
        self, publisher: Client, campaign: Campaign, settings: LazySettings
    ) -> None:
        settings.FOUR_EYES = True
        Campaign.objects.update(author=Staff.objects.get(email="publisher@example.com"))
        approve = f"/campaigns/{campaign.pk}/approve/"
        assert "somebody else has to approve it" in text(publisher, approve)
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
