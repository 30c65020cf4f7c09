"""Servers that are away for a while: what is asked of them meanwhile leads nowhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from recommendations.store.live.valkey import valkey

NOWHERE = "redis://127.0.0.1:1/0"


@contextmanager
def dead_valkey() -> Iterator[None]:
    """Context in which Valkey does not answer this process.

    The address changes before the link is dropped, each time: a thread that sends its counts just then would else bring
    back the one before.
    """
    real = settings.REDIS_URL
    settings.REDIS_URL = NOWHERE
    valkey.cache_clear()
    try:
        yield
    finally:
        settings.REDIS_URL = real
        valkey.cache_clear()


@contextmanager
def dead_database() -> Iterator[None]:
    """Context in which the default database's connections lead nowhere."""
    held = connection.settings_dict
    real = {name: held[name] for name in ("HOST", "PORT")}
    _reach({"HOST": "127.0.0.1", "PORT": "1"})
    try:
        yield
    finally:
        _reach(real)


def _reach(place: dict[str, str]) -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    connection.settings_dict.update(place)
