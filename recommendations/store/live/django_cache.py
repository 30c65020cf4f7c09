"""Django's cache: counts of wrong passwords, pauses between e-mails. Staff get in while Valkey is away, too."""

import secrets
from collections.abc import Callable
from functools import cache
from typing import Any

import redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from recommendations.store.live.valkey import PAUSE, Breaker
from recommendations.store.process_held import at_drop

_MISSING = object()


class Beside:
    """Cache and breaker that all threads of a process share beside one Valkey."""

    def __init__(self, prefix: str) -> None:
        self.breaker = Breaker("cache", pause=PAUSE)
        self.kept = LocMemCache(secrets.token_hex(8), {"KEY_PREFIX": prefix})


@cache
def _beside(_server: str, prefix: str) -> Beside:
    return Beside(prefix)


at_drop(_beside.cache_clear)


class Cache(RedisCache):
    """Cache in Valkey; what that does not take, away or full, is kept in this process, where it counts first."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._server, self._prefix = server, str(params.get("KEY_PREFIX", ""))

    @property
    def _own(self) -> LocMemCache:
        return _beside(self._server, self._prefix).kept

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        own = self._own.get(key, _MISSING, version)
        if own is not _MISSING:
            return own
        return self._asked(lambda: super(Cache, self).get(key, default, version), lambda: default)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        if self._own.has_key(key, version):
            return False
        return self._asked(
            lambda: super(Cache, self).add(key, value, timeout, version),
            lambda: self._own.add(key, value, timeout, version),
        )

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._own.delete(key, version)
        self._asked(
            lambda: super(Cache, self).set(key, value, timeout, version),
            lambda: self._own.set(key, value, timeout, version),
        )

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        if self._own.has_key(key, version):
            return self._own.incr(key, delta, version)

        def here() -> int:
            self._own.set(key, self.get(key, 0, version), version=version)
            return self._own.incr(key, delta, version)

        return self._asked(lambda: super(Cache, self).incr(key, delta, version), here)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        if self._own.touch(key, timeout, version):
            return True
        return self._asked(lambda: super(Cache, self).touch(key, timeout, version), lambda: False)

    def delete(self, key: str, version: int | None = None) -> bool:
        own = self._own.delete(key, version)
        return self._asked(lambda: super(Cache, self).delete(key, version), lambda: False) or own

    def _asked[T](self, there: Callable[[], T], here: Callable[[], T]) -> T:
        breaker = _beside(self._server, self._prefix).breaker
        if breaker:
            try:
                return there()
            except redis.ResponseError as error:  # it answers, but does not do it: full, for one
                breaker.count(error)
            except redis.RedisError as error:
                breaker.trip(error)
        return here()
