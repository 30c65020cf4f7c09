"""How PostgreSQL goes about a statement, where that must not matter."""

from django.db import connection

WAYS = ("hashjoin", "mergejoin", "hashagg", "sort", "material", "memoize", "indexscan", "bitmapscan")


def by_nested_loops() -> None:
    """Let the statements of this transaction compare row by row: a subquery is then read anew for every row."""
    with connection.cursor() as cursor:
        for way in WAYS:
            cursor.execute(f"SET LOCAL enable_{way} = off")
