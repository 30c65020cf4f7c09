"""Candidates of many recommenders, one record per query: score, pool, standardise, keep the best (``maths.md`` §4).

Instances are scored once per block of queries however many blends weigh them, and no more blocks than there are threads
wait for whoever takes them: memory does not grow with the queries.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommendations.engine.frames import FloatArray, IntArray, Queries, Sparse
from recommendations.engine.ranking.candidates import Candidates, joined, weight_vector
from recommendations.engine.ranking.confidence import BlendLeaning, confidence, leaned, n_acts
from recommendations.engine.ranking.scores import blend_planes, gathered, largest, spoken, standardised, top

NOMINATED = 200
KEPT = 300
OWN = 20
UNPROTECTED = 255


class Scorer(Protocol):
    """What the hybrid needs of a fitted recommender."""

    def score(self, queries: Queries) -> FloatArray: ...


@dataclass(kw_only=True)
class Timed:
    """A fitted recommender whose scoring is timed: seconds of the thread that scores a block, so of one core."""

    score_block: Callable[[Queries], FloatArray]
    seconds: list[float] = field(default_factory=list)

    def score(self, queries: Queries) -> FloatArray:
        started = time.thread_time()
        scores = self.score_block(queries)
        self.seconds.append(time.thread_time() - started)
        return scores


@dataclass(frozen=True, kw_only=True)
class FittedInstance:
    """A fitted recommender under its instance name; ``trend_exponent`` is the g of max(R, 0) · trend^g."""

    name: str
    recommender: Scorer
    trend_exponent: float = 0.0


@dataclass(frozen=True, kw_only=True)
class BlendPlan:
    """Plan of one blend: its instances, items that may not come up, and the weights that choose what is kept."""

    weights: Mapping[str, float]
    instances: tuple[str, ...]
    excluded: Sparse | None = None  # queries × items; every stored entry is excluded
    leaning: BlendLeaning | None = None  # where little is known of who asks

    def of(self, queries: NDArray[np.integer]) -> Self:
        """The plan of these queries."""
        return self if self.excluded is None else replace(self, excluded=self.excluded[queries])


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Sizes of the pool, and how much memory and how many threads the scoring may use."""

    nominated: int = NOMINATED
    kept: int = KEPT
    own: int = OWN
    threads: int = 2
    lane_bytes: int = 256_000_000  # the scores of all instances of one block; each thread has one block at a time
    block_rows: int = 512


def candidates(
    fitted: Sequence[FittedInstance],
    queries: Queries,
    *,
    plans: Mapping[str, BlendPlan],
    trend: FloatArray | None = None,
    limits: Limits | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Candidates]:
    """Score every query and return its records for every plan, as ``candidate_blocks`` has them."""
    blocks = [*candidate_blocks(fitted, queries, plans=plans, trend=trend, limits=limits, progress=progress)]
    return blocks[0] if len(blocks) == 1 else {name: joined([block[name] for block in blocks]) for name in plans}


