"""The engine of a cluster: Apache Spark, through its Connect client, which needs no Java here.

Each part is a task. Spark tries it again elsewhere where a machine goes, and a twin that it begins of a slow one leaves
the same bytes. What was done is read from the storage, never from what Spark counts.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

import pyarrow as pa

from recommendations.shardwork.order import Done, Heard, PartFailedError, WorkOrder
from recommendations.shardwork.spark_session import UnfitClusterError, away_errors, place_of, spark_session
from recommendations.shardwork.storage import Storage
from recommendations.shardwork.tasks import ASKED, PROBE, MachineFacts, do_part, facts_of, told_facts
from recommendations.shardwork.work import done_of, numbers_done

EVERY_SECONDS = 0.5  # it is asked whether to go on
PROBES = 8  # tasks that tell facts of the machines on which they come to lie


class SparkEngine:
    """The engine at an address ``sc://host:port/;use_ssl=true;token=…``."""

    def __init__(self, storage: Storage, *, url: str) -> None:
        self._storage, self._url, self._is_checked = storage, url, False
        self._cache, self.place = str(storage.cache or ""), f"Spark at {place_of(url)}"

    def run(self, order: WorkOrder, numbers: Sequence[int], *, heard: Heard) -> Iterator[Done]:
        """Do these parts. Raises UnfitClusterError before the first, PartFailedError, and whatever ``heard`` raises."""
        text, url, cache, numbers = order.to_json(), self._storage.url, self._cache, [*numbers]

        def do(place: int) -> str:
            return do_part(text, url, cache, numbers[place])

        def still_wanted() -> None:
            heard(len(numbers_done(order, self._storage)))

        with spark_session(self._url) as session:
            if not self._is_checked:
                self._facts(session, still_wanted)
            error = _answer(session, do, len(numbers), still_wanted).exception()
        if error is not None:
            raise PartFailedError(f"{order.name} failed on {self.place}: {_words_of(error)}") from error
        done = done_of(order, self._storage)
        yield from (done[number] for number in numbers)

    def check(self) -> list[MachineFacts]:
        """Facts of the machines that may do parts, this one last. Raises UnfitClusterError."""
        with spark_session(self._url) as session:
            return self._facts(session, lambda: None)

    def _facts(self, session: Any, still_wanted: Callable[[], None]) -> list[MachineFacts]:
        url, cache, probe = self._storage.url, self._cache, uuid.uuid4().hex
        self._storage.write_text(f"{PROBE}/{probe}/{ASKED}", probe)
        try:
            answer = _answer(session, lambda _place: told_facts(url, cache, probe), PROBES, still_wanted)
            error = answer.exception()
            if error is not None:
                raise UnfitClusterError(f"{self.place} can do no part: {_words_of(error)}") from error
            there = {one.host: one for one in map(MachineFacts.from_json, answer.result())}
            here = facts_of(url, cache, probe)
            problems = [problem for one in there.values() for problem in one.problems(here, url=url)]
            if not problems and len(self._storage.names(f"{PROBE}/{probe}")) < PROBES + 2:  # two are of here
                problems = [f"what its machines write in {url} is not seen here: ARTEFACTS must be one folder for all"]
        finally:
            self._storage.delete(f"{PROBE}/{probe}")
        if problems:
            raise UnfitClusterError(f"{self.place} can do no part: ", problems)
        self._is_checked = True
        return [*there.values(), here]


def _answer(
    session: Any, do: Callable[[int], str], n_tasks: int, still_wanted: Callable[[], None]
) -> Future[list[str]]:
    """What so many tasks say, or why they do not; where ``still_wanted`` raises, they are stopped."""
    tag = f"recsite-{uuid.uuid4().hex}"

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for place in batch.column(0).to_pylist():
                yield pa.RecordBatch.from_pydict({"said": [do(place)]})

    def collected() -> list[str]:
        session.addTag(tag)  # of this thread
        frame = session.range(0, n_tasks, 1, n_tasks).mapInArrow(work, "said string")
        return [row.said for row in frame.collect()]

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(collected)
        try:
            while not answer.done():
                still_wanted()
                wait([answer], timeout=EVERY_SECONDS)
        finally:
            while not answer.done():  # it may not have begun yet
                with suppress(*away_errors()):
                    session.interruptTag(tag)
                time.sleep(EVERY_SECONDS)
    return answer


def _words_of(error: BaseException) -> str:
    """What went wrong in a task, without where: the last line that Python said of it, or the first of Spark's."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    begins = [place for place, line in enumerate(lines) if "Traceback (most recent call last)" in line]
    after = lines[begins[-1] + 1 :] if begins else []
    return next((line.strip() for line in after if line[0] != " "), lines[0].strip())
