"""The guard of the database by which what is live cannot change without a statement to customers.

Tests make rows that are live as they need them, so it is off in their database; those of publishing turn it on.
"""

from django.db import connection

_GUARDS = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname LIKE 'live\\_is\\_stated\\_%'"


def switch_guard(*, on: bool) -> int:
    """Turn the triggers on or off; how many there are."""
    act = "ENABLE" if on else "DISABLE"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no table is altered while something of it is to be checked
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(_GUARDS)
        guards = cursor.fetchall()
        for table, trigger in guards:
            cursor.execute(f"ALTER TABLE {table} {act} TRIGGER {trigger}")
    return len(guards)
