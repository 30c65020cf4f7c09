"""Readiness: what a process reads before its first visitor, and what the servers that it needs still lack."""

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.db import DatabaseError, NotSupportedError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from recommendations.models import ModelVersion
from recommendations.services.access import keys
from recommendations.services.weights.panels import panels
from recommendations.store.contacts.sealing import hash_key_is_the_stored_one
from recommendations.store.domain import stored_domain
from recommendations.store.erasure.log import lost_erasures
from recommendations.store.erasure.log import path as erasure_log
from recommendations.store.events.pseudonyms import keys_are_the_stored_ones
from recommendations.store.models.truth_sample import PANEL_CUSTOMERS
from recommendations.store.process_held import ProcessHeld
from recommendations.store.serving.snapshot_holder import NotLoadedError, snapshot_holder
from recommendations.store.valkey_keys import PROBE

LASTS = 1.0  # seconds
_TIMEOUTS = {"socket_timeout": 1, "socket_connect_timeout": 1}


def prepare() -> None:
    """Read what the first answers and pages need; what cannot be read yet is read by the first who asks for it."""
    with suppress(NotLoadedError):
        snapshot_holder().current(None)
    keys.prepare()
    connection.close()
    if not settings.PAGES_URL and _are_few():  # else whoever opens the dashboard has the panels loaded
        panels().warm()


def _are_few() -> bool:
    """Whether the panels have all customers, and so take little."""
    held = snapshot_holder().snapshot
    return held is not None and held.model is not None and len(held.model.users) <= PANEL_CUSTOMERS


class Readiness:
    """What is missing, looked at no more than once in ``LASTS`` seconds, however many ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._missing: dict[str, str] = {}
        self._looked_at = -math.inf

    def missing(self) -> dict[str, str]:
        """A sentence for each part that is missing; empty when nothing is."""
        with self._lock:
            if self._clock() - self._looked_at >= LASTS:
                self._missing = _of_database() | what_valkey_lacks() | _of_static_files()
                self._looked_at = self._clock()
            return self._missing


readiness = ProcessHeld(Readiness)


def _of_database() -> dict[str, str]:
    try:
        if due := _migrations() - MigrationRecorder(connection).applied_migrations().keys():
            return {"migrations": f"{len(due)} migrations are not applied; run manage.py migrate."}
        return _of_record()
    except NotSupportedError as error:
        return {"postgresql_version": str(error)}
    except DatabaseError as error:
        return {"postgresql": f"The database does not answer ({type(error).__name__})."}


@cache
def _migrations() -> frozenset[tuple[str, str]]:
    """App and name of every migration of this installation."""
    return frozenset(MigrationLoader(None).disk_migrations)


def _of_record() -> dict[str, str]:
    missing = {}
    if not keys_are_the_stored_ones():
        missing["pseudonym_key"] = (
            "This database was filled under other PSEUDONYM_KEYS, or more of them: all would be strangers."
        )
    elif settings.CONTACT_HASH_KEY and not hash_key_is_the_stored_one():  # the first look stores it: in no other's
        missing["contact_hash_key"] = (
            "This database was filled under another CONTACT_HASH_KEY: who unsubscribed would be written to again."
        )
    if foreign := foreign_domain():
        missing["domain"] = foreign
    if erasures := _erasures_to_repeat():
        missing["erasures"] = erasures
    if not ModelVersion.objects.live().exists():
        missing["model_version"] = "No run of the loop has finished yet; start one on the page Runs."
    return missing


def _erasures_to_repeat() -> str:
    """What is to be done before somebody who was erased could be served again; empty where there is nothing."""
    try:
        lost = len(lost_erasures())
    except OSError as error:
        return f"The log of erasures, {erasure_log()}, cannot be read ({type(error).__name__})."
    if not lost:
        return ""
    return (
        f"{lost:,} erasures are to be repeated: this database was restored from a copy of before them. The workers do "
        "it within a minute, if RECEIPT_KEYS and EXPORT_KEYS are set."
    )


def foreign_domain() -> str:
    """Why this database cannot serve the domain of the settings; empty where it can."""
    stored = stored_domain()
    if stored == settings.SHOP_DOMAIN:
        return ""
    return (
        f"This database is of a shop of {stored}, and SHOP_DOMAIN={settings.SHOP_DOMAIN}: set SHOP_DOMAIN={stored}, "
        "or begin with a new database."
    )


def what_valkey_lacks() -> dict[str, str]:
    """A sentence where Valkey is away, full, or does not write; empty where it does."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **_TIMEOUTS, **settings.LEAN_VALKEY) as client:
            client.set(PROBE, 1, ex=PROBE.lasts)
    except redis.OutOfMemoryError:
        return {"valkey": "Valkey is full: it keeps nothing new. Give it more memory (maxmemory)."}
    except redis.ResponseError as error:
        return {"valkey": f"Valkey does not write ({error})."}
    except redis.RedisError as error:
        return {"valkey": f"Valkey does not answer ({type(error).__name__})."}
    return {}


def _of_static_files() -> dict[str, str]:
    missing = missing_static_files()
    if not missing:
        return {}
    more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
    text = f"{missing[0]}{more} are not collected, so pages fail; run manage.py collectstatic, and start web again."
    return {"static_files": text}


@cache
def missing_static_files() -> tuple[str, ...]:
    """Static files that this process cannot serve: it read the list of the collected ones when it began."""
    storage: Any = staticfiles_storage
    if not isinstance(storage, ManifestFilesMixin):  # tests serve them as they are
        return ()
    names = {path for finder in get_finders() for path, _storage in finder.list([])}
    collected = storage.hashed_files
    return tuple(sorted(name for name in names if storage.hash_key(name) not in collected))
