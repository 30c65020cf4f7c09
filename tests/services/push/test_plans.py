"""Send plans: made in the background for a moment, the same as the sending to the last person, and without a trace."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from recommendations.models import (
    Campaign,
    CampaignVersion,
    Considered,
    Message,
    Occurrence,
    PressureRules,
    SendPlan,
    ShopOccasion,
)
from recommendations.push_terms import CampaignKind, OccurrenceState, Purpose, Trigger, Verdict
from recommendations.services.campaigns.form import UnfinishedError, as_json, frozen_of
from recommendations.services.campaigns.lifecycle import CampaignOverError, SentAlreadyError, StaleCampaignError
from recommendations.services.operations.jobs import watch_jobs
from recommendations.services.push import plans
from recommendations.services.push.sendings import LiveCampaign, decide_pushes
from recommendations.store import jobs
from recommendations.store.push import verdicts
from recommendations.tasks import plan_sending
from recommendations.terms import RunStatus
from tests.push_records import contact
from tests.services.campaigns.test_form import draft, what

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]

PEOPLE = 40
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture(autouse=True)
def rules() -> PressureRules:
    return PressureRules.objects.create(
        number=1, caps=[{"channel": "email", "most": 1, "hours": 24}], quiet_from=time(0), quiet_until=time(0),
        holdout=0.2, season="2026-2", is_default=True,
    )  # fmt: skip


def written(name: str = "Weekly", kind: CampaignKind = CampaignKind.ONCE, **parts: Any) -> Campaign:
    """A campaign with a draft."""
    return Campaign.objects.create(
        slug=name.lower(), name=name, kind=kind, trigger=Trigger.SHOP if kind is CampaignKind.TRIGGERED else "",
        purpose=Purpose.FOR_YOU, draft=draft(**parts),
    )  # fmt: skip


def launch(campaign: Campaign, now: datetime) -> LiveCampaign:
    """Freeze the draft as an approval does."""
    kind = CampaignKind(campaign.kind)
    form = frozen_of(campaign.draft, recurring=kind is CampaignKind.RECURRING, triggered=kind is CampaignKind.TRIGGERED)
    version = CampaignVersion.objects.create(campaign=campaign, number=1, frozen=as_json(form), starts_at=now)
    return LiveCampaign(campaign=campaign, version=version, form=form)


def ask(campaign: Campaign, now: datetime, *, as_of: datetime | None = None) -> SendPlan:
    return plans.ask(campaign=campaign, as_of=as_of or now, by=None, now=now)


def planned(campaign: Campaign, now: datetime, *, as_of: datetime | None = None) -> SendPlan:
    job = ask(campaign, now, as_of=as_of)
    assert plan_sending(str(job.pk)) == RunStatus.SUCCEEDED
    return SendPlan.objects.select_related("occurrence").get(pk=job.pk)


def of(occurrence: Occurrence | None) -> dict[int, tuple[Any, ...]]:
    """All that a verdict says, by person."""
    return {
        each.customer_id: (
            each.verdict, each.would_send, each.channel, each.due_at, each.items, each.chance, each.value,
            each.lost_to_id,
        )
        for each in Considered.objects.filter(occurrence=occurrence)
    }  # fmt: skip


def three(now: datetime, *, moment: datetime) -> list[Campaign]:
    """One of each kind, due soon after a moment; the shop says that something happened to every second customer."""
    hour = min(moment + 3 * HOUR, moment.replace(hour=23, minute=59, second=59)).strftime("%H:%M:%S")  # that day
    night = {"quiet_from": time(0), "quiet_until": time(23, 59)}  # of some, all day long
    people = [contact(f"u{number}", **(night if number % 5 == 1 else {})).contact_id for number in range(PEOPLE)]
    once = written("Once")
    recurring = written(
        "Again", CampaignKind.RECURRING, when={"weekdays": [1, 2, 3, 4, 5, 6, 7], "hour": hour},
        what=what(blocks=[{"placement": "discover", "n": 4}]),
    )  # fmt: skip
    triggered = written("Told", CampaignKind.TRIGGERED, what=what(blocks=[{"placement": "buy_again", "n": 4}]))
    ShopOccasion.objects.bulk_create(
        ShopOccasion(campaign=triggered, customer_id=key, key="order-1", at=now - HOUR) for key in people[::2]
    )
    return [once, recurring, triggered]


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(hours=31)])
def test_plans_of_all_kinds_are_their_sendings(now: datetime, ahead: timedelta) -> None:
    """Each is planned beside the others that are live, at the moment at which all of them are decided."""
    now = now.replace(hour=12, minute=0)  # quiet hours are still to come that day
    campaigns, moment = three(now, moment=now + ahead), now + ahead
    for each in campaigns:
        launch(each, moment)
    made = {each.pk: planned(each, now, as_of=moment).occurrence for each in campaigns}
    decide_pushes(now=moment)
    seen = set()
    for each in campaigns:
        sending = each.occurrences.exclude(state=OccurrenceState.PLANNED).get()
        plan = made[each.pk]
        assert plan is not None
        assert of(plan) == of(sending)
        assert plan.counts == sending.counts
        assert sum(plan.counts[verdict.value] for verdict in Verdict) == len(of(plan)) > 0
        seen |= {verdict for verdict, *_ in of(plan).values()}
    assert {"no_address", "held_out", "outranked", "later"} <= seen


def test_a_plan_takes_nothing_from_what_is_sent(now: datetime) -> None:
    """Its verdicts close no occasion, and what it looked at for others is looked at again."""
    once, recurring, triggered = three(now, moment=now)
    for each in (recurring, triggered):
        launch(each, now)
    before = list(Occurrence.objects.values())
    plan = planned(triggered, now)
    planned(once, now)
    assert list(Occurrence.objects.exclude(state=OccurrenceState.PLANNED).values()) == before == []
    assert verdicts.decided_already(triggered.pk, list(of(plan.occurrence))) == set()
    decide_pushes(now=now)
    looked = triggered.occurrences.exclude(state=OccurrenceState.PLANNED).get()
    assert len(of(looked)) == PEOPLE // 2
    planned(once, now + HOUR)
    assert triggered.occurrences.exclude(state=OccurrenceState.PLANNED).get().decided_at == looked.decided_at
    assert set(Message.objects.values_list("campaign", flat=True)) <= {recurring.pk, triggered.pk}


def test_who_asks_twice_gets_the_plan_that_goes_on(now: datetime) -> None:
    campaign = written()
    first = ask(campaign, now)
    assert ask(campaign, now + timedelta(seconds=3)) == first
    other = ask(campaign, now, as_of=now + DAY)
    first.refresh_from_db()
    assert (first.status, other.status) == (RunStatus.CANCELLED, RunStatus.QUEUED)
    campaign.revision += 1
    campaign.save()
    assert ask(campaign, now, as_of=now + DAY) != other
    other.refresh_from_db()
    assert other.status == RunStatus.CANCELLED
    assert plan_sending(str(other.pk)) is None
    with pytest.raises(plans.PlanIsOverError):
        plans.cancel(other, now=now)


@pytest.mark.parametrize("away", [-HOUR, timedelta(days=7, minutes=1)])
def test_only_the_next_seven_days_are_planned(now: datetime, away: timedelta) -> None:
    with pytest.raises(plans.MomentError):
        ask(written(), now, as_of=now + away)


def test_what_cannot_be_sent_is_not_planned(now: datetime) -> None:
    with pytest.raises(UnfinishedError) as error:
        ask(written("Half", what={}), now)
    assert [refusal.pointer for refusal in error.value.refusals] == ["/what/blocks", "/what/texts/en"]
    over = written("Over")
    over.ended_at = now
    with pytest.raises(CampaignOverError):
        ask(over, now)
    once = written("Once")
    launch(once, now)
    contact("u1")
    decide_pushes(now=now)
    with pytest.raises(SentAlreadyError):
        ask(once, now)
    assert not SendPlan.objects.exists()


def test_a_draft_that_changes_in_between_is_not_planned(now: datetime) -> None:
    job = ask(written(), now)
    Campaign.objects.update(revision=2)
    assert plan_sending(str(job.pk)) == RunStatus.CANCELLED
    assert not Occurrence.objects.exists()


def test_a_plan_that_is_cancelled_while_it_is_written_leaves_nothing(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ask(written(), now)
    write = verdicts.write

    def cancelled(*args: Any, **values: Any) -> None:
        write(*args, **values)
        plans.cancel(SendPlan.objects.get(), now=now)

    monkeypatch.setattr(verdicts, "write", cancelled)
    assert plan_sending(str(job.pk)) == RunStatus.CANCELLED
    assert (SendPlan.objects.get().occurrence, Occurrence.objects.count(), Considered.objects.count()) == (None, 0, 0)


def test_a_placement_that_is_gone_is_named(now: datetime) -> None:
    contact("u1")
    job = ask(written(what=what(blocks=[{"placement": "cellar", "n": 4}])), now)
    assert plan_sending(str(job.pk)) == RunStatus.FAILED
    assert SendPlan.objects.get().message == "no placement cellar"


def test_a_plan_whose_worker_died_is_made_by_the_next_one(now: datetime) -> None:
    contact("u1")
    job = ask(written(), now)
    left = Occurrence.objects.create(campaign=job.campaign, key="plan-x", due_at=now, state=OccurrenceState.PLANNED)
    SendPlan.objects.update(status=RunStatus.RUNNING, tries=1, occurrence=left)
    assert watch_jobs(now=now) == [job]
    assert plan_sending(str(job.pk)) == RunStatus.SUCCEEDED
    assert Occurrence.objects.get() != left
    assert (SendPlan.objects.get().occurrence, Considered.objects.count()) == (Occurrence.objects.get(), 60)


def test_old_plans_go_but_for_those_by_which_something_was_approved(now: datetime) -> None:
    campaign = written()
    approved, old, latest = (planned(campaign, now) for _ in range(3))
    SendPlan.objects.exclude(pk=latest.pk).update(created_at=now - timedelta(days=2))
    expected = {"now": 1, plans.REFERENCE: approved.occurrence_id}
    CampaignVersion.objects.create(campaign=campaign, number=1, frozen={}, starts_at=now, expected=expected)
    asked = ask(campaign, now, as_of=now + DAY)
    assert set(SendPlan.objects.all()) == {approved, latest, asked}
    assert set(Occurrence.objects.all()) == {approved.occurrence, latest.occurrence}
    assert not Considered.objects.filter(occurrence=old.occurrence_id).exists()


def test_plan_of_a_live_campaign_is_of_its_new_draft(now: datetime) -> None:
    people = [contact(f"u{number}") for number in range(PEOPLE)]
    weekly = written("Weekly", CampaignKind.RECURRING, when={"weekdays": [1], "hour": "18:00:00"})
    launch(weekly, now)
    weekly.draft = draft(
        what=what(least_items=12, blocks=[{"placement": "home", "n": 12}]), when={"weekdays": [1], "hour": "18:00:00"}
    )
    weekly.save()
    counts = planned(weekly, now).occurrence.counts  # type: ignore[union-attr]
    assert counts["no_address"] == 60 - len(people)
    assert counts["too_little"] + counts["later"] + counts["now"] + counts["held_out"] == len(people)


def test_progress_is_told_while_it_is_decided(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "BETWEEN_REPORTS", timedelta())
    for number in range(10):
        contact(f"u{number}")
    shares, report = [], jobs.Reporter.__call__

    def noted(self: jobs.Reporter, share: float, **fields: Any) -> None:
        shares.append(share)
        report(self, share, **fields)

    monkeypatch.setattr(jobs.Reporter, "__call__", noted)
    planned(written(), now)
    assert len(shares) > 5
    assert shares == sorted(shares)
    assert shares[-1] == 1


class TestApproval:
    @pytest.fixture(autouse=True)
    def _installed(self, settings: LazySettings) -> None:
        settings.PUSH_MAIL_SERVER, settings.PUSH_FROM = {"host": "127.0.0.1", "port": 1}, "a@shop.example"
        settings.POSTAL_ADDRESS = "1 Market Square"

    @staticmethod
    def approve(campaign: Campaign, now: datetime, *, without_plan: bool = False, revision: int = 1) -> CampaignVersion:
        return plans.approve_as_planned(
            campaign=campaign, revision=revision, without_plan=without_plan, note="as planned", by=None, now=now
        )

    def test_the_counts_of_the_plan_are_what_is_expected(self, now: datetime) -> None:
        PressureRules.objects.update(holdout=0.0)  # u1 may by their key be among those who are held out
        contact("u1")
        campaign = written()
        plan = planned(campaign, now)
        expected = self.approve(campaign, now).expected
        assert plan.occurrence is not None
        assert expected == {**plan.occurrence.counts, plans.REFERENCE: plan.occurrence.pk}
        assert expected["now"] == 1

    def test_what_nobody_has_seen_is_not_approved(self, now: datetime) -> None:
        campaign = written()
        with pytest.raises(plans.NoPlanError):
            self.approve(campaign, now)
        planned(campaign, now)
        with pytest.raises(plans.NoPlanError):
            self.approve(campaign, now + timedelta(hours=25))
        Campaign.objects.update(revision=2)
        with pytest.raises(plans.NoPlanError):
            self.approve(campaign, now, revision=2)  # it is of the draft before
        with pytest.raises(StaleCampaignError):
            self.approve(campaign, now)
        assert self.approve(campaign, now, without_plan=True, revision=2).expected == {}
