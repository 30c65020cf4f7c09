"""Weights from a panel: Dirichlet draws, then multiplicative coordinate ascent on the simplex (``maths.md`` §4).

The objective is the mean NDCG@10 of the tuning window. It is flat and has many equal tops, as recommenders overlap:
read the ablation, not the weights, as importance.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import PerUser
from recommendations.engine.evaluation.intervals import Measure, measures
from recommendations.engine.evaluation.panel import Panel
from recommendations.engine.frames import BoolArray, FloatArray
from recommendations.engine.ranking.candidates import weight_vector
from recommendations.engine.ranking.scores import Exponents
from recommendations.engine.rng import generator
from recommendations.terms import Lift

COARSE = (0.0, 0.5, 0.8, 1.25, 2.0, 4.0)
EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
"""Exponents of the lift of the promotion plan, tried on the best weights."""

FINE = (0.0, 0.7, 0.9, 1.1, 1.4)
ENTRY = 0.05
"""The part of the whole at which an instance without weight is tried (times the factor)."""

GAIN = 1e-6
"""A smaller improvement is rounding."""

DECIMALS = 4
MEASURABLE = 1.96
"""Standard errors of a paired difference that are no chance any more."""

type Axis[P] = Callable[[P], Iterable[P]]
"""An axis of a search: the moves along it, all from the point that was reached before the first of them."""


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    draws: int = 120
    concentration: float = 0.3  # of the Dirichlet draws; below 1 most of the weight falls on a few instances
    climbs: int = 4  # so many of the best points are climbed from, and the given starts
    rounds: int = 4


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What the search found; NDCG@10 are means over the panel."""

    weights: Mapping[str, float]  # of every instance, add up to 1; the best without the plan
    promotion: float  # exponent of the lift, 0 without a plan or where it does not help
    ndcg: float  # with the plan
    best_single: str
    best_single_ndcg: float  # never above ``ndcg``
    evaluations: int


class _Objective:
    """Mean NDCG@10 of a weight vector; counts its evaluations."""

    def __init__(self, panel: Panel, *, expected: int, progress: Callable[[float], None] | None) -> None:
        self.panel, self.expected, self.progress = panel, expected, progress
        self.evaluations = 0

    def __call__(self, weights: FloatArray, promotion: float = 0.0) -> float:
        self.evaluations += 1
        if self.progress:
            self.progress(min(self.evaluations / self.expected, 1.0))
        return mean_ndcg(self.panel, weights, promotion=promotion)


def mean_ndcg(panel: Panel, weights: FloatArray, *, promotion: float = 0.0) -> float:
    """Mean NDCG at the panel's length over its users; 0 without any."""
    return mean(panel.ndcg(weights, exponents={Lift.PROMOTION: promotion}))


def mean(per_user: PerUser) -> float:
    """Mean over users; 0 of nobody."""
    return float(per_user.mean()) if len(per_user) else 0.0


def tuned(
    panel: Panel,
    *,
    seed: int,
    starts: Sequence[Mapping[str, float]] = (),
    incumbent: Mapping[str, float] | None = None,
    promotion: float = 0.0,
    search: SearchConfig | None = None,
    progress: Callable[[float], None] | None = None,
) -> Tuned:
    """Tune the weights: the best from every single instance, the given starts and the draws.

    An ``incumbent`` is a start that stays unless the best is measurably better, paired by user: the top is flat, and
    to move along it is to follow the noise of one window. It goes where it is below the best single instance. So it is
    with ``promotion``, the exponent of the lift that was used so far.

    ``progress`` hears the share of the longest possible search, and may raise to stop it. Without instances there is
    nothing to weigh: ``ValueError``.
    """
    if not panel.instances:
        raise ValueError("there is no instance to weigh")
    search = search or SearchConfig()
    size = len(panel.instances)
    draw = generator(seed, "tuning")
    singles = np.eye(size, dtype=np.float32)
    vectors = [weight_vector(panel.instances, start) for start in (*starts, incumbent or {})]
    given = [vector / vector.sum() for vector in vectors if vector.sum() > 0]
    drawn = draw.dirichlet(np.full(size, search.concentration), search.draws).astype(np.float32)
    points = np.concatenate([singles, *(vector[None] for vector in given), drawn])
    longest = len(points) + (search.climbs + len(given)) * search.rounds * size * len(COARSE) + 2
    objective = _Objective(panel, expected=longest, progress=progress)
    values = np.array([objective(point) for point in points])
    highest = np.argsort(-values, kind="stable")[: search.climbs]
    climbed = [
        climb(objective, points[at], float(values[at]), draw=draw, rounds=search.rounds)
        for at in dict.fromkeys([*range(size, size + len(given)), *highest])
    ]
    single = int(np.argmax(values[:size]))
    contenders = [(singles[single], float(values[single])), *climbed]
    best = max(contenders, key=lambda contender: contender[1])
    if incumbent and vectors[-1].sum() > 0 and not measurably_better(panel.ndcg(best[0]), panel.ndcg(given[-1])):
        incumbent_value = values[size + len(given) - 1]
        best = (given[-1], float(incumbent_value)) if incumbent_value >= values[single] else best
    weights, value = _rounded(objective, *best, floor=float(values[single]))
    vector = weights.astype(np.float32)
    promotion = best_exponent(panel, vector, incumbent=promotion)
    if progress:
        progress(1.0)
    return Tuned(
        weights={name: float(weight) for name, weight in zip(panel.instances, weights, strict=True)},
        promotion=promotion,
        ndcg=objective(vector, promotion) if promotion else value,
        best_single=panel.instances[single],
        best_single_ndcg=float(values[single]),
        evaluations=objective.evaluations,
    )


