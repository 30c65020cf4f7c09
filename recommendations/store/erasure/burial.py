"""Step 1 of an erasure: from its commit on no id leads to the person any more, whoever holds what of them."""

import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import NamedTuple

import structlog
from django.db import connection, transaction
from django.db.models import Q

from recommendations.models import Customer
from recommendations.models.privacy.requests import DIGEST
from recommendations.privacy_terms import EraseMode, HolderCode
from recommendations.store.erasure import log as erasure_log
from recommendations.store.erasure.legal_holds import forget_ended_holds, refuse_held
from recommendations.store.erasure.subjects import keys_joined_to
from recommendations.store.events import tombstones
from recommendations.store.events.generations import generation
from recommendations.store.events.insert import run
from recommendations.store.events.known_customers import forget_newcomers, told_newcomers
from recommendations.store.events.tombstones import ErasedId, digest_of
from recommendations.store.holders.protocol import Erased, Subject
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


class Buried(NamedTuple):
    """A person whom no id leads to any more, and what this took from holders, who find so much less now."""

    subject: Subject
    taken: Mapping[HolderCode, Erased]


type Note = Callable[[Sequence[Buried]], None]
"""Stores, in the transaction that makes them unknown, who was buried."""


def bury(subject: Subject, *, mode: EraseMode, now: datetime, at: datetime | None = None) -> Subject:
    """Make a person unknown to all who ask from now on; the whole subject, with keys that joined theirs meanwhile.

    Each of their rows gets a new random pseudonym and ``erased_at``, each old pseudonym a tombstone of ``at`` (now,
    but where an erasure is repeated). Aliases stay until holders delete them. A second time nothing is left to do.
    Raises HeldError where a legal hold lasts, but where an erasure is repeated; then nothing was done.
    """
    return bury_all([subject], mode=mode, now=now, at=at)[0]


def bury_all(
    subjects: Sequence[Subject],
    *,
    mode: EraseMode,
    now: datetime,
    at: datetime | None = None,
    note: Note | None = None,
) -> list[Subject]:
    """Make several people unknown in one transaction, as ``bury`` does one; the whole subjects, in their order.

    A ``note`` is called again where keys joined meanwhile, with what was taken then.
    """
    may_be_held, at = at is None, at or now
    while True:
        subjects, joined = _bury(subjects, mode=mode, now=now, at=at, note=note, may_be_held=may_be_held)
        may_be_held &= any(joined)  # from the first burial on they are unknown, and nothing keeps them
        late = joined or _latecomers(subjects, at=at)
        if not late:
            return list(subjects)
        subjects = [replace(each, keys=each.keys | more) for each, more in zip(subjects, late, strict=True)]


@transaction.atomic
def _bury(
    subjects: Sequence[Subject],
    *,
    mode: EraseMode,
    now: datetime,
    at: datetime,
    note: Note | None,
    may_be_held: bool,
) -> tuple[Sequence[Subject], list[frozenset[int]]]:
    """The subjects that were buried; or, with nothing done, also keys that were joined to each and are not locked."""
    theirs = Q(pk__in=frozenset().union(*(each.keys for each in subjects)))
    theirs |= Q(pseudonym__in={value for each in subjects for value in each.pseudonyms})
    locked = Customer.objects.filter(theirs).order_by("pk").select_for_update()  # in one order: never crosswise
    rows = {key: (bytes(value), erased) for key, value, erased in locked.values_list("pk", "pseudonym", "erased_at")}
    named = {value: key for key, (value, _erased) in rows.items()}
    key_sets = [each.keys | {named[value] for value in each.pseudonyms if value in named} for each in subjects]
    everyone = frozenset().union(*key_sets)
    if keys_joined_to(everyone) - everyone:
        joined = [keys_joined_to(keys) - keys for keys in key_sets]
        transaction.set_rollback(True)  # a lower key may be among them
        return [replace(each, keys=keys) for each, keys in zip(subjects, key_sets, strict=True)], joined
    living = {key: value for key, (value, erased) in rows.items() if erased is None}
    whole = [_with(keys, living, subject=each) for each, keys in zip(subjects, key_sets, strict=True)]
    if may_be_held:
        refuse_held(whole)
    forget_ended_holds(now=now)
    run(_EMPTY, [now, now, list(living), [secrets.token_bytes(DIGEST) for _key in living]])
    pseudonyms = sorted({value for each in whole for value in each.pseudonyms})
    layers = generation()
    marks = [ErasedId(digest_of(value), layers, at, mode) for value in pseudonyms]
    tombstones.lay(marks)
    if note is not None:
        note(_buried(whole, living.keys()))
    transaction.on_commit(partial(_tell, pseudonyms, marks))
    return whole, []


def _buried(subjects: Sequence[Subject], living: Set[int]) -> list[Buried]:
    """The subjects with what is taken of each: rows that lose their pseudonym, and names of newcomers in Valkey."""
    told = told_newcomers({value for each in subjects for value in each.pseudonyms})
    named = [sum(told.get(value) in each.keys for value in each.pseudonyms) for each in subjects]
    return [
        Buried(
            each,
            {HolderCode.LIVE: Erased(deleted=names), HolderCode.CUSTOMER: Erased(changed=len(each.keys & living))},
        )
        for each, names in zip(subjects, named, strict=True)
    ]


def _with(keys: frozenset[int], living: Mapping[int, bytes], *, subject: Subject) -> Subject:
    """The subject with all its keys, and with the pseudonyms of those that are ``living``."""
    own = {living[key] for key in keys & living.keys()}
    return replace(subject, keys=keys, pseudonyms=tuple(sorted(own.union(subject.pseudonyms))))


def _tell(pseudonyms: Collection[bytes], marks: Collection[ErasedId]) -> None:
    forget_newcomers(pseudonyms)
    announce(Changed.PEOPLE)
    try:
        erasure_log.write_down(marks)
    except OSError:
        log.exception("an erasure is not in the log yet")  # the watch completes it


def _latecomers(subjects: Sequence[Subject], *, at: datetime) -> list[frozenset[int]]:
    """Keys that pseudonyms of each got from who had not seen the tombstone yet; nothing where there are none."""
    if connection.in_atomic_block:
        return []
    _settle()
    pseudonyms = {value for each in subjects for value in each.pseudonyms}
    rows = Customer.objects.filter(pseudonym__in=pseudonyms, erased_at=None)
    unaware = rows.filter(Q(not_before=None) | Q(not_before__lt=at))
    late = {bytes(value): key for value, key in unaware.values_list("pseudonym", "pk")}
    return [frozenset(late[value] for value in each.pseudonyms if value in late) for each in subjects] if late else []


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
