"""What somebody was sent, and what else is kept of it, as they may see it themselves: all that goes with an erasure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef

from recommendations.models import Considered, Item, Message, MessageEvent, ShopOccasion
from recommendations.push_terms import Channel, MessageEventKind, MessageState, Purpose
from recommendations.store.push.retention import messages_of_contact, people_of_contact

MOST = 50  # that a page lists
ARRIVING = (MessageState.TAKEN, MessageState.UNKNOWN, MessageState.HANDING)
"""States of a message that its reader may have got."""


class SentToThem(NamedTuple):
    """A message that left, and whether a link in it was followed; campaigns are called by their purpose alone."""

    at: datetime
    purpose: Purpose
    channel: Channel
    clicked: bool


def sent_to(contact: int) -> tuple[list[SentToThem], int]:
    """The latest messages that a contact was sent, the newest first, and how many there are."""
    left = Message.objects.filter(pk__in=messages_of_contact(contact), handed_at__isnull=False, state__in=ARRIVING)
    clicks = MessageEvent.objects.filter(message=OuterRef("pk"), kind=MessageEventKind.CLICKED)
    latest = left.annotate(clicked=Exists(clicks)).order_by("-handed_at", "-pk")
    listed = latest.values_list("handed_at", "campaign__purpose", "channel", "clicked")[:MOST]
    sent = [
        SentToThem(at, Purpose(purpose), Channel(channel), clicked) for at, purpose, channel, clicked in listed if at
    ]
    return sent, left.count()


def everything_of(contact: int) -> dict[str, Any]:
    """All that is kept of messages to a contact, those that never left among them, as JSON has it."""
    people = people_of_contact(contact)
    messages = Message.objects.filter(pk__in=messages_of_contact(contact)).select_related("campaign")
    sent = list(messages.prefetch_related("events").order_by("-pk"))
    decided = list(
        Considered.objects.filter(customer__in=people).select_related("occurrence__campaign").order_by("-pk")
    )
    occasions = ShopOccasion.objects.filter(customer__in=people).select_related("campaign", "item").order_by("-pk")
    names = _names([*sent, *decided])
    return {
        "messages": [
            {
                "campaign": each.campaign.slug, "purpose": each.campaign.purpose, "channel": each.channel,
                "occasion": each.key, "state": each.state, "reason": each.reason,
                "items": [names[key] for key in each.items if key in names], "created_at": each.created_at,
                "due_at": each.due_at, "handed_at": each.handed_at, "settled_at": each.settled_at,
                "recommendation_id": each.recommendation_id, "chance": each.chance, "value": each.value,
                "what_came_of_it": [
                    {"what": event.kind, "link": event.place, "at": event.at} for event in each.events.all()
                ],
            }
            for each in sent
        ],
        "decisions": [
            {
                "campaign": each.occurrence.campaign.slug, "occasion": each.key, "verdict": each.verdict,
                "would_have_been_sent": each.would_send, "wanted_at": each.wanted_at, "decided_at": each.decided_at,
                "items": [names[key] for key in each.items if key in names], "chance": each.chance,
                "value": each.value,
            }
            for each in decided
        ],
        "occasions": [
            {
                "campaign": each.campaign.slug, "occasion": each.key, "at": each.at, "data": each.data,
                "item": each.item.shop_id if each.item else None,
            }
            for each in occasions
        ],
    }  # fmt: skip


def _names(rows: Sequence[Message | Considered]) -> dict[int, str]:
    """What the shop calls the items of messages and decisions."""
    keys = {key for each in rows for key in each.items}
    return dict(Item.objects.filter(pk__in=keys).values_list("pk", "shop_id"))
