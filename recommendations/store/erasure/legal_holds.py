"""Duties to keep what is held of somebody: while one lasts the person is not erased."""

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from recommendations.models import LegalHold
from recommendations.store.events.tombstones import digest_of
from recommendations.store.holders.protocol import Subject


def hold_on(subject: Subject, *, now: datetime | None = None) -> LegalHold | None:
    """The hold that lasts for any id of a person; of several the one that ends last."""
    now = now or timezone.now()
    digests = [digest_of(value) for value in subject.pseudonyms]
    lasting = LegalHold.objects.filter(Q(until=None) | Q(until__gt=now), digest__in=digests, since__lte=now)
    return max(lasting, key=lambda hold: (hold.until is None, hold.until, hold.since), default=None)
