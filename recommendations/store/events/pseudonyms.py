"""The shop's customer ids become keyed hashes here, before anything is stored; the ids themselves are kept nowhere.

The first key hashes the id, each later key the hash under the one before, so that a layer can be laid over all that is
stored without an id. How many layers the record has is its generation (``generations``).
"""

import hashlib
import hmac
from collections.abc import Iterable
from functools import cache

from django.conf import settings

from recommendations.models import Customer, ShopSetting
from recommendations.store.events.generations import GENERATION, generation
from recommendations.terms import CustomerKind

CHECK_VALUE = "pseudonym_key_check"


def pseudonym(shop_id: str, *, kind: CustomerKind = CustomerKind.SIGNED_IN, layers: int | None = None) -> bytes:
    """Keyed hash of an id, 32 bytes: HMAC-SHA256 under each of ``layers`` keys, as many as the record has by default.

    A user id and an anonymous id never collide.
    """
    return pseudonyms([shop_id], kind=kind, layers=layers)[shop_id]


def pseudonyms(shop_ids: Iterable[str], *, kind: CustomerKind, layers: int | None = None) -> dict[str, bytes]:
    """``pseudonym`` per id; to go on from a key costs a third of beginning with it each time."""
    firsts = first_pseudonyms(shop_ids, kind=kind)
    until = generation() if layers is None else layers
    return firsts if until == 1 else {shop_id: layered(value, until=until) for shop_id, value in firsts.items()}


def first_pseudonyms(shop_ids: Iterable[str], *, kind: CustomerKind) -> dict[str, bytes]:
    """The hash of each id under the first key alone, from which that of every generation follows."""
    keyed, hashes = _keyed(settings.PSEUDONYM_KEYS[0]), dict[str, bytes]()
    for shop_id in shop_ids:
        one = keyed.copy()
        one.update(f"{kind}:{shop_id}".encode())
        hashes[shop_id] = one.digest()
    return hashes


def first_pseudonym(shop_id: str, *, kind: CustomerKind = CustomerKind.SIGNED_IN) -> bytes:
    return first_pseudonyms([shop_id], kind=kind)[shop_id]


def layered(value: bytes, *, after: int = 1, until: int) -> bytes:
    """The pseudonym of a generation, of the one that a person has in the generation ``after``."""
    for key in settings.PSEUDONYM_KEYS[after:until]:
        one = _keyed(key).copy()
        one.update(value)
        value = one.digest()
    return value


def in_generations(value: bytes, *, after: int = 1, until: int | None = None) -> list[bytes]:
    """The pseudonyms of a person in all generations from ``after``, where it is ``value``, to that of the last key."""
    values = [value]
    for number in range(after, until or len(settings.PSEUDONYM_KEYS)):
        values.append(layered(values[-1], after=number, until=number + 1))
    return values


def pseudonym_unit(value: bytes) -> int:
    """The number by which slates and experiments name a pseudonym: its first 8 bytes, signed."""
    return int.from_bytes(value[:8], signed=True)


def later_unit(unit: int, *, layers: int) -> int:
    """The number in the generation ``layers`` of somebody unknown, of whom the one before had only the number."""
    return pseudonym_unit(layered(unit.to_bytes(8, signed=True), after=layers - 1, until=layers))


def units_of(first: bytes, *, until: int) -> list[int]:
    """The numbers that whoever had this pseudonym in the first generation may have now: also if they were unknown."""
    units = list[int]()
    for number, value in enumerate(in_generations(first, until=until), 1):
        units = [*(later_unit(unit, layers=number) for unit in units), pseudonym_unit(value)]
    return units


def known_customers(typed: str) -> list[Customer]:
    """The customers that the shop calls by this id, signed in or anonymous."""
    return list(Customer.objects.filter(pseudonym__in=[pseudonym(typed, kind=kind) for kind in CustomerKind]))


def check_of(layers: int) -> str:
    """The value by which a record knows the keys of a generation again."""
    return pseudonym("check value", layers=layers).hex()


def keys_are_the_stored_ones() -> bool:
    """False where this database was filled under other keys, or more of them; the first call stores the check."""
    stored = dict(ShopSetting.objects.filter(key__in=[GENERATION, CHECK_VALUE]).values_list("key", "value"))
    layers = int(stored.get(GENERATION, 1))
    if layers > len(settings.PSEUDONYM_KEYS):
        return False
    check = check_of(layers)
    if CHECK_VALUE not in stored:
        stored[CHECK_VALUE] = ShopSetting.objects.get_or_create(key=CHECK_VALUE, defaults={"value": check})[0].value
    return bool(stored[CHECK_VALUE] == check)


@cache
def _keyed(key: str) -> hmac.HMAC:
    return hmac.new(key.encode(), digestmod=hashlib.sha256)
