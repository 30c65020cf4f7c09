"""Temporary tables that COPY fills: unlogged, seen by nobody else, gone with the connection."""

import io
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import pyarrow as pa
import pyarrow.csv
from django.db import connection, transaction
from psycopg import Copy, sql
from psycopg.pq import TransactionStatus

type Report = Callable[[str, int, int], None]
"""How a bulk step tells its progress: the step's name, how much is done, of how much."""

MEMORY = "SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL jit = off"


def silent(_step: str, _done: int, _total: int) -> None:
    """Tell nothing: the report for callers that do not watch."""


@contextmanager
def temporary(name: str, columns: str) -> Iterator[None]:
    """A table of this session only, of ``columns`` in brackets or ``like`` those of another one.

    A leftover of an earlier failure is replaced.
    """
    _drop(name)
    run(f"CREATE TEMPORARY TABLE {name} {columns}")
    try:
        yield
    finally:
        if connection.connection.info.transaction_status in {TransactionStatus.IDLE, TransactionStatus.INTRANS}:
            _drop(name)  # otherwise the rollback, or the end of the connection, removes it


def like(table: str, columns: Iterable[str]) -> str:
    """Columns of the types that they have in another table; each may be null."""
    return f"AS SELECT {', '.join(columns)} FROM {table} WITH NO DATA"  # noqa: S608 - names of ours


@contextmanager
def heavy() -> Iterator[None]:
    """A transaction that may sort in memory."""
    with transaction.atomic():
        run(MEMORY)
        yield


def run(statement: str | sql.Composable, **values: Any) -> int:
    """Run a statement; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return int(cursor.rowcount)


def rows(statement: str | sql.Composable, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall())


def copy(table: str, columns: Iterable[str], blocks: Iterable[bytes]) -> None:
    """Feed blocks of CSV into the columns of a table; an empty field without quotes is NULL."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with copying(statement) as target:
        for block in blocks:
            target.write(block)


@contextmanager
def copying(statement: str | sql.Composable) -> Iterator[Copy]:
    """A COPY whose errors are Django's as those of every other statement are: a full disk, a server that went away."""
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copied:
        yield copied


def csv_block(batch: pa.RecordBatch | pa.Table) -> bytes:
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(batch, buffer, pyarrow.csv.WriteOptions(include_header=False))
    return buffer.getvalue()


def upsert(names: Collection[str], *, stored: str, also: LiteralString = "") -> sql.Composable:
    """What a row does to the ``stored`` one of its key: changes those of ``names`` that differ, and nothing else."""
    if not names:
        return sql.SQL("DO NOTHING")
    old, new = (sql.SQL(", ").join(sql.Identifier(table, name) for name in names) for table in (stored, "excluded"))
    text = sql.SQL("DO UPDATE SET ({names}) = ROW ({new}){also} WHERE ({old}) IS DISTINCT FROM ({new})")
    return text.format(names=sql.SQL(", ").join(map(sql.Identifier, names)), old=old, new=new, also=sql.SQL(also))


def _drop(name: str) -> None:
    run(f"DROP TABLE IF EXISTS pg_temp.{name}")
