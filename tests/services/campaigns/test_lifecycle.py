"""The life of a campaign: nothing is overwritten unseen, nothing is sent that nobody else approved."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError

from recommendations.engine.push.schedule import ONCE
from recommendations.models import Audience, AuditEntry, Campaign, Message, Placement, Staff
from recommendations.push_terms import CampaignKind, CampaignStatus, MessageState, Purpose, Trigger
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.campaigns import lifecycle
from recommendations.services.campaigns.form import UnfinishedError
from recommendations.services.campaigns.lifecycle import (
    ApprovedAlreadyError,
    CampaignOverError,
    NotInReviewError,
    NotReadyError,
    OwnApprovalError,
    SentAlreadyError,
    SentBackError,
    StaleCampaignError,
    approve,
    ask_for_review,
    create_campaign,
    save_draft,
    send_back,
)
from recommendations.terms import Role
from tests.push_records import contact
from tests.services.campaigns.test_form import draft

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_MAIL_SERVER = {"host": "127.0.0.1", "port": 1}
    settings.PUSH_FROM, settings.POSTAL_ADDRESS, settings.FOUR_EYES = "a@shop.example", "1 Market Square", True


@pytest.fixture
def ann() -> Staff:
    return Staff.objects.create(email="ann@shop.example", role=Role.MERCHANDISER)


@pytest.fixture
def bo() -> Staff:
    return Staff.objects.create(email="bo@shop.example", role=Role.PUBLISHER)


def begin(by: Staff, **fields: Any) -> Campaign:
    values = {
        "name": "For you this week", "kind": CampaignKind.ONCE, "trigger": None, "purpose": Purpose.FOR_YOU,
        "draft": draft(),
    }  # fmt: skip
    return create_campaign(**values | fields, by=by, now=NOW)


def go_live(campaign: Campaign, by: Staff, **fields: Any) -> Any:
    values = {"revision": campaign.revision, "expected": {"now": 3}, "note": "as planned"}
    return approve(campaign=campaign, **values | fields, by=by, now=NOW)


def status(campaign: Campaign, *, now: datetime = NOW) -> CampaignStatus:
    stored = Campaign.objects.get(pk=campaign.pk)
    return stored.status(live=stored.versions.filter(is_live=True).first(), now=now)


def test_from_draft_to_the_end(ann: Staff, bo: Staff) -> None:
    campaign = begin(ann)
    assert (campaign.slug, status(campaign)) == ("for-you-this-week", CampaignStatus.DRAFT)
    ask_for_review(campaign=campaign, note="please look", by=ann, now=NOW)
    assert status(campaign) == CampaignStatus.IN_REVIEW
    version = go_live(campaign, bo)
    assert (version.number, version.expected, version.author, version.approved_by) == (1, {"now": 3}, ann, bo)
    assert status(campaign) == CampaignStatus.LIVE
    lifecycle.pause(campaign=campaign, reason="too many complaints", by=bo, now=NOW)
    assert status(campaign) == CampaignStatus.PAUSED
    lifecycle.resume(campaign=campaign, by=bo)
    assert status(campaign) == CampaignStatus.LIVE
    lifecycle.end(campaign=campaign, by=bo, now=NOW)
    assert status(campaign) == CampaignStatus.ENDED
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == [
        "create", "ask for approval", "publish", "pause", "resume", "end",
    ]  # fmt: skip


def test_a_review_is_sent_back_once_and_with_a_note(ann: Staff, bo: Staff) -> None:
    campaign = begin(ann)
    with pytest.raises(NotInReviewError):
        send_back(campaign=campaign, note="Shorter", by=bo)
    ask_for_review(campaign=campaign, note="please look", by=ann, now=NOW)
    with pytest.raises(NoteNeededError):
        send_back(campaign=campaign, note=" ", by=bo)
    assert status(campaign) == CampaignStatus.IN_REVIEW
    send_back(campaign=campaign, note=" A shorter subject, please ", by=bo)
    assert status(campaign) == CampaignStatus.DRAFT
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.note, entry.staff) == ("send back", "A shorter subject, please", bo)
    with pytest.raises(NotInReviewError):
        send_back(campaign=campaign, note="Again", by=bo)
    ask_for_review(campaign=campaign, note="shorter now", by=ann, now=NOW)
    with pytest.raises(SentBackError) as error:
        go_live(campaign, bo)  # as whoever opened the page before it was sent back
    assert (error.value.refusal, campaign.versions.count()) == (entry, 0)
    assert go_live(campaign, bo, refusal=entry.pk).number == 1
    lifecycle.end(campaign=campaign, by=bo, now=NOW)
    with pytest.raises(CampaignOverError):
        send_back(campaign=campaign, note="Too late", by=bo)


def test_what_runs_goes_on_where_its_changed_draft_is_sent_back(ann: Staff, bo: Staff) -> None:
    campaign = begin(ann)
    go_live(campaign, bo)
    ask_for_review(campaign=campaign, note="the same again", by=ann, now=NOW)
    send_back(campaign=campaign, note="Not before June", by=bo)
    assert status(campaign) == CampaignStatus.LIVE
    assert not Campaign.objects.in_review().exists()


def test_who_wrote_it_does_not_approve_it_unless_the_shop_says_so(ann: Staff, settings: LazySettings) -> None:
    campaign = begin(ann)
    with pytest.raises(OwnApprovalError):
        go_live(campaign, ann)
    settings.FOUR_EYES = False
    assert go_live(campaign, ann).approved_by == ann


def test_who_wrote_any_part_since_the_last_version_does_not_approve_it(ann: Staff, bo: Staff) -> None:
    campaign, cy = begin(ann), Staff.objects.create(email="cy@shop.example", role=Role.PUBLISHER)

    def change(by: Staff, hours: int) -> Campaign:
        campaign.refresh_from_db()
        mine = draft(when={"expires_hours": hours})
        return save_draft(campaign=campaign, name=campaign.name, draft=mine, revision=campaign.revision, by=by, now=NOW)

    change(bo, 48)
    change(cy, 96)
    for writer in (ann, bo, cy):  # who began it, who changed it between, who saved it last
        with pytest.raises(OwnApprovalError):
            go_live(change(ann, 120), writer)
    dan = Staff.objects.create(email="dan@shop.example", role=Role.PUBLISHER)
    go_live(change(ann, 120), dan)
    assert go_live(change(ann, 200), bo).number == 2  # what bo wrote is in the version before


def test_an_approval_needs_a_note_and_the_draft_that_was_seen(ann: Staff, bo: Staff) -> None:
    campaign = begin(ann)
    with pytest.raises(NoteNeededError):
        go_live(campaign, bo, note=" ")
    save_draft(campaign=campaign, name="Another name", draft=draft(), revision=1, by=ann, now=NOW)
    with pytest.raises(StaleCampaignError):
        go_live(campaign, bo, revision=1)


def test_an_unfinished_draft_is_saved_but_not_approved(ann: Staff, bo: Staff) -> None:
    campaign = begin(ann, draft={"what": {}})
    with pytest.raises(UnfinishedError):
        ask_for_review(campaign=campaign, note="look", by=ann, now=NOW)
    with pytest.raises(NotReadyError) as error:
        go_live(campaign, bo)
    assert [refusal.pointer for refusal in error.value.refusals] == ["/what/blocks", "/what/texts/en"]


@pytest.mark.parametrize("name", ["POSTAL_ADDRESS", "PUSH_FROM", "PUSH_MAIL_SERVER", "LINK_KEYS", "CONTACT_KEYS"])
def test_without_a_setting_nothing_is_approved_and_it_is_named(
    ann: Staff, bo: Staff, settings: LazySettings, name: str
) -> None:
    setattr(settings, name, type(getattr(settings, name))())
    with pytest.raises(NotReadyError) as error:
        go_live(begin(ann), bo)
    assert list(error.value.settings) == [name.replace("PUSH_MAIL_SERVER", "PUSH_EMAIL_URL")]


def test_a_list_of_a_placement_that_is_switched_off_is_refused(ann: Staff, bo: Staff) -> None:
    Placement.objects.filter(name="home").update(enabled=False)
    with pytest.raises(NotReadyError) as error:
        go_live(begin(ann), bo)
    assert [refusal.pointer for refusal in error.value.refusals] == ["/what/blocks/0/placement"]


def test_a_stale_draft_is_refused_with_the_differences(ann: Staff, bo: Staff) -> None:
    campaign = begin(ann)
    mine = draft(when={"expires_hours": 48})
    save_draft(campaign=campaign, name=campaign.name, draft=mine, revision=1, by=ann, now=NOW)
    with pytest.raises(StaleCampaignError) as error:
        save_draft(
            campaign=campaign, name=campaign.name, draft=draft(when={"expires_hours": 24}), revision=1, by=bo, now=NOW
        )
    assert [each.field for each in error.value.differences] == ["when"]
    assert Campaign.objects.get().draft == mine


def test_a_change_takes_a_request_for_review_back(ann: Staff) -> None:
    campaign = begin(ann)
    ask_for_review(campaign=campaign, note="look", by=ann, now=NOW)
    saved = save_draft(campaign=campaign, name="Other", draft=draft(), revision=1, by=ann, now=NOW)
    assert status(campaign) == CampaignStatus.DRAFT
    save_draft(campaign=saved, name="Another", draft=draft(), revision=2, by=ann, now=NOW)
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == [
        "create", "ask for approval", "change", "take back request", "change",
    ]  # fmt: skip


def test_a_new_version_takes_the_place_of_the_live_one(ann: Staff, bo: Staff) -> None:
    campaign = begin(ann)
    first = go_live(campaign, bo)
    changed = save_draft(
        campaign=campaign, name=campaign.name, draft=draft(when={"expires_hours": 48}), revision=1, by=ann, now=NOW
    )
    second = go_live(changed, bo)
    first.refresh_from_db()
    assert (first.is_live, second.number, second.frozen["when"]["expires_hours"]) == (False, 2, 48)


def test_the_same_draft_by_the_same_plan_is_approved_once(ann: Staff, bo: Staff) -> None:
    campaign = begin(ann)
    first = go_live(campaign, bo)
    with pytest.raises(ApprovedAlreadyError) as error:
        go_live(campaign, bo)
    assert (error.value.version, campaign.versions.count()) == (first, 1)
    assert go_live(campaign, bo, expected={"now": 4}).number == 2  # a later plan


def test_a_campaign_that_starts_later_is_scheduled(ann: Staff, bo: Staff) -> None:
    starts = NOW + timedelta(days=1)
    campaign = begin(ann, draft=draft(when={"starts_at": starts.isoformat()}))
    assert go_live(campaign, bo).starts_at == starts
    assert status(campaign) == CampaignStatus.SCHEDULED
    assert status(campaign, now=starts) == CampaignStatus.LIVE


@pytest.mark.parametrize("hours", [0, -24 * 28])
def test_what_comes_once_is_asked_for_and_approved_before_its_moment(ann: Staff, bo: Staff, hours: int) -> None:
    campaign = begin(ann, draft=draft(when={"starts_at": (NOW + timedelta(hours=hours)).isoformat()}))
    with pytest.raises(UnfinishedError) as unfinished:
        ask_for_review(campaign=campaign, note="look", by=ann, now=NOW)
    with pytest.raises(NotReadyError) as error:
        go_live(campaign, bo)
    for refusals in (unfinished.value.refusals, error.value.refusals):
        assert [refusal.pointer for refusal in refusals] == ["/when/starts_at"]
        assert "choose one that is to come" in refusals[0].reason


def test_a_moment_that_passes_after_the_request_is_seen_at_the_approval(ann: Staff, bo: Staff) -> None:
    campaign = begin(ann, draft=draft(when={"starts_at": (NOW + timedelta(hours=1)).isoformat()}))
    ask_for_review(campaign=campaign, note="look", by=ann, now=NOW)
    with pytest.raises(NotReadyError):
        approve(campaign=campaign, revision=1, expected={}, note="fine", by=bo, now=NOW + timedelta(hours=2))


def test_what_begins_is_free_to_have_begun_but_not_to_have_ended(ann: Staff, bo: Staff) -> None:
    when = {"weekdays": [4], "hour": "17:00:00", "starts_at": (NOW - timedelta(days=2)).isoformat()}
    weekly = begin(ann, name="Weekly", kind=CampaignKind.RECURRING, draft=draft(when=when))
    assert go_live(weekly, bo).starts_at == NOW
    ended = draft(when=when | {"ends_at": (NOW - timedelta(days=1)).isoformat()})
    with pytest.raises(NotReadyError) as error:
        go_live(begin(ann, name="Over", kind=CampaignKind.RECURRING, draft=ended), bo)
    assert [refusal.pointer for refusal in error.value.refusals] == ["/when/ends_at"]


def test_what_has_come_once_is_neither_asked_for_nor_approved_again(ann: Staff, bo: Staff) -> None:
    campaign = begin(ann)
    version = go_live(campaign, bo)
    campaign.occurrences.create(version=version, key=ONCE, due_at=NOW)
    with pytest.raises(SentAlreadyError):
        ask_for_review(campaign=campaign, note="again", by=ann, now=NOW)
    with pytest.raises(SentAlreadyError):
        go_live(campaign, bo)
    assert campaign.versions.count() == 1


def test_the_end_withdraws_what_waits_and_nothing_begins_again(ann: Staff, bo: Staff) -> None:
    campaign, address = begin(ann), contact("cy")
    version = go_live(campaign, bo)
    occurrence = campaign.occurrences.create(version=version, key="1", due_at=NOW)
    Message.objects.create(
        campaign=campaign, version=version, occurrence=occurrence, customer_id=address.contact_id, key="1",
        channel="email", state=MessageState.DUE, due_at=NOW, expires_at=NOW + timedelta(days=1),
    )  # fmt: skip
    assert lifecycle.end(campaign=campaign, by=bo, now=NOW) == 1
    assert Message.objects.get().state == MessageState.WITHDRAWN
    for act in (
        lambda: go_live(campaign, bo),
        lambda: save_draft(campaign=campaign, name="x", draft=draft(), revision=1, by=ann, now=NOW),
    ):
        with pytest.raises(CampaignOverError):
            act()


def test_names_are_given_once_and_slugs_are_free(ann: Staff) -> None:
    begin(ann)
    with pytest.raises(ValidationError):
        begin(ann, name="for you THIS week")
    assert [begin(ann, name=name).slug for name in ("For you - this week", "你好", "再见")] == [
        "for-you-this-week-2", "campaign", "campaign-2",
    ]  # fmt: skip


def test_a_trigger_belongs_to_a_triggered_campaign_and_to_no_other(ann: Staff) -> None:
    for kind, trigger in ((CampaignKind.TRIGGERED, None), (CampaignKind.ONCE, Trigger.WIN_BACK)):
        with pytest.raises(ValidationError):
            begin(ann, kind=kind, trigger=trigger)


def test_audiences_that_a_draft_names_are_noted(ann: Staff) -> None:
    audience = Audience.objects.create(name="Coffee lovers", conditions={"all": [], "none": []})
    campaign = begin(ann, draft=draft(who={"any_of": [audience.pk], "none_of": [999]}))
    assert list(campaign.audiences.all()) == [audience]
