"""Drafts of campaigns that wait no longer: a reviewer sent them back, or somebody changed them meanwhile.

The last word about a draft stands in the trail.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import CharField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast, JSONObject

from recommendations.models import AuditEntry, Campaign, Staff
from recommendations.services.campaigns.draft_trail import ASKED, BACK, PUBLISH, TAKEN_BACK

WORDS = (ASKED, BACK, TAKEN_BACK, PUBLISH)
"""Verbs of what is said about a draft."""


class SentBack(NamedTuple):
    """What a reviewer said, or that somebody changed the draft; ``staff`` is empty of who is gone."""

    staff: str
    at: datetime
    note: str
    by_change: bool


class ReturnedDraft(NamedTuple):
    """A draft that waits no longer, why, and the key of who had asked."""

    campaign: Campaign
    why: SentBack
    to: int | None


def with_last_word(campaigns: QuerySet[Campaign]) -> QuerySet[Campaign]:
    """Campaigns with the last word about their drafts, for ``returned``."""
    said = JSONObject(verb="verb", note="note", at="at", key="staff", name="staff__name", email="staff__email")
    return campaigns.annotate(last_word=Subquery(_words().values(said=said)[:1]))


def returned(campaign: Campaign) -> SentBack | None:
    """Why the draft waits no longer; None where it waits again, was approved since, or is over."""
    word: dict[str, Any] | None = vars(campaign).get("last_word")
    over = campaign.review_asked_at or campaign.ended_at or campaign.archived_at
    if over or word is None or word["verb"] not in {BACK, TAKEN_BACK}:
        return None
    staff = Staff(name=word["name"] or "", email=word["email"] or "")
    by_change = word["verb"] == TAKEN_BACK
    return SentBack(str(staff), datetime.fromisoformat(word["at"]), word["note"], by_change=by_change)


def returned_drafts() -> Sequence[ReturnedDraft]:
    """All drafts that wait no longer and have not been handed over again; not those that their asker changed."""
    asker = Subquery(_words().filter(verb=ASKED).values("staff")[:1])
    waiting = Campaign.objects.ours().filter(review_asked_at=None, ended_at=None, archived_at=None)
    rows = with_last_word(waiting).annotate(asker=asker)
    words = ((each, returned(each), vars(each)["asker"]) for each in rows)
    return [
        ReturnedDraft(each, why, asker)
        for each, why, asker in words
        if why and not (why.by_change and vars(each)["last_word"]["key"] == asker)
    ]


def _words() -> QuerySet[AuditEntry]:
    """What was said about the draft of a campaign, the last first."""
    own = AuditEntry.objects.filter(object_type="campaign", object_id=Cast(OuterRef("pk"), CharField()))
    return own.filter(verb__in=WORDS).order_by("-at", "-pk")
