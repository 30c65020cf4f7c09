"""Ids in a file that were erased: what the file says of before is refused, so that it brings nobody back."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from psycopg import sql

from recommendations.models import Customer, Tombstone
from recommendations.store.events.tombstones import comebacks_of
from recommendations.store.imports.hidden_ids import first_of
from recommendations.store.imports.reasons import ERASED
from recommendations.store.imports.row_checks import RowCheck
from recommendations.store.temp_tables import run

TABLE = "erased_id"
DEFINITION = "(hash text PRIMARY KEY, at timestamptz, blocked boolean)"
AT_ONCE = 10_000

# No other hashes than those of 32 bytes: what is too long is no id.
_NAMED = sql.SQL("SELECT DISTINCT {column} AS hash, {first} FROM staged WHERE length({column}) = 64")
_NOTE = """
INSERT INTO erased_id SELECT * FROM unnest(%(hashes)s::text[], %(moments)s::timestamptz[], %(blocked)s::boolean[])
ON CONFLICT (hash) DO UPDATE SET at = excluded.at, blocked = excluded.blocked
"""
_MIND = """
UPDATE recommendations_customer customer SET not_before = erased_id.at FROM erased_id
WHERE customer.pseudonym = decode(erased_id.hash, 'hex')
  AND (customer.not_before IS NULL OR customer.not_before < erased_id.at)
"""
_DROP = sql.SQL("""
DELETE FROM {lines} lines WHERE customer_id IS NOT NULL AND NOT EXISTS (
  SELECT FROM recommendations_customer customer WHERE customer.id = lines.customer_id
    AND coalesce(lines.occurred_at >= customer.not_before, true))
""")
_NAMED_PEOPLE = sql.SQL("SELECT encode(pseudonym, 'hex'), encode(first, 'hex') FROM {people}")


def joins(*columns: str) -> sql.Composable:
    """Join what is known of the ids in these columns of the stage, each under its own name."""
    join = sql.SQL("LEFT JOIN erased_id {name} ON {name}.hash = staged.{column}\n")
    return sql.SQL("").join(
        join.format(name=sql.Identifier(f"erased_{column}"), column=sql.Identifier(column)) for column in columns
    )


BEFORE = RowCheck(
    "timestamp", ERASED, "staged.timestamp::timestamptz < greatest(erased_user_id.at, erased_anonymous_id.at)"
)
"""An act of before its id was erased."""


def note_erased(columns: Sequence[str]) -> None:
    """Put into the table what becomes of those ids in columns of the stage that were erased."""
    if Tombstone.objects.exists():
        hashes = [sql.Identifier("staged", column) for column in columns]
        _note(sql.SQL(" UNION ").join(_NAMED.format(column=each, first=first_of(each)) for each in hashes))


def erased_since(moment: datetime) -> bool:
    """Whether anybody was erased since an import began to look."""
    gone = Customer.objects.filter(erased_at__isnull=False)
    return gone.exists() or Tombstone.objects.filter(at__gte=moment).exists()


def drop_erased(columns: Sequence[str], *, since: datetime) -> int:
    """Take out ready lines of people who were erased since an import began to look; how many."""
    if not erased_since(since):
        return 0
    note_erased(columns)
    run(_MIND)
    return drop_lines(sql.Identifier("ready_event"))


def mind_people(people: sql.Identifier) -> None:
    """Have the customers in a table of hashes and first hashes begin anew who were erased."""
    _note(_NAMED_PEOPLE.format(people=people))
    run(_MIND)


def drop_lines(lines: sql.Identifier) -> int:
    """Take lines out of a table that are of nobody any more, or of before their customer was erased; how many."""
    return run(_DROP.format(lines=lines))


def _note(named: sql.Composable) -> None:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(named)
        while part := cursor.fetchmany(AT_ONCE):
            hash_of = {bytes.fromhex(first): value for value, first in part}
            if back := comebacks_of(hash_of):
                values = list(back.values())
                moments, blocked = [each.at for each in values], [each.blocked for each in values]
                run(_NOTE, hashes=[hash_of[first] for first in back], moments=moments, blocked=blocked)
