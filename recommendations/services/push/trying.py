"""A campaign before anybody gets it: what a customer would see of the form as it stands, and a test to oneself.

What is shown is made by the functions that send. Nothing of it is stored: no slate, no message, nothing that counts.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from recommendations.channels.protocol import Outcome, Parcel
from recommendations.engine.push.cases import PushCase
from recommendations.engine.push.subjects import subject_of
from recommendations.event_types import EventName
from recommendations.models import AuditEntry, Campaign, Contact, Event, Permission, Staff
from recommendations.push_terms import CampaignKind, Channel, Purpose, Trigger
from recommendations.services.access import audit
from recommendations.services.campaigns.form import CampaignForm, Who, texts_for
from recommendations.services.campaigns.lifecycle import NotReadyError
from recommendations.services.mails.letters import Letter, bytes_of, shop_envelope
from recommendations.services.mails.line import mail_line, missing_settings
from recommendations.services.parcels.hook import body_from
from recommendations.services.parcels.links import preview_links
from recommendations.services.parcels.notification import ShownNotification, notification_seen
from recommendations.services.parcels.rendering import InboxLine, Reader, inbox_lines, letter_of
from recommendations.services.push.deciding import Sending, lists_of
from recommendations.services.push.letters import answers_of, occasion_of
from recommendations.serving.types import Shown
from recommendations.simulation.message_lists import MessageLists, current_snapshot, items_of_many
from recommendations.store.push.audience import people_in
from recommendations.store.push.people import shown_lately
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.stock import Product
from recommendations.wording.occasions import ItemOccasion

SENT_TEST = "send test"
"""Verb of the trail."""
MOST_TESTS, WITHIN = 10, timedelta(hours=1)
TWICE = timedelta(seconds=5)
"""Within which a second test of the same campaign is a second click."""
NEEDED = frozenset({"PUSH_EMAIL_URL", "PUSH_FROM"})
"""Settings without which not even a test leaves."""
EXAMPLE_ID, EXAMPLE_OCCASION, EXAMPLE_RECOMMENDATION = "…", "…", "r-…"
LOOKED_AT = 60  # people among whom one with few items is looked for
LAST_ACTS = 40  # of a customer, among which an item for the occasion is looked for
ACTS = (EventName.VIEW_ITEM, EventName.SELECT_ITEM, EventName.ADD_TO_CART, EventName.PURCHASE)
LIKELY: dict[Trigger, frozenset[EventName]] = {
    Trigger.CART_LEFT: frozenset({EventName.ADD_TO_CART}),
    Trigger.VIEWED: frozenset({EventName.VIEW_ITEM}),
    Trigger.BACK_IN_STOCK: frozenset({EventName.VIEW_ITEM}),
    Trigger.PRICE_DROP: frozenset({EventName.VIEW_ITEM}),
    Trigger.DUE_AGAIN: frozenset({EventName.PURCHASE}),
}
"""Acts by which an item could have called for the message."""
WITHOUT_ITEM = frozenset({Trigger.WIN_BACK})


class TooManyTestsError(Exception):
    """Somebody has sent as many tests as there may be in an hour."""


class SentJustNowError(Exception):
    """A test of this campaign has left within the last seconds: somebody clicked twice."""


@dataclass(frozen=True, kw_only=True)
class CampaignLook:
    """What a customer would see, on each channel; ``occasion`` is the item that stands for the one of an occasion.

    ``notifications`` has one for each subject, as ``inbox`` has; ``hook`` is the body of a webhook, as JSON.
    """

    customer: int
    language: str
    letter: Letter
    inbox: Sequence[InboxLine]
    notifications: Sequence[ShownNotification]
    hook: bytes
    variant: int
    items: int
    enough: bool
    occasion: Product | None

    @property
    def notification(self) -> ShownNotification:
        """The notification with the customer's own subject."""
        return self.notifications[self.variant % len(self.notifications)]


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """A form as somebody would read it: their items and what the letter needs to know of them."""

    shown: Sequence[Shown]
    reader: Reader
    variant: int
    occasion: Product | None
    why: ItemOccasion | None


def in_view(who: Who) -> list[int]:
    """Keys of the people in the audiences of a campaign."""
    return people_in(any_of=who.any_of, none_of=who.none_of)


def look_at(campaign: Campaign, form: CampaignForm, *, customer: int, language: str, now: datetime) -> CampaignLook:
    """What a customer (by key) would see, in their own language where none is given.

    Raises UnknownPlacementError and, before the first run, NotLoadedError.
    """
    snapshot = current_snapshot()
    reading = _reading(campaign, form, customer=customer, language=language, snapshot=snapshot, now=now)
    return CampaignLook(
        customer=customer,
        language=texts_for(form.what, reading.reader.language)[0],
        letter=_letter(form, reading),
        inbox=inbox_lines(form, reading.shown, language=reading.reader.language),
        notifications=_notifications(form, reading),
        hook=_hook(campaign, reading, now=now),
        variant=reading.variant,
        items=len(reading.shown),
        enough=len(reading.shown) >= form.what.least_items,
        occasion=reading.occasion,
    )


def send_test(campaign: Campaign, form: CampaignForm, *, customer: int, by: Staff, now: datetime) -> Outcome:
    """Send what a customer would get to one's own address, marked as a test; what the mail server said.

    Raises NotReadyError with the settings that are missing, SentJustNowError, TooManyTestsError, UnknownPlacementError
    and, before the first run, NotLoadedError.
    """
    if missing := [name for name in missing_settings() if name in NEEDED]:
        raise NotReadyError(settings=missing)
    _count_test(campaign, by=by, now=now)
    reading = _reading(campaign, form, customer=customer, language="", snapshot=current_snapshot(), now=now)
    letter = _letter(form, reading, is_test=True)
    key = f"test-{secrets.token_hex(8)}"
    content = bytes_of(letter, shop_envelope(key, to=by.email, date=now))
    line = mail_line()
    try:
        return line.hand_over(Parcel(message=0, idempotency_key=key, address={"email": by.email}, content=content))
    finally:
        line.close()


