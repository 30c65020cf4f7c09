"""The page of a sending: its lines add up and say why; what the brake holds is let go or called off."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from analytics.queries.campaigns.sendings import sending_sentence
from analytics.templatetags.display import moment
from recommendations.models import (
    Campaign,
    Considered,
    Contact,
    Message,
    Occurrence,
    PressureRules,
    ShopOccasion,
)
from recommendations.push_terms import CampaignKind, MessageState, OccurrenceState
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.contacts.reading import erase_contact
from recommendations.services.push import sendings
from recommendations.services.push.sendings import decide_pushes
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
from tests.push_records import contact
from tests.services.campaigns.test_form import draft
from tests.services.push.test_plans import launch, planned, written

__all__ = ["_installed", "campaign", "merchandiser", "now", "publisher", "rules"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]


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

    def test_who_is_erased_is_a_number_and_the_sums_stay(
        self, merchandiser: Client, campaign: Campaign, now: datetime
    ) -> None:
        sending = sent(campaign, now)
        one = Considered.objects.filter(occurrence=sending, verdict="now").order_by("pk")[0]
        before = sending.counts["now"]
        planned = Message.objects.exclude(state=MessageState.HELD).count()
        erase_contact(Contact.objects.get(pk=one.customer_id), now=now)
        address = f"/campaigns/{campaign.pk}/sendings/{sending.pk}/"
        page = text(merchandiser, address)
        assert f"{planned} planned, 0 sent" in page
        assert "Contact erased since: what became of it is not known any more" in page
        table = page.split("sequel-table", 1)[1].split("</table>")[0]
        assert sum(map(int, re.findall(r'<td class="num">(\d+)</td>', table))) == planned
        people = text(merchandiser, f"{address}people/?verdict=now")
        assert f"({before})" in people
        assert f'<span class="quiet-text">{before - 1}</span>' in people
        assert "1 more, whose contact has been erased since: only the number is left." in people

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
            "is in use."
        )
        of_one_kind = {"now": 2, "no_consent": 9}
        assert sending_sentence(of_one_kind, leaves=False).endswith("9 would not, because they did not say yes to it.")
        assert sending_sentence(of_one_kind, leaves=True).endswith("9 do not, because they did not say yes to it.")
        assert sending_sentence({"no_address": 1}, leaves=True).endswith(
            "1 does not, because no address of theirs is in use."
        )


class TestOccasions:
    @pytest.fixture
    def called(self, now: datetime) -> Campaign:
        """A campaign that the shop calls for, which it did of nine customers: of one of them twice, by two keys."""
        made = written("Appointment", CampaignKind.TRIGGERED)
        rules_now(now=now)
        PressureRules.objects.update(holdout=0)
        for number in range(9):
            ShopOccasion.objects.create(
                campaign=made, customer_id=contact(f"u{number}").contact_id, key="first", at=now - timedelta(minutes=1)
            )
        ShopOccasion.objects.create(
            campaign=made, customer=ShopOccasion.objects.all()[0].customer, key="second", at=now
        )
        return made

    def test_a_customer_with_two_keys_has_two_occasions(
        self, merchandiser: Client, called: Campaign, now: datetime
    ) -> None:
        plan = planned(called, now)
        assert plan.occurrence is not None
        sending = sent(called, now)
        for address in (f"/campaigns/{called.pk}/plan/", f"/campaigns/{called.pk}/sendings/{sending.pk}/"):
            page = text(merchandiser, address)
            assert "Of 10 occasions " in page
            assert "They are of 9 customers: whoever has several counts with each of them." in page
            assert '<th scope="col" class="num">Occasions</th>' in page
        one = Considered.objects.filter(occurrence=sending, key="first").order_by("pk")[0]
        erase_contact(Contact.objects.get(pk=one.customer_id), now=now)
        assert "They are of" not in text(merchandiser, address)  # whether they were one of two nobody can tell

    def test_a_look_that_decided_nothing_is_told_from_the_last_decision(
        self, merchandiser: Client, called: Campaign, now: datetime
    ) -> None:
        sending = sent(called, now)
        address = f"/campaigns/{called.pk}/sendings/{sending.pk}/"
        page = text(merchandiser, address)
        assert f"Decided on {moment(now)} · " in page
        assert "Last looked at" not in page
        later = now + timedelta(minutes=4)
        Occurrence.objects.update(decided_at=later)  # as each look at the trigger does
        page = text(merchandiser, address)
        assert f"Last looked at {moment(later)} · last decided on {moment(now)} · " in page
        Considered.objects.all().delete()
        Occurrence.objects.update(counts={})
        page = text(merchandiser, address)
        assert f"Last looked at {moment(later)} · nothing to decide yet" in page

    def test_a_sentence_of_occasions_says_each_number_once(self) -> None:
        def sentence(leaves: bool = True, **counts: int) -> str:
            return sending_sentence(counts, leaves=leaves, occasions=True)

        assert sentence(now=1) == "Of 1 occasion 1 leads to a message at once and 0 later."
        assert sentence(now=8, capped=2, leaves=False) == (
            "Of 10 occasions 8 would lead to a message at once and 0 later. 2 lead to none, because they have had, "
            "or are about to get, as many messages as they bear."
        )
        assert sentence(no_consent=2, no_address=1).endswith(
            "3 lead to none, 2 of them because they did not say yes to it."
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

    def test_before_and_after_its_release_it_is_no_failure(self, publisher: Client, waiting: Occurrence) -> None:
        own, going = f"/campaigns/{waiting.campaign_id}/", str(waiting.counts["now"] + waiting.counts["later"])
        address = f"{own}sendings/{waiting.pk}/"

        def row() -> list[str]:
            table = text(publisher, own).split('id="sendings-title"')[1].split("</table>")[0]
            return re.findall(r'<td[^>]*data-label="[^"]+">([^<]*)</td>', table)

        def report() -> str:
            return flat(publisher.get(f"{own}report/", headers={"HX-Request": "true"}))

        assert [row()[0], *row()[2:]] == ["Waits for approval", going, "0", going, "0"]
        assert "A sending waits for somebody to let it go" in report()
        publisher.post(f"{address}release/", {"note": "It is May"})
        assert [row()[0], *row()[2:]] == ["Released, being decided anew", going, "0", going, "0"]
        assert "A sending was released: everybody is decided afresh, within a minute." in report()
        page = text(publisher, address)
        assert "Until then the numbers are those of the decision that was held back." in page
        assert "would get it at once" in page
        assert "nothing of it is decided before it goes on" not in page
        Campaign.objects.update(paused_at=timezone.now())
        assert "nothing of it is decided before it goes on" in text(publisher, address)
        Campaign.objects.update(paused_at=None)
        decide_pushes(now=timezone.now())
        assert row()[0] == "Going out"
        assert "Until then the numbers" not in text(publisher, address)

    def test_it_is_cancelled_with_a_note(self, publisher: Client, waiting: Occurrence) -> None:
        address = f"/campaigns/{waiting.campaign_id}/sendings/{waiting.pk}/"
        assert publisher.post(f"{address}cancel/", {}).status_code == 422
        assert "It comes once, so there is no other sending: copy the campaign" in text(publisher, address)
        Campaign.objects.update(kind="recurring")
        assert "The campaign goes on with the next sending" in text(publisher, address)
        Campaign.objects.update(kind="once")
        page = flat(publisher.post(f"{address}cancel/", {"note": "a wrong audience"}, follow=True))
        assert "It is cancelled: nobody gets it." in page
        assert "itself goes on" not in page
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
