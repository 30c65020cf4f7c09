"""Unsubscribing by the link of a message, and taking it back: what waits is withdrawn in the same transaction."""

from datetime import datetime

from django.db import transaction

from recommendations.models import Address, Message, MessageEvent
from recommendations.push_terms import ConsentSource, MessageEventKind, Purpose
from recommendations.services.contacts import acts
from recommendations.services.contacts.acts import OwnAct
from recommendations.services.contacts.links import GENERATIONS
from recommendations.services.contacts.tokens import LinkKind, opened
from recommendations.store.live.counters import Counted, count_at_commit


def message_of_token(token: str, *, now: datetime) -> Message | None:
    """The message whose link it is; None for a token that is not ours, too old, void, or of an address that is gone."""
    link = opened(token, LinkKind.UNSUBSCRIBE, now=now)
    if link is None:
        return None
    stored = Message.objects.select_related("campaign", "address__contact__customer").filter(pk=link.key).first()
    if stored is None or stored.address is None:
        return None
    return stored if stored.address.contact.link_generation % GENERATIONS == link.generation else None


def address_of_unsubscribing(token: str, *, now: datetime) -> Address | None:
    message = message_of_token(token, now=now)
    return message.address if message else None


@transaction.atomic
def unsubscribe(message: Message, *, now: datetime, source: ConsentSource = ConsentSource.ONE_CLICK) -> OwnAct:
    """Say no to the purpose of a message, by a mail program or on our page; the second time changes nothing."""
    act = acts.switch(_address(message), purpose_of(message), on=False, source=source, now=now)
    if act.before != act.after:
        _note(message, MessageEventKind.UNSUBSCRIBED, now=now)
        count_at_commit({(Counted.UNSUBSCRIBES,): 1})
    return act


@transaction.atomic
def take_back(message: Message, act: OwnAct, *, now: datetime) -> OwnAct:
    """Give back what was before."""
    undone = acts.undo(_address(message), act, now=now)
    _note(message, MessageEventKind.RESUBSCRIBED, now=now)
    return undone


def purpose_of(message: Message) -> Purpose:
    return Purpose(message.campaign.purpose)


def _address(message: Message) -> Address:
    if message.address is None:
        raise ValueError("its address is gone")
    return message.address


def _note(message: Message, kind: MessageEventKind, *, now: datetime) -> None:
    MessageEvent.objects.create(message=message, kind=kind, at=now, told_as=now.isoformat())
