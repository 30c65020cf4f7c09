"""Acts of years ago, whose they are, and rules on how long they are kept."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from recommendations.models import (
    Customer,
    Event,
    RetentionRule,
)
from recommendations.privacy_terms import RetentionKind
from recommendations.store.events.pseudonyms import pseudonym

NOW = datetime(1993, 6, 20, 0, 20, tzinfo=UTC)
OLD = datetime(1991, 3, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def customer(name: str, **fields: Any) -> Customer:
    return Customer.objects.create(pseudonym=pseudonym(name), **{"created_at": OLD} | fields)


def event(whose: Customer | None, at: datetime, **fields: Any) -> Event:
    return Event.objects.create(
        occurred_at=at, event_id=uuid.uuid4(), customer=whose, **{"name": "view_item", "item": None} | fields
    )


def rule(kind: RetentionKind, days: int, at: datetime = NOW - DAY) -> None:
    RetentionRule.objects.create(kind=kind, days=days, note="made", at=at)
