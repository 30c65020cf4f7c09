"""Contest of every recommender alone and the hybrid on one part and task: fit, score, weigh, rank."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from bench.files.parts import Part
from bench.meter import Cost, metered
from bench.ranking.choice import Chosen
from bench.ranking.judging import Entry
from bench.ranking.readings import Read
from bench.ranking.trials import taught
from recommendations.engine.evaluation.breadth import Assortment
from recommendations.engine.evaluation.panel import Panel, panel
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.feedback.tuning import SearchConfig, Tuned, mean_ndcg, tuned
from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.ranking.candidates import Candidates, weight_vector
from recommendations.engine.ranking.diversity import Likeness
from recommendations.engine.recommenders.hybrid import (
    KEPT,
    NOMINATED,
    BlendPlan,
    FittedInstance,
    Limits,
    candidates,
)
from recommendations.engine.rng import generator
from recommendations.terms import Task

MANY = 1500  # users of a panel, from which on their luck is small
RESAMPLES = 4
SHORT = SearchConfig(draws=30, climbs=1, rounds=2)
QUESTIONS = 5_000  # whose records are held at once
STAGED = "hybrid, second stage"
SHARPNESS = 4.0  # of the weights by which pools are cut before any are tuned: the better alone, the heavier


@dataclass(frozen=True, kw_only=True, eq=False)
class Entrant:
    """A fitted recommender with the settings chosen for a task."""

    chosen: Chosen
    model: Read
    cost: Cost


@dataclass(frozen=True, kw_only=True, eq=False)
class Field:
    """Field of all entrants of a task on one part."""

    part: Part
    task: Task
    entrants: Sequence[Entrant]
    trend: FloatArray | None

    def records(self, weights: Mapping[str, float], rows: NDArray[np.int64], *, limits: Limits) -> Candidates:
        """Candidate records of these questions; ``weights`` choose what is kept of a pool."""
        excluded = self.part.excluded[self.task]
        plan = BlendPlan(
            weights=weights,
            instances=tuple(entrant.chosen.name for entrant in self.entrants),
            excluded=None if excluded is None else sparse.csr_matrix(excluded[rows]),
        )
        fitted = [
            FittedInstance(
                name=entrant.chosen.name, recommender=entrant.model, trend_exponent=entrant.chosen.setting.trend
            )
            for entrant in self.entrants
        ]
        queries = self.part.queries.of(rows)
        return candidates(fitted, queries, plans={self.task: plan}, trend=self.trend, limits=limits)[self.task]

    def pool(self) -> Candidates:
        """Candidate records of all questions, before any weights are known."""
        return self.records(prior(self.entrants), np.arange(len(self.part.queries)), limits=Limits())


def tuning_panel(records: Candidates, truth: Truth) -> Panel:
    """Panel that knows nothing of the items: the tuner asks it for NDCG alone."""
    shop = Assortment(surprise=np.empty(0, np.float32), categories=sparse.csr_matrix((0, 0), dtype=np.float32))
    return panel(records, truth, shop=shop, likeness=Likeness(traits=np.empty((0, 0), np.int32)))


def prior(entrants: Sequence[Entrant]) -> dict[str, float]:
    """Guess the weights from how good each is alone."""
    strengths = {entrant.chosen.name: max(entrant.chosen.ndcg, 1e-6) ** SHARPNESS for entrant in entrants}
    total = sum(strengths.values())
    return {name: strength / total for name, strength in strengths.items()}


def entered(part: Part, chosen: Sequence[Chosen], *, seed: int, tell: Callable[[str], None]) -> list[Entrant]:
    """Fit all on the part's training set; who learns the same as someone before is not fitted again."""
    entrants: list[Entrant] = []
    for one in chosen:
        config = one.setting.read
        twin = next((other for other in entrants if taught(other.model.config) == taught(config)), None)
        if twin is not None:
            entrants.append(Entrant(chosen=one, model=twin.model.reconfigured(config), cost=twin.cost))
            continue
        with metered() as cost:
            model = Read(config).fit(part.training, seed=seed)
        tell(f"{one.name}: fitted in {cost.seconds:.1f} s")
        entrants.append(Entrant(chosen=one, model=model, cost=cost))
    return entrants


