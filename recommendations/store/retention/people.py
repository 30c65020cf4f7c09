"""People: who is held and keeps their events, and who has nothing left, so that their row goes as well."""

import time
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Exists, ForeignObjectRel, Model, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from recommendations.models import (
    AudienceMember,
    Customer,
    CustomerAlias,
    Event,
    HeldEvent,
    LiveProfile,
    Unit,
    WaitingLine,
)
from recommendations.models.events import EventListing
from recommendations.store.erasure.legal_holds import lasting_holds
from recommendations.store.erasure.subjects import keys_joined_to
from recommendations.store.events.tombstones import digest_of
from recommendations.store.holders.customer import BLANK, RANDOM
from recommendations.store.holders.protocol import ROWS
from recommendations.store.holders.tables import delete_rows
from recommendations.store.imports.import_record import under_way
from recommendations.store.live.fetch import Changed, announce
from recommendations.store.retention_rules import archived_files
from recommendations.store.snapshots.archived import customers_in

DAY = timedelta(days=1)
AT_ONCE, LOOKED_AT = 500, 2_000
"""Customers who leave, and who are looked at, in one statement."""
BREATH = 0.05
"""Seconds between two statements, for whoever else needs PostgreSQL: there is a whole night for all of them."""
GO_ALONG = frozenset({LiveProfile, AudienceMember, Unit, CustomerAlias, EventListing})
"""Tables whose rows keep nobody: they are inferred, or said of somebody who is there otherwise."""


def held_customers(*, now: datetime) -> frozenset[int]:
    """Keys of the people of whom something has to be kept, found by hashing every pseudonym once."""
    digests = {bytes(digest) for digest in lasting_holds(now=now).values_list("digest", flat=True)}
    if not digests:
        return frozenset()
    people = Customer.objects.filter(erased_at=None).values_list("pk", "pseudonym").iterator(chunk_size=ROWS)
    return keys_joined_to(key for key, value in people if digest_of(bytes(value)) in digests)


def release(held: Collection[int]) -> int:
    """Delete the events of those who are held no more; how many."""
    return delete_rows(HeldEvent.objects.exclude(held_for__in=held))


def leave(*, held: Collection[int], now: datetime) -> int | None:
    """Have everybody leave of whom no event, here or in files, no word, no contact and nothing else is left; how many.
    None where a file is being imported, in which they may stand: a later call goes on.

    Their rows stand empty for a minute, as those of who was erased, so that every process hears of it. What they do in
    the moment before is counted without a customer, whenever it happened, as nobody asked for it to be forgotten.
    """
    leaving = _without_anything(before=now - DAY) - set(held)
    leaving -= set(np.intersect1d(sorted(leaving), customers_in(archived_files())).tolist())
    while partners := {one for one, other in _joined(leaving) if other not in leaving}:
        leaving -= partners
    for part in batched(sorted(leaving), ROWS):
        if under_way():
            return None
        for keys in batched(part, AT_ONCE):
            _leave(_nothing_left(keys, before=now - DAY))
            time.sleep(BREATH)
        announce(Changed.PEOPLE)
        Event.objects.filter(customer__in=part).update(customer=None)  # of a statement that was under way
    return len(leaving)


@transaction.atomic
def _leave(customers: QuerySet[Customer]) -> None:
    keys = list(customers.select_for_update(of=("self",)).values_list("pk", flat=True))
    Unit.objects.filter(customer__in=keys).update(customer=None)
    empty = {name: value for name, value in BLANK.items() if name != "erased_at__isnull"}
    gone = Customer.objects.filter(pk__in=keys)
    gone.update(pseudonym=RawSQL(RANDOM, ()), erased_at=timezone.now(), **empty)  # noqa: S611 - a constant


def _without_anything(*, before: datetime) -> set[int]:
    return {key for part in _parts() for key in _nothing_left(part, before=before).values_list("pk", flat=True)}


def _parts() -> Iterator[list[int]]:
    """Keys of all customers, as many at once as are looked for by their keys and not by reading whole tables."""
    last = 0
    while part := list(Customer.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:LOOKED_AT]):
        yield part
        time.sleep(BREATH)
        last = part[-1]


def _nothing_left(keys: Collection[int], *, before: datetime) -> QuerySet[Customer]:
    """Customers among these, known since before a moment (of who comes just now the row is first), who never said
    anything and whom no row names but such as go along.
    """
    silent = Customer.objects.filter(
        pk__in=keys, created_at__lt=before, erased_at=None, personalise=True, consent_at=None, measure=True,
        measure_at=None, properties={},
    )  # fmt: skip
    rows = [
        ~Exists(HeldEvent.objects.filter(held_for=OuterRef("pk"))),
        ~Exists(WaitingLine.objects.filter(customer_id=OuterRef("pk"))),
    ]
    for model, field in keepers():
        named: QuerySet[Any] = QuerySet(model).filter(**{field: OuterRef("pk")})
        rows.append(~Exists(named))
    return silent.filter(*rows)


def keepers() -> Iterator[tuple[type[Model], str]]:
    """Tables whose rows keep the customer whom they name, with the field that does."""
    for relation in Customer._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and relation.related_model not in GO_ALONG:
            yield relation.related_model, relation.field.name


def _joined(keys: Collection[int]) -> Iterator[tuple[int, int]]:
    """Pairs of keys that were joined, from either side, of which the first is one of these."""
    for part in batched(sorted(keys), ROWS):
        named = CustomerAlias.objects.filter(Q(anonymous__in=part) | Q(customer__in=part), undone_at=None)
        for one, other in named.values_list("anonymous_id", "customer_id"):
            yield from ((one, other), (other, one))
