"""A ping to a webhook, by which somebody sees whether it is set up."""

import secrets
from contextlib import closing
from datetime import datetime

import msgspec
from django.conf import settings

from recommendations.channels.outbound import HttpClient
from recommendations.channels.protocol import Outcome, Parcel, Taken
from recommendations.channels.webhook import Webhook
from recommendations.models import Endpoint, Staff
from recommendations.services.access import audit
from recommendations.services.endpoints import health
from recommendations.services.endpoints.book import opened

TYPE = "recommendations.ping"


def send_ping(endpoint: Endpoint, *, by: Staff, now: datetime) -> Outcome:
    """Post a signed ping that is about nobody; what the receiver said. One that is taken counts as a message does.

    Raises KeysMissingError and SealBrokenError.
    """
    content = msgspec.json.encode({"type": TYPE, "timestamp": now, "data": {"shop": settings.SHOP_NAME}})
    key = f"ping-{secrets.token_hex(8)}"
    parcel = Parcel(message=0, idempotency_key=key, address=opened(endpoint, now=now), content=content)
    audit.record(by=by, verb="send test", subject=endpoint)
    with closing(Webhook(client=HttpClient(trusted=settings.WEBHOOK_HOSTS))) as line:
        outcome = line.hand_over(parcel)
    if isinstance(outcome, Taken):
        health.note(endpoint, outcome, now=now)
    return outcome
