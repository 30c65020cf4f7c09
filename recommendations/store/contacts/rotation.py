"""Addresses under a new key: a part of them at a time, in the order of their keys."""

from dataclasses import dataclass

from django.db import transaction

from recommendations.models import Address
from recommendations.push_terms import AddressState
from recommendations.store.contacts.book import LOCK
from recommendations.store.contacts.sealing import SealBrokenError, reseal, under_first_key
from recommendations.store.temp_tables import run

_RESEAL = """
UPDATE recommendations_address address SET sealed = fresh.sealed
FROM unnest(%(keys)s::bigint[], %(seals)s::bytea[]) AS fresh(key, sealed) WHERE address.id = fresh.key
"""


@dataclass(frozen=True, kw_only=True)
class RotatedPart:
    """Addresses of one transaction; ``broken`` are the primary keys of those that no key opens."""

    addresses: int
    resealed: int
    broken: list[int]
    last: int  # primary key


@transaction.atomic
def reseal_part(*, after: int, most: int) -> RotatedPart | None:
    """Seal the next addresses after a primary key with the first key; None where there are no more.

    Raises KeysMissingError.
    """
    run("SELECT pg_advisory_xact_lock(%(lock)s)", lock=LOCK)  # who writes many takes them in another order
    living = Address.objects.exclude(state=AddressState.GONE).filter(pk__gt=after)
    addresses = list(living.order_by("pk").select_for_update().values_list("pk", "sealed")[:most])
    if not addresses:
        return None
    fresh, broken = dict[int, bytes](), list[int]()
    for key, sealed in addresses:
        if under_first_key(sealed):
            continue
        try:
            fresh[key] = reseal(sealed)
        except SealBrokenError:
            broken.append(key)
    if fresh:
        run(_RESEAL, keys=list(fresh), seals=list(fresh.values()))
    return RotatedPart(addresses=len(addresses), resealed=len(fresh), broken=broken, last=addresses[-1][0])
