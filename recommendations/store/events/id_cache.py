"""Primary keys of what the shop names, held by the process, so that an event costs no look-up of its own."""

from collections.abc import Callable, Collection, Hashable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.utils import timezone

from recommendations.store.events.insert import run
from recommendations.store.events.known_customers import Admission, ensure_customers, everybody
from recommendations.store.events.pseudonyms import first_pseudonyms
from recommendations.store.events.tombstones import Comeback
from recommendations.store.live.change_watch import HeldOfPeople, Watch
from recommendations.store.process_held import ProcessHeld
from recommendations.terms import CustomerKind

_LIVING = "SELECT id FROM recommendations_customer WHERE id = ANY(%b::bigint[]) AND erased_at IS NULL"
HALF = 100_000  # names in each of the two halves
_ITEMS = "SELECT shop_id, id FROM recommendations_item WHERE shop_id = ANY(%b::text[])"


class KeyCache[Name: Hashable]:
    """Cache of at most ``2 · half`` keys: when the younger half is full it becomes the older, which is forgotten.

    Names that the look-up does not find are asked for again each time.
    """

    def __init__(self, look_up: Callable[..., Mapping[Name, int]], *, half: int = HALF) -> None:
        """``look_up`` takes a collection of names, and the options of ``keys_of``."""
        self._look_up, self._half = look_up, half
        self._young: dict[Name, int] = {}
        self._old: dict[Name, int] = {}

    def keys_of(self, names: Collection[Name], **options: Any) -> dict[Name, int]:
        """The keys of those that exist; one query, with these options, for all that the process does not hold."""
        young, old = self._young, self._old
        held = {name: young[name] for name in names if name in young}
        if len(held) == len(names):
            return held
        promoted = {name: old[name] for name in names if name not in held and name in old}
        missing = [name for name in names if name not in held and name not in promoted]
        promoted.update(self._look_up(missing, **options) if missing else {})
        if len(young) + len(promoted) > self._half:
            self._young, self._old = dict(promoted), young
        else:
            young.update(promoted)
        return held | promoted

    def forget(self, names: Collection[Name]) -> None:
        """Look these up again when they are next asked for."""
        for name in names:
            self._young.pop(name, None)
            self._old.pop(name, None)


def item_keys(shop_ids: Collection[str]) -> dict[str, int]:
    """Primary key per id of the shop; items that do not exist are missing."""
    return _items().keys_of(shop_ids)


def person_keys(
    shop_ids: Collection[str],
    kind: CustomerKind,
    *,
    admit: Admission = everybody,
    erased: dict[str, Comeback] | None = None,
    acted: Callable[[str], datetime] | None = None,
) -> dict[str, int]:
    """Primary key per id of the shop; customers that are new are added, as many as ``admit`` lets in.

    An id that was erased is no customer where it is blocked, or ``acted`` (when it did so last) before; in ``erased``
    are put those of them that are none.
    """
    named, back = first_pseudonyms(shop_ids, kind=kind), dict[bytes, Comeback]()

    def last_act(value: bytes) -> datetime:
        return timezone.now() if acted is None else max(acted(name) for name, its in named.items() if its == value)

    keys = _customers[kind]().keys_of(named.values(), admit=admit, erased=back, acted=last_act)
    if back and erased is not None:
        erased.update({shop_id: back[value] for shop_id, value in named.items() if value in back})
    return {shop_id: keys[value] for shop_id, value in named.items() if value in keys}


def living_keys(shop_ids: Collection[str], kind: CustomerKind, *, admit: Admission = everybody) -> dict[str, int]:
    """The keys as ``person_keys`` has them, none of somebody whose erasure this process has not heard of.

    It costs a query more, and is for what changes customers by their ids. An id that is blocked has no key.
    """
    keys = person_keys(shop_ids, kind, admit=admit)
    living = {key for (key,) in run(_LIVING, [list(keys.values())])}
    if stale := [shop_id for shop_id, key in keys.items() if key not in living]:
        forget_people(stale, kind)
        keys = {shop_id: key for shop_id, key in keys.items() if key in living}
        keys |= person_keys(stale, kind, admit=admit)
    return keys


def forget_people(shop_ids: Collection[str], kind: CustomerKind) -> None:
    """Look these up again when they are next asked for."""
    _customers[kind]().forget(first_pseudonyms(shop_ids, kind=kind).values())


def _look_up_items(shop_ids: Collection[str]) -> Mapping[str, int]:
    return dict(run(_ITEMS, [list(shop_ids)]))


_items = ProcessHeld(lambda: KeyCache(_look_up_items), watch=lambda: Watch("catalogue"))
_customers: Mapping[CustomerKind, HeldOfPeople[KeyCache[bytes]]] = {
    kind: HeldOfPeople(partial(KeyCache[bytes], partial(ensure_customers, kind=kind))) for kind in CustomerKind
}
