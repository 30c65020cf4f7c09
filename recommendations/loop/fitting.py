"""Fits of a stage, two at a time, and the records of their candidates: in this process in a shop of usual size."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from importlib import import_module
from threading import Event
from typing import Protocol

from threadpoolctl import threadpool_limits

from recommendations.engine.frames import FloatArray, Queries, TrainingSet
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, Timed, candidate_blocks
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.engine.recommenders.registry import Instance
from recommendations.loop.context import RunContext

THREADS = 2
BEAT = 1.0  # seconds

type Fitted = Mapping[str, Recommender]
"""Recommenders by the names of their instances."""


class FitStoppedError(Exception):
    """A fit was stopped, as the run is."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What fitted recommenders are asked: the records of queries under each plan."""

    wanted: Sequence[Instance]
    fitted: Fitted  # the recommenders of these
    queries: Queries
    plans: Mapping[str, BlendPlan]
    trend: FloatArray  # of every item


class Trainer(Protocol):
    """Whatever fits recommenders on a shop, and asks them about its customers."""

    def fit(self, instance: Instance, *, heard: Callable[[int], None]) -> Recommender:
        """Fit an instance, in whatever thread; ``heard`` is called now and then, and may raise to stop it."""
        ...

    def blocks(self, asked: Asked, *, progress: Callable[[float], None]) -> Generator[Mapping[str, Candidates]]:
        """The records of consecutive blocks of queries for every plan. ``progress`` hears the share that is done."""
        ...

    @property
    def score_seconds(self) -> Mapping[str, float]:
        """Seconds of one core that scoring took, by instance."""
        ...

    @property
    def counts(self) -> Mapping[str, object]:
        """What a run tells of how it was done."""
        ...


class WholeTrainer:
    """A trainer whose process has the whole shop."""

    def __init__(self, training: TrainingSet, *, seed: int) -> None:
        self._training, self._seed = training, seed
        self._timed: dict[str, Timed] = {}
        self.counts: Mapping[str, object] = {}

    def fit(self, instance: Instance, *, heard: Callable[[int], None]) -> Recommender:
        heard(0)
        return instance.build().fit(self._training, seed=self._seed)

    def blocks(self, asked: Asked, *, progress: Callable[[float], None]) -> Generator[Mapping[str, Candidates]]:
        once = {id(one): Timed(score_block=one.score) for one in asked.fitted.values()}
        self._timed = {name: once[id(recommender)] for name, recommender in asked.fitted.items()}
        instances = [
            FittedInstance(name=one.name, recommender=self._timed[one.name], trend_exponent=one.trend)
            for one in asked.wanted
        ]
        yield from candidate_blocks(instances, asked.queries, plans=asked.plans, trend=asked.trend, progress=progress)

    @property
    def score_seconds(self) -> Mapping[str, float]:
        return {name: sum(one.seconds) for name, one in self._timed.items()}


def fit_instances(
    context: RunContext, trainer: Trainer, wanted: Sequence[Instance], *, share: float
) -> tuple[Fitted, dict[str, float]]:
    """Fit all that are wanted, and how many seconds each took; instances that learn the same learn it once.

    ``share`` of the stage is done when all are.
    """
    first = {one.name: next(other for other in wanted if other.learns_as(one)) for one in wanted}
    once = [one for one in wanted if first[one.name] is one]
    stopped, done = Event(), dict[str, tuple[Recommender, float]]()

    def heard(_parts: int) -> None:
        if stopped.is_set():
            raise FitStoppedError

    def timed(instance: Instance) -> tuple[Recommender, float]:
        started = time.monotonic()
        return trainer.fit(instance, heard=heard), round(time.monotonic() - started, 2)

    _import_scikit_learn()
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(THREADS) as threads:
        fits = {threads.submit(timed, one): one.name for one in once}
        try:
            for ended in _ended(context, fits):
                done[fits[ended]] = ended.result()
                context.report(share * len(done) / len(once))
        finally:
            stopped.set()
            threads.shutdown(wait=False, cancel_futures=True)
    fitted = {one.name: one.taught_by(done[first[one.name].name][0]) for one in wanted}
    return fitted, {one.name: done[one.name][1] for one in once}


def _ended[T](context: RunContext, fits: dict[Future[T], str]) -> Iterator[Future[T]]:
    """Each fit when it has ended; while none has the run is heard of. Raises JobCancelledError."""
    left = set(fits)
    while left:
        ended, left = wait(left, timeout=BEAT, return_when=FIRST_COMPLETED)
        if not ended:
            context.report.beat()
        yield from ended


def _import_scikit_learn() -> None:
    """Import what recommenders need of it while there is one thread: two that begin with different modules of it at the
    same moment find them half made, as they import each other.
    """
    for name in ("cluster", "linear_model", "utils.extmath"):
        import_module(f"sklearn.{name}")
