"""A PostgreSQL that lacks what imports need (``pg_input_is_valid``) is refused at every connection, with what to do."""

from typing import Any

from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper

OLDEST = 16


def server_version(connection: BaseDatabaseWrapper) -> tuple[int, int]:
    """Major and minor version of the server, which it said when it was connected to."""
    number = int(connection.connection.info.server_version)
    return number // 10_000, number % 10_000


def refuse_old_server(*, connection: BaseDatabaseWrapper, **_fields: Any) -> None:
    """Give a connection to a server that is too old up. Raises NotSupportedError."""
    major, minor = server_version(connection)
    if major >= OLDEST:
        return
    connection.close()  # otherwise the next statement would use it all the same
    raise NotSupportedError(
        f"PostgreSQL {major}.{minor} is too old: Recsite needs {OLDEST} or later. Upgrade the server (on Debian:"
        " pg_upgradecluster), or let DATABASE_URL name a newer one."
    )
