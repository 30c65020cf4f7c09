"""Ids of events that are made of texts: the same in a request as in a file.

RFC 9562's version 8: the first 128 bits of SHA-256. PostgreSQL has SHA-1, which version 5 takes, in an extension only.
"""

from hashlib import sha256
from uuid import UUID

from psycopg import sql

SALT = "recsite:event:"
"""Begins what is hashed, so that a text never makes the id of something else."""


def made_id(text: str) -> UUID:
    """The id of what is called by a text."""
    digits = sha256(f"{SALT}{text}".encode()).hexdigest()[:32]
    return UUID(f"{digits[:12]}8{digits[13:16]}8{digits[17:]}")


def made_of(text: sql.Composable) -> sql.Composable:
    """``made_id`` of a column or an expression, in SQL."""
    digits = sql.SQL("encode(substr(sha256(convert_to({} || {}, 'UTF8')), 1, 16), 'hex')").format(
        sql.Literal(SALT), text
    )
    return sql.SQL("overlay(overlay({} PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid").format(digits)
