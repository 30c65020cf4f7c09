"""Step 1 of an erasure: from its commit on no id leads to the person any more, whoever holds what of them."""

import secrets
import time
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog
from django.db import connection, transaction
from django.db.models import Q

from recommendations.models import Customer
from recommendations.models.privacy.requests import DIGEST
from recommendations.privacy_terms import EraseMode
from recommendations.store.erasure import log as erasure_log
from recommendations.store.erasure.subjects import keys_joined_to
from recommendations.store.events import tombstones
from recommendations.store.events.generations import generation
from recommendations.store.events.insert import run
from recommendations.store.events.known_customers import forget_newcomers
from recommendations.store.events.tombstones import ErasedId, digest_of
from recommendations.store.holders.protocol import Subject
from recommendations.store.live.fetch import Changed, announce

PATIENCE = 0.5  # seconds to wait for statements that began before the commit
LOOK = 0.005

log = structlog.get_logger(__name__)

# Whoever still has the key meets somebody who objects: nothing is learned of them, nobody writes to them.
_EMPTY = """
UPDATE recommendations_customer customer
SET pseudonym = empty.pseudonym, erased_at = %b, not_before = greatest(not_before, %b), personalise = false,
  measure = false, consent_at = NULL, measure_at = NULL, resumed_at = NULL, properties = '{}'
FROM unnest(%b::bigint[], %b::bytea[]) AS empty(id, pseudonym) WHERE customer.id = empty.id
RETURNING customer.id
"""
# Statements that began before a commit may still write what they saw: a key of somebody who is gone by now.
_UNDER_WAY = """
SELECT EXISTS (
  SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
    AND pid <> pg_backend_pid() AND state <> 'idle' AND xact_start <= %b::timestamptz)
"""


def bury(subject: Subject, *, mode: EraseMode, now: datetime, at: datetime | None = None) -> Subject:
    """Make a person unknown to all who ask from now on; the whole subject, with keys that joined theirs meanwhile.

    Each of their rows gets a new random pseudonym and ``erased_at``, each old pseudonym a tombstone of ``at`` (now,
    but where an erasure is repeated). Aliases stay until holders delete them. A second time nothing is left to do.
    """
    at = at or now
    while True:
        buried, joined = _bury(subject, mode=mode, now=now, at=at)
        late = joined or _latecomers(buried, at=at)
        if not late:
            return buried
        subject = replace(buried, keys=buried.keys | late)


@transaction.atomic
def _bury(subject: Subject, *, mode: EraseMode, now: datetime, at: datetime) -> tuple[Subject, frozenset[int]]:
    """The subject that was buried; or, with nothing done, keys that were joined to it and are not locked."""
    theirs = Q(pk__in=subject.keys) | Q(pseudonym__in=subject.pseudonyms)
    locked = Customer.objects.filter(theirs).order_by("pk").select_for_update()  # in one order: never crosswise
    rows = list(locked.values_list("pk", "pseudonym", "erased_at"))
    keys = subject.keys | {key for key, _value, _erased in rows}
    if joined := keys_joined_to(keys) - keys:
        transaction.set_rollback(True)  # a lower key may be among them
        return replace(subject, keys=keys), joined
    living = {key: bytes(value) for key, value, erased in rows if erased is None}
    named = sorted({*subject.pseudonyms, *living.values()})
    run(_EMPTY, [now, now, list(living), [secrets.token_bytes(DIGEST) for _key in living]])
    layers = generation()
    marks = [ErasedId(digest_of(value), layers, at, mode) for value in named]
    tombstones.lay(marks)
    transaction.on_commit(partial(_tell, named, marks))
    return replace(subject, keys=keys, pseudonyms=tuple(named)), frozenset()


def _tell(pseudonyms: Collection[bytes], marks: Collection[ErasedId]) -> None:
    forget_newcomers(pseudonyms)
    announce(Changed.PEOPLE)
    try:
        erasure_log.write_down(marks)
    except OSError:
        log.exception("an erasure is not in the log yet")  # the watch completes it


def _latecomers(subject: Subject, *, at: datetime) -> frozenset[int]:
    """Keys that one of the pseudonyms got from who had not seen the tombstone yet."""
    if connection.in_atomic_block:
        return frozenset()
    _settle()
    rows = Customer.objects.filter(pseudonym__in=subject.pseudonyms, erased_at=None)
    unaware = rows.filter(Q(not_before=None) | Q(not_before__lt=at))
    return frozenset(unaware.values_list("pk", flat=True))


def _settle() -> None:
    """Wait until what began before has ended, as far as it is no long run."""
    [(began,)] = run("SELECT clock_timestamp()", [])
    until = time.monotonic() + PATIENCE
    while run(_UNDER_WAY, [began])[0][0] and time.monotonic() < until:
        time.sleep(LOOK)


def lift_block(digest: bytes, *, now: datetime) -> bool:
    """Let an id that is blocked be a customer again, who is new; False where it is not blocked."""
    at = tombstones.lift_block(digest, now=now)
    if at is None:
        return False
    transaction.on_commit(partial(_tell, [], [ErasedId(digest, generation(), at, EraseMode.FORGET)]))
    return True
