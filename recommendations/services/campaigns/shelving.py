"""Copies of campaigns, and campaigns that are done with: they go to the archive and come back from it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from recommendations.models import Campaign, Staff
from recommendations.push_terms import CampaignKind, Purpose, Trigger
from recommendations.services.access import audit
from recommendations.services.campaigns.lifecycle import LONGEST_NAME, create_campaign


class CampaignRunsError(Exception):
    """A campaign that was approved is ended first, then archived."""


def copy_campaign(*, campaign: Campaign, by: Staff | None, now: datetime) -> Campaign:
    """A new draft that says the same; what runs goes on as it is."""
    return create_campaign(
        name=free_name(_("Copy of %(name)s") % {"name": campaign.name}), kind=CampaignKind(campaign.kind),
        trigger=Trigger(campaign.trigger) if campaign.trigger else None, purpose=Purpose(campaign.purpose),
        draft=campaign.draft, by=by, now=now,
    )  # fmt: skip


@transaction.atomic
def archive_campaign(*, campaign: Campaign, by: Staff | None, now: datetime) -> Campaign:
    """Archive a campaign that has ended or was never approved. Raises CampaignRunsError."""
    stored = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if stored.archived_at is None:
        if stored.ended_at is None and stored.versions.exists():
            raise CampaignRunsError
        stored.archived_at = now
        stored.save(update_fields=["archived_at"])
        audit.record(by=by, verb="archive", subject=stored)
    return stored


@transaction.atomic
def restore_campaign(*, campaign: Campaign, by: Staff | None) -> Campaign:
    """Take a campaign out of the archive; one that has ended stays so."""
    stored = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if stored.archived_at is not None:
        stored.archived_at = None
        stored.save(update_fields=["archived_at"])
        audit.record(by=by, verb="restore", subject=stored)
    return stored


def free_name(base: str) -> str:
    """A name that no campaign has: this one, with a number where there is one already."""
    taken = {each.casefold() for each in Campaign.objects.values_list("name", flat=True)}
    for number in range(1, len(taken) + 2):
        end = f" {number}" if number > 1 else ""
        free = f"{base[: LONGEST_NAME - len(end)].rstrip()}{end}"
        if free.casefold() not in taken:
            return free
    raise AssertionError("of more names than there are one is free")
