"""The shop's customer ids become keyed hashes here, before anything is stored; the ids themselves are kept nowhere."""

import hashlib
import hmac
from collections.abc import Iterable
from functools import cache

from django.conf import settings

from recommendations.models import Customer, ShopSetting
from recommendations.terms import CustomerKind

CHECK_VALUE = "pseudonym_key_check"


def pseudonym(shop_id: str, *, kind: CustomerKind = CustomerKind.SIGNED_IN) -> bytes:
    """HMAC-SHA256 of the id under ``PSEUDONYM_KEY``, 32 bytes; a user id and an anonymous id never collide."""
    keyed = _keyed(settings.PSEUDONYM_KEY).copy()  # a third of the cost of beginning with the key each time
    keyed.update(f"{kind}:{shop_id}".encode())
    return keyed.digest()


def known_customers(typed: str) -> list[Customer]:
    """The customers that the shop calls by this id, signed in or anonymous."""
    return list(Customer.objects.filter(pseudonym__in=[pseudonym(typed, kind=kind) for kind in CustomerKind]))


def customer_keys(pseudonyms: Iterable[tuple[bytes, CustomerKind]]) -> dict[bytes, int]:
    """Primary key per pseudonym; customers that are new are added."""
    kinds = dict(pseudonyms)
    found = Customer.objects.filter(pseudonym__in=list(kinds)).values_list("pseudonym", "pk")
    known = {bytes(value): key for value, key in found}
    new = [Customer(pseudonym=value, kind=kind) for value, kind in kinds.items() if value not in known]
    if new:
        Customer.objects.bulk_create(new, ignore_conflicts=True, batch_size=5_000)
        added = Customer.objects.filter(pseudonym__in=[customer.pseudonym for customer in new])
        known |= {bytes(value): key for value, key in added.values_list("pseudonym", "pk")}
    return known


def key_is_the_stored_one() -> bool:
    """False where this database was filled under another ``PSEUDONYM_KEY``; the first call stores the check."""
    check = pseudonym("check value").hex()
    stored, _ = ShopSetting.objects.get_or_create(key=CHECK_VALUE, defaults={"value": check})
    return bool(stored.value == check)


@cache
def _keyed(key: str) -> hmac.HMAC:
    return hmac.new(key.encode(), digestmod=hashlib.sha256)
