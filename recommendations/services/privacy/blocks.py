"""Blocks of ids that were erased: what they do counts without a customer, until staff lift the block."""

from datetime import datetime

from django.db import transaction

from recommendations.models import Staff, Tombstone
from recommendations.services.access import audit
from recommendations.services.privacy.sealed import PersonIds
from recommendations.store.erasure.burial import lift_block
from recommendations.store.erasure.subjects import erased_digests


class NotBlockedError(Exception):
    """None of the ids is blocked."""


@transaction.atomic
def lift_blocks(ids: PersonIds, *, by: Staff | None, now: datetime) -> int:
    """Let ids that are blocked be customers again, who are new; how many were blocked. Raises NotBlockedError."""
    digests = erased_digests(ids.user_id, ids.anonymous_ids)
    lifted = [digest for digest in digests if lift_block(digest, now=now)]
    if not lifted:
        raise NotBlockedError
    for erased in Tombstone.objects.filter(digest__in=lifted):
        audit.record(by=by, verb="unblock", subject=erased)
    return len(lifted)
