"""Suggested weights for staff to start from: the most of their goal on the panel within their limits.

The limits are least values of accuracy, of coverage and of the mean diversity of the lists, and instances whose share
stays. A point outside them counts as worse than any within, by how far it is outside; so the search first finds its way
in. The exponent of the goal's lift is tried before and after each climb; diversity in the order of a list (MMR), where
it is free, on the best weights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from recommendations.engine.evaluation.panel import Panel, PanelResult
from recommendations.engine.evaluation.panel_measures import ACCURACY, DIVERSITY
from recommendations.engine.feedback.tuning import COARSE, DECIMALS, SearchConfig, climb, measurably_better
from recommendations.engine.frames import BoolArray, FloatArray
from recommendations.engine.ranking.candidates import weight_vector
from recommendations.engine.ranking.scores import Exponents
from recommendations.engine.rng import generator
from recommendations.terms import Lift

MMR = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
GOAL_EXPONENTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.4, 2.0)
SEARCH = SearchConfig(draws=60, climbs=2, rounds=3)
ROUNDING = 0.002
"""Part of the goal that may be lost to plain numbers on the sliders."""


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What is looked for, with least values of other measures (0: none) and what stays as it is at the start."""

    goal: str = ACCURACY  # a measure of the panel
    accuracy: float = 0.0  # of the mean NDCG
    coverage: float = 0.0
    diversity: float = 0.0  # of the lists, on average
    locked: frozenset[str] = frozenset()  # instances, and lifts
    mmr_locked: bool = False  # the diversity of the order stays


@dataclass(frozen=True, kw_only=True)
class SearchPoint:
    """A measured point; ``shortfall`` is how far it is outside the limits, as a share of them, 0 within."""

    weights: FloatArray  # in the order of the panel's instances
    mmr: float
    exponents: Exponents
    reached: float  # of the goal
    accuracy: float
    coverage: float
    diversity: float
    shortfall: float

    @property
    def value(self) -> float:
        """How much of the goal is reached within the limits, else minus the shortfall."""
        return -self.shortfall if self.shortfall else self.reached


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
    def exponents(self) -> Exponents:
        return self.best.exponents

    @property
    def weights(self) -> dict[str, float]:
        return dict(zip(self.instances, self.best.weights.tolist(), strict=True))

    @property
    def stays(self) -> bool:
        return self.best is self.start


class _Search:
    """The search: measures points, remembers how far they reach, and reports how much of the work is done."""

    def __init__(self, panel: Panel, aim: Aim, *, progress: Callable[[float], None] | None) -> None:
        self.panel, self.aim, self.progress = panel, aim, progress
        self.most_coverage = self.most_diversity = 0.0
        self.evaluations, self.expected = 0, 1

    def measured(self, weights: FloatArray, mmr: float, exponents: Exponents) -> PanelResult:
        named = dict(zip(self.panel.instances, weights.tolist(), strict=True))
        return self.panel.measure(named, exponents=exponents, diversity=mmr)

    def point(self, weights: FloatArray, mmr: float, exponents: Exponents) -> SearchPoint:
        self.evaluations += 1
        if self.progress:
            self.progress(min(self.evaluations / self.expected, 1.0))
        result = self.measured(weights, mmr, exponents)
        reached, accuracy, diversity = (float(result.of(name).mean()) for name in (self.aim.goal, ACCURACY, DIVERSITY))
        self.most_coverage = max(self.most_coverage, result.coverage)
        self.most_diversity = max(self.most_diversity, diversity)
        least = self.aim
        pairs = (accuracy, least.accuracy), (result.coverage, least.coverage), (diversity, least.diversity)
        return SearchPoint(
            weights=weights, mmr=mmr, exponents=exponents, reached=reached, accuracy=accuracy,
            coverage=result.coverage, diversity=diversity, shortfall=sum(_below(*pair) for pair in pairs),
        )  # fmt: skip

    def climbed(self, start: SearchPoint, *, free: BoolArray, draw: np.random.Generator, rounds: int) -> SearchPoint:
        start = self.aimed(start)
        reached, _ = climb(
            lambda weights: self.point(weights, start.mmr, start.exponents).value, start.weights, start.value,
            draw=draw, rounds=rounds, free=free,
        )  # fmt: skip
        return start if reached is start.weights else self.aimed(self.point(reached, start.mmr, start.exponents))

    def aimed(self, start: SearchPoint) -> SearchPoint:
        """The point with the exponent of the goal's lift that does best; that of accuracy has none."""
        if self.aim.goal == ACCURACY or self.aim.goal in self.aim.locked or self.aim.goal not in self.panel.lifts:
            return start
        lift = Lift(self.aim.goal)
        others = [exponent for exponent in GOAL_EXPONENTS if exponent != start.exponents.get(lift, 0.0)]
        tried = (self.point(start.weights, start.mmr, {**start.exponents, lift: exponent}) for exponent in others)
        return max([start, *tried], key=lambda point: point.value)

    def is_better(self, one: SearchPoint, other: SearchPoint) -> bool:
        """Whether one point reaches measurably more of the goal than the other, paired by user."""
        reached = [self.measured(each.weights, each.mmr, each.exponents).of(self.aim.goal) for each in (one, other)]
        return measurably_better(*reached)


