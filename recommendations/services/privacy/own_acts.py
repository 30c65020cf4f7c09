"""What a customer does on the pages behind the links of an answer; the next answer knows of it."""

from datetime import datetime
from uuid import uuid4

from recommendations.event_types import EventName
from recommendations.ingest.live_events import live_events
from recommendations.models import Customer, Item
from recommendations.services.contacts.objection import personalised_keys, set_personalised
from recommendations.store.events.insert import EventLine, insert
from recommendations.store.live import writes
from recommendations.store.live.fetch import fetch_raw_of_all, unpacked

SOURCE = "link"


def dislike(customer: Customer, item: Item, *, now: datetime) -> None:
    """Note that somebody does not want to see an item again; of who objected nothing is kept."""
    line = EventLine(now, uuid4(), 0, EventName.DISLIKE_ITEM, customer.pk, item.pk, source=SOURCE)
    inserted = insert([line], key=None)
    writes.remember(live_events([(line, whose) for whose in inserted.new.values() if whose is not None]))


def is_disliked(customer: Customer, item: Item) -> bool:
    """Whether the next answer leaves the item out by what the customer said; False while nobody can tell."""
    [state] = fetch_raw_of_all([customer.pk])
    return state.changed is not None and item.pk in unpacked(state.customer).disliked


def object_to_use(customer: Customer, *, now: datetime) -> None:
    """Let nothing that the person did be used any more, in all of their keys; answers are those of a stranger.

    Who says it again has said it: the page takes it as often as it comes, and the ledger once.
    """
    if any(personalised_keys(customer.pk).values()):
        set_personalised(customer.pk, may=False, now=now)


def allow_use(customer: Customer, *, now: datetime) -> None:
    """Take an objection back; answers go by what the person does from now on."""
    set_personalised(customer.pk, may=True, now=now)
