"""Campaigns that another system sent: what is known of them is who got one when, and who answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from recommendations.models import Campaign, ImportedReceipt, ShopSetting, Staff
from recommendations.push_terms import CampaignKind, Purpose
from recommendations.services.access import audit

LEFT_OUT = "campaigns_left_out"
"""Setting of the shop: how many campaigns an import left out as they were not over, and how many got them."""
BATCH = 5_000


@dataclass(frozen=True, kw_only=True)
class ReceiptRow:
    """A customer who got the campaign; ``answered_at`` the first answer, None without one."""

    customer: int
    received_at: datetime
    answers: int = 0
    answered_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CampaignRecord:
    """A campaign of another system that is over; ``items`` are those that it was about, by their keys."""

    slug: str
    name: str
    description: str
    starts_at: datetime
    ends_at: datetime
    purpose: Purpose = Purpose.NEWS
    items: Sequence[int] = ()

    @property
    def draft(self) -> dict[str, Any]:
        """What is stored where a campaign of ours has its form."""
        return {
            "description": self.description, "starts": self.starts_at.isoformat(), "ends": self.ends_at.isoformat(),
            "items": sorted(self.items),
        }  # fmt: skip


@transaction.atomic
def import_campaign(record: CampaignRecord, receipts: Sequence[ReceiptRow]) -> int:
    """Store a campaign and who got it; how many receipts are new. Importing it again changes nothing.

    What is told of a receipt later stands; a campaign that is there becomes as long as both say.
    """
    campaign, created = Campaign.objects.get_or_create(
        slug=record.slug,
        defaults={
            "name": record.name, "kind": CampaignKind.IMPORTED, "purpose": record.purpose, "draft": record.draft,
            "created_at": record.starts_at, "updated_at": record.ends_at, "ended_at": record.ends_at,
        },
    )  # fmt: skip
    if not created:
        _lengthen(campaign, record)
    before = campaign.receipts.count()
    ImportedReceipt.objects.bulk_create(
        (
            ImportedReceipt(
                campaign=campaign, customer_id=each.customer, received_at=each.received_at, answers=each.answers,
                answered_at=each.answered_at,
            )
            for each in receipts
        ),
        batch_size=BATCH, update_conflicts=True, unique_fields=["campaign", "customer"],
        update_fields=["received_at", "answers", "answered_at"],
    )  # fmt: skip
    return campaign.receipts.count() - before


def _lengthen(campaign: Campaign, record: CampaignRecord) -> None:
    draft = campaign.draft
    starts = min(datetime.fromisoformat(draft["starts"]), record.starts_at)
    ends = max(datetime.fromisoformat(draft["ends"]), record.ends_at)
    campaign.draft = {**draft, "starts": starts.isoformat(), "ends": ends.isoformat()}
    campaign.created_at, campaign.updated_at, campaign.ended_at = starts, ends, ends
    campaign.save(update_fields=["draft", "created_at", "updated_at", "ended_at"])


@transaction.atomic
def remove_imported(campaign: Campaign, *, by: Staff) -> int:
    """Forget an imported campaign, who got it and who answered; how many got it. The file can be imported again."""
    receipts = campaign.receipts.count()
    audit.record(by=by, verb="delete", subject=campaign, before={"name": campaign.name, "receipts": receipts})
    campaign.delete()
    return receipts


def note_left_out(*, campaigns: int, receipts: int, answers: int) -> None:
    """Keep how much of an import was left out, so that the page can say it."""
    value = {"campaigns": campaigns, "receipts": receipts, "answers": answers}
    ShopSetting.objects.update_or_create(key=LEFT_OUT, defaults={"value": value})


def left_out() -> dict[str, int]:
    """What ``note_left_out`` kept; empty where nothing was left out."""
    stored = ShopSetting.objects.filter(key=LEFT_OUT).values_list("value", flat=True).first()
    return dict(stored or {})
