"""Relevance: the chance that somebody buys an item that a list shows them within 28 days, by its score and place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.evaluation.panel import Panel
from recommendations.engine.frames import BoolArray, IdArray, IntArray
from recommendations.engine.push.figures import LEARNED, ModelFigures, area, compared, tenths
from recommendations.engine.push.logistic import Columns, Logistic
from recommendations.engine.ranking.candidates import weight_vector
from recommendations.engine.ranking.scores import Exponents, blend_planes, lifted

LISTED = 20  # places of a list that are learned from
HOLDS_WITHIN = 0.25  # of what is said, in every tenth
LEAST_ROWS, LEAST_BOUGHT = 2_000, 100
FEATURES = ("score", "place")
EVERYWHERE, PLACE = "everywhere", "place"


@dataclass(frozen=True, kw_only=True, eq=False)
class ListedItems:
    """Items in the lists of users: their score, place (0 = first), and whether they were bought in the 28 days."""

    user: IdArray
    score: NDArray[np.float64]
    place: IntArray
    bought: BoolArray

    def __len__(self) -> int:
        return len(self.user)

    @property
    def columns(self) -> Columns:
        return _columns(self.score, self.place)


@dataclass(frozen=True, kw_only=True, eq=False)
class RelevanceModel:
    """A line through score and place, and the chance that rises with it, between the borders of its steps."""

    line: Logistic
    borders: NDArray[np.float64]
    steps: NDArray[np.float64]

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        borders, steps = (np.array(parameters[name], np.float64) for name in ("borders", "steps"))
        return cls(line=Logistic.of(parameters), borders=borders, steps=steps)

    def parameters(self) -> dict[str, Any]:
        return {**self.line.parameters(), "borders": self.borders.tolist(), "steps": self.steps.tolist()}

    def chances(self, score: NDArray[np.float64], place: NDArray[np.integer]) -> NDArray[np.float64]:
        """Chance of each item of a list."""
        return np.interp(self.line.chances(_columns(score, place)), self.borders, self.steps)


def listed_items(panel: Panel, weights: Mapping[str, float], exponents: Exponents) -> ListedItems:
    """The lists of a panel's users under weights: their first items by score, with what was bought."""
    scores = blend_planes(panel.planes, weight_vector(panel.instances, weights))
    for added in lifted(scores, panel.lifts, exponents).values():
        scores += added
    scores[panel.items < 0] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :LISTED]
    score = np.take_along_axis(scores, order, axis=1).astype(np.float64)
    bought = np.take_along_axis(panel.relevant, order, axis=1)
    place = np.broadcast_to(np.arange(order.shape[1], dtype=np.int32), order.shape)
    user = np.broadcast_to(panel.users[:, None], order.shape)
    there = np.isfinite(score)
    return ListedItems(user=user[there], score=score[there], place=place[there], bought=bought[there])


def fit_relevance(lists: ListedItems) -> RelevanceModel | None:
    """Fit to lists whose 28 days are over; None where there are too few."""
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415 - slow to load

    if len(lists) < LEAST_ROWS or not LEAST_BOUGHT <= lists.bought.sum() < len(lists):
        return None
    line = Logistic.fit(lists.columns, lists.bought, FEATURES)
    rising = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    rising.fit(line.chances(lists.columns), lists.bought)
    return RelevanceModel(
        line=line, borders=np.asarray(rising.X_thresholds_, np.float64), steps=np.asarray(rising.y_thresholds_)
    )


def judged(model: RelevanceModel, lists: ListedItems, *, taught: ListedItems, seed: int) -> ModelFigures:
    """How well the said chances hold on lists of a later window; whole users are drawn."""
    _, group = np.unique(lists.user, return_inverse=True)
    said = model.chances(lists.score, lists.place)
    by_place = np.bincount(taught.place, taught.bought, minlength=LISTED) / np.maximum(
        np.bincount(taught.place, minlength=LISTED), 1
    )
    scores = {LEARNED: said, PLACE: by_place[lists.place], EVERYWHERE: np.full(len(lists), taught.bought.mean())}
    table, gains = compared(
        scores, lambda score: {"area": area(score, lists.bought)}, group=group.astype(np.int64), seed=seed
    )
    parts = tenths(said, lists.bought, group=group.astype(np.int64), seed=seed)
    counts = {"lessons": len(taught), "tested": len(lists), "users": int(group.max()) + 1 if len(group) else 0}
    return ModelFigures(table=table, gains=gains, tenths=parts, counts=counts)


def holds(figures: ModelFigures) -> bool:
    """Whether in every tenth as many were bought as was said, within a quarter of it."""
    return all(abs(each.was - each.said) <= HOLDS_WITHIN * each.said for each in figures.tenths)


def _columns(score: NDArray[np.float64], place: NDArray[np.integer]) -> Columns:
    return np.stack([score, np.log1p(place.astype(np.float64))], axis=1)
