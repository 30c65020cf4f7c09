"""Copies and the archive: nothing that runs is hidden, and nothing is lost."""

from datetime import timedelta

import pytest

from recommendations.models import AuditEntry, Campaign, CampaignVersion, Staff
from recommendations.push_terms import CampaignKind, Purpose, Trigger
from recommendations.services.campaigns import lifecycle
from recommendations.services.campaigns.lifecycle import create_campaign
from recommendations.services.campaigns.presets import preset_of
from recommendations.services.campaigns.shelving import (
    CampaignRunsError,
    archive_campaign,
    copy_campaign,
    restore_campaign,
)
from tests.push_records import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> Staff:
    return Staff.objects.create(email="ann@shop.example")


@pytest.fixture
def cart(ann: Staff) -> Campaign:
    preset = preset_of(CampaignKind.TRIGGERED, Trigger.CART_LEFT)
    return create_campaign(
        name="Left in the cart", kind=preset.kind, trigger=preset.trigger, purpose=preset.purpose,
        draft=preset.draft(), by=ann, now=NOW,
    )  # fmt: skip


def go_live(campaign: Campaign) -> None:
    CampaignVersion.objects.create(campaign=campaign, number=1, frozen={}, starts_at=NOW)


def test_a_copy_is_a_draft_that_says_the_same_under_a_free_name(ann: Staff, cart: Campaign) -> None:
    go_live(cart)
    copies = [copy_campaign(campaign=cart, by=ann, now=NOW + timedelta(days=1)) for _ in range(3)]
    assert [each.name for each in copies] == [
        "Copy of Left in the cart", "Copy of Left in the cart 2", "Copy of Left in the cart 3",
    ]  # fmt: skip
    assert {(each.kind, each.trigger, each.purpose) for each in copies} == {
        (CampaignKind.TRIGGERED, Trigger.CART_LEFT, Purpose.REMINDERS)
    }
    assert all(each.draft == cart.draft and not each.versions.exists() for each in copies)


def test_the_name_of_a_copy_is_no_longer_than_a_name_may_be(ann: Staff, cart: Campaign) -> None:
    cart.name = "x" * lifecycle.LONGEST_NAME
    names = [copy_campaign(campaign=cart, by=ann, now=NOW).name for _ in range(2)]
    assert len(set(names)) == 2
    assert max(map(len, names)) <= lifecycle.LONGEST_NAME


def test_what_was_never_approved_is_archived_and_comes_back(ann: Staff, cart: Campaign) -> None:
    for _ in range(2):  # the second time changes nothing
        archive_campaign(campaign=cart, by=ann, now=NOW)
    assert list(Campaign.objects.unarchived()) == []
    for _ in range(2):
        restore_campaign(campaign=cart, by=ann)
    assert list(Campaign.objects.unarchived()) == [cart]
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == ["create", "archive", "restore"]


def test_what_runs_is_ended_before_it_is_archived(ann: Staff, cart: Campaign) -> None:
    go_live(cart)
    with pytest.raises(CampaignRunsError):
        archive_campaign(campaign=cart, by=ann, now=NOW)
    lifecycle.end(campaign=cart, by=ann, now=NOW)
    assert archive_campaign(campaign=cart, by=ann, now=NOW).archived_at == NOW
    assert restore_campaign(campaign=cart, by=ann).ended_at == NOW
