"""The tuning panel: every customer's candidates with their labels, so that any weights can be measured at once.

It stands on the rounded numbers, kernel and tie-break of the batch evaluation, so both answer alike (``maths.md`` §6).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import LENGTH, Ideal, Judged, PerUser, ideal, labels, ndcg
from recommendations.engine.evaluation.breadth import Assortment
from recommendations.engine.evaluation.intervals import Measure, differences, measures
from recommendations.engine.evaluation.measures import COVERAGE, PER_USER, covered_share, per_user_table, summary
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.engine.ranking.candidates import Candidates, weight_vector
from recommendations.engine.ranking.diversity import Likeness, diversified
from recommendations.engine.ranking.scores import blend_planes, gathered, promoted, spoken, top


@dataclass(frozen=True, kw_only=True)
class PanelResult:
    """Metrics of one set of weights on the panel."""

    ranked: IntArray  # [users, 20] item rows, best first
    per_user: NDArray[np.float64]  # [users, metrics of PER_USER]
    coverage: float

    def summary(self, drawn: FloatArray) -> dict[str, Measure]:
        return summary(self.per_user, self.coverage, drawn)

    def against(self, reference: "PanelResult", drawn: FloatArray) -> dict[str, Measure]:
        """Differences of this minus the reference, paired by user."""
        pairs = differences(self.per_user, reference.per_user, drawn)
        return dict(zip(PER_USER, pairs, strict=True))

    def beside(self, reference: "PanelResult", drawn: FloatArray) -> tuple[dict[str, Measure], dict[str, Measure]]:
        """Return ``summary`` and ``against`` from one pass over the resamples; coverage has a difference as well."""
        both = np.concatenate([self.per_user, self.per_user - reference.per_user], axis=1)
        joint = measures(both, drawn)
        covered, more = self.coverage, self.coverage - reference.coverage
        own = dict(zip(PER_USER, joint[: len(PER_USER)], strict=True)) | {COVERAGE: Measure(covered, covered, covered)}
        return own, dict(zip(PER_USER, joint[len(PER_USER) :], strict=True)) | {COVERAGE: Measure(more, more, more)}


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
    lift: FloatArray | None = None  # [users, candidates]: what the promotion plan makes of demand; None: no plan

    @property
    def nbytes(self) -> int:
        """Bytes of memory that its arrays of [users, candidates] take."""
        held = (self.items, self.planes, self.relevant, self.gain, self.lift)
        return sum(array.nbytes for array in held if array is not None)

    def of(self, rows: NDArray[np.integer]) -> Self:
        """The panel of some of its users alone, by their place in it; one may be there more than once."""
        planes = np.ascontiguousarray(self.planes[:, rows])
        return replace(
            self, users=self.users[rows], items=self.items[rows], planes=planes,
            relevant=self.relevant[rows], gain=self.gain[rows], lift=None if self.lift is None else self.lift[rows],
            ideal=Ideal(n_relevant=self.ideal.n_relevant[rows], gain=self.ideal.gain[rows]),
        )  # fmt: skip

    def measure(self, weights: Mapping[str, float], *, promotion: float = 0.0, diversity: float = 0.0) -> PanelResult:
        """Measure all users under these weights, the lift's exponent, and this much diversity (0 … 1)."""
        vector = weight_vector(self.instances, weights)
        positions = self._positions(vector, LENGTH, promotion=promotion, diversity=diversity)
        ranked: IntArray = gathered(self.items, positions, missing=-1)
        table = per_user_table(ranked, self._judged(positions), self.shop)
        return PanelResult(ranked=ranked, per_user=table, coverage=covered_share(ranked, self.shop))

    def ndcg(self, weights: FloatArray, *, promotion: float = 0.0, k: int = 10) -> PerUser:
        """NDCG@k per user of a weight vector in the order of the instances: the tuner's objective."""
        return ndcg(self._judged(self._positions(weights, k, promotion=promotion)), k)

    def _positions(self, weights: FloatArray, k: int, *, promotion: float, diversity: float = 0.0) -> NDArray[np.int64]:
        scores = blend_planes(self.planes, weights)
        if self.lift is not None and promotion:
            scores += promoted(scores, self.lift, promotion)
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
    candidates: Candidates, truth: Truth, *, shop: Assortment, likeness: Likeness, lift: FloatArray | None = None
) -> Panel:
    """The panel of everyone with truth; ``candidates`` has a record per user of the training set, in their order.

    ``lift`` is that of every item under the promotion plan (``preprocess.promotions``), where there is one.
    """
    chosen = candidates.of(truth.users)
    relevant, gain = labels(chosen.items, truth.per_user)
    return Panel(
        instances=chosen.instances,
        users=truth.users,
        items=chosen.items,
        planes=np.ascontiguousarray(np.moveaxis(spoken(chosen.z), 1, 0)),
        relevant=relevant,
        gain=gain,
        ideal=ideal(truth.per_user),
        shop=shop,
        likeness=likeness,
        lift=None if lift is None else lift[np.maximum(chosen.items, 0)],
    )
