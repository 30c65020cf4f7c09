"""The tuning panel: every customer's candidates with their labels, so that any weights can be measured at once.

It stands on the rounded numbers, kernel and tie-break of the batch evaluation, so both answer alike (``maths.md`` §6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import LENGTH, Ideal, Judged, PerUser, discount, ideal, labels, ndcg
from recommendations.engine.evaluation.breadth import Assortment, coverage
from recommendations.engine.evaluation.intervals import Measure, differences, measures
from recommendations.engine.evaluation.panel_measures import COVERAGE, Lists, measured_by, table_at
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.engine.ranking.candidates import Candidates, weight_vector
from recommendations.engine.ranking.diversity import Likeness, diversified
from recommendations.engine.ranking.exploration import EXPLORED_FROM, chances
from recommendations.engine.ranking.scores import Exponents, Lifts, blend_planes, gathered, lifted, spoken, top

USERS_AT_ONCE = 2_000


@dataclass(frozen=True, kw_only=True)
class PanelResult:
    """Measures of one set of weights on the panel, at its length."""

    ranked: IntArray  # [users, 20] item rows, best first
    names: Sequence[str]  # of the measures by user
    per_user: NDArray[np.float64]  # [users, names]
    coverage: float
    length: int

    def of(self, name: str) -> PerUser:
        """A measure by user."""
        return self.per_user[:, self.names.index(name)]

    def summary(self, drawn: FloatArray) -> dict[str, Measure]:
        """Every measure with its interval; coverage counts over everybody, so it has none: low = high."""
        covered = Measure(self.coverage, self.coverage, self.coverage)
        return dict(zip(self.names, measures(self.per_user, drawn), strict=True)) | {COVERAGE: covered}

    def against(self, reference: "PanelResult", drawn: FloatArray) -> dict[str, Measure]:
        """Differences of this minus the reference, paired by user."""
        pairs = differences(self.per_user, reference.per_user, drawn)
        return dict(zip(self.names, pairs, strict=True))

    def beside(self, reference: "PanelResult", drawn: FloatArray) -> tuple[dict[str, Measure], dict[str, Measure]]:
        """Return ``summary`` and ``against`` from one pass over the resamples; coverage has a difference as well."""
        both = np.concatenate([self.per_user, self.per_user - reference.per_user], axis=1)
        joint = measures(both, drawn)
        covered, more = self.coverage, self.coverage - reference.coverage
        n = len(self.names)
        own = dict(zip(self.names, joint[:n], strict=True)) | {COVERAGE: Measure(covered, covered, covered)}
        return own, dict(zip(self.names, joint[n:], strict=True)) | {COVERAGE: Measure(more, more, more)}


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Users of a window's truth with their candidates. Arrays are C-contiguous, so a plane is one strip of memory."""

    instances: tuple[str, ...]
    users: NDArray[np.int64]  # rows in the training set
    items: IntArray  # [users, candidates], ascending, −1 after the last
    planes: FloatArray  # [instances, users, candidates]: z, 0 for silence
    relevant: BoolArray  # [users, candidates]
    gain: FloatArray  # [users, candidates]
    ideal: Ideal
    shop: Assortment
    likeness: Likeness
    lifts: Lifts = field(default_factory=dict)  # [users, candidates]
    length: int = 10  # of the lists that are measured, 20 at most

    @property
    def nbytes(self) -> int:
        """Bytes of memory that its arrays of [users, candidates] take."""
        return sum(array.nbytes for array in (self.items, self.planes, self.relevant, self.gain, *self.lifts.values()))

    def of(self, rows: NDArray[np.integer]) -> Self:
        """The panel of some of its users alone, by their place in it; one may be there more than once."""
        planes = np.ascontiguousarray(self.planes[:, rows])
        return replace(
            self, users=self.users[rows], items=self.items[rows], planes=planes,
            relevant=self.relevant[rows], gain=self.gain[rows],
            lifts={name: lift[rows] for name, lift in self.lifts.items()},
            ideal=Ideal(n_relevant=self.ideal.n_relevant[rows], gain=self.ideal.gain[rows]),
        )  # fmt: skip

    def measure(
        self, weights: Mapping[str, float], *, exponents: Exponents | None = None, diversity: float = 0.0
    ) -> PanelResult:
        """Measure all users under these weights, the exponents of the lifts, and this much diversity (0 … 1)."""
        vector = weight_vector(self.instances, weights)
        positions = self._positions(vector, LENGTH, exponents=exponents or {}, diversity=diversity)
        ranked: IntArray = gathered(self.items, positions, missing=-1)
        lists = Lists(ranked, self._judged(positions), self.shop)
        return PanelResult(
            ranked=ranked, names=measured_by(self.shop), per_user=table_at(lists, self.length),
            coverage=coverage(ranked, self.shop, self.length), length=self.length,
        )  # fmt: skip

    def ndcg(self, weights: FloatArray, *, exponents: Exponents | None = None) -> PerUser:
        """Accuracy per user of a weight vector in the order of the instances: the tuner's objective."""
        return ndcg(self._judged(self._positions(weights, self.length, exponents=exponents or {})), self.length)

    def explored(
        self,
        weights: Mapping[str, float],
        *,
        shuffled: float,
        cards: float,
        exponents: Exponents | None = None,
        diversity: float = 0.0,
    ) -> PerUser:
        """Expected accuracy per user where answers are explored: the mean over all draws, by their chances.

        A user with fewer candidates than exploration draws from counts as shown nothing where one is missing.
        """
        ranked = self.length + EXPLORED_FROM
        vector = weight_vector(self.instances, weights)
        positions = self._positions(vector, ranked, exponents=exponents or {}, diversity=diversity)
        relevant = gathered(self.relevant, positions, missing=False)
        looked = chances(self.length, shuffled=shuffled, cards=cards, ranked=ranked) @ discount(self.length)
        best = np.cumsum(discount(self.length))[np.minimum(self.ideal.n_relevant, self.length) - 1]
        return np.asarray(relevant @ looked[: relevant.shape[1]] / best)

    def _positions(
        self, weights: FloatArray, k: int, *, exponents: Exponents, diversity: float = 0.0
    ) -> NDArray[np.int64]:
        scores = blend_planes(self.planes, weights)
        for added in lifted(scores, self.lifts, exponents).values():
            scores += added
        scores[self.items < 0] = -np.inf
        if not diversity:
            return top(scores, k)
        return diversified(scores, self.items, likeness=self.likeness, diversity=diversity, n=k)

    def _judged(self, positions: NDArray[np.int64]) -> Judged:
        return Judged(
            relevant=gathered(self.relevant, positions, missing=False),
            gain=gathered(self.gain, positions, missing=0),
            ideal=self.ideal,
        )


