"""Links of messages that somebody follows: a person's click counts for the list in the message, a machine's does not.

Mail programs and scanners open links by themselves, so who follows one within seconds of the hand-over, or several at
once, is taken for a machine.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction

from recommendations.event_types import EventName
from recommendations.models import Item, Message, MessageEvent
from recommendations.push_terms import SETTLED_CLICK, MessageEventKind
from recommendations.services.access.crawlers import is_crawler
from recommendations.services.contacts.tokens import LinkKind, SignedLink, opened
from recommendations.store.events import insert
from recommendations.store.events.insert import EventLine

AT_ONCE = timedelta(seconds=10)  # after the hand-over
BURST, WITHIN = 3, timedelta(seconds=2)  # so many different links are no person's
SETTLED = timedelta(seconds=5)  # after it a click is a person's or a machine's
SPACE = UUID("5f0c7f3a-9d4e-4f57-8f0a-0d2b6f9d3c11")  # of the ids of events that clicks become


def message_of_link(token: str, *, now: datetime) -> tuple[Message, SignedLink] | None:
    """The message and the place of a link; None for one that is not ours or too old."""
    link = opened(token, LinkKind.CLICK, now=now)
    message = link and Message.objects.select_related("campaign").filter(pk=link.key).first()
    return (message, link) if message and link else None


def note_click(message: Message, place: int, *, agent: str, looks: bool, now: datetime) -> None:
    """Note that a link was followed; ``looks``: by a request that only asks whether it is there."""
    handed = message.handed_at
    machine = looks or is_crawler(agent) or (handed is not None and now - handed < AT_ONCE)
    kind = MessageEventKind.MACHINE_CLICKED if machine else MessageEventKind.CLICKED
    MessageEvent.objects.get_or_create(message=message, kind=kind, place=place, told_as="", defaults={"at": now})


def settle_clicks(*, now: datetime) -> int:
    """Turn clicks of persons into events of theirs, once each; how many there are."""
    waiting = MessageEvent.objects.filter(kind=MessageEventKind.CLICKED, told_as="", at__lte=now - SETTLED)
    by_message: dict[int, list[MessageEvent]] = {}
    for click in waiting.select_related("message").order_by("at"):
        by_message.setdefault(click.message_id, []).append(click)
    settled = 0
    for clicks in by_message.values():
        machine = _is_burst(clicks)
        kind = MessageEventKind.MACHINE_CLICKED if machine else MessageEventKind.CLICKED
        new = _become(clicks, kind=kind, told_as="" if machine else SETTLED_CLICK)
        if not machine:
            settled += len(new)
    return settled


@transaction.atomic
def _become(clicks: Sequence[MessageEvent], *, kind: MessageEventKind, told_as: str) -> list[MessageEvent]:
    """Settle the clicks of a message, those of a person as events of theirs; who follows a link again does so once."""
    known = MessageEvent.objects.filter(message=clicks[0].message_id, kind=kind, told_as=told_as)
    places = set(known.values_list("place", flat=True))
    new = [each for each in clicks if each.place not in places]
    MessageEvent.objects.filter(pk__in=[each.pk for each in clicks if each.place in places]).delete()
    MessageEvent.objects.filter(pk__in=[each.pk for each in new]).update(kind=kind, told_as=told_as)
    if kind is MessageEventKind.CLICKED:
        insert.insert([line for each in new for line in _lines(each)], key=None)
    return new


def target_of(message: Message, place: int) -> str:
    """Where a link leads: the item's page if it is of the shop, else the shop's home; both say which list it was."""
    item = Item.objects.filter(pk=message.items[place]).first() if place < len(message.items) else None
    address = (item and _page_of(item)) or settings.SHOP_URL
    facts = {
        "rid": message.recommendation_id, "utm_source": "recsite", "utm_medium": message.channel,
        "utm_campaign": message.campaign.slug,
    }  # fmt: skip
    parts = urlsplit(address)
    return parts._replace(query=urlencode([*parse_qsl(parts.query), *facts.items()])).geturl()


def _page_of(item: Item) -> str:
    """The address of an item's page; "" where it has none that is of the shop."""
    try:
        address = urljoin(settings.SHOP_URL, item.url) if item.url else ""
        return address if is_of_shop(address) else ""
    except ValueError:  # it is no address at all, as one with half a bracket
        return ""


def is_of_shop(address: str) -> bool:
    """Whether an address is of one of the shop's hosts, as browsers read it. Raises ValueError where it is none."""
    parts = urlsplit(address)
    if parts.scheme not in {"https", "http"} or parts.username or "\\" in address or not parts.hostname:
        return False
    hosts = {*settings.SHOP_HOSTS, urlsplit(settings.SHOP_URL).netloc}
    return parts.netloc in hosts


def _is_burst(clicks: Iterable[MessageEvent]) -> bool:
    times = sorted(each.at for each in clicks)
    return any(last - first <= WITHIN for first, last in zip(times, times[BURST - 1 :], strict=False))


def _lines(click: MessageEvent) -> list[EventLine]:
    """The event of a click on an item; a click on the shop's home is none."""
    message = click.message
    if click.place >= len(message.items):
        return []
    return [
        EventLine(
            occurred_at=click.at, event_id=uuid5(SPACE, f"{message.pk}:{click.place}"), line=0,
            name=EventName.SELECT_ITEM, customer_id=message.customer_id, item_id=message.items[click.place],
            recommendation_id=message.recommendation_id, position=click.place + 1, source="push",
        )
    ]  # fmt: skip
