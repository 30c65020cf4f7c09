"""What quick memory has of events that the record does not keep any more."""

from datetime import datetime

from redis.client import Pipeline

from recommendations.store.live.state import LASTING
from recommendations.store.live.valkey import valkey

AT_ONCE = 1_000  # keys


def forget_acts(before: datetime) -> int:
    """Forget purchases, refunds and dislikes of before a moment; how many. While Valkey is away, none: a later call
    finds them, and what is rebuilt has none of them.
    """
    return sum(_forget(f"{acts}*", before.timestamp()) for acts in LASTING.values())


def _forget(pattern: str, before: float) -> int:
    cursor, forgotten = 0, 0
    while True:
        answers = valkey().ask([("SCAN", cursor, "MATCH", pattern, "COUNT", AT_ONCE)])
        if answers is None:
            return forgotten
        cursor, keys = int(answers[0][0]), answers[0][1]
        forgotten += sum(_cut(keys, before) or ())
        if not cursor:
            return forgotten


def _cut(keys: list[bytes], before: float) -> list[int] | None:
    def cut(pipeline: Pipeline) -> None:
        for key in keys:
            pipeline.zremrangebyscore(key, "-inf", f"({before}")

    return valkey().run(cut) if keys else []
