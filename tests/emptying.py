"""An empty database, quickly: what has no rows is left alone.

Django's ``flush`` truncates two hundred tables and makes all permissions again, which takes a second after each test
with real transactions.
"""

from functools import cache
from importlib import import_module

from django.apps import apps
from django.db import connection, transaction
from psycopg import sql

KEPT = {"django_content_type", "auth_permission"}
"""Tables that the migrations alone fill."""
ONLY_ADDED = {"recommendations_budgetline", "recommendations_receipt"}
"""Tables whose rows nobody may delete."""


def furnish() -> None:
    """Fill in what the migrations put into an empty database."""
    import_module("recommendations.migrations.0002_version_0_2").furnish(apps, None)
    latest = import_module("recommendations.migrations.0003_version_0_3")
    latest.furnish_pages(apps, None)
    latest.furnish_channels(apps, None)
    latest.furnish_following(apps, None)
    latest.let_mails_be_read_later(apps, None)
    latest.show_each_that_was_found(apps, None)
    import_module("recommendations.services.statements").state_at_start()


def empty() -> None:
    """Empty the database: it is as after the migrations."""
    delete_all()
    furnish()


@transaction.atomic
def delete_all() -> None:
    """Delete every row but those of ``KEPT``; references between them are checked when all are gone."""
    tables = _tables()
    with connection.cursor() as cursor:
        rows = [sql.SQL("EXISTS (SELECT 1 FROM {})").format(sql.Identifier(name)) for name in tables]
        cursor.execute(sql.SQL("SELECT ") + sql.SQL(", ").join(rows))
        for name, has_rows in zip(tables, cursor.fetchone(), strict=True):
            if has_rows:
                statement = "TRUNCATE {}" if name in ONLY_ADDED else "DELETE FROM {}"
                cursor.execute(sql.SQL(statement).format(sql.Identifier(name)))


@cache
def _tables() -> list[str]:
    return sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT)
