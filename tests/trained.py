"""The grocery of ``grocery.py`` after one run of the loop, as every module that needs a learned shop begins with.

The first module that asks for it trains it; what the run left behind, in the database and on disk, is kept, and later
modules get the same again.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest_django
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.test import override_settings
from django.utils import timezone
from psycopg import sql

from recommendations.loop.run import run_loop
from recommendations.models import Blend, Event
from recommendations.services.operations.runs import start_run
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.process_held import drop_all
from recommendations.terms import RunStatus
from tests.emptying import delete_all, empty, furnish
from tests.grocery import WEEKS, open_shop

NOW = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)


@contextmanager
def artefact_folder(folder: Path) -> Iterator[None]:
    """Artefacts lie in this folder while the block runs."""
    backend = settings.STORAGES["artefacts"]["BACKEND"]
    with override_settings(
        STORAGES=settings.STORAGES | {"artefacts": {"BACKEND": backend, "OPTIONS": {"location": folder}}}
    ):
        yield


@contextmanager
def trained_shop(
    blocker: pytest_django.DjangoDbBlocker,
    *,
    furnished: Callable[[], object] | None = None,
    then: Callable[[], object] | None = None,
) -> Iterator[None]:
    """The database holds the shop and its live version while the block runs; afterwards it is as new.

    ``furnished`` adds to the shop before the run; such a shop is trained by itself. ``then`` adds to the trained shop;
    it is done once, and later modules that name it get the same again.
    """
    folder = Path(tempfile.mkdtemp())
    with blocker.unblock(), artefact_folder(folder):
        try:
            if furnished is None:
                _kept_shop(then).give(folder)
            else:
                train(furnished)
            yield
        finally:
            empty()
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Kept:
    """Rows by table as COPY has them, sequences with what they gave last, and files by path."""

    tables: Mapping[str, bytes]
    sequences: Mapping[str, int]
    files: Mapping[Path, bytes]

    @classmethod
    def of(cls, folder: Path) -> "_Kept":
        with connection.cursor() as cursor:
            tables = {}
            for name in _tables():
                with cursor.copy(sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(sql.Identifier(name))) as copy:
                    tables[name] = b"".join(bytes(block) for block in copy)
            cursor.execute("SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL")
            sequences = dict(cursor.fetchall())
        files = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return cls(tables=tables, sequences=sequences, files=files)

    @transaction.atomic
    def give(self, folder: Path) -> None:
        """Put the rows in place of what the tables hold; references between them are checked when all are there."""
        delete_all()
        with connection.cursor() as cursor:
            for name, rows in self.tables.items():
                if rows:
                    with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as copy:
                        copy.write(rows)
            for name, value in self.sequences.items():
                cursor.execute("SELECT setval(%s, %s)", [name, value])
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        drop_all()  # the keys that the process holds are of other rows


@cache
def _kept_shop(then: Callable[[], object] | None = None) -> _Kept:
    folder = Path(tempfile.mkdtemp())
    try:
        with artefact_folder(folder):
            empty()
            if then is None:
                train()
            else:
                _kept_shop().give(folder)
                then()
            return _Kept.of(folder)
    finally:
        empty()
        shutil.rmtree(folder, ignore_errors=True)


def train(furnished: Callable[[], object] = lambda: None) -> None:
    """Open the shop, add to it, and run the loop once."""
    if not Blend.objects.exists():
        furnish()
    open_shop(now=NOW)
    furnished()
    run = start_run(by=None, now=NOW, in_worker=False)
    status = run_loop(run.pk, clock=timezone.now)
    run.refresh_from_db()
    assert status is RunStatus.SUCCEEDED, run.message


def buy_until_yesterday() -> None:
    """Move the purchases on by whole days: the last happened as long before today as before the shop was trained."""
    later = timezone.now().date() - NOW.date()
    prepare_partitions(NOW - timedelta(weeks=WEEKS + 1) + later, NOW + later)
    Event.objects.update(occurred_at=F("occurred_at") + later)


def _tables() -> list[str]:
    """Tables of our models and of their many-to-many fields; a month of events is a part of one of them."""
    models = apps.get_app_config("recommendations").get_models(include_auto_created=True)
    return [model._meta.db_table for model in models if model._meta.managed]
