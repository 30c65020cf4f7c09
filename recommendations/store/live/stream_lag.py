"""How far the consumers of a stream of events are behind, by topic and partition."""

from collections.abc import Mapping
from datetime import datetime

from redis.client import Pipeline

from recommendations.store.live.valkey import valkey
from recommendations.store.valkey_keys import LAG

type Place = tuple[str, int]
"""A topic, and the number of one of its partitions."""


def note_lag(behind: Mapping[Place, int], *, at: datetime) -> None:
    """Note how many messages of each partition are still to be read."""

    def write(pipeline: Pipeline) -> None:
        for (topic, partition), number in behind.items():
            pipeline.hset(LAG, f"{partition} {topic}", f"{number} {at.timestamp()}")
        pipeline.expire(LAG, LAG.seconds)

    if behind:
        valkey().run(write)


def read_lag(*, now: datetime) -> dict[Place, int] | None:
    """Messages still to be read, where somebody said so within the last minute; None where Valkey is away."""
    answers = valkey().run(lambda pipeline: pipeline.hgetall(LAG))
    if answers is None:
        return None
    behind: dict[Place, int] = {}
    for name, said in answers[0].items():
        partition, _space, topic = name.decode().partition(" ")
        number, at = said.split()
        if now.timestamp() - float(at) < LAG.seconds:
            behind[topic, int(partition)] = int(number)
    return behind
