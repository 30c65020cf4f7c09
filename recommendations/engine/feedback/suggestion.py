"""Suggested weights for staff to start from: the most NDCG@10 on the panel within their limits.

The limits are least values of coverage@10 and of the mean diversity@10 of the lists, and instances whose share stays.
A point outside them counts as worse than any within, by how far it is outside; so the search first finds its way in.
Diversity in the order of a list (MMR) is a lever of its own: where it is free, its steps are tried on the best weights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from recommendations.engine.evaluation.measures import MAIN, PER_USER
from recommendations.engine.evaluation.panel import Panel, PanelResult
from recommendations.engine.feedback.tuning import COARSE, DECIMALS, SearchConfig, climb, measurably_better
from recommendations.engine.frames import BoolArray, FloatArray
from recommendations.engine.ranking.candidates import weight_vector
from recommendations.engine.rng import generator

MMR = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
LISTS = "diversity@10"
SEARCH = SearchConfig(draws=60, climbs=2, rounds=3)
ROUNDING = 5e-4
"""NDCG@10 that may be lost to plain numbers on the sliders."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Least values (0: none) and the instances whose shares stay as they are at the start."""

    coverage: float = 0.0  # of coverage@10
    diversity: float = 0.0  # of the mean diversity@10
    locked: frozenset[str] = frozenset()
    mmr_locked: bool = False  # the diversity of the order stays


@dataclass(frozen=True, kw_only=True)
class SearchPoint:
    """A measured point; ``shortfall`` is how far it is outside the limits, as a share of them, 0 within."""

    weights: FloatArray  # in the order of the panel's instances
    mmr: float
    ndcg: float
    coverage: float
    diversity: float
    shortfall: float

    @property
    def value(self) -> float:
        """NDCG@10 within the limits, else minus the shortfall."""
        return -self.shortfall if self.shortfall else self.ndcg


@dataclass(frozen=True, kw_only=True)
class Suggested:
    """A suggestion: ``best`` is within the limits if any point was; ``start`` where none there is measurably better."""

    instances: tuple[str, ...]
    start: SearchPoint
    best: SearchPoint
    most_coverage: float  # of all points that were tried
    most_diversity: float
    evaluations: int

    @property
    def weights(self) -> dict[str, float]:
        return dict(zip(self.instances, self.best.weights.tolist(), strict=True))

    @property
    def stays(self) -> bool:
        return self.best is self.start


class _Search:
    """The search: measures points, remembers how far they reach, and reports how much of the work is done."""

    def __init__(
        self, panel: Panel, limits: Limits, *, promotion: float, progress: Callable[[float], None] | None
    ) -> None:
        self.panel, self.limits, self.promotion, self.progress = panel, limits, promotion, progress
        self.most_coverage = self.most_diversity = 0.0
        self.evaluations, self.expected = 0, 1

    def measured(self, weights: FloatArray, mmr: float) -> PanelResult:
        named = dict(zip(self.panel.instances, weights.tolist(), strict=True))
        return self.panel.measure(named, promotion=self.promotion, diversity=mmr)

    def point(self, weights: FloatArray, mmr: float) -> SearchPoint:
        self.evaluations += 1
        if self.progress:
            self.progress(min(self.evaluations / self.expected, 1.0))
        result = self.measured(weights, mmr)
        ndcg, diversity = result.per_user[:, [PER_USER.index(MAIN), PER_USER.index(LISTS)]].mean(axis=0).tolist()
        self.most_coverage = max(self.most_coverage, result.coverage)
        self.most_diversity = max(self.most_diversity, diversity)
        shortfall = _below(result.coverage, self.limits.coverage) + _below(diversity, self.limits.diversity)
        return SearchPoint(
            weights=weights, mmr=mmr, ndcg=ndcg, coverage=result.coverage, diversity=diversity, shortfall=shortfall
        )

    def climbed(self, start: SearchPoint, *, free: BoolArray, draw: np.random.Generator, rounds: int) -> SearchPoint:
        reached, _ = climb(
            lambda weights: self.point(weights, start.mmr).value, start.weights, start.value,
            draw=draw, rounds=rounds, free=free,
        )  # fmt: skip
        return start if reached is start.weights else self.point(reached, start.mmr)

    def is_better(self, one: SearchPoint, other: SearchPoint) -> bool:
        """Whether one point is measurably better than the other, paired by user."""
        gains = [self.measured(each.weights, each.mmr).per_user[:, PER_USER.index(MAIN)] for each in (one, other)]
        return measurably_better(*gains)


