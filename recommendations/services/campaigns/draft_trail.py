"""What the trail says of a campaign's draft: who sent it back last."""

from django.db.models import QuerySet

from recommendations.models import AuditEntry, Campaign

BACK = "send back"


def last_refusal(campaign: Campaign) -> AuditEntry | None:
    """The last time that somebody sent the draft back, with their note."""
    return _entries(campaign).filter(verb=BACK).select_related("staff").first()


def _entries(campaign: Campaign) -> QuerySet[AuditEntry]:
    """What was done with the campaign, the last first."""
    return AuditEntry.objects.filter(object_type="campaign", object_id=str(campaign.pk)).order_by("-pk")
