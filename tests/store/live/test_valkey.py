"""The link to Valkey, as threads come and go: a server's threads end after a while, and others begin."""

import threading

import redis
from django.conf import settings

from recommendations.store.live.valkey import Link

THREADS = 150  # more than a pool of redis-py makes connections for


def test_a_thread_has_a_connection_as_long_as_it_lives(valkey: redis.Redis) -> None:
    link = Link(settings.REDIS_URL)
    answers: list[list[bytes] | None] = []
    before = len(valkey.client_list())
    for _ in range(THREADS):
        thread = threading.Thread(target=lambda: answers.append(link.ask([("PING",)])))
        thread.start()
        thread.join()
    assert answers == [[b"PONG"]] * THREADS
    assert link.breaker.failures == 0
    assert len(valkey.client_list()) <= before + 2
