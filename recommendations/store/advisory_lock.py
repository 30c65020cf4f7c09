"""Locks of PostgreSQL by which one process alone does something, whatever becomes of it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def advisory_lock(key: int) -> Iterator[bool]:
    """True while this process alone holds the lock; it goes with its own connection, so a killed worker frees it."""
    with advisory_locks([key]) as taken:
        yield key in taken


@contextmanager
def advisory_locks(keys: Collection[int]) -> Iterator[frozenset[int]]:
    """Take those of the locks that are free, which this process alone then holds; they go as ``advisory_lock`` says."""
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute("SELECT key FROM unnest(%s::bigint[]) AS key WHERE pg_try_advisory_lock(key)", [list(keys)])
            taken = frozenset(key for (key,) in cursor.fetchall())
        try:
            yield taken
        finally:
            if taken:
                with own.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(key) FROM unnest(%s::bigint[]) AS key", [list(taken)])
    finally:
        own.close()
