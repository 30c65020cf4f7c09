"""What every test shares: an empty Valkey database for those that use servers, repeatable cases, and the browser."""

import gc
import os
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import pytest_django
import redis
from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation
from hypothesis import settings as hypothesis_settings
from threadpoolctl import threadpool_limits

from recommendations.store.live.arrivals import arrival_log
from recommendations.store.process_held import drop_all
from recommendations.store.valkey_keys import name_of
from tests.emptying import delete_all, furnish
from tests.side_threads import end_threads
from tests.stated import switch_guard

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs an event loop in the test's thread

FILES = 3_000
"""Open files of a process from which on models that nobody has are looked for; many systems allow 20,000."""

_BROWSER_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_USES_SERVERS = {"db", "transactional_db", "live_server", "valkey"}

# A run repeats the one before it, case by case; ``make fuzz`` looks on with new ones. No case is timed: the machine may
# be busy.
hypothesis_settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis_settings.register_profile("fuzz", deadline=None, derandomize=False, print_blob=True)
hypothesis_settings.load_profile("repeatable")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    for item in items:  # before ``-m`` chooses among them
        if not {"page", "browser"}.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.browser)
    yield
    # The longest test, which is timed: late enough that no browser runs beside it, early enough that others do.
    demo = [item for item in items if item.get_closest_marker("demo")]
    rest = [item for item in items if item not in demo]
    last = max((place for place, item in enumerate(rest) if item.get_closest_marker("browser")), default=-1)
    items[:] = [*rest[: last + 1], *demo, *rest[last + 1 :]]


def pytest_collection_finish(session: pytest.Session) -> None:
    if not settings.SERVERS_ARE_GIVEN and any(map(_needs_servers, session.items)):
        pytest.exit("These tests need PostgreSQL and Valkey: make check FILE=tests/…", pytest.ExitCode.USAGE_ERROR)
    gc.freeze()  # 11,000 tests stay until the end: a collection that looks at them each time takes a second
    # Two processes share two cores. A thread of BLAS that waits for the other half of a product spins on the core that
    # this half needs: tests of a belief took 43 seconds instead of one. What tests start has one, too, by the
    # environment (Makefile).
    threadpool_limits(1, user_api="blas")


def _needs_servers(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return item.get_closest_marker("django_db") is not None or not _USES_SERVERS.isdisjoint(fixtures)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """What a request left to a thread beside it ends before the test's database goes."""
    arrival_log.drop()
    end_threads("api-keys", "arrivals", "panels", "password-link")


@pytest.fixture(scope="session")
def _valkey() -> Iterator[redis.Redis]:
    """A client whose connection stays: to open one before each test took longer than the rest of what a test needs.

    In the end no test may have left a key that ``valkey_keys`` does not name.
    """
    with redis.Redis.from_url(settings.REDIS_URL, **settings.LEAN_VALKEY) as client:
        yield client
        _note_unnamed(client)
    assert _unnamed == {}


_unnamed: dict[str, str] = {}
"""Keys that nobody names, by the test that came after, each kind once."""


def _note_unnamed(client: redis.Redis, before: str = "the end") -> None:
    for key in client.scan_iter(count=1_000):
        text = key.decode("latin-1")
        if name_of(text) is None:
            _unnamed.setdefault(text.partition(":")[0], f"{text}, before {before}")


@pytest.fixture
def valkey(_valkey: redis.Redis) -> redis.Redis:
    """A client of the tests' own Valkey database; it is empty when the test begins."""
    return _valkey


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    """The grocery after a run of the loop, made once for all tests of the module that uses it."""
    with import_module("tests.trained").trained_shop(django_db_blocker):  # it knows Django's models
        yield


@pytest.fixture(scope="module")
def shop_today(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    """The same grocery for tests that go by the clock: who bought last did so yesterday, whatever day it is."""
    trained = import_module("tests.trained")
    with trained.trained_shop(django_db_blocker, then=trained.buy_until_yesterday):
        yield


@pytest.fixture(autouse=True)
def _empty_valkey(request: pytest.FixtureRequest) -> None:
    if _needs_servers(request.node):
        drop_all()  # a slate of the test before that is on its way arrives now, not after the flush
        client = request.getfixturevalue("_valkey")
        _note_unnamed(client, before=request.node.nodeid)
        client.flushdb()
        shutil.rmtree(settings.DATA / "privacy", ignore_errors=True)  # the log of erasures outlives a database
        caches.close_all()
        drop_all()
        if len(list(Path("/dev/fd").iterdir())) > FILES:
            gc.collect()  # a model's memory-mapped files are in cycles


@pytest.fixture(autouse=True)
def _language_of_the_shop() -> None:
    """The language that a page of the test before was asked in is not that of this one."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _furnished_shop(request: pytest.FixtureRequest) -> None:
    """A test with real transactions empties every table behind it; the next one finds blends and placements again."""
    marker = request.node.get_closest_marker("django_db")
    real = {"transactional_db", "live_server"}.intersection(request.fixturenames)
    real_marked = marker is not None and marker.kwargs.get("transaction")
    if not (real or marker or "db" in request.fixturenames):
        return
    request.getfixturevalue("transactional_db" if real or real_marked else "db")
    if not apps.get_model("recommendations", "Blend").objects.exists():
        furnish()


@pytest.fixture(scope="session", autouse=True)
def _quickly_emptied() -> Iterator[None]:
    """What a test with real transactions left is deleted, where Django would truncate every table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: delete_all())
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    """A database without the guard of statements.

    A thread of a test server may still hold a connection at the end; the test database is dropped all the same.
    """
    with django_db_blocker.unblock():
        switch_guard(on=False)
    yield
    with django_db_blocker.unblock():
        connection.close()
        connection.close_pool()  # some of its connections were ended by tests
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    program = next((found for name in names if name and (found := shutil.which(name))), None)
    if program is None:
        message = "No Chromium: install it, or name it with CHROMIUM=/path/to/chromium."
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return {**browser_type_launch_args, "executable_path": program, "args": _BROWSER_ARGS}
