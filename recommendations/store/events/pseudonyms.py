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
    return pseudonyms([shop_id], kind=kind)[shop_id]


def pseudonyms(shop_ids: Iterable[str], *, kind: CustomerKind) -> dict[str, bytes]:
    """``pseudonym`` per id; to go on from the key costs a third of beginning with it each time."""
    keyed, hashes = _keyed(settings.PSEUDONYM_KEY), dict[str, bytes]()
    for shop_id in shop_ids:
        one = keyed.copy()
        one.update(f"{kind}:{shop_id}".encode())
        hashes[shop_id] = one.digest()
    return hashes


def known_customers(typed: str) -> list[Customer]:
    """The customers that the shop calls by this id, signed in or anonymous."""
    return list(Customer.objects.filter(pseudonym__in=[pseudonym(typed, kind=kind) for kind in CustomerKind]))


def key_is_the_stored_one() -> bool:
    """False where this database was filled under another ``PSEUDONYM_KEY``; the first call stores the check."""
    check = pseudonym("check value").hex()
    stored, _ = ShopSetting.objects.get_or_create(key=CHECK_VALUE, defaults={"value": check})
    return bool(stored.value == check)


@cache
def _keyed(key: str) -> hmac.HMAC:
    return hmac.new(key.encode(), digestmod=hashlib.sha256)