def weighed(field: Field, *, seed: int, quick: bool = False, records: Candidates | None = None) -> Tuned:
    """Tune the weights on the part, which must be a validation part; never below the best single one there.

    Where users are few the weights are averaged with those tuned on resamples of them: luck counts for less.
    ``records`` are the pool of the field, where it was made already.
    """
    pool, starts = field.pool() if records is None else records, [prior(field.entrants)]
    board = tuning_panel(pool, field.part.truths[field.task])
    with threadpool_limits(1, user_api="blas"):
        best = tuned(board, seed=seed, starts=starts, search=SHORT if quick else SearchConfig())
        if quick or len(board.users) >= MANY:
            return best
        draw = generator(seed, "resampled weights")
        vectors = [weight_vector(board.instances, best.weights)]
        for number in range(RESAMPLES):
            rows = np.sort(draw.integers(len(board.users), size=len(board.users)))
            drawn = tuned(board.of(rows), seed=seed + number + 1, starts=starts, search=SHORT)
            vectors.append(weight_vector(board.instances, drawn.weights))
        averaged = np.mean(vectors, axis=0, dtype=np.float32)
        reached = mean_ndcg(board, averaged)
    if reached < best.best_single_ndcg:
        return best
    weights = {name: float(weight) for name, weight in zip(board.instances, averaged, strict=True)}
    return replace(best, weights=weights, ndcg=reached)


type Restaged = Callable[[Candidates, NDArray[np.int64]], IntArray]
"""What a second stage makes of the records of these questions: ranked items."""


def entries(field: Field, weights: Mapping[str, float], *, k: int, restaged: Restaged | None = None) -> list[Entry]:
    """Entries of the hybrid's lists, with a second stage too if there is one, and everyone's own, [questions, k]."""
    n_questions, names = len(field.part.queries), [entrant.chosen.name for entrant in field.entrants]
    ranked, staged = np.full((2, n_questions, k), -1, np.int32)
    own = {name: np.full((n_questions, k), -1, np.int32) for name in names}
    limits = Limits(nominated=max(NOMINATED, k), own=k, kept=max(KEPT, k))
    ranking: list[Cost] = []
    staging: list[Cost] = []
    for start in range(0, n_questions, QUESTIONS):
        rows = np.arange(start, min(start + QUESTIONS, n_questions))
        with metered() as cost:
            records = field.records(weights, rows, limits=limits)
            ranked[rows] = records.ranked(weights, k)
            for m, name in enumerate(names):
                own[name][rows] = records.own[:, m]
        ranking.append(cost)
        if restaged is not None:
            with metered() as cost:
                staged[rows] = restaged(records, rows)
            staging.append(cost)
    heavy = [entrant for entrant in field.entrants if weights.get(entrant.chosen.name, 0) > 0]
    hybrids = [_hybrid("hybrid", ranked, heavy, ranking)]
    if restaged is not None:  # its trees look at all recommenders, also at those without weight
        hybrids.append(_hybrid(STAGED, staged, field.entrants, ranking + staging))
    return [*hybrids, *(
        Entry(
            name=entrant.chosen.name,
            kind="recommender",
            ranked=own[entrant.chosen.name],
            fit_s=entrant.cost.seconds,
            score_s=sum(entrant.model.seconds),
            peak_mb=entrant.cost.peak_mb,
        )
        for entrant in field.entrants
    )]  # fmt: skip


def _hybrid(name: str, ranked: IntArray, entrants: Sequence[Entrant], costs: Sequence[Cost]) -> Entry:
    """The entry of a blend of these entrants; ``costs`` are those of its lists. Twins are fitted once."""
    fits = {id(one.cost): one.cost for one in entrants}.values()
    return Entry(
        name=name,
        kind="hybrid",
        ranked=ranked,
        fit_s=sum(cost.seconds for cost in fits),
        score_s=sum(cost.seconds for cost in costs),
        peak_mb=max(cost.peak_mb for cost in (*costs, *fits)),
    )
