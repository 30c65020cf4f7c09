"""A customer's messages as their shop may see them: what became of each, and why, without an address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q

from recommendations.models import Customer, CustomerAlias, Message
from recommendations.push_terms import Channel, MessageState, Purpose, Verdict
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import CustomerKind

MOST = 100


class MessageReason(StrEnum):
    """Why a message is where it is; what a mail server said in its own words is only ``provider``, as it may hold an
    address.
    """

    QUIET_HOURS = "quiet_hours"
    PAUSED = "paused"
    TOO_LATE = "too_late"
    NO_LONGER_WANTED = "no_longer_wanted"
    CAMPAIGN_ENDED = "campaign_ended"
    SENDER_ENDED = "sender_ended"
    NOT_WRITTEN = "not_written"
    PROVIDER = "provider"
    NO_ADDRESS = Verdict.NO_ADDRESS.value
    NO_CONSENT = Verdict.NO_CONSENT.value
    SUPPRESSED = Verdict.SUPPRESSED.value
    HELD_OUT = Verdict.HELD_OUT.value
    CAPPED = Verdict.CAPPED.value
    DONE_ALREADY = Verdict.DONE_ALREADY.value
    TOO_LITTLE = Verdict.TOO_LITTLE.value
    NOT_WORTH = Verdict.NOT_WORTH.value
    OUTRANKED = Verdict.OUTRANKED.value
    WAITS = Verdict.WAITS.value
    OVER_BUDGET = Verdict.OVER_BUDGET.value


_AS_STORED: Mapping[str, MessageReason] = {
    "quiet hours": MessageReason.QUIET_HOURS,
    "paused": MessageReason.PAUSED,
    "too late": MessageReason.TOO_LATE,
    "no longer wanted": MessageReason.NO_LONGER_WANTED,
    "ended": MessageReason.CAMPAIGN_ENDED,
    "the sender ended": MessageReason.SENDER_ENDED,
    "it could not be written": MessageReason.NOT_WRITTEN,
    **{reason.value: reason for reason in MessageReason},
}


@dataclass(frozen=True, kw_only=True)
class TimelineMessage:
    """A message of a customer; ``recommendation_id`` is that of its list, once it was handed over."""

    number: int
    campaign: str
    purpose: Purpose
    channel: Channel
    key: str
    state: MessageState
    reason: MessageReason | None
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    handed_at: datetime | None
    settled_at: datetime | None
    recommendation_id: str | None


def timeline(user_id: str, *, before: int | None, most: int) -> tuple[list[TimelineMessage], int | None] | None:
    """A page of the messages of a signed-in customer, the newest first, and where the next one begins.

    What was held back for comparison was never one of theirs.
    Messages of visitors whom they turned out to be are theirs. None where nothing was ever told of the customer.
    """
    customer = Customer.objects.filter(pseudonym=pseudonym(user_id), kind=CustomerKind.SIGNED_IN).first()
    if customer is None:
        return None
    visitors = CustomerAlias.objects.filter(customer=customer, undone_at=None).values("anonymous_id")
    own = Message.objects.filter(Q(customer=customer) | Q(customer__in=visitors)).select_related("campaign")
    own = own.exclude(state=MessageState.HELD)
    if before is not None:
        own = own.filter(pk__lt=before)
    page = list(own.order_by("-pk")[: most + 1])
    return [_line(each) for each in page[:most]], page[most - 1].pk if len(page) > most else None


def _line(message: Message) -> TimelineMessage:
    state = MessageState(message.state)
    return TimelineMessage(
        number=message.pk,
        campaign=message.campaign.slug,
        purpose=Purpose(message.campaign.purpose),
        channel=Channel(message.channel),
        key=message.key,
        state=state,
        reason=reason_of(message),
        created_at=message.created_at,
        due_at=message.due_at,
        expires_at=message.expires_at,
        handed_at=message.handed_at,
        settled_at=message.settled_at,
        recommendation_id=message.recommendation_id or None,
    )


def reason_of(message: Message) -> MessageReason | None:
    """The code of why a message is where it is; None where nothing held it up."""
    if not message.reason or message.state == MessageState.TAKEN:
        return None
    return _AS_STORED.get(message.reason, MessageReason.PROVIDER)
