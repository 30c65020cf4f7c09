"""Messages as webhooks: whom the shop's own system is to tell what, with the items as the API gives them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from django.conf import settings
from django.utils import translation

from recommendations.channels.protocol import Outcome, Parcel
from recommendations.services.endpoints import health
from recommendations.services.endpoints.book import endpoint_for, opened
from recommendations.services.mails.returns import key_of
from recommendations.services.parcels.content import Delivery, MessageContent, NowhereError
from recommendations.serving.results import Recommended, product_shown, reasons_given
from recommendations.serving.types import Shown
from recommendations.store.contacts.sealing import unseal

TYPE = "recommendations.push"


def hook_of(content: MessageContent) -> Delivery:
    """The webhook, for the endpoint of its campaign. Raises NowhereError where that is off."""
    endpoint = endpoint_for(content.form.endpoint)
    if endpoint is None:
        raise NowhereError("the webhook is off")
    message = content.message
    parcel = Parcel(
        message=message.pk, idempotency_key=key_of(message.pk), address=opened(endpoint, now=content.now),
        content=body_of(content), expires_at=message.expires_at,
    )  # fmt: skip

    def note(outcome: Outcome, now: datetime) -> None:
        health.note(endpoint, outcome, now=now)

    return Delivery(parcel=parcel, note=note)


def body_of(content: MessageContent) -> bytes:
    """The body as JSON; words of reasons are in the customer's language."""
    message = content.message
    return body_from(
        content.items, user_id=unseal(content.address.sealed)["user_id"], campaign=message.campaign.slug,
        occasion=message.key, language=content.address.contact.language, recommendation=content.recommendation,
        now=content.now,
    )  # fmt: skip


def body_from(
    items: Sequence[Shown], *, user_id: str, campaign: str, occasion: str, language: str, recommendation: str,
    now: datetime,
) -> bytes:  # fmt: skip
    """The body from what stands in it; a preview gives examples of what a message alone has."""
    with translation.override(language):
        results = [
            Recommended(
                item_id=one.product.shop_id, rank=place, source=one.source, reasons=reasons_given(one.reasons),
                product=product_shown(one.product, settings.PUBLIC_URL),
            )
            for place, one in enumerate(items, start=1)
        ]  # fmt: skip
    data = {
        "user_id": user_id,
        "campaign": campaign,
        "occasion": occasion,
        "language": language,
        "recommendation_id": recommendation,
        "results": results,
    }
    return msgspec.json.encode({"type": TYPE, "timestamp": now, "data": data})