def candidate_blocks(
    fitted: Sequence[FittedInstance],
    queries: Queries,
    *,
    plans: Mapping[str, BlendPlan],
    trend: FloatArray | None = None,
    limits: Limits | None = None,
    progress: Callable[[float], None] | None = None,
) -> Generator[dict[str, Candidates], None, None]:
    """Score the queries block by block; the records of each block for every plan, in the order of the queries.

    ``trend`` is the factor per item, needed where an instance has an exponent. ``progress`` hears the share done, in
    the caller's thread, and may raise to stop the work.
    """
    limits = limits or Limits()
    parts = [part for part in fitted if any(part.name in plan.instances for plan in plans.values())]
    blocks = _blocks(len(queries), n_items=queries.histories.n_items, n_instances=len(parts), limits=limits)
    factors = [_factor(part, trend) for part in parts]
    benches: SimpleQueue[_Bench] = SimpleQueue()
    for _ in range(limits.threads):
        benches.put(_Bench(parts, factors, queries, plans=plans, limits=limits))

    def work(rows: NDArray[np.int64]) -> dict[str, Candidates]:
        bench = benches.get()
        try:
            return bench.block(rows)
        finally:
            benches.put(bench)

    if len(blocks) == 1:
        yield work(blocks[0])
        return
    pool = ThreadPoolExecutor(limits.threads)
    try:
        with threadpool_limits(limits=1, user_api="blas"):  # the blocks are the threads
            for number, record in enumerate(_in_order(pool, work, blocks, ahead=limits.threads), 1):
                if progress:
                    progress(number / len(blocks))
                yield record
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order[T, R](
    pool: ThreadPoolExecutor, work: Callable[[T], R], blocks: Sequence[T], *, ahead: int
) -> Iterator[R]:
    """The results in the order of the blocks; at most ``ahead`` blocks are begun before one is asked for."""
    begun: deque[Future[R]] = deque()
    for block in blocks:
        begun.append(pool.submit(work, block))
        if len(begun) > ahead:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def _blocks(n_queries: int, *, n_items: int, n_instances: int, limits: Limits) -> list[NDArray[np.int64]]:
    """Split the queries into blocks, at least one, so that no queries give an empty record of the right shape."""
    row_bytes = 4 * max(n_items, 1) * max(n_instances, 1)
    rows = int(np.clip(limits.lane_bytes // row_bytes, 1, limits.block_rows))
    return [np.arange(start, min(start + rows, n_queries)) for start in range(0, max(n_queries, 1), rows)]


def _factor(part: FittedInstance, trend: FloatArray | None) -> FloatArray | None:
    if not part.trend_exponent:
        return None
    if trend is None:
        raise ValueError(f"{part.name} has a trend exponent, but no trend was given")
    factor: FloatArray = np.power(trend, np.float32(part.trend_exponent), dtype=np.float32)
    return factor


class _Bench:
    """One thread's workbench: buffers filled again for every block, as allocating them costs more than the sums."""

    def __init__(
        self,
        parts: Sequence[FittedInstance],
        factors: Sequence[FloatArray | None],
        queries: Queries,
        *,
        plans: Mapping[str, BlendPlan],
        limits: Limits,
    ) -> None:
        self.parts, self.factors, self.queries, self.plans, self.limits = parts, factors, queries, plans, limits
        self.place = {part.name: number for number, part in enumerate(parts)}
        recommenders = [id(part.recommender) for part in parts]
        self.twins = [
            [at for at, other in enumerate(recommenders) if other == one] for one in dict.fromkeys(recommenders)
        ]
        self.sure = confidence(n_acts(queries.histories))
        self.pooled = np.empty((0, queries.histories.n_items), np.bool_)
        self.rank = np.empty((0, queries.histories.n_items), np.uint8)

    def block(self, rows: NDArray[np.int64]) -> dict[str, Candidates]:
        """The records of these queries under every plan."""
        if len(self.pooled) < len(rows):
            shape = (len(rows), self.pooled.shape[1])
            self.pooled = np.zeros(shape, np.bool_)
            self.rank = np.full(shape, UNPROTECTED, np.uint8)
        raw = self._scored(rows)
        return {name: self._records(raw, plan, rows) for name, plan in self.plans.items()}

    def _scored(self, rows: NDArray[np.int64]) -> list[FloatArray]:
        """Scores of every instance, each [rows, items], with the trend applied.

        Instances that share a fitted recommender differ by the trend only: it is asked once.
        """
        block = self.queries.of(rows)
        raw: list[FloatArray] = [np.empty((0, 0), np.float32)] * len(self.parts)
        for places in self.twins:
            scores = self.parts[places[0]].recommender.score(block)
            for place in places:
                ours = place == places[-1] and scores.flags.writeable
                raw[place] = _with_trend(scores if ours else scores.copy(), factor=self.factors[place])
        return raw

    def _records(self, raw: Sequence[FloatArray], plan: BlendPlan, rows: NDArray[np.int64]) -> Candidates:
        names = tuple(name for name in plan.instances if name in self.place)
        planes = [raw[self.place[name]] for name in names]
        with _without(plan.excluded, planes, rows):
            nominated, own = self._nominations(planes, n_rows=len(rows))
            items, z = self._cut(planes, nominated, own, plan=plan, names=names, rows=rows)
        return Candidates(instances=names, items=items, z=z, own=own)

    def _nominations(self, planes: Sequence[FloatArray], *, n_rows: int) -> tuple[IntArray, IntArray]:
        """Columns of the top 200 per query and instance, ascending, and of the top 20, best first."""
        nominated = np.full((n_rows, len(planes), self.limits.nominated), -1, np.int32)
        own = np.full((n_rows, len(planes), self.limits.own), -1, np.int32)
        for m, plane in enumerate(planes):
            columns = largest(plane, self.limits.nominated)
            scores = gathered(plane, columns, missing=-np.inf)
            nominated[:, m] = columns
            own[:, m] = gathered(columns, top(scores, self.limits.own), missing=-1)
        return nominated, own

    def _cut(
        self,
        planes: Sequence[FloatArray],
        nominated: IntArray,
        own: IntArray,
        *,
        plan: BlendPlan,
        names: tuple[str, ...],
        rows: NDArray[np.int64],
    ) -> tuple[IntArray, NDArray[np.float16]]:
        """Standardise and round the pool, then cut it to what is kept: each instance's own best, then by blend."""
        pooled, rank = self.pooled[: len(nominated)], self.rank[: len(nominated)]
        _mark(pooled, nominated, value=True)
        for place in range(own.shape[2] - 1, -1, -1):
            _mark(rank, own[:, :, place : place + 1], value=place)
        flat = np.flatnonzero(pooled)
        protected = rank.ravel()[flat]
        _mark(pooled, nominated, value=False)
        _mark(rank, own, value=UNPROTECTED)
        counts = np.bincount(flat // max(pooled.shape[1], 1), minlength=len(pooled))
        values = np.array([plane.ravel()[flat] for plane in planes], np.float32).reshape(len(planes), len(flat))
        starts = (np.cumsum(counts) - counts)[counts > 0]
        z = standardised(values, starts) if len(flat) else values
        if plan.leaning is not None:
            z = leaned(z, names, plan.leaning, np.repeat(self.sure[rows], counts))
        rounded, weights = z.astype(np.float16), weight_vector(names, plan.weights)
        columns = flat % max(pooled.shape[1], 1)
        return _packed(
            columns,
            rounded,
            counts,
            order_by=(protected, blend_planes(spoken(rounded), weights)),
            kept=self.limits.kept,
        )


def _with_trend(scores: FloatArray, *, factor: FloatArray | None) -> FloatArray:
    """max(score, 0) · factor in the array of the scores; they stay as they are without a factor."""
    if factor is not None:
        np.multiply(np.maximum(scores, np.float32(0), out=scores), factor, out=scores)
    return scores


@contextmanager
def _without(excluded: Sparse | None, planes: Sequence[FloatArray], rows: NDArray[np.int64]) -> Iterator[None]:
    """A time in which the excluded items are unknown to everyone (NaN); afterwards the scores are as before."""
    if excluded is None:
        yield
        return
    part = excluded[rows]
    where = np.repeat(np.arange(len(rows)), np.diff(part.indptr)), part.indices
    saved = [plane[where] for plane in planes]
    for plane in planes:
        plane[where] = np.nan
    try:
        yield
    finally:
        for plane, values in zip(planes, saved, strict=True):
            plane[where] = values


def _mark(board: NDArray[np.bool_] | NDArray[np.uint8], columns: IntArray, *, value: int) -> None:
    valid = columns >= 0
    board[np.nonzero(valid)[0], columns[valid]] = value


def _packed(
    columns: NDArray[np.int64],
    z: NDArray[np.float16],
    counts: NDArray[np.int64],
    *,
    order_by: tuple[NDArray[np.uint8], FloatArray],
    kept: int,
) -> tuple[IntArray, NDArray[np.float16]]:
    """The best ``kept`` of each query's pool in ascending order of column, padded to one width."""
    protected, scores = order_by
    query = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    order = np.lexsort((-scores, protected, query))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order)) - np.repeat(starts, counts)
    keep = np.flatnonzero(place < kept)
    rows = query[keep]
    n_kept = np.minimum(counts, kept)
    slot = np.arange(len(keep)) - np.repeat(np.cumsum(n_kept) - n_kept, n_kept)
    items = np.full((len(counts), kept), -1, np.int32)
    items[rows, slot] = columns[keep]
    packed = np.full((len(counts), len(z), kept), np.nan, np.float16)
    packed[rows, :, slot] = z[:, keep].T
    return items, packed