def measurably_better(candidate: PerUser, reference: PerUser) -> bool:
    gains = candidate - reference
    return bool(len(gains) and gains.mean() > MEASURABLE * gains.std() / np.sqrt(len(gains)))


def ascend[P](
    objective: Callable[[P], float],
    start: P,
    value: float,
    *,
    axes: Callable[[int], Iterable[Axis[P]]],
    rounds: int,
    gain: float = GAIN,
) -> tuple[P, float]:
    """Ascend along one axis at a time by every move that gains more than ``gain``, until a round brings nothing.

    ``axes`` gives those of a round by its number from 0. Returns the point that was reached, and its value.
    """
    point = start
    for number in range(rounds):
        before = value
        for axis in axes(number):
            for moved in axis(point):
                reached = objective(moved)
                if reached > value + gain:
                    point, value = moved, reached
        if value <= before:
            break
    return point, value


def climb(
    objective: Callable[[FloatArray], float],
    start: FloatArray,
    value: float,
    *,
    draw: np.random.Generator,
    rounds: int,
    free: BoolArray | None = None,
) -> tuple[FloatArray, float]:
    """Ascend one weight at a time, in random order, until a round brings nothing; those that are not ``free`` stay."""
    movable = np.arange(len(start)) if free is None else np.flatnonzero(free)

    def axes(number: int) -> Iterator[Axis[FloatArray]]:
        factors = COARSE if number < 2 else FINE
        return (partial(_moves, m=m, movable=movable, factors=factors) for m in draw.permutation(movable))

    return ascend(objective, start, value, axes=axes, rounds=rounds)


def _moves(
    weights: FloatArray, *, m: int, movable: NDArray[np.int64], factors: Sequence[float]
) -> Iterator[FloatArray]:
    """Yield the vector with weight m multiplied; the movable ones are rescaled to the room that they had together."""
    room = 1.0 if len(movable) == len(weights) else float(weights[movable].sum())
    for factor in factors:
        moved = weights.copy()
        moved[m] = weights[m] * factor if weights[m] > 0 else ENTRY * room * factor
        if moved[movable].sum() > 0 and (factor > 0 or weights[m] > 0):
            moved[movable] = moved[movable] / moved[movable].sum() * np.float32(room)
            yield moved


def _rounded(
    objective: _Objective, weights: FloatArray, value: float, *, floor: float
) -> tuple[NDArray[np.float64], float]:
    """Round to four decimals that add up to 1, unless rounding falls below the best single instance."""
    rounded = np.round(weights.astype(np.float64), DECIMALS)
    rounded[np.argmax(rounded)] += 1 - rounded.sum()
    rounded = np.round(rounded, DECIMALS)
    reached = objective(rounded.astype(np.float32))
    return (rounded, reached) if reached >= floor else (weights.astype(np.float64), value)


def best_exponent(panel: Panel, weights: FloatArray, *, incumbent: float) -> float:
    """Exponent of the lift for these weights: the incumbent, unless another is measurably better; 0 without a plan."""
    if Lift.PROMOTION not in panel.lifts:
        return 0.0
    tried = sorted({incumbent, *EXPONENTS})
    reached = {exponent: panel.ndcg(weights, exponents={Lift.PROMOTION: exponent}) for exponent in tried}
    best = max(reached, key=lambda exponent: mean(reached[exponent]))
    return best if measurably_better(reached[best], reached[incumbent]) else incumbent


def ablation(
    panel: Panel, weights: Mapping[str, float], drawn: FloatArray, *, exponents: Exponents | None = None
) -> dict[str, Measure]:
    """What each weighted instance, and each lift, is worth: accuracy with it minus without, paired by user."""
    vector, exponents = weight_vector(panel.instances, weights), exponents or {}
    whole = panel.ndcg(vector, exponents=exponents)
    others = {}
    for m in np.flatnonzero(vector):
        without = vector.copy()
        without[m] = 0
        others[panel.instances[m]] = panel.ndcg(without, exponents=exponents)
    for name in panel.lifts:
        if exponents.get(name):
            others[name] = panel.ndcg(vector, exponents={**exponents, name: 0.0})
    return {name: measures((whole - other)[:, None], drawn)[0] for name, other in others.items()}
