"""Ids of the shop's customers as an import has them: hidden, each hashed once for a file, and none outlives it.

They are hidden under the first key; in the stage they get the other layers, as the record has them.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import batched

from psycopg import sql

from recommendations.fields import LONGEST_ID
from recommendations.store.events.pseudonyms import first_pseudonym, layered
from recommendations.store.imports.validate import Hidden
from recommendations.store.temp_tables import heavy, rows, run
from recommendations.terms import CustomerKind

TOO_LONG = "too long"
HELD = 400_000
TABLE = "first_hash"
DEFINITION = "(hash text PRIMARY KEY, first text UNIQUE)"
"""Hash in the stage and hash under the first key; empty in the first generation, where they are the same."""
AT_ONCE = 10_000

_HIDDEN = sql.SQL("SELECT DISTINCT {column} FROM staged WHERE length({column}) = 64 AND {hashed}")
_NOTE = "INSERT INTO first_hash SELECT * FROM unnest(%(hashes)s::text[], %(firsts)s::text[]) ON CONFLICT DO NOTHING"
_LAY = sql.SQL("UPDATE staged SET {column} = hash FROM first_hash WHERE first = {column} AND {hashed}")
_ALWAYS = sql.SQL("true")


@lru_cache(HELD)
def hidden_id(kind: CustomerKind, shop_id: str) -> str:
    """The pseudonym of an id in the first generation, in hex; ``TOO_LONG`` where it is no id."""
    return first_pseudonym(shop_id, kind=kind).hex() if len(shop_id) <= LONGEST_ID else TOO_LONG


def forget_ids() -> None:
    """Hold no id any more: the file is read."""
    hidden_id.cache_clear()


def lay_layers(hidden: Iterable[Hidden], layers: int) -> None:
    """Give the hashes in the stage the layers of a generation."""
    if layers == 1:
        return
    places = [{"column": sql.Identifier("staged", each.name), "hashed": _hashed(each)} for each in hidden]
    with heavy():
        for place in places:
            for part in batched(rows(_HIDDEN.format(**place)), AT_ONCE):
                firsts = [first for (first,) in part]
                hashes = [layered(bytes.fromhex(first), until=layers).hex() for first in firsts]
                run(_NOTE, hashes=hashes, firsts=firsts)
        for place, each in zip(places, hidden, strict=True):
            run(_LAY.format(**{**place, "column": sql.Identifier(each.name)}))


def first_of(column: sql.Composable) -> sql.Composable:
    """The hash under the first key of that in a column."""
    return sql.SQL("coalesce((SELECT first FROM first_hash WHERE first_hash.hash = {0}), {0})").format(column)


def _hashed(hidden: Hidden) -> sql.Composable:
    """Condition over rows whose value of the column is a hash."""
    if hidden.unless is None:
        return _ALWAYS
    name, plain = hidden.unless
    return sql.SQL("coalesce({} <> ALL({}), true)").format(sql.Identifier("staged", name), list(plain))