def with_few_items(campaign: Campaign, form: CampaignForm, people: Collection[int], *, now: datetime) -> int | None:
    """Whoever of these people has the fewest items; None of nobody. Raises as ``look_at``."""
    some = list(people)[:LOOKED_AT]
    wanted = wanted_of(campaign, form, some, now=now)
    counts = [len(listed.items) for listed in items_of_many(wanted, snapshot=current_snapshot(), now=now)]
    return min(zip(counts, some, strict=True), default=(0, None))[1]


def wanted_of(campaign: Campaign, form: CampaignForm, people: Sequence[int], *, now: datetime) -> list[MessageLists]:
    """The lists that each of these people would get, without an item of an occasion."""
    cases = [PushCase(campaign.pk, key, "", now, None) for key in people]
    sending = Sending(campaign=campaign, form=form, cases=cases)
    shown = shown_lately(people, now=now)
    return [
        lists_of(case, sending, customer=case.customer, but=frozenset(shown.get(case.customer, ()))) for case in cases
    ]


def _letter(form: CampaignForm, reading: _Reading, *, is_test: bool = False) -> Letter:
    return letter_of(
        form, reading.shown, reader=reading.reader, links=preview_links(), variant=reading.variant,
        occasion=reading.why, is_test=is_test,
    )  # fmt: skip


def _notifications(form: CampaignForm, reading: _Reading) -> list[ShownNotification]:
    language, texts = texts_for(form.what, reading.reader.language)
    return [
        notification_seen(form, reading.shown, language=language, variant=variant, occasion=reading.why)
        for variant in range(len(texts.subjects))
    ]


def _hook(campaign: Campaign, reading: _Reading, *, now: datetime) -> bytes:
    """The webhook, with examples of what only a message has; the shop's id of a customer is sealed, and not shown."""
    return body_from(
        reading.shown, user_id=EXAMPLE_ID, campaign=campaign.slug, occasion=EXAMPLE_OCCASION,
        language=reading.reader.language or settings.SHOP_LANGUAGE, recommendation=EXAMPLE_RECOMMENDATION, now=now,
    )  # fmt: skip


def _reading(
    campaign: Campaign, form: CampaignForm, *, customer: int, language: str, snapshot: Snapshot, now: datetime
) -> _Reading:
    occasion = _occasion(campaign, customer, snapshot=snapshot, now=now)
    case = PushCase(campaign.pk, customer, "", now, occasion.item if occasion else None)
    sending = Sending(campaign=campaign, form=form, cases=[case])
    lately = shown_lately([customer], now=now).get(customer, set()) - ({occasion.item} if occasion else set())
    wanted = lists_of(case, sending, customer=customer, but=frozenset(lately))
    shown = [one for answer in answers_of(wanted, snapshot=snapshot, now=now) for one in answer.shown]
    subjects = next(iter(form.what.texts.values())).subjects
    return _Reading(
        shown=shown,
        reader=_reader(campaign, customer, language=language),
        variant=subject_of(campaign.pk, customer, len(subjects)),
        occasion=occasion,
        why=occasion_of(campaign, case, shown, now=now),
    )


def _occasion(campaign: Campaign, customer: int, *, snapshot: Snapshot, now: datetime) -> Product | None:
    """An item of the customer's history that is for sale and could have called for the message."""
    if campaign.kind != CampaignKind.TRIGGERED or campaign.trigger in WITHOUT_ITEM:
        return None
    acts = Event.objects.filter(customer=customer, occurred_at__lte=now, name__in=ACTS).exclude(item=None)
    last = list(acts.order_by("-occurred_at").values_list("name", "item")[:LAST_ACTS])
    likely = LIKELY.get(Trigger(campaign.trigger), frozenset())
    sellable, stock = snapshot.sellable(now), snapshot.stock
    for _name, item in sorted(last, key=lambda act: act[0] not in likely):
        row = stock.ids.row(item)
        if row >= 0 and sellable[row]:
            return stock.products[row]
    return None


def _reader(campaign: Campaign, customer: int, *, language: str) -> Reader:
    purpose = Purpose(campaign.purpose)
    contact = Contact.objects.filter(pk=customer).first()
    yes = Permission.objects.filter(contact=customer, channel=Channel.EMAIL, purpose=purpose, state="given").first()
    own, zone = (contact.language, contact.time_zone) if contact else ("", "")
    return Reader(language=language or own, purpose=purpose, said_yes_at=yes.since if yes else None, zone=zone)


@transaction.atomic
def _count_test(campaign: Campaign, *, by: Staff, now: datetime) -> None:
    """Note a test in the trail, by which they are counted. Raises SentJustNowError and TooManyTestsError."""
    Staff.objects.select_for_update().get(pk=by.pk)
    tests = AuditEntry.objects.filter(staff=by, verb=SENT_TEST, at__gt=now - WITHIN)
    if tests.filter(object_type="campaign", object_id=str(campaign.pk), at__gt=now - TWICE).exists():
        raise SentJustNowError
    if tests.count() >= MOST_TESTS:
        raise TooManyTestsError
    audit.record(by=by, verb=SENT_TEST, subject=campaign)
