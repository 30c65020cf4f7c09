"""The pool of connections to PostgreSQL comes back soon after an outage, however long that was."""

import time
from contextlib import suppress
from itertools import pairwise
from typing import Any

import psycopg
from django.conf import settings
from psycopg_pool import ConnectionPool, PoolTimeout

OUTAGE = 8.0  # seconds; left to itself the pool would wait four between its last tries in them
SOON = 2.5  # seconds


def test_the_pool_s_tries_do_not_become_rarer_while_it_is_asked() -> None:
    tries: list[float] = []

    class Nowhere(psycopg.Connection[Any]):
        @classmethod
        def connect(cls, *_given: Any, **_more: Any) -> Any:
            tries.append(time.monotonic())
            raise psycopg.OperationalError("connection refused")

    given = settings.DATABASES["default"]["OPTIONS"]["pool"]
    begin = time.monotonic()
    with ConnectionPool("", connection_class=Nowhere, open=True, **given) as pool:
        while time.monotonic() - begin < OUTAGE:
            with suppress(PoolTimeout):
                pool.getconn()
    assert max(later - one for one, later in pairwise([begin, *tries, time.monotonic()])) < SOON
