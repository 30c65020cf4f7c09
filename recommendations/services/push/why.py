"""Why somebody got a message, for its reader: whoever holds the mail is told what called for it, and no purchase."""

from dataclasses import dataclass
from datetime import datetime

from recommendations.models import Address, ConsentStatement, Message, Permission, Slate
from recommendations.push_terms import CampaignKind, ConsentState, Purpose, Trigger
from recommendations.services.contacts.tokens import LinkKind, opened


@dataclass(frozen=True, kw_only=True)
class ReaderReason:
    """Why a message was sent. ``said_yes_at`` None: the yes was taken back since; ``trigger`` None: its day came, or
    it was sent once.
    """

    purpose: Purpose
    kind: CampaignKind
    trigger: Trigger | None
    handed_at: datetime
    said_yes_at: datetime | None
    personalised: bool


def reason_of(token: str, address: Address, *, now: datetime) -> ReaderReason | None:
    """Why the message of a token came to an address; None where it came to no address of this contact."""
    link = opened(token, LinkKind.REASON, now=now)
    sent = Message.objects.filter(contact=address.contact_id, handed_at__isnull=False).select_related("campaign")
    message = sent.filter(pk=link.key).first() if link else None
    if message is None or message.handed_at is None:
        return None
    yes = {
        "contact": address.contact_id, "channel": message.channel, "purpose": message.campaign.purpose,
        "state": ConsentState.GIVEN,
    }  # fmt: skip
    stands = Permission.objects.filter(**yes).exists()
    said = ConsentStatement.objects.filter(**yes, at__lte=message.handed_at).first()  # it may be said anew since
    slate = Slate.objects.filter(recommendation_id=message.recommendation_id, served_at__gte=message.created_at).first()
    return ReaderReason(
        purpose=Purpose(message.campaign.purpose),
        kind=CampaignKind(message.campaign.kind),
        trigger=Trigger(message.campaign.trigger) if message.campaign.trigger else None,
        handed_at=message.handed_at,
        said_yes_at=said.at if said and stands else None,
        personalised=slate is not None and slate.personalised,
    )
