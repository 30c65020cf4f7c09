"""Duties to keep what is held of somebody: while one lasts the person is not erased."""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from recommendations.models import LegalHold
from recommendations.store.events.tombstones import digest_of
from recommendations.store.holders.protocol import Subject


def lasting_holds(*, now: datetime) -> QuerySet[LegalHold]:
    return LegalHold.objects.filter(Q(until=None) | Q(until__gt=now), since__lte=now)


def hold_on(subject: Subject, *, now: datetime | None = None) -> LegalHold | None:
    """The hold that lasts for any id of a person; of several the one that ends last."""
    now = now or timezone.now()
    digests = [digest_of(value) for value in subject.pseudonyms]
    lasting = lasting_holds(now=now).filter(digest__in=digests)
    return max(lasting, key=lambda hold: (hold.until is None, hold.until, hold.since), default=None)
