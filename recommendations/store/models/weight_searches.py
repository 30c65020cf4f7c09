"""Searches for weights that staff asked for: in Valkey for a day, so that a page that is loaded again finds them.

A job is a hash of JSON values. Each field has one writer: who asks writes ``request``, the worker ``running`` and
``result``, who cancels ``cancelled``; so nobody overwrites what another one says.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from recommendations.store.live.valkey import valkey

KEPT = timedelta(days=1)


class NoAnswerError(Exception):
    """Valkey is away: there is neither a job nor a queue to put it in."""


def keep(key: str, *, of: str, request: Mapping[str, Any]) -> None:
    """Store a new job; it is the latest one ``of`` its kind."""
    _run(
        lambda pipe: (
            pipe.hset(_job(key), "request", json.dumps(request)),
            pipe.expire(_job(key), KEPT),
            pipe.set(_latest(of), key, ex=KEPT),
        )
    )


def latest(of: str) -> str | None:
    reply = _run(lambda pipe: pipe.get(_latest(of)))[0]
    return reply.decode() if reply else None


def load_search(key: str) -> dict[str, Any]:
    """Fields of a job; empty where there is no such job any more."""
    fields = _run(lambda pipe: pipe.hgetall(_job(key)))[0]
    return {name.decode(): json.loads(value) for name, value in fields.items()}


def tell(key: str, field: str, value: Mapping[str, Any]) -> bool:
    """Write ``running`` or ``result``; False where the job has been cancelled."""
    return not _run(
        lambda pipe: (
            pipe.hexists(_job(key), "cancelled"),
            pipe.hset(_job(key), field, json.dumps(value)),
            pipe.expire(_job(key), KEPT),
        )
    )[0]


def cancel(key: str, value: Mapping[str, Any]) -> bool:
    """Cancel a job; False where somebody has cancelled it before."""
    return bool(_run(lambda pipe: pipe.hsetnx(_job(key), "cancelled", json.dumps(value)))[0])


def _run(fill: Any) -> list[Any]:
    answers = valkey().run(fill)
    if answers is None:
        raise NoAnswerError
    return answers


def _job(key: str) -> str:
    return f"suggestion:{key}"


def _latest(of: str) -> str:
    return f"suggestion:latest:{of}"