def suggested(
    panel: Panel,
    *,
    start: Mapping[str, float],
    promotion: float,
    mmr: float,
    limits: Limits,
    seed: int,
    search: SearchConfig = SEARCH,
    progress: Callable[[float], None] | None = None,
) -> Suggested:
    """Search the best point from ``start``, from singles and from draws of what is not locked.

    The exponent of the lift stays. ``progress`` hears the share that is done, and may raise to stop the search.
    Raises ValueError where nobody is on the panel, or nothing has weight.
    """
    begun = weight_vector(panel.instances, start)
    if not len(panel.users) or not begun.sum() > 0:
        raise ValueError("there is nothing to search on")
    begun /= begun.sum()
    free = np.array([name not in limits.locked for name in panel.instances])
    draw = generator(seed, "suggestion")
    vectors = _vectors(begun, free, draw=draw, n=search.draws)
    looked = _Search(panel, limits, promotion=promotion, progress=progress)
    looked.expected = len(vectors) + (search.climbs + 2) * search.rounds * int(free.sum()) * len(COARSE) + len(MMR)
    points = [looked.point(vector, mmr) for vector in vectors]
    highest = sorted(points[1:], key=lambda point: -point.value)[: search.climbs]
    peaks = [looked.climbed(point, free=free, draw=draw, rounds=search.rounds) for point in (points[0], *highest)]
    accurate = max([*points, *peaks], key=lambda point: point.ndcg)
    if accurate.shortfall and not limits.mmr_locked:
        peaks.append(_more_mixed(looked, accurate, free=free, draw=draw))
    best = _rounded(looked, max(peaks, key=lambda point: point.value), free=free)
    if not points[0].shortfall and not looked.is_better(best, points[0]):
        best = points[0]
    if progress:
        progress(1.0)
    return Suggested(
        instances=panel.instances, start=points[0], best=best, most_coverage=looked.most_coverage,
        most_diversity=looked.most_diversity, evaluations=looked.evaluations,
    )  # fmt: skip


def _vectors(begun: FloatArray, free: BoolArray, *, draw: np.random.Generator, n: int) -> list[FloatArray]:
    """First vectors: the start, then the room of what is free given to one instance, then shared out at random."""
    room = begun[free].sum()
    if not room > 0:
        return [begun]
    size = int(free.sum())
    parts = np.concatenate([np.eye(size), draw.dirichlet(np.full(size, SEARCH.concentration), n)])
    vectors = np.tile(begun, (len(parts), 1))
    vectors[:, free] = parts * room
    return [begun, *vectors]


def _more_mixed(looked: _Search, accurate: SearchPoint, *, free: BoolArray, draw: np.random.Generator) -> SearchPoint:
    """Climb from the most accurate weights, which are outside the limits, at the MMR step that does best."""
    steps = [looked.point(accurate.weights, mmr) for mmr in MMR if mmr != accurate.mmr]
    return looked.climbed(max(steps, key=lambda point: point.value), free=free, draw=draw, rounds=1)


def _rounded(looked: _Search, found: SearchPoint, *, free: BoolArray) -> SearchPoint:
    """Round what is free to four decimals, unless that is outside the limits or takes more than rounding may."""
    rounded = found.weights.astype(np.float64)
    if not rounded[free].sum() > 0:
        return found
    rounded[free] = np.round(rounded[free], DECIMALS)
    largest = np.flatnonzero(free)[np.argmax(rounded[free])]
    rounded[largest] += 1 - rounded.sum()
    point = looked.point(rounded.astype(np.float32), found.mmr)
    return point if point.value >= found.value - ROUNDING else found


def _below(value: float, least: float) -> float:
    """Shortfall of a value below the least one, as a share of the latter; 0 where it is not below."""
    return max(0.0, (least - value) / least) if least > 0 else 0.0
