"""Valkey as seen by a request: quick, or left alone for a while, so that its absence costs nothing."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import hiredis
import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from recommendations.store.process_held import at_drop

PAUSE = 1.0  # seconds without a try after an error
PATIENCE = 0.25  # seconds to wait for an answer

type Command = tuple[Any, ...]
"""Name and arguments of a command: texts, numbers or bytes."""

log = structlog.get_logger(__name__)


class ValkeyAwayError(Exception):
    """Valkey does not answer, so that nothing can be done in it."""

    def __init__(self) -> None:
        super().__init__("Valkey does not answer: start it, and try again.")


class Breaker:
    """Circuit breaker: opens for ``pause`` seconds when the thing behind it fails; counts how often that happened."""

    def __init__(self, name: str, *, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.failures = 0
        self._name, self._pause, self._clock = name, pause, clock
        self._open_until = 0.0

    def __bool__(self) -> bool:
        """True while the thing is worth a try."""
        return self._clock() >= self._open_until

    def close(self) -> None:
        """Try again at once."""
        self._open_until = 0.0

    def trip(self, error: Exception) -> None:
        self._open_until = self._clock() + self._pause
        self.count(error)

    def count(self, error: Exception) -> None:
        self.failures += 1
        log.warning("out of reach", dependency=self._name, error=type(error).__name__)


class Link:
    """Connection to one server; thread-safe, as redis-py's pool is."""

    def __init__(self, url: str) -> None:
        self.breaker = Breaker("valkey", pause=PAUSE)
        self._own = threading.local()
        self._client = redis.Redis.from_url(
            url,
            protocol=3,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),  # a connection that went stale
            **settings.LEAN_VALKEY,
        )

    def run(self, fill: Callable[[redis.client.Pipeline], object]) -> list[Any] | None:
        """The answers to the commands that ``fill`` puts into one pipeline; None where Valkey does not answer."""
        if not self.breaker:
            return None
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                fill(pipeline)
                return pipeline.execute()
        except redis.ResponseError as error:  # it answers, but does not do it: full, for one
            self.breaker.count(error)
        except redis.RedisError as error:
            self.breaker.trip(error)
        return None

    def ask(self, commands: Sequence[Command]) -> list[Any] | None:
        """Run commands that may come twice, at a third of the cost of ``run``; the replies are as Valkey has them."""
        packed = [b"".join(hiredis.pack_command(command) for command in commands)]
        for stale in (True, False):  # a connection that went stale is replaced once
            if not self.breaker:
                return None
            try:
                return self._exchanged(packed, len(commands))
            except redis.ResponseError as error:
                self.breaker.count(error)
                return None
            except redis.RedisError as error:
                if not stale or not isinstance(error, redis.ConnectionError):
                    self.breaker.trip(error)
        return None

    def answers(self, commands: Sequence[Command]) -> list[Any]:
        """The replies that ``ask`` gives. Raises ValkeyAwayError where there are none."""
        replies = self.ask(commands)
        if replies is None:
            raise ValkeyAwayError
        return replies

    def reply(self, *command: Any) -> Any:
        """The reply, as redis-py reads it, to a command that a server may refuse.

        Raises ValkeyAwayError, and ``redis.ResponseError`` where it is refused.
        """
        if not self.breaker:
            raise ValkeyAwayError
        execute: Callable[..., Any] = self._client.execute_command
        try:
            return execute(*command)
        except redis.ResponseError:
            raise
        except redis.RedisError as error:
            self.breaker.trip(error)
            raise ValkeyAwayError from error

    def _exchanged(self, packed: list[bytes], replies: int) -> list[Any]:
        connection = self._connection()
        done = False
        try:
            connection.send_packed_command(packed)
            answers = [connection.read_response() for _ in range(replies)]
            done = True
            return answers
        finally:
            if not done:  # unread replies must not reach the next one who asks
                connection.disconnect()

    def _connection(self) -> Any:
        """This thread's connection, which the pool of redis-py does not know: to borrow one costs more than to ask.

        The pool does not make it either: it would count the connections of threads that have ended, up to its hundred.
        """
        own = self._own
        if getattr(own, "pid", None) != os.getpid():  # not that of the process which forked this one
            pool = self._client.connection_pool
            own.pid, own.held = os.getpid(), OwnConnection(pool.connection_class(**pool.connection_kwargs))
        return own.held.connection


class OwnConnection:
    """A connection that is closed with the thread that holds it, and not whenever cycles are next collected."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.disconnect()


@cache
def valkey() -> Link:
    return Link(settings.REDIS_URL)


at_drop(lambda: valkey().breaker.close())  # noqa: PLW0108 - asks for the settings, which are not there yet
