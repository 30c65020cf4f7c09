"""The grocery of ``grocery.py`` after one turn of the loop, made once for all tests of a module."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest_django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from recommendations.loop.run import run_turn
from recommendations.models import Blend
from recommendations.services.turns import start_turn
from recommendations.terms import RunStatus
from tests.grocery import open_shop

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
    blocker: pytest_django.DjangoDbBlocker, *, furnished: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """The database holds the shop and its live version while the block runs; afterwards it is as new.

    ``furnished`` adds to the shop before the turn.
    """
    folder = Path(tempfile.mkdtemp())
    with blocker.unblock(), artefact_folder(folder):
        if not Blend.objects.exists():
            furnish()
        try:
            open_shop(now=NOW)
            furnished()
            turn = start_turn(by=None, now=NOW, in_worker=False)
            status = run_turn(turn.pk, clock=timezone.now)
            turn.refresh_from_db()
            assert status is RunStatus.SUCCEEDED, turn.message
            yield
        finally:
            call_command("flush", verbosity=0, interactive=False)
            furnish()
            shutil.rmtree(folder, ignore_errors=True)


def furnish() -> None:
    """What the migrations put into an empty database."""
    for migration in ("0002_shop", "0010_placements", "0015_session_blend"):
        import_module(f"recommendations.migrations.{migration}").furnish(apps, None)
