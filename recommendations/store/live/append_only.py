"""Valkey's append-only file, written anew: until then it has the commands that wrote and deleted what was erased."""

from typing import Any

import redis
import structlog

from recommendations.privacy_terms import LiveLog
from recommendations.store.live.valkey import ValkeyAwayError, valkey

log = structlog.get_logger(__name__)


def begin_rewrite() -> LiveLog | None:
    """Have the file written anew; None where Valkey is away, or is at it since before: then it is asked again."""
    try:
        state = _state()
        if not state["aof_enabled"]:
            return LiveLog.ABSENT
        if _is_at_it(state):
            return None
        valkey().reply("BGREWRITEAOF")
    except ValkeyAwayError:
        return None
    except redis.ResponseError as error:
        log.warning("the append-only file is not rewritten", error=str(error))
        return LiveLog.REFUSED
    return LiveLog.BEGUN


def rewrite_outcome() -> LiveLog | None:
    """What became of the rewrite that was begun; None while it goes on, or Valkey is away."""
    try:
        state = _state()
    except ValkeyAwayError:
        return None
    except redis.ResponseError:
        return LiveLog.REFUSED
    if _is_at_it(state):
        return None
    return LiveLog.REWRITTEN if state["aof_last_bgrewrite_status"] == "ok" else LiveLog.REFUSED


def _state() -> dict[str, Any]:
    state: dict[str, Any] = valkey().reply("INFO", "persistence")
    return state


def _is_at_it(state: dict[str, Any]) -> bool:
    return bool(state["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"])
