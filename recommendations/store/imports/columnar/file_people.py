"""Who acted in the rows of a file: each id is hashed once and has its key before its customer is there.

New customers get their keys from the sequence and become rows at the end of the import, as until then it may still turn
out that the file cannot be used. Who is not plain, who objects, is not to be measured or was erased, is not known here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from psycopg import sql

from recommendations.fields import LONGEST_ID
from recommendations.models import Tombstone
from recommendations.store.events.pseudonyms import first_pseudonyms, layered
from recommendations.store.events.tombstones import comebacks_of
from recommendations.store.imports.columnar.texts import NOTHING, Ints, Marks
from recommendations.terms import CustomerKind

HELD = 400_000  # ids of one kind
PEOPLE = """
CREATE TABLE {people} (pseudonym bytea PRIMARY KEY, first bytea NOT NULL, id bigint NOT NULL, kind text, is_new boolean)
"""
PAIRS = "CREATE TABLE {pairs} (anonymous bigint, customer bigint, at timestamptz)"
_FIND = """
SELECT pseudonym, id, true, false FROM {people} WHERE pseudonym = ANY(%(hashes)s)
UNION ALL
SELECT customer.pseudonym, id, personalise AND measure AND not_before IS NULL AND erased_at IS NULL, true
FROM recommendations_customer customer WHERE pseudonym = ANY(%(hashes)s)
  AND NOT EXISTS (SELECT FROM {people} people WHERE people.pseudonym = customer.pseudonym)
"""
_RESERVE = """
SELECT nextval(pg_get_serial_sequence('recommendations_customer', 'id')) FROM generate_series(1, %(count)s)
"""
_ADD = "COPY {people} (pseudonym, first, id, kind, is_new) FROM STDIN (FORMAT binary)"
_ADD_PAIRS = "COPY {pairs} (anonymous, customer, at) FROM STDIN (FORMAT binary)"


@dataclass(frozen=True)
class Actors:
    """Who acted in rows: places of the two ids that a row may have among those that are held; ``known`` are rows of
    which all people are plain; ``orders``: the first 8 bytes of the hash of the customer's id in the first generation.
    """

    signed_in: Ints
    anonymous: Ints
    named: Marks
    known: Marks
    orders: NDArray[np.uint64]


class Keys(NamedTuple):
    """Whose rows are: keys of their customers, and those of the two ids that a row may have."""

    customers: Ints
    signed_in: Ints
    anonymous: Ints


NEW = -2
"""The key of who is plain and has none yet; who is not plain has ``NOTHING``."""


class _HeldIds:
    """Ids of one kind with their keys, orders and first hashes; the first place is nobody's."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.keys, self.orders = np.array([NOTHING], np.int64), np.zeros(1, np.uint64)
        self.firsts = [b""]

    def add(self, keys: Mapping[str, int], firsts: Mapping[str, bytes]) -> None:
        start = len(self.firsts)
        self.places |= {name: start + number for number, name in enumerate(keys)}
        self.keys = np.r_[self.keys, np.array([*keys.values()], np.int64)]
        self.firsts += [firsts[name] for name in keys]
        orders = np.array([int.from_bytes(first[:8]) for first in self.firsts[start:]], np.uint64)
        self.orders = np.r_[self.orders, orders]


