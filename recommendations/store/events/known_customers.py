"""The keys of customers by pseudonym: in the process, in Valkey for those who just came, and in the record."""

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from datetime import datetime, timedelta
from functools import partial
from itertools import batched

from django.db import DatabaseError, transaction
from django.db.models import BigIntegerField, F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from recommendations.models import Customer, CustomerAlias, Tombstone
from recommendations.privacy_terms import EraseMode
from recommendations.store.events.directory import Directory
from recommendations.store.events.generations import generation, settled
from recommendations.store.events.insert import run
from recommendations.store.events.pseudonyms import layered, pseudonym
from recommendations.store.events.tombstones import Comeback, digests_of
from recommendations.store.live.valkey import Breaker, valkey
from recommendations.store.process_held import at_drop
from recommendations.store.valkey_keys import BUILT, NEWCOMERS, newcomer
from recommendations.terms import CustomerKind

type Admission = Callable[[int], int]
"""Of so many newcomers, how many may be added."""
type LastAct = Callable[[bytes], datetime]
"""When the last of a newcomer's acts happened that are told of."""

HALF = 50_000  # later customers in each half of those that a process keeps
UNSEEN = timedelta(seconds=60)  # a merger carries the time of its statement and is seen after its commit
OVERLAP = 1_000  # keys below the newest: who came first may be committed last
BATCH = 5_000
NOBODY: frozenset[int] = frozenset()

_KNOWN = "SELECT pseudonym, id FROM recommendations_customer WHERE pseudonym = ANY(%b::bytea[])"
# The first so many are added; all are looked for among those that were erased.
_ADD = """
WITH new AS MATERIALIZED (
  SELECT new.*, laid.at, coalesce(laid.mode = %b AND laid.lifted_at IS NULL, false) AS blocked
  FROM unnest(%b::bytea[], %b::timestamptz[]) WITH ORDINALITY AS new(pseudonym, acted, number)
  LEFT JOIN (
    SELECT DISTINCT ON (number) number, at, mode, lifted_at
    FROM unnest(%b::bigint[], %b::bytea[]) AS named(number, digest) JOIN recommendations_tombstone USING (digest)
    ORDER BY number, at DESC
  ) laid USING (number)
), added AS (
  INSERT INTO recommendations_customer (pseudonym, kind, personalise, created_at, properties, not_before)
  SELECT pseudonym, %b, true, %b, '{}', at FROM new
  WHERE number <= %b AND NOT blocked AND coalesce(acted >= at, true) ORDER BY pseudonym
  ON CONFLICT DO NOTHING
  RETURNING pseudonym, id
)
SELECT pseudonym, id, at, blocked FROM new LEFT JOIN added USING (pseudonym) ORDER BY number
"""
_record = Breaker("postgresql", pause=5.0)
at_drop(_record.close)


class KnownCustomers:
    """Whom a process knows by their pseudonyms: the directory of a version, and some of those who came later.

    Those are kept in two halves: when the younger is full it becomes the older, which is forgotten. From then on, and
    where there is no directory, this ``is_whole`` no more: somebody whom it does not know may be in the record.
    """

    def __init__(self, directory: Directory | None = None, *, half: int = HALF) -> None:
        self.directory = directory
        self.is_whole = directory is not None
        self.newest = directory.newest if directory else 0  # key of those whom it was told of as they came
        self._half = half
        self._merged: dict[bytes, int] = {}  # who was merged or parted since the directory was read
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}
        self._gone: Set[int] = NOBODY

    def __contains__(self, pseudonym: bytes) -> bool:
        return self.get(pseudonym) is not None

    def get(self, pseudonym: bytes) -> int | None:
        """The key of a customer; None where they are not known here, or gone."""
        for held in (self._merged, self._young, self._old):
            if (key := held.get(pseudonym)) is not None:
                return key
        key = self.directory.key_of(pseudonym) if self.directory else None
        return None if key in self._gone else key

    def add(self, others: Mapping[bytes, int]) -> None:
        """Add customers who are not known; those who are may have been merged since, which ``others`` does not know."""
        new = {value: key for value, key in others.items() if value not in self}
        for part in batched(new.items(), self._half):
            if len(self._young) + len(part) > self._half:
                self.is_whole &= not self._old
                self._old, self._young = self._young, {}
            self._young.update(part)

    def add_newest(self) -> None:
        """Add those who came since the last time, where that is all who are not known."""
        if self.is_whole:
            latest = customers_after(self.newest, most=2 * self._half + 1)
            self.newest = max(latest.values(), default=self.newest)
            self.add(latest)

    def merge(self, changes: Mapping[bytes, int]) -> None:
        """Take up who was merged or parted."""
        self._merged.update(changes)

    def forget(self, gone: Set[int], *, among: Collection[bytes] | None = None) -> None:
        """Know nobody of these keys any more, nor whoever was merged into one; ``among`` are the only pseudonyms by
        which they may have been added again.
        """
        self._gone |= gone
        for held in (self._merged, self._young, self._old):
            for value in list(held) if among is None else among:  # a copy: other threads add newcomers meanwhile
                if held.get(value) in gone:
                    held.pop(value, None)

    def count(self, keys: Set[int]) -> int:
        """How many pseudonyms lead to customers of these keys."""
        held = sum(key in keys for some in (self._merged, self._young, self._old) for key in list(some.values()))
        return held + (self.directory.entries_of(keys - self._gone) if self.directory else 0)


