"""Messages as notifications of a browser: a title, a sentence, a picture, and the link that a click opens.

The shop's service worker gets JSON: ``id`` (the same however often it is sent), ``title``, ``body``, ``icon``, ``url``
(a whole address) and ``rid``, the recommendation.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.conf import settings
from django.utils import translation

from recommendations.channels.protocol import Gone, Outcome, Parcel
from recommendations.channels.sealing import LONGEST, base64url
from recommendations.models import Message
from recommendations.services.campaigns.form import CampaignForm, texts_for
from recommendations.services.mails.letters import one_line
from recommendations.services.mails.returns import key_of
from recommendations.services.parcels.content import Delivery, MessageContent
from recommendations.services.parcels.rendering import fill, item_of, mark, values_of
from recommendations.serving.types import Shown
from recommendations.store.contacts import browsers
from recommendations.store.contacts.sealing import unseal
from recommendations.wording.occasions import ItemOccasion

TITLE, BODY = 60, 140  # characters that are shown
TOPIC = 24  # bytes: 32 letters, as many as a push service takes


@dataclass(frozen=True, kw_only=True)
class ShownNotification:
    """What of a notification its reader sees; ``icon`` is the address of a picture, "" without one."""

    title: str
    body: str
    icon: str


def notification_of(content: MessageContent) -> Delivery:
    """The notification, with the browser's keys opened; it lives only until it is handed over."""
    message, address = content.message, content.address
    seen = notification_seen(
        content.form, content.items, language=content.reader.language, variant=message.variant,
        occasion=content.occasion,
    )  # fmt: skip
    fields = {
        "id": key_of(message.pk),
        "title": seen.title,
        "body": seen.body,
        "icon": seen.icon,
        "url": content.links.item(0) if content.items else content.links.home,
        "rid": content.recommendation,
    }
    parcel = Parcel(
        message=message.pk, idempotency_key=key_of(message.pk), address=unseal(address.sealed),
        content=_payload(fields), expires_at=message.expires_at, topic=topic_of(message),
    )  # fmt: skip

    def note(outcome: Outcome, _now: datetime) -> None:
        if isinstance(outcome, Gone):
            browsers.drop([address.pk])

    return Delivery(parcel=parcel, note=note)


def notification_seen(
    form: CampaignForm, shown: Sequence[Shown], *, language: str, variant: int = 0, occasion: ItemOccasion | None = None
) -> ShownNotification:
    """The subject as its title, the intro or else the first item with its reason as its body, that item's picture."""
    language, texts = texts_for(form.what, language)
    with translation.override(language):
        values = values_of(shown)
        body = fill(texts.intro, values)
        if not body.strip() and shown:
            first = item_of(shown[0], "", occasion)
            body = f"{first.title}: {first.reason}" if first.reason else first.title
        title = mark(fill(texts.subjects[variant % len(texts.subjects)], values))
        icon = item_of(shown[0], "", None).picture if shown else ""
    return ShownNotification(title=shorten(title, TITLE), body=shorten(body, BODY), icon=icon)


def topic_of(message: Message) -> str:
    """The topic under which a push service keeps one message of this campaign and occasion for a customer."""
    said = f"topic:{message.campaign_id}:{message.customer_id}:{message.key}"
    return base64url(hmac.digest(settings.LINK_KEYS[0].encode(), said.encode(), "sha256")[:TOPIC])


def shorten(text: str, most: int) -> str:
    """A text on one line, of at most so many characters."""
    plain = one_line(text)
    return plain if len(plain) <= most else f"{plain[: most - 1].rstrip()}…"


def _payload(fields: Mapping[str, str]) -> bytes:
    """The fields as JSON that every push service takes; a picture whose address is too long is left out."""
    payload = msgspec.json.encode(fields)
    return payload if len(payload) <= LONGEST else msgspec.json.encode({**fields, "icon": ""})