class FilePeople:
    """People of one import; ``own`` is a connection of the import's own, ``people`` and ``pairs`` are its tables."""

    def __init__(self, own: psycopg.Connection, *, people: sql.Identifier, pairs: sql.Identifier, layers: int) -> None:
        self._own, self._people, self._pairs, self._layers = own, people, pairs, layers
        self._held = {kind: _HeldIds() for kind in CustomerKind}
        self._erased = Tombstone.objects.exists()
        own.execute(sql.SQL(PEOPLE).format(people=people))
        own.execute(sql.SQL(PAIRS).format(pairs=pairs))

    def of(self, user: pa.Array, anonymous: pa.Array) -> Actors:
        """Who acted in rows with these ids."""
        ids = {CustomerKind.SIGNED_IN: user, CustomerKind.ANONYMOUS: anonymous}
        there = [pc.is_valid(text).to_numpy(zero_copy_only=False) for text in ids.values()]
        places = [self._places(text, kind) for kind, text in ids.items()]
        plain = [self._held[kind].keys[each] != NOTHING for kind, each in zip(ids, places, strict=True)]
        orders = [self._held[kind].orders[each] for kind, each in zip(ids, places, strict=True)]
        known = (there[0] | there[1]) & (plain[0] | ~there[0]) & (plain[1] | ~there[1])
        return Actors(places[0], places[1], there[0], known, np.where(there[0], orders[0], orders[1]))

    def keys(self, who: Actors, good: Marks) -> Keys:
        """The keys of those who acted in good rows; who is new gets one."""
        signed_in = self._keys(who.signed_in, good, CustomerKind.SIGNED_IN)
        anonymous = self._keys(who.anonymous, good, CustomerKind.ANONYMOUS)
        return Keys(np.where(who.named, signed_in, anonymous), signed_in, anonymous)

    def note_pairs(self, keys: Keys, at: Ints, good: Marks) -> None:
        """Note which anonymous keys were seen with which customers, and since when."""
        rows = np.flatnonzero(good & (keys.signed_in != NOTHING) & (keys.anonymous != NOTHING))
        if not len(rows):
            return
        pairs = np.column_stack([keys.anonymous[rows], keys.signed_in[rows]])
        each, places = np.unique(pairs, axis=0, return_inverse=True)
        first = np.full(len(each), np.iinfo(np.int64).max)
        np.minimum.at(first, places.ravel(), at[rows])
        times = pa.array(first).cast(pa.timestamp("us", "UTC")).to_pylist()
        self._copy(_ADD_PAIRS, ["int8", "int8", "timestamptz"], [*zip(*each.T.tolist(), times, strict=True)])

    def _places(self, text: pa.Array, kind: CustomerKind) -> Ints:
        """Places of rows' ids among those that are held."""
        if text.null_count == len(text):
            return np.zeros(len(text), np.int64)
        encoded = text.dictionary_encode()
        names = encoded.dictionary.to_pylist()
        held = self._held[kind]
        new = [name for name in names if name not in held.places]
        if len(held.firsts) + len(new) > HELD:
            held = self._held[kind] = _HeldIds()
            new = names
        self._find([name for name in new if len(name) <= LONGEST_ID], kind)
        places = np.array([*(held.places.get(name, 0) for name in names), 0], np.int64)
        rows: Ints = places[pc.fill_null(encoded.indices, len(names)).to_numpy(zero_copy_only=False)]
        return rows

    def _find(self, names: Sequence[str], kind: CustomerKind) -> None:
        """Hold people by their ids."""
        if not names:
            return
        firsts = first_pseudonyms(names, kind=kind)
        erased = comebacks_of(firsts.values()) if self._erased else {}
        names_of = {layered(first, until=self._layers): name for name, first in firsts.items() if first not in erased}
        query = sql.SQL(_FIND).format(people=self._people)
        there = self._own.execute(query, {"hashes": list(names_of)}, binary=True).fetchall()
        stored = [
            (bytes(value), firsts[names_of[bytes(value)]], key) for value, key, plain, new in there if plain and new
        ]
        self._add(stored, kind, new=False)
        keys = {names_of[bytes(value)]: key if plain else NOTHING for value, key, plain, _stored in there}
        plain = dict.fromkeys(names_of.values(), NEW)
        self._held[kind].add(dict.fromkeys(names, NOTHING) | plain | keys, firsts)

    def _keys(self, places: Ints, good: Marks, kind: CustomerKind) -> Ints:
        held = self._held[kind]
        used = np.zeros(len(held.keys), bool)
        used[places[good]] = True
        if len(new := np.flatnonzero(used & (held.keys == NEW))):
            reserved = self._own.execute(_RESERVE, {"count": len(new)}).fetchall()
            held.keys[new] = [key for (key,) in reserved]
            firsts = [held.firsts[place] for place in new]
            people = zip(firsts, held.keys[new].tolist(), strict=True)
            self._add([(layered(first, until=self._layers), first, key) for first, key in people], kind, new=True)
        return held.keys[places]

    def _add(self, people: Sequence[tuple[bytes, bytes, int]], kind: CustomerKind, *, new: bool) -> None:
        rows = [(*each, kind.value, new) for each in people]
        self._copy(_ADD, ["bytea", "bytea", "int8", "text", "bool"], rows)

    def _copy(self, statement: str, types: list[str], rows: Sequence[tuple[object, ...]]) -> None:
        if not rows:
            return
        query = sql.SQL(statement).format(people=self._people, pairs=self._pairs)
        with self._own.cursor() as cursor, cursor.copy(query) as target:
            target.set_types(types)
            for row in rows:
                target.write_row(row)
