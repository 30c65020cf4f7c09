"""Served answers: into a Valkey stream at once, from there in batches into PostgreSQL.

Losing an impression is tolerable, so nothing here ever fails an answer; a slate that comes twice is written once.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec
from redis.client import Pipeline

from recommendations.models import Slate
from recommendations.store.counters import Counted, Name, counters, timed
from recommendations.store.valkey import valkey

STREAM = "live:slates"
LONGEST = 200_000  # slates that wait; the oldest fall out
BATCH = 1_000


class ServedSlate(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``Slate``; the customer is None where the answer was not about a person."""

    served_at: str
    recommendation_id: str
    customer_id: int | None
    placement: str
    source: str
    personalised: bool
    fallback_reason: str
    model_version: int | None
    weights_version: int | None
    rules_version: int
    items: list[int]
    scores: list[float]
    propensities: list[float]
    latency_us: int


def append(slate: ServedSlate) -> bool:
    """False where Valkey did not take it."""
    content = msgspec.json.encode(slate)

    def add(pipeline: Pipeline) -> None:
        pipeline.xadd(STREAM, {"slate": content}, maxlen=LONGEST, approximate=True)

    return valkey().run(add) is not None


def write_slates() -> int:
    """Everything that waits now, into the record; how many slates."""
    written = 0
    while waiting := _waiting():
        slates = [msgspec.json.decode(fields[b"slate"], type=ServedSlate) for _, fields in waiting]
        Slate.objects.bulk_create((Slate(**msgspec.structs.asdict(slate)) for slate in slates), ignore_conflicts=True)
        counters().add(_counts(slates))
        entries = [entry for entry, _ in waiting]
        valkey().run(lambda pipeline, entries=entries: pipeline.xdel(STREAM, *entries))  # type: ignore[misc]
        written += len(slates)
        if len(slates) < BATCH:
            break
    return written


def _counts(slates: Sequence[ServedSlate]) -> Counter[Name]:
    counts: Counter[Name] = Counter()
    for slate in slates:
        counts[Counted.ANSWERS, slate.placement, slate.source, slate.fallback_reason] += 1
        counts.update(timed(Counted.ANSWER_SECONDS, slate.placement, seconds=slate.latency_us / 1e6))
    return counts


def _waiting() -> list[tuple[bytes, dict[bytes, bytes]]]:
    answers = valkey().run(lambda pipeline: pipeline.xrange(STREAM, count=BATCH))
    return answers[0] if answers else []