def customer_key(
    known: KnownCustomers, shop_id: str, *, kind: CustomerKind, layers: int, gone: Set[int] = NOBODY
) -> int | None:
    """The key of a customer, also of one who came after ``known`` was read; None where there is no such customer.

    ``layers`` is the generation of ``known``; ``gone`` are keys that are nobody's any more, whatever it or Valkey has.
    """
    return customer_keys(known, [pseudonym(shop_id, kind=kind, layers=layers)], gone=gone)[0]


def customer_keys(known: KnownCustomers, pseudonyms: Sequence[bytes], *, gone: Set[int] = NOBODY) -> list[int | None]:
    """The keys of customers as ``customer_key`` gives them; those who came after ``known`` was read are added to it."""
    keys = [known.get(value) for value in pseudonyms]
    if unknown := [value for value, key in zip(pseudonyms, keys, strict=True) if key is None]:
        known.add(_newcomers(unknown, only=known.is_whole))
        keys = [known.get(value) for value in pseudonyms]
    if not gone or gone.isdisjoint(keys):
        return keys
    known.forget(gone, among=pseudonyms)  # a thread may have asked Valkey just before it heard of the erasure
    return [None if key in gone else key for key in keys]


def everybody(newcomers: int) -> int:
    """Admission of all who are new."""
    return newcomers


def by_now(_pseudonym: bytes) -> datetime:
    """The last act of who is named now, and by nothing that happened before."""
    return timezone.now()


def ensure_customers(
    firsts: Collection[bytes],
    *,
    kind: CustomerKind,
    admit: Admission = everybody,
    erased: dict[bytes, Comeback] | None = None,
    acted: LastAct = by_now,
) -> dict[bytes, int]:
    """Primary key per pseudonym of the first generation; customers that are new are added if admitted, and told of to
    every process.

    An id that was erased and ``acted`` since comes back as somebody new, whose acts count from then on; one that is
    blocked does not. In ``erased`` are put those of them that are no customer. Raises RotatingError where somebody is
    new while pseudonyms get a layer, and PseudonymKeyLackingError.
    """
    layers = generation()
    keys = _keys_of(firsts, layers)
    if len(keys) < len(firsts):
        with settled() as now:
            if now != layers:
                keys = _keys_of(firsts, now)
            # In one order: two requests that add the same people never lock crosswise.
            new = sorted((layered(first, until=now), first) for first in firsts if first not in keys)
            if new:
                keys |= _add(new, kind=kind, most=admit(len(new)), erased=erased, acted=acted)
    return keys


def _keys_of(firsts: Collection[bytes], layers: int) -> dict[bytes, int]:
    named = {layered(first, until=layers): first for first in firsts}
    return {named[bytes(value)]: key for value, key in run(_KNOWN, [sorted(named)])}


