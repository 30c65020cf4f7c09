"""Floor of the cost of an answer: a WSGI application that gives an answer as it lies in Valkey, or in the process.

``/valkey`` is one bare ``GET`` with redis-py, ``/static`` no question at all; ``FLOOR_KEY`` names the key.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

import redis

_valkey: Any = redis.Redis.from_url(os.environ["REDIS_URL"])
_key = os.environ["FLOOR_KEY"]
_static: bytes = _valkey.get(_key)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = _static if environ["PATH_INFO"] == "/static" else _valkey.get(_key)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
