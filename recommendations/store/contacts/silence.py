"""Addresses that stay silent, whoever they belong to."""

from collections.abc import Collection
from datetime import datetime

from recommendations.models import Suppression
from recommendations.push_terms import Channel, SuppressionReason
from recommendations.store.push import outbox


def silence(channel: Channel, digest: bytes, *, reason: SuppressionReason, now: datetime) -> bool:
    """Silence an address for good; False for one that is silent already, which stays so for its own reason.

    What waits for it is withdrawn with it.
    """
    Suppression.objects.filter(channel=channel, digest=digest, until__lte=now).delete()
    defaults = {"reason": reason, "at": now}
    is_new = Suppression.objects.get_or_create(channel=channel, digest=digest, defaults=defaults)[1]
    outbox.withdraw_from(channel, digest)
    return is_new


def lift(channel: Channel, digest: bytes, *, reasons: Collection[SuppressionReason]) -> bool:
    """Let an address speak again that is silent for one of these reasons; whether it was."""
    return bool(Suppression.objects.filter(channel=channel, digest=digest, reason__in=reasons).delete()[0])


def suppressions(digests: Collection[bytes], *, now: datetime) -> dict[bytes, Suppression]:
    """Why, and since when, those of these addresses are silent that are so now; a hash is of one channel's address."""
    silent = Suppression.objects.filter(digest__in=digests).exclude(until__lte=now)
    return {bytes(each.digest): each for each in silent}


def reason_of(channel: Channel, digest: bytes, *, now: datetime) -> SuppressionReason | None:
    """Why an address is silent; None where it is not."""
    silent = Suppression.objects.filter(channel=channel, digest=digest).exclude(until__lte=now)
    reason = silent.values_list("reason", flat=True).first()
    return SuppressionReason(reason) if reason else None
