"""Duties to keep what is held of somebody: while one lasts the person is not erased.

Whoever stores one waits for burials that are under way, and burials wait for whoever stores one: neither overlooks the
other.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from recommendations.models import LegalHold
from recommendations.store.events.tombstones import digest_of
from recommendations.store.holders.protocol import Subject

LOCK = 7_264_195


class HeldError(Exception):
    """A legal hold lasts for the person."""

    def __init__(self) -> None:
        super().__init__("A legal hold lasts for this person.")


def lock_holds() -> None:
    """Let nobody be buried until this transaction has ended, in which a hold is stored."""
    _lock("pg_advisory_xact_lock")


def refuse_held(subjects: Iterable[Subject]) -> None:
    """Let no hold be stored until this transaction has ended. Raises HeldError where one lasts for any of them."""
    _lock("pg_advisory_xact_lock_shared")
    digests = {digest_of(value) for each in subjects for value in each.pseudonyms}
    if lasting_holds(now=timezone.now()).filter(digest__in=digests).exists():
        raise HeldError


def _lock(function: Literal["pg_advisory_xact_lock", "pg_advisory_xact_lock_shared"]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [LOCK])


def lasting_holds(*, now: datetime) -> QuerySet[LegalHold]:
    return LegalHold.objects.filter(Q(until=None) | Q(until__gt=now), since__lte=now)


def forget_ended_holds(*, now: datetime) -> int:
    """Have holds that last no more name nobody any longer; how many did."""
    return LegalHold.objects.filter(until__lte=now, pseudonym__isnull=False).update(pseudonym=None)


def holds_on(subject: Subject, *, now: datetime | None = None) -> list[LegalHold]:
    """The holds that last for any id of a person, the first one first."""
    digests = [digest_of(value) for value in subject.pseudonyms]
    return list(lasting_holds(now=now or timezone.now()).filter(digest__in=digests).order_by("pk"))
