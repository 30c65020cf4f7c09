"""Messages of which nobody knows whether they arrived: the provider may say so later, or staff send them again."""

from collections.abc import Collection

from django.db import transaction

from recommendations.models import Campaign, Message, Staff
from recommendations.push_terms import MessageState
from recommendations.services.access import audit
from recommendations.services.access.audit import needed_note
from recommendations.services.campaigns.lifecycle import CampaignOverError
from recommendations.store.push import outbox

AGAIN_AFTER = 24  # hours, in which the provider may say what it took


def sendable(campaign: Campaign) -> int:
    """How many messages of a campaign may be sent again: up to so many people may get two."""
    return outbox.count_sendable(campaign.pk, hours=AGAIN_AFTER)


@transaction.atomic
def send_again(campaign: Campaign, *, by: Staff | None, note: str) -> int:
    """Let messages be due again of which nobody knows for a day whether they arrived; how many.

    Before they leave they are looked at as any other: whoever has had enough, or said no, gets none. Raises
    NoteNeededError and CampaignOverError.
    """
    reason = needed_note(note)
    current = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if current.ended_at or current.archived_at:
        raise CampaignOverError
    messages = outbox.send_again(current.pk, hours=AGAIN_AFTER)
    if messages:
        audit.record(by=by, verb="send again", subject=current, note=reason, after={"messages": messages})
    return messages


def unknown_messages() -> list[int]:
    """Keys of the messages of which nobody knows whether they arrived."""
    return list(Message.objects.filter(state=MessageState.UNKNOWN).order_by("pk").values_list("pk", flat=True))


def taken_after_all(messages: Collection[int]) -> int:
    """Note that a provider says that it took messages; how many of them were not known, or waited for another try."""
    return outbox.confirm_taken(messages)