def _add(
    new: Sequence[tuple[bytes, bytes]],
    *,
    kind: CustomerKind,
    most: int,
    erased: dict[bytes, Comeback] | None,
    acted: LastAct,
) -> dict[bytes, int]:
    """Keys of the first so many, each a pseudonym and that of the first generation, by the latter."""
    first_of = dict(new)
    traces = [(number, digest) for number, first in enumerate(first_of.values(), 1) for digest in digests_of(first)]
    columns = [[*first_of], [acted(first) for first in first_of.values()], *map(list, zip(*traces, strict=True))]
    rows = run(_ADD, [EraseMode.BLOCK.value, *columns, kind.value, timezone.now(), most])
    added = {value: key for value, key, _at, _blocked in rows if key is not None}
    if beaten := [value for value, key, _at, blocked in rows[:most] if key is None and not blocked]:
        added |= dict(run(_KNOWN, [beaten]))  # another request added them meanwhile
    transaction.on_commit(partial(_tell, added))
    if erased is not None:
        back = {value: Comeback(at, blocked) for value, _key, at, blocked in rows if at and value not in added}
        erased.update({first_of[value]: comeback for value, comeback in back.items()})
    return {first_of[value]: key for value, key in added.items()}


def anybody_erased(*, since: datetime) -> bool:
    """Whether somebody was erased since a moment, also if their row is gone."""
    return Tombstone.objects.filter(at__gte=since).exists()


def known_by(directory: Directory | None, *, gone: Set[int] = NOBODY) -> KnownCustomers:
    """Whom a process that begins knows: by a directory, of which it reads what changed since, or of nobody yet."""
    known = KnownCustomers(directory)
    known.forget(gone)  # first: somebody may have come back since, as somebody new
    if directory:
        known.add_newest()
        known.merge(merged_since(directory.read_at - UNSEEN))
    return known


def customers_after(key: int, *, most: int) -> dict[bytes, int]:
    """Pseudonym → own key of those who came later, and of some before: of the newest ``most``."""
    later = Customer.objects.filter(pk__gt=key - OVERLAP, erased_at=None).order_by("-pk")
    return {bytes(value): own for value, own in reversed(list(later.values_list("pseudonym", "pk")[:most]))}


def merged_since(moment: datetime) -> dict[bytes, int]:
    """Anonymous keys that became a customer's, and those that became their own again, from this moment on."""
    aliases = CustomerAlias.objects.filter(anonymous__erased_at=None, changed_at__gte=moment)
    rows = aliases.order_by(F("undone_at").asc(nulls_last=True)).values_list(  # a new one is a later word
        "anonymous__pseudonym", "anonymous_id", "customer_id", "undone_at"
    )
    return {bytes(value): own if undone else customer for value, own, customer, undone in rows}


def _newcomers(values: Sequence[bytes], *, only: bool) -> Mapping[bytes, int]:
    """Keys of newcomers from Valkey, so that a stranger costs no query; from the record where that may not know all, or
    they need not have come just now.
    """
    answers = valkey().ask([("EXISTS", BUILT), ("MGET", *map(newcomer, values))])
    keys = answers[1] if answers else [None] * len(values)
    told = {value: int(key) for value, key in zip(values, keys, strict=True) if key is not None}
    if (only and answers and answers[0]) or not _record:
        return told
    try:
        return _recorded(values)
    except DatabaseError as error:
        _record.trip(error)
        return told


def told_newcomers(pseudonyms: Collection[bytes]) -> dict[bytes, int]:
    """The keys of those of whom Valkey tells as newcomers; none while it is away."""
    told = dict[bytes, int]()
    for part in batched(pseudonyms, BATCH):
        for keys in valkey().ask([("MGET", *map(newcomer, part))]) or ():
            told |= {value: int(key) for value, key in zip(part, keys, strict=True) if key is not None}
    return told


def forget_newcomers(pseudonyms: Collection[bytes]) -> None:
    """Have Valkey tell of these no more."""
    for part in batched(pseudonyms, BATCH):
        valkey().ask([("DEL", *map(newcomer, part))])


def _tell(keys: Mapping[bytes, int]) -> None:
    for part in batched(keys.items(), BATCH):
        valkey().ask([("SET", newcomer(value), key, "EX", NEWCOMERS.seconds) for value, key in part])


def _recorded(values: Sequence[bytes]) -> dict[bytes, int]:
    """Pseudonym → its key, or that of the customer that it was merged into; without those who are unknown."""
    alias = CustomerAlias.objects.filter(anonymous=OuterRef("pk"), undone_at=None).values("customer")
    keys = Customer.objects.filter(pseudonym__in=values, erased_at=None).values_list(
        "pseudonym", Coalesce(Subquery(alias), F("pk"), output_field=BigIntegerField())
    )
    return {bytes(value): key for value, key in keys}
