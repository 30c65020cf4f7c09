"""The keys of customers by pseudonym: in the process, in Valkey for those who just came, and in the record."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from datetime import datetime
from functools import partial
from itertools import batched

from django.db import DatabaseError, transaction
from django.db.models import BigIntegerField, F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from recommendations.models import Customer, CustomerAlias, Tombstone
from recommendations.privacy_terms import EraseMode
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


def customer_key(
    known: dict[bytes, int], shop_id: str, *, kind: CustomerKind, layers: int, gone: Set[int] = NOBODY
) -> int | None:
    """The key of a customer, also of one who came after ``known`` was read; None where there is no such customer.

    ``layers`` is the generation of ``known``; ``gone`` are keys that are nobody's any more, whatever it or Valkey has.
    """
    return customer_keys(known, [pseudonym(shop_id, kind=kind, layers=layers)], gone=gone)[0]


def customer_keys(known: dict[bytes, int], pseudonyms: Sequence[bytes], *, gone: Set[int] = NOBODY) -> list[int | None]:
    """The keys of customers as ``customer_key`` gives them; those who came after ``known`` was read are added to it."""
    unknown = [value for value in pseudonyms if value not in known]
    if unknown:
        add(known, _newcomers(unknown))
    keys = [known.get(value) for value in pseudonyms]
    if not gone or gone.isdisjoint(keys):
        return keys
    forget(known, gone, among=pseudonyms)  # a thread may have asked Valkey just before it heard of the erasure
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


def add(known: dict[bytes, int], others: Mapping[bytes, int]) -> None:
    """Add customers that ``known`` lacks; those it has may have been merged since, which ``others`` does not know."""
    for value, key in others.items():
        known.setdefault(value, key)


def forget(known: dict[bytes, int], gone: Set[int], *, among: Iterable[bytes] | None = None) -> None:
    """Forget the customers with these keys, ``among`` some pseudonyms or all, and whoever was merged into one."""
    for value in list(known) if among is None else among:  # a copy: other threads add newcomers meanwhile
        if known.get(value) in gone:
            known.pop(value, None)


def anybody_erased(*, since: datetime) -> bool:
    """Whether somebody was erased since a moment, also if their row is gone."""
    return Tombstone.objects.filter(at__gte=since).exists()


def everyone() -> dict[bytes, int]:
    """Pseudonym → key of all customers, or that of the customer whom an anonymous one turned out to be."""
    return customers_after(0) | merged_since(None)


def customers_after(key: int) -> dict[bytes, int]:
    """Pseudonym → own key of those who came later, and of some before."""
    rows = Customer.objects.filter(pk__gt=key - OVERLAP, erased_at=None).values_list("pseudonym", "pk")
    return {bytes(value): own for value, own in rows}


def merged_since(moment: datetime | None) -> dict[bytes, int]:
    """Anonymous keys that became a customer's, and those that became their own again, from this moment on."""
    aliases = CustomerAlias.objects.filter(anonymous__erased_at=None)
    aliases = aliases.filter(undone_at=None) if moment is None else aliases.filter(changed_at__gte=moment)
    rows = aliases.order_by(F("undone_at").asc(nulls_last=True)).values_list(  # a new one is a later word
        "anonymous__pseudonym", "anonymous_id", "customer_id", "undone_at"
    )
    return {bytes(value): own if undone else customer for value, own, customer, undone in rows}


def _newcomers(values: Sequence[bytes]) -> Mapping[bytes, int]:
    """Keys of newcomers from Valkey, so that a stranger costs no query; from the record where that may not know all."""
    answers = valkey().ask([("EXISTS", BUILT), ("MGET", *map(newcomer, values))])
    if answers and answers[0]:
        return {value: int(key) for value, key in zip(values, answers[1], strict=True) if key is not None}
    if not _record:
        return {}
    try:
        return _recorded(values)
    except DatabaseError as error:
        _record.trip(error)
        return {}


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
    keys = Customer.objects.filter(pseudonym__in=values).values_list(
        "pseudonym", Coalesce(Subquery(alias), F("pk"), output_field=BigIntegerField())
    )
    return {bytes(value): key for value, key in keys}
