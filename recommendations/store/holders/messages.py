"""Messages to a person, what came of them, and what sendings thought of the person; of all that only numbers stay."""

from datetime import datetime
from itertools import batched

from django.db.models import Q

from recommendations.models import (
    Considered,
    CustomerAlias,
    ImportedReceipt,
    Item,
    Message,
    MessageEvent,
    ShopOccasion,
)  # fmt: skip
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.protocol import Erased, Subject
from recommendations.store.holders.tables import OwnRows, TableHolder, of_customer
from recommendations.store.push import retention


def _to_them(subject: Subject) -> Q:
    """Messages on the person, and those to an address of theirs, on whomever they were merged into at the time."""
    own = subject.key_list
    merged = list(CustomerAlias.objects.filter(anonymous__in=own).values_list("customer", flat=True))
    return Q(customer__in=own) | Q(contact__in=own, customer__in=merged)


def _of_messages(subject: Subject) -> Q:
    return Q(message__in=Message.objects.filter(_to_them(subject)).values("pk"))


EVENTS = OwnRows(
    model=MessageEvent, whose=_of_messages, columns=("message__campaign__name", "kind", "at"),
)  # fmt: skip
MESSAGES_TO_THEM = OwnRows(
    model=Message, whose=_to_them,
    columns=(
        "campaign__name", "channel", "state", "created_at", "due_at", "handed_at", "settled_at", "reason", "items",
        "trigger_item", "chance", "value", "recommendation_id", "provider_id",
    ),
    keys={"items": Item, "trigger_item": Item},
)  # fmt: skip
VERDICTS = OwnRows(
    model=Considered,
    columns=(
        "occurrence__campaign__name", "verdict", "would_send", "otherwise", "channel", "wanted_at", "decided_at",
        "items", "item", "chance", "value",
    ),
    keys={"items": Item, "item": Item},
)  # fmt: skip
OCCASIONS = OwnRows(
    model=ShopOccasion, columns=("campaign__name", "key", "item__shop_id", "data", "at"),
)  # fmt: skip
RECEIPTS = OwnRows(
    model=ImportedReceipt, columns=("campaign__name", "received_at", "answers", "answered_at"),
)  # fmt: skip


class MessagesHolder(TableHolder):
    """All that was sent, or was to be sent."""

    def __init__(self) -> None:
        super().__init__(HolderCode.MESSAGES, EVENTS, MESSAGES_TO_THEM, VERDICTS, OCCASIONS, RECEIPTS)

    def erase(self, subject: Subject, *, now: datetime) -> Erased:  # noqa: ARG002
        """Erase them; sendings keep how many of each they had."""
        deleted = 0
        messages = list(MESSAGES_TO_THEM.of(subject).values_list("pk", flat=True))
        verdicts = list(Considered.objects.filter(of_customer(subject)).values_list("pk", flat=True))
        for part in batched(messages, retention.MESSAGES):
            deleted += retention.forget_sent(messages=part)
        for part in batched(verdicts, retention.AT_ONCE):
            deleted += retention.forget_sent(verdicts=part)
        return Erased(deleted=deleted + OCCASIONS.delete(subject) + RECEIPTS.delete(subject))


MESSAGES = MessagesHolder()
