"""Traces of people: all by which somebody could be told, and where any of it still stands.

No holder of the product is used: tables are read as a dump has them, Valkey entry by entry, files byte by byte.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import redis
from django.conf import settings
from django.db import connection
from psycopg import sql

from bench.bars import say
from bench.leaks import places

SHORTEST = 10
"""Characters of a text that is looked for: a shorter one may stand anywhere by chance."""
WORDS = re.compile(rb"[0-9A-Za-z_-]{%d,}" % SHORTEST)
NUMBERED = re.compile(r"(ids/users|links/followers|cleaning/bursts|customers)")
"""Names of arrays whose values are customers' numbers."""
PEOPLE_COLUMNS = """
SELECT relname, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
  AND (attname IN ('customer_id', 'anonymous_id', 'unit') OR (relname = 'recommendations_customer' AND attname = 'id'))
  AND atttypid = 'bigint'::regtype
"""
TEXTS = """
SELECT DISTINCT unnest(ARRAY[transaction_id, session_id, recommendation_id, event_id::text])
FROM recommendations_event WHERE customer_id = ANY(%s)
"""
OF_SLATES = "SELECT recommendation_id FROM recommendations_slate WHERE customer_id = ANY(%s) OR unit = ANY(%s)"


@dataclass
class Traces:
    """What tells of people: their numbers, those of their pseudonyms, and texts and bytes that are theirs alone."""

    keys: frozenset[int]
    units: frozenset[int]
    texts: frozenset[bytes]
    raw: frozenset[bytes]

    @classmethod
    def of(cls, pseudonyms: Sequence[bytes]) -> "Traces":
        """All that the record says of the customers with these pseudonyms, and of those who were merged into them."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, pseudonym FROM recommendations_customer WHERE pseudonym = ANY(%s) OR id IN (SELECT"
                " anonymous_id FROM recommendations_customeralias JOIN recommendations_customer whole ON whole.id ="
                " customer_id WHERE undone_at IS NULL AND whole.pseudonym = ANY(%s))",
                [list(pseudonyms), list(pseudonyms)],
            )
            rows = [(key, bytes(value)) for key, value in cursor.fetchall()]
            keys, own = [key for key, _ in rows], [value for _, value in rows]
            units = [int.from_bytes(value[:8], signed=True) for value in own]
            cursor.execute(TEXTS, [keys])
            texts = {text for (text,) in cursor.fetchall() if text and len(text) >= SHORTEST}
            cursor.execute(OF_SLATES, [keys, units])
            texts |= {text for (text,) in cursor.fetchall() if text}
        named = {value.hex().encode() for value in own} | {text.encode() for text in texts}
        return cls(frozenset(keys), frozenset(units), frozenset(named), frozenset(own))

    def in_tables(self) -> tuple[int, int]:
        """Cells that hold a number of theirs, and rows that hold a text of theirs."""
        cells = 0
        with connection.cursor() as cursor:
            cursor.execute(PEOPLE_COLUMNS)
            for table, column in cursor.fetchall():
                numbers = self.units if column == "unit" else self.keys | self.units
                query = sql.SQL("SELECT count(*) FROM {} WHERE {} = ANY(%s)").format(
                    sql.Identifier(table), sql.Identifier(column)
                )
                cursor.execute(query, [list(numbers)])
                (there,) = cursor.fetchone() or (0,)
                if there:
                    say(f"{there} of {table}.{column}")
                cells += there
        rows = places.rows()  # in text, where bytes are written in hex
        return cells, sum(self._reported(table, self._names(row)) for table, row in rows)

    def in_valkey(self) -> int:
        """Entries with a text of theirs, or whose name ends with a number of theirs."""
        ends = tuple(f":{key}".encode() for key in self.keys)
        return sum(
            self._reported(
                name.decode(errors="replace"),
                name.startswith(b"live:") and name.endswith(ends),
                self._holds(name + b" " + content),
            )
            for name, content in entries()
        )

    def in_files(self, folder: Path) -> tuple[int, int]:
        """Pieces of files with a text of theirs, and arrays of artefacts with a number of theirs.

        The folder of PostgreSQL is left out: what it holds is read as a dump has it.
        """
        paths = list[Path]()

        def others() -> Iterator[Path]:
            for path in places.files(folder):
                if "pgdata" not in path.parts:
                    paths.append(path)
                    yield path

        pieces = sum(self._reported(name, self._holds(content)) for name, content in places.pieces(others()))
        arrays = [path for path in paths if path.suffix == ".npy" and NUMBERED.search(str(path)) and path.exists()]
        return pieces, sum(self._numbered(path) for path in arrays)

    def _numbered(self, path: Path) -> bool:
        values = np.load(path, mmap_mode="r")
        numbers = values[:, 0] if values.ndim > 1 else values  # a burst is a customer, a day and a count
        return self._reported(str(path), values.dtype.kind == "i" and bool(np.isin(numbers, list(self.keys)).any()))

    def _names(self, content: bytes) -> bool:
        return not self.texts.isdisjoint(WORDS.findall(content))

    def _holds(self, content: bytes) -> bool:
        return self._names(content) or any(raw in content for raw in self.raw)

    @staticmethod
    def _reported(where: str, *signs: bool) -> bool:
        if any(signs):
            say(f"a trace in {where}")
        return any(signs)


def entries() -> Iterator[tuple[bytes, bytes]]:
    """Every key of Valkey with all that its value holds, as it was written: a dump would compress it."""
    server = redis.Redis.from_url(settings.REDIS_URL)
    for name in server.scan_iter(count=1_000):
        yield name, b" ".join(_flat(_value(server, name)))


def _value(server: Any, name: bytes) -> Any:
    match server.type(name):
        case b"string":
            return server.get(name)
        case b"hash":
            return list(server.hgetall(name).items())
        case b"set":
            return list(server.smembers(name))
        case b"zset":
            return server.zrange(name, 0, -1)
        case b"list":
            return server.lrange(name, 0, -1)
        case b"stream":
            return [list(fields.items()) for _id, fields in server.xrange(name)]
    return []


def _flat(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _flat(each)
