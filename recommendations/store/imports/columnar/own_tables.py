"""Tables of one import's own, which nobody else reads: ``import_<number>_…``. Each is made, and committed, when it is
first needed, so that other connections fill it; what an import that was killed left is dropped by the next one.
"""

from psycopg import sql

from recommendations.store.imports.import_record import LOCKS
from recommendations.store.temp_tables import rows, run

_LEFT = """
SELECT relname, substring(relname FROM '^import_(\\d+)_')::integer FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname ~ '^import_\\d+_'
ORDER BY relname
"""
_FREE = "SELECT pg_try_advisory_lock(%(locks)s, %(key)s)"
_UNLOCK = "SELECT pg_advisory_unlock(%(locks)s, %(key)s)"


def table_name(number: int, what: str) -> str:
    """Name of a table of the import with this number."""
    return f"import_{number}_{what}"


def drop(name: str) -> None:
    run(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(name)))


def drop_left_over() -> int:
    """Drop the tables of imports that do not run any more; how many."""
    left: dict[int, list[str]] = {}
    for name, number in rows(_LEFT):
        left.setdefault(number, []).append(name)
    dropped = 0
    for number, names in left.items():
        if rows(_FREE, locks=LOCKS, key=number)[0][0]:
            for name in names:
                drop(name)
            dropped += len(names)
            rows(_UNLOCK, locks=LOCKS, key=number)
    return dropped
