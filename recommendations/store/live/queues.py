"""Queues in Valkey: tasks for the workers, and slates for the record."""

from collections.abc import Sequence
from typing import NamedTuple

from redis.client import Pipeline

from recommendations.store.live.valkey import valkey
from recommendations.store.valkey_keys import SLATES


class Waiting(NamedTuple):
    tasks: dict[str, int]  # queue → messages that no worker has taken
    taken: int  # messages that a worker has, and has not finished
    slates: int


def waiting(queues: Sequence[str], *, prefix: str) -> Waiting | None:
    """Count what waits; ``prefix`` is that of Celery's keys. None where Valkey is away."""

    def ask(pipeline: Pipeline) -> None:
        for queue in queues:
            pipeline.llen(f"{prefix}{queue}")
        pipeline.hlen(f"{prefix}unacked")
        pipeline.xlen(SLATES)

    answers = valkey().run(ask)
    if answers is None:
        return None
    *lengths, taken, slates = answers
    return Waiting(dict(zip(queues, lengths, strict=True)), taken, slates)