def suggested(
    panel: Panel,
    *,
    start: Mapping[str, float],
    exponents: Exponents,
    mmr: float,
    aim: Aim,
    seed: int,
    search: SearchConfig = SEARCH,
    progress: Callable[[float], None] | None = None,
) -> Suggested:
    """Search the best point from ``start``, from singles and from draws of what is not locked.

    Exponents of the lifts stay, but for that of the goal. ``progress`` hears the share that is done, and may raise to
    stop the search. Raises ValueError where nobody is on the panel, or nothing has weight.
    """
    begun = weight_vector(panel.instances, start)
    if not len(panel.users) or not begun.sum() > 0:
        raise ValueError("there is nothing to search on")
    begun /= begun.sum()
    free = np.array([name not in aim.locked for name in panel.instances])
    draw = generator(seed, "suggestion")
    vectors = _vectors(begun, free, draw=draw, n=search.draws)
    looked = _Search(panel, aim, progress=progress)
    looked.expected = len(vectors) + (search.climbs + 2) * search.rounds * int(free.sum()) * len(COARSE) + len(MMR)
    points = [looked.point(vector, mmr, exponents) for vector in vectors]
    highest = sorted(points[1:], key=lambda point: -point.value)[: search.climbs]
    peaks = [looked.climbed(point, free=free, draw=draw, rounds=search.rounds) for point in (points[0], *highest)]
    most = max([*points, *peaks], key=lambda point: point.reached)
    if most.shortfall and not aim.mmr_locked:
        peaks.append(_more_mixed(looked, most, free=free, draw=draw))
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


def _more_mixed(looked: _Search, most: SearchPoint, *, free: BoolArray, draw: np.random.Generator) -> SearchPoint:
    """Climb from what reaches most of the goal, which is outside the limits, at the MMR step that does best."""
    steps = [looked.point(most.weights, mmr, most.exponents) for mmr in MMR if mmr != most.mmr]
    return looked.climbed(max(steps, key=lambda point: point.value), free=free, draw=draw, rounds=1)


def _rounded(looked: _Search, found: SearchPoint, *, free: BoolArray) -> SearchPoint:
    """Round what is free to four decimals, unless that is outside the limits or takes more than rounding may."""
    rounded = found.weights.astype(np.float64)
    if not rounded[free].sum() > 0:
        return found
    rounded[free] = np.round(rounded[free], DECIMALS)
    largest = np.flatnonzero(free)[np.argmax(rounded[free])]
    rounded[largest] += 1 - rounded.sum()
    point = looked.point(rounded.astype(np.float32), found.mmr, found.exponents)
    return point if point.value >= found.value - ROUNDING * abs(found.value) else found


def _below(value: float, least: float) -> float:
    """Shortfall of a value below the least one, as a share of the latter; 0 where it is not below."""
    return max(0.0, (least - value) / least) if least > 0 else 0.0
