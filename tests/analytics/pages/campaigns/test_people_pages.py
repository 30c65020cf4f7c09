"""People of a sending: every line opens them, and one of them says what would have to change."""

import csv
import io
from datetime import datetime, timedelta

import pytest
from django.test import Client

from analytics.queries.campaigns.people import ROWS
from recommendations.customer_codes import customer_code
from recommendations.models import (
    Campaign,
    Considered,
    Occurrence,
    Permission,
    PressureRules,
)
from recommendations.push_terms import Verdict
from recommendations.services.push.sendings import decide_pushes
from tests.analytics.pages.campaigns.sent_to_forty import (
    _installed,
    campaign,
    merchandiser,
    now,
    publisher,
    rules,
    sent,
)
from tests.analytics.pages.weights.forms import flat, text
from tests.push_records import pressure
from tests.services.push.test_plans import launch, planned, written

__all__ = ["_installed", "campaign", "merchandiser", "now", "publisher", "rules"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]


class TestPeople:
    def test_every_line_opens_its_people(self, merchandiser: Client, campaign: Campaign, now: datetime) -> None:
        sending = sent(campaign, now)
        address = f"/campaigns/{campaign.pk}/sendings/{sending.pk}/people/"
        for verdict in (*Verdict, "would"):
            count = sending.counts["would_send" if verdict == "would" else verdict]
            page = text(merchandiser, f"{address}?verdict={verdict}")
            assert page.count('class="lead-cell"') == min(count, ROWS)
            assert "@example.com" not in page
        assert text(merchandiser, f"{address}?page=99").count('class="lead-cell"') == (60 % ROWS or ROWS)
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
        assert len([line for line in lines if line[1] == "No address in use"]) == sending.counts["no_address"]
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
            "not_worth": "An answer would have to be likelier or worth more",
            "waits": "it is decided anew tomorrow",
            "later": "get it later", "now": "They would get it at once." if is_plan else "They get it at once.",
        }  # fmt: skip
        assert set(says) == set(Verdict)
        for verdict, words in says.items():
            Considered.objects.filter(pk=case.pk).update(verdict=verdict, lost_to=other)
            page = text(merchandiser, address)
            assert words in page, verdict
            assert "What would have to change" in page
            assert "that they answer × $" in page
            assert "that they leave × $" in page
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
        address = f"/campaigns/{second.pk}/sendings/{capped.occurrence_id}/people/{customer_code(capped.customer_id)}/"
        page = text(merchandiser, address)
        assert "or are about to get, as many as they bear." in page
        assert page.count("Weekly") >= 2  # what they were sent, and what competes
        assert "Time has to pass: they may get at most 1 in 24 hours. “Weekly” waits for them: " in page
        assert "Next allowed moment" in page
        assert "by the rules of pressure of now" not in page
        PressureRules.objects.update(is_default=False)
        loose = pressure(number=2, caps=[])
        page = text(merchandiser, address)
        assert "Nothing any more: by now there is room" in page
        assert "by the rules of pressure of now (p2); the verdict is of when it was decided, by p1." in page
        assert f"pressure p{loose.number}" not in text(merchandiser, address.partition("people/")[0])
        for verdict in ("held_out", "done_already"):
            Considered.objects.filter(pk=capped.pk).update(verdict=verdict)
            assert "Next allowed moment" not in text(merchandiser, address)
        Considered.objects.filter(pk=capped.pk).update(verdict="no_consent")
        Permission.objects.update(state="withdrawn")
        assert "Next allowed moment" not in text(merchandiser, address)

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
