"""A large shop, fitted and scored part by part by other processes; a run that is broken off keeps what they did."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from threading import Lock

from django.conf import settings

from recommendations.engine.frames import TrainingSet
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.recommenders.protocol import Recommender, restored
from recommendations.engine.recommenders.registry import Instance
from recommendations.loop.context import RunContext
from recommendations.loop.fitting import Asked, Trainer, WholeTrainer
from recommendations.shardwork.fitting import Stored, TrainingParts
from recommendations.shardwork.local import LocalEngine
from recommendations.shardwork.order import Done, Engine
from recommendations.shardwork.scoring import Learned, records_in_parts, records_order
from recommendations.shardwork.spark import SparkEngine
from recommendations.shardwork.storage import Storage
from recommendations.store.models.work_folders import probe_folder, work_folder

PART_ACTS = 4_000_000
"""Acts of a part, about: a shop with no more fits as a whole, which costs no files and no processes."""
RANGES = 8
"""Parts of a step over items."""
PART_RECORDS = 4_096
"""Customers of a part whose records are made: 70 MB, and a minute where there are 100,000 items."""
LANES = 2
"""Processes that make records at once."""


def trainer_of(context: RunContext, training: TrainingSet) -> Trainer:
    """The trainer of a stage: of the whole shop, or of parts of a large one."""
    if len(training.teaching) <= PART_ACTS:
        return WholeTrainer(training, seed=context.run.seed)
    return PartTrainer(context, training)


def engine_of(storage: Storage, *, lanes: int = 1) -> Engine:
    """The engine that the shop has: processes of this machine, or a Spark that there is."""
    if settings.ENGINE == "local":
        return LocalEngine(storage, lanes=lanes)
    return SparkEngine(storage, url=settings.ENGINE)


def engine_to_check() -> Engine:
    """The engine that the shop has, over a folder beside all versions."""
    return engine_of(Storage(str(probe_folder())))


class PartTrainer:
    """A trainer of whose shop no process has more than parts; what was learned is in files."""

    def __init__(self, context: RunContext, training: TrainingSet) -> None:
        self._context, self._storage = context, Storage(str(work_folder(context.version, context.the_cut)))
        engine = engine_of(self._storage)
        self._parts = TrainingParts(training, self._storage, engine, acts=PART_ACTS, ranges=RANGES)
        self._learned: list[tuple[Instance, Stored]] = []
        self._tally = PartTally(place=engine.place)
        self.score_seconds: Mapping[str, float] = {}

    def fit(self, instance: Instance, *, heard: Callable[[int], None]) -> Recommender:
        seed, told = self._context.run.seed, self._tally
        stored = self._parts.learn(instance.kind, instance.config, seed=seed, heard=heard, told=told)
        self._learned.append((instance, stored))
        return restored(instance.kind, instance.config, self._storage.load_all(stored))

    def blocks(self, asked: Asked, *, progress: Callable[[float], None]) -> Generator[Mapping[str, Candidates]]:
        learned = [
            Learned(
                name=one.name,
                kind=one.kind,
                config=asked.fitted[one.name].config,
                arrays=next(arrays for other, arrays in self._learned if other.learns_as(one)),
                trend_exponent=one.trend,
            )
            for one in asked.wanted
        ]
        order = records_order(
            self._storage, learned, asked.queries, plans=asked.plans, trend=asked.trend, rows=PART_RECORDS
        )
        engine = engine_of(self._storage, lanes=LANES)
        pace = Pace(n_parts=len(order.parts), n_rows=len(asked.queries))

        def heard(parts: int) -> None:
            self._context.report.counts["now"] = pace(parts)
            progress(parts / len(order.parts))

        def note(parts: Sequence[Done]) -> None:
            self._tally(parts)
            seconds = sum((Counter(one.timed) for one in parts), Counter[str]())
            places = {one["name"]: str(one["fitted"]) for one in order.settings["instances"]}
            self.score_seconds = {name: seconds[place] for name, place in places.items()}

        yield from records_in_parts(order, self._storage, engine, heard=heard, told=note)

    @property
    def counts(self) -> Mapping[str, object]:
        return self._tally.counts


class Pace:
    """How far the records are, and how long they will take yet, from when it was first asked."""

    def __init__(self, *, n_parts: int, n_rows: int) -> None:
        self._n_parts, self._a_part = n_parts, n_rows / n_parts
        self._began: tuple[float, int] | None = None

    def __call__(self, parts: int) -> Mapping[str, float]:
        began, before = self._began = self._began or (time.monotonic(), parts)
        seconds, done = time.monotonic() - began, parts - before
        told: dict[str, float] = {"parts": parts, "of": self._n_parts}
        if done:
            told |= {"a_second": done * self._a_part / seconds, "left": seconds / done * (self._n_parts - parts)}
        return told


class PartTally:
    """What the parts of a stage took, whatever thread tells of them."""

    def __init__(self, *, place: str = "") -> None:
        self._lock, self._place, self._hosts = Lock(), place, set[str]()
        self._parts, self._again, self._cpu_seconds, self._skew = 0, 0, 0.0, 1.0

    def __call__(self, parts: Sequence[Done]) -> None:
        with self._lock:
            self._parts += len(parts)
            self._hosts.update(one.host for one in parts)
            self._again += sum(one.tries > 1 for one in parts)
            self._cpu_seconds += sum(one.cpu_seconds for one in parts)
            mean = sum(one.seconds for one in parts) / len(parts)
            self._skew = max(self._skew, max(one.seconds for one in parts) / mean)

    @property
    def counts(self) -> Mapping[str, object]:
        """Parts done, those begun more than once, their CPU seconds, and the longest against the mean of its kind.

        Where they were done elsewhere also where, and by how many machines.
        """
        elsewhere = {"part_place": self._place, "part_hosts": len(self._hosts)} if self._place else {}
        return {
            "parts": self._parts,
            "parts_again": self._again,
            "part_cpu_seconds": {"all": round(self._cpu_seconds, 1)},
            "part_skew": round(self._skew, 1),
        } | elsewhere
