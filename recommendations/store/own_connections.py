"""Connections beside Django's: of threads that send or build in bulk, and of the driver that sends Arrow's columns."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection
from psycopg import pq
from psycopg.conninfo import make_conninfo


def address() -> str:
    """The database of Django's default connection, as libpq takes it."""
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    return make_conninfo(**{name: value for name, value in connection.get_connection_params().items() if name in known})


@contextmanager
def own_connection() -> Iterator[psycopg.Connection]:
    """A connection that commits every statement and ends with the block; its errors are Django's."""
    with connection.wrap_database_errors, psycopg.connect(address(), autocommit=True) as own:
        yield own
