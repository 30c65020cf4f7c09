"""What the trail says of a campaign's draft: how it was before, who wrote it, and who sent it back last."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from recommendations.models import AuditEntry, Campaign, Staff

ASKED, BACK, PUBLISH = "ask for approval", "send back", "publish"
TAKEN_BACK = "take back request"
"""Verb of a change of the draft while it waited for approval."""
CHANGE = "change"
WRITES = ("create", CHANGE)


def last_refusal(campaign: Campaign) -> AuditEntry | None:
    """The last time that somebody sent the draft back, with their note."""
    return _entries(campaign).filter(verb=BACK).select_related("staff").last()


def draft_at(campaign: Campaign, revision: int) -> Mapping[str, Any] | None:
    """Name and draft of an earlier revision; None where the trail does not lead back to it."""
    steps = campaign.revision - revision
    if steps <= 0:
        return None
    changes = list(_entries(campaign).filter(verb=CHANGE).reverse()[:steps])
    was: dict[str, Any] = {"name": campaign.name, "draft": campaign.draft}
    for entry in changes:
        if any(was[name] != value for name, value in (entry.after or {}).items() if name in was):
            return None
        was |= {name: value for name, value in (entry.before or {}).items() if name in was}
    return was if len(changes) == steps else None


def writers_of(campaign: Campaign) -> frozenset[int]:
    """Keys of the staff who wrote any part of the draft since the last version."""
    wrote = _entries(campaign).filter(verb__in=WRITES)
    version = _entries(campaign).filter(verb=PUBLISH).last()
    since = wrote.filter(pk__gt=version.pk) if version else wrote
    keys = (campaign.author_id, *since.values_list("staff", flat=True))
    return frozenset(key for key in keys if key is not None)


def writers_by_version(campaign: Campaign) -> Mapping[int, Sequence[Staff]]:
    """Staff who wrote each version since the one before, the first writer first."""
    by_version: dict[int, Sequence[Staff]] = {}
    writers: dict[Staff, None] = {}
    for entry in _entries(campaign).filter(verb__in=(*WRITES, PUBLISH)).select_related("staff"):
        if entry.verb == PUBLISH:
            by_version[(entry.after or {}).get("version", 0)] = list(writers)
            writers = {}
        elif entry.staff:
            writers[entry.staff] = None
    return by_version


def _entries(campaign: Campaign) -> QuerySet[AuditEntry]:
    """What was done with the campaign, the first first."""
    return AuditEntry.objects.filter(object_type="campaign", object_id=str(campaign.pk)).order_by("pk")