def panel(
    candidates: Candidates, truth: Truth, *, shop: Assortment, likeness: Likeness, lifts: Lifts | None = None
) -> Panel:
    """The panel of everyone with truth; ``candidates`` has a record per user of the training set, in their order.

    ``lifts`` are those of every item. Where the cost of nothing that was bought is known, no margin is measured.
    """
    records = candidates.rows(truth.users)
    items: IntArray = candidates.items[records]
    relevant, gain = labels(items, truth.per_user)
    rows = np.maximum(items, 0)
    if shop.margin is not None and not np.isfinite(shop.margin[truth.per_user.indices]).any():
        shop = replace(shop, margin=None)
    return Panel(
        instances=candidates.instances,
        users=truth.users,
        items=items,
        planes=_planes(candidates, records),
        relevant=relevant,
        gain=gain,
        ideal=ideal(truth.per_user),
        shop=shop,
        likeness=likeness,
        lifts={name: lift[rows] for name, lift in (lifts or {}).items()},
    )


def _planes(candidates: Candidates, records: NDArray[np.integer]) -> FloatArray:
    """The planes of these records; no more of them than a block is in memory twice."""
    _, n_instances, width = candidates.z.shape
    planes = np.empty((n_instances, len(records), width), np.float32)
    for start in range(0, len(records), USERS_AT_ONCE):
        block = slice(start, start + USERS_AT_ONCE)
        planes[:, block] = np.moveaxis(spoken(candidates.z[records[block]]), 1, 0)
    return planes
