"""Primary keys of what the shop names, held by the process, so that an event costs no look-up of its own."""

from collections.abc import Callable, Collection, Hashable, Mapping
from functools import cache

from recommendations.models import Item
from recommendations.store.marks import Watch
from recommendations.store.pseudonyms import customer_keys, pseudonym
from recommendations.terms import CustomerKind

HALF = 100_000  # names in each of the two halves

type Person = tuple[bytes, CustomerKind]
"""Pseudonym and kind of a customer."""


class KeyCache[Name: Hashable]:
    """At most ``2 · half`` keys: when the younger half is full it becomes the older, and what that held is forgotten.

    Names that the look-up does not find are asked for again each time.
    """

    def __init__(self, look_up: Callable[[Collection[Name]], Mapping[Name, int]], *, half: int = HALF) -> None:
        self._look_up, self._half = look_up, half
        self._young: dict[Name, int] = {}
        self._old: dict[Name, int] = {}

    def keys_of(self, names: Collection[Name]) -> dict[Name, int]:
        """The keys of those that exist; one query for all that the process does not hold."""
        young, old = self._young, self._old
        found = {name: young[name] for name in names if name in young}
        if len(found) == len(names):
            return found
        promoted = {name: old[name] for name in names if name not in found and name in old}
        missing = [name for name in names if name not in found and name not in promoted]
        promoted.update(self._look_up(missing) if missing else {})
        if len(young) + len(promoted) > self._half:
            self._young, self._old = dict(promoted), young
        else:
            young.update(promoted)
        return found | promoted

    def forget(self) -> None:
        self._young, self._old = {}, {}


@cache
def _items() -> tuple[KeyCache[str], Watch]:
    return KeyCache(_look_up_items), Watch("catalogue")


@cache
def _customers() -> KeyCache[Person]:
    return KeyCache(_look_up_customers)


def item_keys(shop_ids: Collection[str]) -> dict[str, int]:
    """Primary key per id of the shop; items that do not exist are missing."""
    known, watch = _items()
    if watch.moved():
        known.forget()
    return known.keys_of(shop_ids)


def person(shop_id: str, kind: CustomerKind) -> Person:
    return pseudonym(shop_id, kind=kind), kind


def person_keys(people: Collection[Person]) -> dict[Person, int]:
    """Primary key per person; customers that are new are added."""
    return _customers().keys_of(people)


def forget() -> None:
    """Hold nothing, as a new process does."""
    _items.cache_clear()
    _customers.cache_clear()


def _look_up_items(shop_ids: Collection[str]) -> Mapping[str, int]:
    return dict(Item.objects.filter(shop_id__in=shop_ids).values_list("shop_id", "pk"))


def _look_up_customers(people: Collection[Person]) -> Mapping[Person, int]:
    found = customer_keys(sorted(people))  # in one order: two requests that add the same people never lock crosswise
    return {(value, kind): found[value] for value, kind in people}
