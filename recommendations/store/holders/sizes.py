"""About how many rows the tables of holders have, as the database estimates them: it counts none."""

from collections.abc import Collection

from django.apps import apps
from django.db import connection

_ESTIMATES = """
SELECT whole.relname, (sum(part.reltuples) FILTER (WHERE part.reltuples >= 0))::bigint
FROM pg_class whole LEFT JOIN LATERAL pg_partition_tree(whole.oid) tree ON true
  JOIN pg_class part ON part.oid = coalesce(tree.relid::oid, whole.oid)
WHERE whole.relname = ANY(%s) AND whole.relnamespace = current_schema()::regnamespace AND coalesce(tree.isleaf, true)
GROUP BY whole.relname
"""


def estimated_rows(models: Collection[str]) -> dict[str, int | None]:
    """Rows by the name of the model, those of all partitions together; None where nobody has analysed it yet."""
    tables = {apps.get_model("recommendations", name)._meta.db_table: name for name in models}
    with connection.cursor() as cursor:
        cursor.execute(_ESTIMATES, [list(tables)])
        return {tables[table]: rows for table, rows in cursor.fetchall()}
