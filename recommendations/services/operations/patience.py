"""How long a process waits for a connection to PostgreSQL: a request not for a second, a run for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from psycopg_pool import ConnectionPool

PATIENCE = 60.0  # seconds


def wait_for_connections() -> None:
    """Let this process wait for connections as what has no visitor may: commands and workers."""
    pool = _pool()
    if pool is not None:
        pool.timeout = PATIENCE


@contextmanager
def patient_connections() -> Iterator[None]:
    """Wait so within the block, and as before after it."""
    pool = _pool()
    before = pool.timeout if pool is not None else 0.0
    wait_for_connections()
    try:
        yield
    finally:
        if pool is not None:
            pool.timeout = before


def _pool() -> ConnectionPool | None:
    pool: ConnectionPool | None = getattr(connection, "pool", None)
    return pool
